//! Forms: a browser's way to call a server function, and what it shows after.

use std::collections::BTreeMap;

use axum::http::HeaderValue;
use serde_json::Value;
use url::Url;

use super::cookies;
use crate::error::{AppError, Field, FieldError};

/// A server function that a form can reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// On `/signup`.
    SignUp,
    /// On `/login`.
    LogIn,
    /// In the header of every page.
    LogOut,
    /// On `/my-posts/new`.
    CreatePost,
    /// On `/my-posts/{id}/edit`.
    UpdatePost,
    /// On `/posts/{id}/delete`.
    DeletePost,
    /// On `/account/api-keys`.
    CreateApiKey,
    /// On `/account/api-keys/{id}/revoke`.
    RevokeApiKey,
}

/// What was typed, by name of the control; never a password.
pub type Values = BTreeMap<String, String>;

/// A form on its way back to its sender.
#[derive(Clone, Debug, Default)]
pub struct FormState {
    /// What was typed.
    pub values: Values,
    /// Why it came back; absent when only the text was kept.
    pub error: Option<AppError>,
}

/// Where a browser goes after a form has worked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// A path of this site.
    pub location: String,
    /// What to say there.
    pub notice: Option<Notice>,
}

impl Form {
    /// The page behind a login, which is shown to whoever comes without the
    /// cookie that they were just given, and sends everybody else on.
    pub const LOGGED_IN: &'static str = "/login/done";

    /// The hidden control that says who is writing; see [`crate::credentials::FormToKeep`].
    pub const AUTHOR: &'static str = "author";
    /// The hidden control that names the [`crate::credentials::KeptForm`] that
    /// stands in the form, and the argument of the page that asks for one.
    pub const KEPT: &'static str = "kept";

    const ALL: [Self; 8] = [
        Self::SignUp,
        Self::LogIn,
        Self::LogOut,
        Self::CreatePost,
        Self::UpdatePost,
        Self::DeletePost,
        Self::CreateApiKey,
        Self::RevokeApiKey,
    ];

    /// The form of an endpoint.
    #[must_use]
    pub fn of_endpoint(endpoint: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|form| form.endpoint() == endpoint)
    }

    /// The server function that it calls.
    #[must_use]
    pub const fn endpoint(self) -> &'static str {
        match self {
            Self::SignUp => "/api/sign_up",
            Self::LogIn => "/api/log_in",
            Self::LogOut => "/api/log_out",
            Self::CreatePost => "/api/create_post",
            Self::UpdatePost => "/api/update_post",
            Self::DeletePost => "/api/delete_post",
            Self::CreateApiKey => "/api/create_api_key",
            Self::RevokeApiKey => "/api/revoke_api_key",
        }
    }

    /// The page it stands on, and comes back to when something is wrong.
    #[must_use]
    pub fn page(self, values: &Values) -> String {
        let id = || {
            values
                .get("id")
                .and_then(|id| crate::posts::PostId::parse(id))
                .map_or_else(String::new, Into::into)
        };
        match self {
            Self::SignUp => "/signup".to_owned(),
            Self::LogIn => "/login".to_owned(),
            Self::LogOut => "/".to_owned(),
            Self::CreatePost => "/my-posts/new".to_owned(),
            Self::UpdatePost => format!("/my-posts/{}/edit", id()),
            Self::DeletePost => format!("/posts/{}/delete", id()),
            Self::CreateApiKey => "/account/api-keys".to_owned(),
            Self::RevokeApiKey => format!("/account/api-keys/{}/revoke", id()),
        }
    }

    /// Where to go after it has worked and answered `answer`.
    #[must_use]
    pub fn done(self, values: &Values, answer: &Value) -> Done {
        let next = || {
            let next = values.get("next").and_then(|raw| Next::parse(raw));
            next.map_or_else(|| Self::LOGGED_IN.to_owned(), |next| with_next(Self::LOGGED_IN, next.as_str()))
        };
        let post = || format!("/posts/{}", answer["id"].as_str().unwrap_or_default());
        let (location, notice) = match self {
            Self::SignUp => (next(), Some(Notice::Welcome)),
            Self::LogIn => (next(), None),
            Self::LogOut => ("/".to_owned(), Some(Notice::LoggedOut)),
            Self::CreatePost => (post(), Some(Notice::Published)),
            Self::UpdatePost => (post(), Some(Notice::Saved)),
            Self::DeletePost => ("/my-posts".to_owned(), Some(Notice::Deleted)),
            Self::CreateApiKey => ("/account/api-keys".to_owned(), None),
            Self::RevokeApiKey => ("/account/api-keys".to_owned(), Some(Notice::KeyRevoked)),
        };
        Done { location, notice }
    }

    /// Whether the sender can mend what is wrong on the page of the form; if
    /// so it comes back with what was typed.
    #[must_use]
    pub const fn comes_back(self, error: &AppError) -> bool {
        matches!(self, Self::SignUp | Self::LogIn | Self::CreatePost | Self::UpdatePost | Self::CreateApiKey)
            && matches!(
                error,
                AppError::Invalid { .. }
                    | AppError::Conflict { .. }
                    | AppError::KeyReused { .. }
                    | AppError::Busy { .. }
                    | AppError::WriteConflict
                    | AppError::Internal
            )
    }

    /// Whether it is for people who are not signed in.
    #[must_use]
    pub const fn is_for_anyone(self) -> bool {
        matches!(self, Self::SignUp | Self::LogIn | Self::LogOut)
    }

    /// Whether it holds text that somebody wrote.
    #[must_use]
    pub const fn holds_text(self) -> bool {
        matches!(self, Self::CreatePost | Self::UpdatePost)
    }
}

impl FormState {
    /// What was typed into a control.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<String> {
        self.values.get(name).cloned()
    }

    /// What is wrong at a field.
    #[must_use]
    pub fn error_at(&self, field: Field) -> Option<String> {
        self.field_errors().iter().find(|error| error.field == field).map(|error| error.message.clone())
    }

    /// What is wrong at fields, in the order of the form.
    #[must_use]
    pub fn field_errors(&self) -> &[FieldError] {
        match &self.error {
            Some(AppError::Invalid { errors }) => errors,
            _ => &[],
        }
    }
}

/// A path of this site to go on to, from `?next=`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Next(String);

impl Next {
    const MAX_BYTES: usize = 1024;

    /// Only a path of this site: one slash, then neither a slash nor a
    /// backslash (browsers read both as the start of a host, WHATWG URL 4.4),
    /// visible ASCII throughout, since it becomes a header.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let rest = raw.strip_prefix('/')?;
        let visible = raw.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
        // What a browser would make of it has the last word.
        let stays = Url::parse("https://byline.invalid/").ok()?.join(raw).is_ok_and(|url| {
            url.host_str() == Some("byline.invalid") && url.scheme() == "https" && url.port().is_none()
        });
        let fits = !rest.starts_with('/') && visible && stays && raw.len() <= Self::MAX_BYTES;
        fits.then(|| Self(raw.to_owned()))
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `/login?next=…` for whoever wanted to see `path`.
#[must_use]
pub fn log_in_first(path: &str) -> String {
    with_next("/login", path)
}

/// A page that takes `?next=`, for whoever is on the way to `next`.
#[must_use]
pub fn with_next(page: &str, next: &str) -> String {
    let next: String = url::form_urlencoded::byte_serialize(next.as_bytes()).collect();
    // A path stays readable in the address bar; "/" means nothing in a query (RFC 3986 3.4).
    format!("{page}?next={}", next.replace("%2F", "/"))
}

/// What just happened, said once on the next page. Carried by a cookie that
/// holds one of these words, so there is nothing to forge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Signed up.
    Welcome,
    /// Logged out.
    LoggedOut,
    /// A new post is public.
    Published,
    /// An edit is public.
    Saved,
    /// A post is gone.
    Deleted,
    /// An API key is over.
    KeyRevoked,
    /// A text written without a session is back in the editor.
    TextKept,
}

impl Notice {
    /// Those that a cookie can carry; [`Self::TextKept`] comes with the text itself.
    const CARRIED: [Self; 6] =
        [Self::Welcome, Self::LoggedOut, Self::Published, Self::Saved, Self::Deleted, Self::KeyRevoked];

    const fn name(self) -> &'static str {
        match self {
            Self::Welcome => "welcome",
            Self::LoggedOut => "logged-out",
            Self::Published => "published",
            Self::Saved => "saved",
            Self::Deleted => "deleted",
            Self::KeyRevoked => "key-revoked",
            Self::TextKept => "text-kept",
        }
    }

    /// From the cookie's value.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::CARRIED.into_iter().find(|notice| notice.name() == name)
    }

    /// What people read.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Welcome => "Welcome to Byline. You are signed up and logged in.",
            Self::LoggedOut => "You are logged out.",
            Self::Published => "Your post is published.",
            Self::Saved => "Your changes are saved.",
            Self::Deleted => "The post is deleted.",
            Self::KeyRevoked => "The key is revoked.",
            Self::TextKept => "You had been logged out. Your text is still here; it has not been saved yet.",
        }
    }

    /// Sets the cookie, for a minute: a page that never comes leaves no trace.
    #[must_use]
    pub fn cookie(self, https: bool) -> HeaderValue {
        set_cookie(self.name(), 60, https)
    }

    /// Removes the cookie.
    #[must_use]
    pub fn removal(https: bool) -> HeaderValue {
        set_cookie("", 0, https)
    }
}

fn set_cookie(value: &str, max_age: u32, https: bool) -> HeaderValue {
    let secure = if https { "; Secure" } else { "" };
    let text =
        format!("{}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}", cookies::NOTICE);
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_next_target_is_a_path_of_this_site() {
        for good in ["/", "/my-posts", "/my-posts/new?x=1&y=%20", "/posts/1#end"] {
            assert!(Next::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "my-posts",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "/a\r\nSet-Cookie: x",
            "javascript:alert(1)",
            "/\u{a0}",
            "/a\\b",
            " /",
        ] {
            assert_eq!(Next::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn the_way_back_after_login_is_readable_and_whole() {
        assert_eq!(log_in_first("/my-posts"), "/login?next=/my-posts");
        assert_eq!(log_in_first("/a?b=c&d"), "/login?next=/a%3Fb%3Dc%26d");
    }

    proptest! {
        #[test]
        fn no_next_target_leaves_the_site(raw in "[/\\\\a-z.:@?#%\\t ]{0,20}|.{0,30}") {
            if let Some(next) = Next::parse(&raw) {
                let base = Url::parse("https://site.example:8443/login").unwrap();
                let target = base.join(next.as_str()).unwrap();
                prop_assert_eq!(target.origin(), base.origin());
                prop_assert!(HeaderValue::from_str(next.as_str()).is_ok());
            }
        }
    }
}
