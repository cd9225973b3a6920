//! Changes the address of an account. Where mail is sent, the new one counts once it
//! is confirmed, and the old one is told, with a link that undoes the change.

use super::{
    Email,
    audit::{self, AuditEvent, AuditKind},
    contact, letters,
    logins::{self, Spared},
    one_time::{self, Code, New, Proof, Purpose, Token},
    throttle::{self, Volume},
};
use crate::{
    credentials::{RequestSource, User},
    database::internal,
    error::{AppError, Field},
    mail::{self, Envelope},
    site::Site,
};

/// Asks for another address. Where mail is sent, a code goes to the new one; where
/// none is, it counts at once, unconfirmed. Whether it has an account is not said
/// where mail can tell its owner.
///
/// # Errors
/// [`AppError::Invalid`] for the present address, and without mail for one that is
/// taken.
pub async fn ask(
    site: &Site,
    user: &User,
    email: Email,
    credential: &'static str,
    source: &RequestSource,
) -> Result<(), AppError> {
    let present =
        contact::of(&mut site.database.read().await?, &user.id).await?.ok_or(AppError::NotSignedIn)?;
    if present.email == email.as_str() {
        return Err(AppError::invalid(Field::Email, "This is your address already. Enter another"));
    }
    if site.mailer().is_on() {
        throttle::count(site, Volume::MailsFromAddress, "", source).await?;
        throttle::count(site, Volume::MailsToAccount, user.id.as_str(), source).await?;
        return mail_code(site, user, email.as_str().to_owned()).await;
    }
    site.database
        .write_then(
            (user.clone(), email, source.clone()),
            move |db, (user, email, source)| {
                Box::pin(async move {
                    contact::set_email(db, &user.id, email.as_str(), false).await?;
                    audit::record(db, AuditEvent::of(AuditKind::EmailChanged, &user, credential), &source)
                        .await
                })
            },
            site.trust().forgetting(),
        )
        .await
}

/// Mails a code and a link to an address that is to be the new one.
pub(super) async fn mail_code(site: &Site, user: &User, email: String) -> Result<(), AppError> {
    let (token, code) = (Token::random()?, Code::random()?);
    let sealed = code.seal(site.secret().await?, user.id.as_str());
    let input = (site.clone(), user.clone(), email, token, code, sealed);
    site.database
        .write(input, |db, (site, user, email, token, code, sealed)| {
            Box::pin(async move {
                let address = Email::parse(&email).map_err(internal)?;
                // Only the newest wish counts.
                one_time::forget_purpose(db, &user.id, Purpose::ChangeEmail).await?;
                let new = New {
                    purpose: Purpose::ChangeEmail,
                    user: Some(user.id.clone()),
                    email: email.clone(),
                    token,
                    code: Some(sealed),
                };
                let until = one_time::issue(db, &new).await?;
                let letter = if contact::is_taken(db, &address).await? {
                    letters::sign_up_with_known_address(&site)
                } else {
                    letters::confirm_new_address(&site, &user, &new.token, &code)
                };
                mail::enqueue(db, &site, &Envelope { to: Some(email), letter, useful_until: Some(until) })
                    .await
            })
        })
        .await
}

/// Gives an account the address that is proven now; whether the proof holds. Links
/// to the old address end, but for the one that undoes the change.
///
/// # Errors
/// [`AppError::Invalid`] when another account has it by now.
pub(super) async fn change(site: &Site, proof: Proof, source: &RequestSource) -> Result<bool, AppError> {
    let undo = Token::random()?;
    site.database
        .write_then(
            (site.clone(), proof, undo, source.clone()),
            |db, (site, proof, undo, source)| {
                Box::pin(async move {
                    let taken = one_time::take(db, &proof, Purpose::ChangeEmail).await?;
                    let Some(found) = taken else { return Ok(false) };
                    let Some(old) = contact::of(db, &found.user).await? else { return Ok(false) };
                    contact::set_email(db, &found.user, &found.email, true).await?;
                    for purpose in [Purpose::ResetPassword, Purpose::VerifyEmail] {
                        one_time::forget_purpose(db, &found.user, purpose).await?;
                    }
                    audit::record(db, AuditEvent::of(AuditKind::EmailChanged, &old.user, "mail"), &source)
                        .await?;
                    let new = New {
                        purpose: Purpose::UndoEmail,
                        user: Some(found.user),
                        email: old.email.clone(),
                        token: undo,
                        code: None,
                    };
                    let until = one_time::issue(db, &new).await?;
                    let letter = letters::address_changed(&site, &old.user, &new.token);
                    let mail = Envelope { to: Some(old.email), letter, useful_until: Some(until) };
                    mail::enqueue(db, &site, &mail).await?;
                    Ok(true)
                })
            },
            site.trust().forgetting(),
        )
        .await
}

/// The address that a link would restore, if it works. Uses nothing up.
pub async fn to_restore(site: &Site, token: &Token) -> Result<Option<String>, AppError> {
    let found = one_time::peek(&mut site.database.read().await?, token).await?;
    Ok(found.filter(|found| found.purpose == Purpose::UndoEmail).map(|found| found.email))
}

/// Restores the address from before a change, ends every session and every family of
/// tokens, and mails a link for a new password there: whoever changed the address
/// knew the password.
///
/// # Errors
/// [`AppError::Invalid`] for a link that does not work, or when another account has
/// the address by now.
pub async fn undo(site: &Site, token: Option<Token>, source: &RequestSource) -> Result<(), AppError> {
    let over = || {
        AppError::invalid(Field::Token, "This link does not work any more: it works once, and for 72 hours")
    };
    let token = token.ok_or_else(over)?;
    let input = (
        site.clone(),
        token,
        Token::random()?,
        Code::random()?,
        site.secret().await?.clone(),
        source.clone(),
    );
    site.database
        .write_then(
            input,
            move |db, (site, token, reset, code, secret, source)| {
                Box::pin(async move {
                    let found = one_time::take(db, &Proof::Link(token), Purpose::UndoEmail)
                        .await?
                        .ok_or_else(over)?;
                    contact::set_email(db, &found.user, &found.email, true).await?;
                    for purpose in [Purpose::ResetPassword, Purpose::VerifyEmail, Purpose::ChangeEmail] {
                        one_time::forget_purpose(db, &found.user, purpose).await?;
                    }
                    logins::end_all(db, &found.user, &Spared::default()).await?;
                    let Some(contact) = contact::of(db, &found.user).await? else { return Ok(()) };
                    let event = AuditEvent {
                        detail: "undone",
                        ..AuditEvent::of(AuditKind::EmailChanged, &contact.user, "mail")
                    };
                    audit::record(db, event, &source).await?;
                    let sealed = code.seal(&secret, found.user.as_str());
                    let new = New {
                        purpose: Purpose::ResetPassword,
                        user: Some(found.user),
                        email: contact.email.clone(),
                        token: reset,
                        code: Some(sealed),
                    };
                    let until = one_time::issue(db, &new).await?;
                    let letter = letters::reset(&site, contact.user.username.as_str(), &new.token, &code);
                    let mail = Envelope { to: Some(contact.email), letter, useful_until: Some(until) };
                    mail::enqueue(db, &site, &mail).await
                })
            },
            site.trust().forgetting(),
        )
        .await
}
