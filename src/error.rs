//! The errors of use cases.
//!
//! One small, serializable enum of codes and fields. It contains no text of a
//! library: the cause of an [`AppError::Internal`] goes to the log, with the
//! request id that the answer contains as well.

use leptos::server_fn::{
    codec::JsonEncoding,
    error::{FromServerFnError, ServerFnErrorErr},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Why a use case did not happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum AppError {
    /// The input breaks a rule; each entry names a field and how to correct it.
    #[error("There is a problem with what was sent.")]
    Invalid {
        /// In the order of the form's fields.
        errors: Vec<FieldError>,
    },
    /// The request cannot be read at all: a missing argument, a wrong type.
    #[error("The request could not be understood: {reason}")]
    BadRequest {
        /// What is wrong with it, for the programmer who sent it.
        reason: String,
    },
    /// Nobody is signed in, or no longer.
    #[error("You need to log in first.")]
    NotSignedIn,
    /// An invalid access token or API key.
    #[error("{reason}")]
    BadCredential { reason: String },
    /// Someone is signed in, but this is not theirs to do.
    #[error("Only its author can change a post.")]
    Forbidden,
    /// An API key came along, and it can only read.
    #[error("An API key can only read. Sign in, or send an access token.")]
    ReadOnly,
    #[error("There is nothing here.")]
    NotFound,
    /// Someone saved in between; nothing was overwritten.
    #[error("This post was changed after you opened it.")]
    Conflict {
        /// What was to be changed, as it stands now.
        current: Box<Value>,
    },
    /// The post exists, or is not in the state that the program required.
    #[error("The condition of the request is not met; nothing was changed.")]
    ConditionNotMet,
    /// The idempotency key came before, with other content, or what it made is
    /// gone by now (security row D5; 422 is what
    /// draft-ietf-httpapi-idempotency-key-header, 2.7, asks for).
    #[error(
        "This idempotency key was used before, for something else. Nothing was done now; to have this done as well, send it under a new key."
    )]
    KeyReused {
        /// The id of the first result; absent if the caller may not know it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        made: Option<String>,
    },
    /// The request came from another site (security row C1), or from a page of
    /// this one that was opened by another address than the site's own.
    #[error("{}", cross_site(at.as_deref()))]
    CrossSite {
        /// The address of the site, if the operator has set one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        at: Option<String>,
    },
    /// The endpoint exists, but not for this method.
    #[error("This address does not take that kind of request.")]
    MethodNotAllowed,
    #[error("The request took too long to arrive. Please try again.")]
    Timeout,
    #[error("That is too large: at most {max_bytes} bytes can be sent at once.")]
    TooLarge { max_bytes: usize },
    /// Too much at once, the disk is full, or the database does not answer.
    /// Later it may work. A write may have been done all the same, if only its
    /// answer was lost: sent again with its idempotency key, it is done once.
    #[error("Byline is too busy just now. Please try again in a moment.")]
    Busy {
        /// Seconds to wait before the next try.
        retry_after: u32,
    },
    /// The object store with the files of pictures does not answer, or refuses.
    #[error("The store of the pictures does not answer just now. Please try again in a moment.")]
    PicturesAway {
        /// Seconds to wait before the next try.
        retry_after: u32,
    },
    /// Too many attempts, or too much in a short time, by one account or one
    /// address (security row R1). Nothing was checked and nothing was done.
    #[error("Too many attempts. Please wait {} and try again.", waiting_time(*retry_after))]
    TooMany {
        /// Seconds until the next attempt counts.
        retry_after: u32,
    },
    /// The session or the token is valid, but the person has not shown for ten
    /// minutes that it is them (security row S4).
    #[error("Confirm that it is you: enter your password again.")]
    ConfirmIdentity,
    /// The password is right, but the account has a second factor, and this request
    /// brought no code (security row F1).
    #[error("This account has a second factor: send a code as well.")]
    SecondFactorRequired,
    /// Others changed the same at the same time, and kept doing so. Nothing was done.
    #[error("Others were changing the same thing just now. Please try again.")]
    #[serde(rename = "overtaken")]
    WriteConflict,
    /// The operator has not set the address of the site.
    #[error(
        "This site does not know its public address: others cannot reach {known}. Its operator has to set --public-url."
    )]
    NoPublicUrl {
        /// The address that it assumes.
        known: String,
    },
    /// What was asked for needs mail, and this site sends none.
    #[error("This site cannot send mail. Please ask whoever runs it.")]
    MailIsOff,
    /// The person has not confirmed their address, and may not write before.
    #[error(
        "Confirm your email address before you write: enter the code that was mailed to you on the page /verify-email."
    )]
    EmailNotConfirmed,
    /// Who signs up needs a link from whoever runs the site (setting `site.sign-up`).
    #[error(
        "To sign up here you need an invitation that is neither used nor too old. Please ask whoever runs the site."
    )]
    InvitationNeeded,
    /// Every factor is right, but whoever runs the site has locked the account.
    #[error("This account is locked. Please ask whoever runs the site.")]
    AccountLocked,
    /// Whoever runs the site makes the accounts (setting `site.sign-up`).
    #[error("This site takes no new accounts by itself. Please ask whoever runs it.")]
    SignUpClosed,
    /// The password is right, but the sign-up that it belongs to still waits for the
    /// code from its mail. `/api/verify_email` takes both.
    #[error("Confirm your email address first: enter the code that was mailed to you.")]
    SignUpNotConfirmed {
        /// The id that goes with the code.
        sign_up: String,
    },
    /// A fault of ours; the log has the cause.
    #[error("Something went wrong on our side.")]
    Internal,
}

/// Input as an adapter has parsed it, or why it cannot be parsed. A use case that
/// not everyone may do takes this: it checks the caller first, so somebody who may
/// not do it learns no rule about the input.
pub type Parsed<T, E = AppError> = Result<T, E>;

/// A rule broken at one field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    pub field: Field,
    /// A sentence that says what to do; shown beside the field and in the summary.
    pub message: String,
}

/// A field of a form and, under the same name, an argument of a server function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// A username, at sign-up.
    Username,
    /// An e-mail address, at sign-up.
    Email,
    /// A password, at sign-up and login.
    Password,
    /// A username or an e-mail address, at login.
    Identifier,
    Title,
    /// The Markdown of a post.
    Content,
    /// The last part of a post's address.
    Address,
    /// The tags of a post.
    Tags,
    /// The language of a post.
    Language,
    /// When a post is to be published.
    PublishAt,
    /// The username of a post's author.
    Owner,
    /// The name of an API key.
    Name,
    /// For how many days an API key is valid.
    Days,
    /// The password that is valid now, where another is chosen.
    CurrentPassword,
    /// A password that replaces another.
    NewPassword,
    /// Six digits, sent by mail or shown by an authenticator app; or a recovery code.
    Code,
    /// The token of a link from a mail.
    Token,
    /// The name that is shown with a person's posts.
    DisplayName,
    /// One line about a person.
    About,
    /// Addresses of a person's other pages, one a line.
    Links,
    /// How the punctuation of a person's posts is shown.
    Punctuation,
    /// What becomes of the posts of an account that is deleted.
    Posts,
    /// The words of a search.
    Search,
    /// A picture that is uploaded.
    File,
    /// Words for people who do not see a picture.
    Alt,
    /// No control that is typed into: the button that asks for a passkey.
    Passkey,
    /// The settings of the site, as `/admin/settings` shows them.
    SiteName,
    Description,
    SiteLanguage,
    TimeZone,
    Accent,
    Faces,
    /// The file of the site's logo.
    Logo,
    /// The file of the site's icon.
    Icon,
    AboutSite,
    FooterLinks,
    Css,
    SignUp,
    Approval,
    AiCrawlers,
    Hsts,
    /// Why something is done or asked for, in words for others.
    Reason,
    /// What somebody adds to a choice in their own words.
    Detail,
    /// An address of the internet, or a range of them.
    Network,
    /// How many minutes back.
    Minutes,
}

impl Field {
    /// The `name` of the control, and the argument's name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Username => "username",
            Self::Email => "email",
            Self::Password => "password",
            Self::Identifier => "identifier",
            Self::Title => "title",
            Self::Content => "content",
            Self::Address => "address",
            Self::Tags => "tags",
            Self::Language => "language",
            Self::PublishAt => "publish_at",
            Self::Owner => "owner",
            Self::Name => "name",
            Self::Days => "days",
            Self::CurrentPassword => "current_password",
            Self::NewPassword => "new_password",
            Self::Code => "code",
            Self::Token => "token",
            Self::DisplayName => "display_name",
            Self::About => "about",
            Self::Links => "links",
            Self::Punctuation => "punctuation",
            Self::Posts => "posts",
            Self::Search => "q",
            Self::File => "file",
            Self::Alt => "alt",
            Self::Passkey => "passkey",
            Self::SiteName => "site_name",
            Self::Description => "description",
            Self::SiteLanguage => "site_language",
            Self::TimeZone => "time_zone",
            Self::Accent => "accent",
            Self::Faces => "faces",
            Self::Logo => "logo",
            Self::Icon => "icon",
            Self::AboutSite => "about_site",
            Self::FooterLinks => "footer_links",
            Self::Css => "css",
            Self::SignUp => "sign_up",
            Self::Approval => "approval",
            Self::AiCrawlers => "ai_crawlers",
            Self::Hsts => "hsts",
            Self::Reason => "reason",
            Self::Detail => "detail",
            Self::Network => "network",
            Self::Minutes => "minutes",
        }
    }

    /// The text of the control's label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Username => "Username",
            Self::Email => "Email",
            Self::Password => "Password",
            Self::Identifier => "Username or email",
            Self::Title => "Title",
            Self::Content => "Content",
            Self::Address => "Address",
            Self::Tags => "Tags",
            Self::Language => "Language",
            Self::PublishAt => "Publish at",
            Self::Owner => "Owner",
            Self::Name => "Name",
            Self::Days => "Days until it expires",
            Self::CurrentPassword => "Current password",
            Self::NewPassword => "New password",
            Self::Code => "Code",
            Self::Token => "Link",
            Self::DisplayName => "Display name",
            Self::About => "About you",
            Self::Links => "Links",
            Self::Punctuation => "Punctuation of your posts",
            Self::Posts => "Your posts",
            Self::Search => "Search",
            Self::File => "Add a picture",
            Self::Alt => "What it shows (alt text)",
            Self::Passkey => "Passkey",
            Self::SiteName => "Name of the site",
            Self::Description => "Description",
            Self::SiteLanguage => "Language of the site",
            Self::TimeZone => "Time zone",
            Self::Accent => "Accent colour",
            Self::Faces => "Typefaces",
            Self::Logo => "Logo",
            Self::Icon => "Icon",
            Self::AboutSite => "About page",
            Self::FooterLinks => "Links at the foot of every page",
            Self::Css => "Style sheet",
            Self::SignUp => "Who may sign up",
            Self::Approval => "Posts that wait for approval",
            Self::AiCrawlers => "Crawlers that collect texts for AI",
            Self::Hsts => "Days by https alone",
            Self::Reason => "Reason",
            Self::Detail => "In your own words",
            Self::Network => "Network",
            Self::Minutes => "Minutes",
        }
    }
}

impl AppError {
    /// [`AppError::Invalid`] with one broken rule.
    #[must_use]
    pub fn invalid(field: Field, message: impl ToString) -> Self {
        Self::Invalid { errors: vec![FieldError::new(field, message)] }
    }

    /// What an error page says above the sentence.
    #[must_use]
    pub const fn heading(&self) -> &'static str {
        match self {
            Self::NotSignedIn => "Log in first",
            Self::Forbidden => "This is not yours to change",
            Self::NotFound => "Page not found",
            Self::Conflict { .. } => "Changed in between",
            Self::Busy { .. } | Self::WriteConflict => "Too busy just now",
            Self::TooMany { .. } => "Too many attempts",
            Self::ConfirmIdentity => "Confirm it is you",
            Self::Internal => "Something went wrong",
            Self::NoPublicUrl { .. } => "Not set up yet",
            Self::EmailNotConfirmed | Self::SignUpNotConfirmed { .. } => "Confirm your address first",
            Self::TooLarge { .. } => "Too large",
            _ => "That did not work",
        }
    }

    /// What is wrong, in whole sentences: every broken rule, where there are any.
    #[must_use]
    pub fn sentences(&self) -> String {
        match self {
            Self::Invalid { errors } => {
                errors.iter().map(|error| format!("{}.", error.message)).collect::<Vec<_>>().join(" ")
            }
            other => other.to_string(),
        }
    }

    /// Seconds to wait before the next try, where one may help.
    #[must_use]
    pub const fn retry_after(&self) -> Option<u32> {
        match self {
            Self::Busy { retry_after }
            | Self::PicturesAway { retry_after }
            | Self::TooMany { retry_after } => Some(*retry_after),
            Self::WriteConflict => Some(1),
            _ => None,
        }
    }

    /// The status of RFC 9110 that says the same.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::BadRequest { .. } => 400,
            Self::NotSignedIn | Self::BadCredential { .. } => 401,
            Self::Forbidden
            | Self::ReadOnly
            | Self::CrossSite { .. }
            | Self::MailIsOff
            | Self::ConfirmIdentity
            | Self::SecondFactorRequired
            | Self::EmailNotConfirmed
            | Self::SignUpClosed
            | Self::InvitationNeeded
            | Self::AccountLocked
            | Self::SignUpNotConfirmed { .. } => 403,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::Timeout => 408,
            Self::Conflict { .. } => 409,
            Self::ConditionNotMet => 412,
            Self::TooLarge { .. } => 413,
            Self::Invalid { .. } | Self::KeyReused { .. } => 422,
            Self::TooMany { .. } => 429,
            Self::Internal => 500,
            Self::Busy { .. }
            | Self::PicturesAway { .. }
            | Self::WriteConflict
            | Self::NoPublicUrl { .. } => 503,
        }
    }
}

/// A number of seconds in words, rounded up to minutes where there are some.
fn waiting_time(seconds: u32) -> String {
    let (number, unit) =
        if seconds < 60 { (seconds.max(1), "second") } else { (seconds.div_ceil(60), "minute") };
    format!("{number} {unit}{}", if number == 1 { "" } else { "s" })
}

fn cross_site(at: Option<&str>) -> String {
    match at {
        Some(at) => format!(
            "This request did not come from a page of this site, which is at {at}, so it was not carried \
             out. Only there do browsers keep the cookie that a login needs: open the page there and try again."
        ),
        None => "This request did not come from a page of this site, so it was not carried out.".to_owned(),
    }
}

impl FieldError {
    #[must_use]
    pub fn new(field: Field, message: impl ToString) -> Self {
        Self { field, message: message.to_string() }
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(reason)
            | ServerFnErrorErr::MissingArg(reason)
            | ServerFnErrorErr::Deserialization(reason) => Self::BadRequest { reason },
            // In the browser: the network is gone or the answer is cut short.
            ServerFnErrorErr::Request(_) | ServerFnErrorErr::Response(_) => Self::Busy { retry_after: 5 },
            _ => Self::Internal,
        }
    }
}

/// Runs several parsers and gathers every broken rule, so that a form names
/// all its mistakes at once.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Takes the value, or notes the error at `field`.
    pub fn take<T, E: ToString>(&mut self, field: Field, parsed: Result<T, E>) -> Option<T> {
        parsed.map_err(|error| self.0.push(FieldError::new(field, error))).ok()
    }

    /// [`Self::take`], of what may break several rules.
    pub fn take_all<T>(&mut self, parsed: Result<T, Self>) -> Option<T> {
        parsed.map_err(|errors| self.0.extend(errors.0)).ok()
    }

    /// Whether everything was as it should be.
    pub fn check(self) -> Result<(), AppError> {
        if self.0.is_empty() { Ok(()) } else { Err(self.into_error()) }
    }

    /// [`AppError::Invalid`] with the errors noted so far.
    #[must_use]
    pub fn into_error(self) -> AppError {
        AppError::Invalid { errors: self.0 }
    }
}

impl From<FieldErrors> for AppError {
    fn from(errors: FieldErrors) -> Self {
        errors.into_error()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_broken_rule_is_a_sentence() {
        let mut errors = FieldErrors::default();
        assert_eq!(errors.take(Field::Title, Ok::<_, &str>(1)), Some(1));
        assert_eq!(errors.take::<(), _>(Field::Title, Err("Enter a title")), None);
        assert_eq!(errors.take::<(), _>(Field::Days, Err("Enter days")), None);
        let error = errors.check().unwrap_err();
        assert_eq!(error.sentences(), "Enter a title. Enter days.");
        assert_eq!(AppError::NotFound.sentences(), AppError::NotFound.to_string());
        assert_eq!(FieldErrors::default().check(), Ok(()));
    }
}
