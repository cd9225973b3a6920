//! Confirms addresses: of a sign-up, of an account, and the new one of an account.

use super::{
    Login, address,
    audit::{self, AuditEvent, AuditKind},
    contact, letters,
    log_in::Authenticated,
    one_time::{self, Code, New, Proof, Purpose, Token, link_is_over},
    pending_sign_up, service,
    throttle::{self, Door, Volume},
};
use crate::{
    credentials::{Actor, RequestSource, User, UserSession, session::KeepSignedIn},
    error::{AppError, Field},
    mail::{self, Envelope},
    site::Site,
};

/// What a confirmation has done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Confirmed {
    /// An account was made, and this browser, which had asked for it, is signed in.
    SignedUp(User),
    /// An account was made; its owner has to log in here.
    SignedUpElsewhere(User),
    /// The address of an account counts.
    Address,
}

/// What a link or a code would confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Of the account.
    pub username: String,
    pub email: String,
}

/// What a link would confirm, if it works. Uses nothing up.
pub async fn peek(site: &Site, token: &Token) -> Result<Option<Asked>, AppError> {
    let db = &mut site.database.read().await?;
    if let Some(pending) = pending_sign_up::of_token(db, token).await? {
        return Ok(Some(Asked { username: pending.username.to_string(), email: pending.email }));
    }
    match one_time::peek(db, token).await? {
        Some(found) if matches!(found.purpose, Purpose::VerifyEmail | Purpose::ChangeEmail) => {
            let contact = contact::of(db, &found.user).await?;
            Ok(contact
                .map(|contact| Asked { username: contact.user.username.to_string(), email: found.email }))
        }
        _ => Ok(None),
    }
}

/// What a person can confirm with a code: the address that is to be the new one of
/// their account, or else the present one.
pub async fn asked(site: &Site, actor: &Actor) -> Result<Option<Asked>, AppError> {
    let db = &mut site.database.read().await?;
    let Actor::User(user) = actor else { return Ok(None) };
    let Some(contact) = contact::of(db, &user.id).await? else { return Ok(None) };
    let wanted = one_time::wanted_email(db, &user.id).await?;
    let email = wanted.or_else(|| (!contact.is_verified).then_some(contact.email));
    Ok(email.map(|email| Asked { username: user.username.to_string(), email }))
}

/// What is said of a wrong code, of one that is over, and where there is none.
fn code_is_wrong() -> AppError {
    AppError::invalid(
        Field::Code,
        "That code is wrong, or is older than 30 minutes. Ask for another if need be",
    )
}

/// Confirms by the link of a mail, which is used up. Whoever is signed in does not
/// matter: the link may be opened on another device.
///
/// # Errors
/// [`AppError::Invalid`] for a link that does not work.
pub async fn by_link(
    site: &Site,
    session: &UserSession,
    token: Option<Token>,
    source: &RequestSource,
) -> Result<Confirmed, AppError> {
    let token = token.ok_or_else(link_is_over)?;
    if let Some(made) = pending_sign_up::confirm_by_token(site, &token, source).await? {
        // Any other browser has only proven that it reads the mail.
        if session.pending_sign_up().await?.as_deref() != Some(made.user.id.as_str()) {
            return Ok(Confirmed::SignedUpElsewhere(made.user));
        }
        return signed_up(site, session, made, source).await;
    }
    let purpose = one_time::peek(&mut site.database.read().await?, &token).await?.map(|found| found.purpose);
    let is_done = match purpose {
        Some(Purpose::VerifyEmail) => verify(site, Proof::Link(token), source).await?,
        Some(Purpose::ChangeEmail) => address::change(site, Proof::Link(token), source).await?,
        _ => false,
    };
    if is_done { Ok(Confirmed::Address) } else { Err(link_is_over()) }
}

/// Confirms by the code of a mail: for a person what [`asked`] says, for anybody else
/// the sign-up of that id.
///
/// # Errors
/// [`AppError::Invalid`] for a wrong code, [`AppError::TooMany`].
pub async fn by_code(
    site: &Site,
    actor: &Actor,
    session: &UserSession,
    sign_up: Option<String>,
    code: &Code,
    source: &RequestSource,
) -> Result<Confirmed, AppError> {
    if let Actor::User(user) = actor {
        address_by_code(site, user, code, source).await?;
        return Ok(Confirmed::Address);
    }
    let id = sign_up.ok_or_else(code_is_wrong)?;
    let attempt = throttle::begin(site, Door::Confirmation, &id, source).await?;
    let made = pending_sign_up::confirm_by_code(site, &id, code, source).await?.ok_or_else(code_is_wrong)?;
    attempt.succeed(site).await?;
    // Only who has signed up knows the id.
    signed_up(site, session, made, source).await
}

/// Confirms the address of a person by the code of a mail: the new one that they asked
/// for, or else the present one.
///
/// # Errors
/// [`AppError::Invalid`] for a wrong code, [`AppError::TooMany`].
pub async fn address_by_code(
    site: &Site,
    user: &User,
    code: &Code,
    source: &RequestSource,
) -> Result<(), AppError> {
    let attempt = throttle::begin(site, Door::Confirmation, user.id.as_str(), source).await?;
    let proof = Proof::by_code(code, site.secret().await?, &user.id);
    let is_done = address::change(site, proof.clone(), source).await? || verify(site, proof, source).await?;
    if is_done { attempt.succeed(site).await } else { Err(code_is_wrong()) }
}

/// Confirms the newest sign-up of a username by the code of its mail, for a program,
/// which is not signed in by it.
///
/// # Errors
/// [`AppError::Invalid`] for a wrong code, the same for an unknown name;
/// [`AppError::TooMany`].
pub async fn sign_up_by_code(
    site: &Site,
    login: &Login,
    code: &Code,
    source: &RequestSource,
) -> Result<(), AppError> {
    let attempt = throttle::begin(site, Door::Confirmation, login.name(), source).await?;
    let id = newest_sign_up(site, login).await?.ok_or_else(code_is_wrong)?;
    pending_sign_up::confirm_by_code(site, &id, code, source).await?.ok_or_else(code_is_wrong)?;
    attempt.succeed(site).await
}

/// As [`send_again`], for the newest sign-up of a username.
///
/// # Errors
/// [`AppError::MailIsOff`], [`AppError::TooMany`].
pub async fn send_sign_up_again(site: &Site, login: &Login, source: &RequestSource) -> Result<(), AppError> {
    let id = newest_sign_up(site, login).await?;
    send_again(site, &Actor::Anonymous, id, source).await
}

async fn newest_sign_up(site: &Site, login: &Login) -> Result<Option<String>, AppError> {
    let pending = pending_sign_up::newest_of(&mut site.database.read().await?, login).await?;
    Ok(pending.map(|pending| pending.id))
}

/// Signs in the browser that asked for the account.
async fn signed_up(
    site: &Site,
    session: &UserSession,
    made: Authenticated,
    source: &RequestSource,
) -> Result<Confirmed, AppError> {
    let user = service::sign_in(site, session, made, KeepSignedIn::No, source).await?;
    Ok(Confirmed::SignedUp(user))
}

async fn verify(site: &Site, proof: Proof, source: &RequestSource) -> Result<bool, AppError> {
    site.database
        .write((proof, source.clone()), |db, (proof, source)| {
            Box::pin(async move {
                let taken = one_time::take(db, &proof, Purpose::VerifyEmail).await?;
                let Some(found) = taken else { return Ok(false) };
                contact::verify(db, &found.user, &found.email).await?;
                if let Some(contact) = contact::of(db, &found.user).await? {
                    let event = AuditEvent::of(AuditKind::EmailVerified, &contact.user, "mail");
                    audit::record(db, event, &source).await?;
                }
                Ok(true)
            })
        })
        .await
}

/// Mails a new code for what [`by_code`] confirms. Where there is nothing to confirm,
/// nothing is sent, and the answer is the same.
///
/// # Errors
/// [`AppError::MailIsOff`], [`AppError::TooMany`].
pub async fn send_again(
    site: &Site,
    actor: &Actor,
    sign_up: Option<String>,
    source: &RequestSource,
) -> Result<(), AppError> {
    site.mailer().must_be_on()?;
    throttle::count(site, Volume::MailsFromAddress, "", source).await?;
    if let Actor::User(user) = actor {
        throttle::count(site, Volume::MailsToAccount, user.id.as_str(), source).await?;
        let wanted = one_time::wanted_email(&mut site.database.read().await?, &user.id).await?;
        return match wanted {
            Some(email) => address::mail_code(site, user, email).await,
            None => mail_code(site, user).await,
        };
    }
    let Some(id) = sign_up else { return Ok(()) };
    throttle::count(site, Volume::MailsToAccount, &id, source).await?;
    match pending_sign_up::send_again(site, &id).await {
        Err(AppError::NotFound) => Ok(()),
        outcome => outcome,
    }
}

/// Mails a code and a link that confirm the address of an account, unless it is
/// confirmed.
///
/// # Errors
/// [`AppError::MailIsOff`].
pub async fn mail_code(site: &Site, user: &User) -> Result<(), AppError> {
    site.mailer().must_be_on()?;
    let (token, code) = (Token::random()?, Code::random()?);
    let sealed = code.seal(site.secret().await?, user.id.as_str());
    site.database
        .write((site.clone(), user.clone(), token, code, sealed), |db, (site, user, token, code, sealed)| {
            Box::pin(async move {
                let Some(contact) = contact::of(db, &user.id).await?.filter(|contact| !contact.is_verified)
                else {
                    return Ok(());
                };
                let new = New {
                    purpose: Purpose::VerifyEmail,
                    user: Some(user.id.clone()),
                    email: contact.email.clone(),
                    token,
                    code: Some(sealed),
                };
                let until = one_time::issue(db, &new).await?;
                let letter = letters::confirm_address(&site, &user, &new.token, &code);
                let mail = Envelope { to: Some(contact.email), letter, useful_until: Some(until) };
                mail::enqueue(db, &site, &mail).await
            })
        })
        .await
}
