//! A new password for whoever has forgotten theirs (security row P7).

use secrecy::{ExposeSecret, SecretString};

use super::{
    Login, NewPassword, Password, RightPassword,
    audit::{self, AuditEvent, AuditKind},
    contact::{self, Contact},
    hashing::Priority,
    letters, logins,
    mails::{self, Deed},
    one_time::{self, Code, Proof, Purpose, Token, link_is_over},
    same_time, service, srp, store,
    throttle::{self, Door, Volume},
};
use crate::{
    credentials::{RequestSource, User, UserId, UserSession, session::KeepSignedIn},
    error::{AppError, Field},
    mail::{self, Envelope},
    site::Site,
};

/// Links of one person that work at a time. Who asks for more gets no mail, and
/// the answer does not say so.
const LINKS: i64 = 5;

/// Mails a link and a code to the person of that name, if there is one. The answer
/// and the work are the same if there is none, so that neither shows who has an
/// account.
///
/// # Errors
/// [`AppError::MailIsOff`], [`AppError::TooMany`].
pub async fn ask(site: &Site, login: Login, source: &RequestSource) -> Result<(), AppError> {
    site.mailer().must_be_on()?;
    throttle::count(site, Volume::MailsFromAddress, "", source).await?;
    throttle::count(site, Volume::MailsToAccount, login.name(), source).await?;
    same_time::no_sooner_than(same_time::FLOOR, enqueue(site, login)).await
}

async fn enqueue(site: &Site, login: Login) -> Result<(), AppError> {
    let found = contact::find(&mut site.database.read().await?, &login).await?;
    let nobody = UserId::from_stored(String::new());
    let user = found.as_ref().map_or(nobody, |contact| contact.user.id.clone());
    let (token, code) = (Token::random()?, Code::random()?);
    let sealed = code.seal(site.secret().await?, user.as_str());
    let input = (site.clone(), found, user, login.name().to_owned(), token, code, sealed);
    site.database
        .write(input, |db, (site, found, user, name, token, code, sealed)| {
            Box::pin(async move {
                let links = one_time::valid_of(db, &user, Purpose::ResetPassword).await?;
                let (user, to, username) = match found.filter(|_| links < LINKS) {
                    Some(contact) => (Some(user), Some(contact.email), contact.user.username.to_string()),
                    None => (None, None, name),
                };
                let new = one_time::New {
                    purpose: Purpose::ResetPassword,
                    user,
                    email: to.clone().unwrap_or_default(),
                    token,
                    code: Some(sealed),
                };
                let until = one_time::issue(db, &new).await?;
                let letter = letters::reset(&site, &username, &new.token, &code);
                mail::enqueue(db, &site, &Envelope { to, letter, useful_until: Some(until) }).await
            })
        })
        .await
}

/// Whether a link can still be used. Uses nothing up.
pub async fn is_open(site: &Site, token: &Token) -> Result<bool, AppError> {
    let found = one_time::peek(&mut site.database.read().await?, token).await?;
    Ok(found.is_some_and(|found| found.purpose == Purpose::ResetPassword))
}

/// Sets a new password by a link from a mail, ends every session and every family of
/// tokens of the person, and signs them in; `None` where a second factor is still to
/// come. The link is used up, and with it every other.
///
/// # Errors
/// [`AppError::Invalid`] for a link that does not work, or a password that is not
/// good enough; then the link can still be used. [`AppError::Busy`].
pub async fn set_password(
    site: &Site,
    session: &UserSession,
    token: Option<Token>,
    proposed: &SecretString,
    source: &RequestSource,
) -> Result<Option<User>, AppError> {
    let token = token.ok_or_else(link_is_over)?;
    let contact = {
        let db = &mut site.database.read().await?;
        let found = one_time::peek(db, &token).await?.filter(|found| found.purpose == Purpose::ResetPassword);
        contact::of(db, &found.ok_or_else(link_is_over)?.user).await?.ok_or_else(link_is_over)?
    };
    let proof = Proof::Link(token);
    let hash = replace(site, &contact, proof, proposed, source).await?.ok_or_else(link_is_over)?;
    // A mail is no second factor.
    let log_in = RightPassword { user: contact.user, hash }.go_on(site).await?;
    service::enter(site, session, log_in, KeepSignedIn::No, source).await
}

/// As [`set_password`], by the code of the same mail, for a program, which is not
/// signed in by it.
///
/// # Errors
/// [`AppError::Invalid`] at the code, the same for an unknown name; at the password.
/// [`AppError::TooMany`], [`AppError::Busy`].
pub async fn set_password_by_code(
    site: &Site,
    login: &Login,
    code: &Code,
    proposed: &SecretString,
    source: &RequestSource,
) -> Result<(), AppError> {
    let wrong = || AppError::invalid(Field::Code, "That code is wrong, or is older than 30 minutes");
    let attempt = throttle::begin(site, Door::Code, login.name(), source).await?;
    let found = contact::find(&mut site.database.read().await?, login).await?;
    let Some(contact) = found else {
        // Takes as long as for somebody.
        hashed(site, &[login.name()], proposed, Priority::Unknown).await?;
        return Err(wrong());
    };
    let proof = Proof::by_code(code, site.secret().await?, &contact.user.id);
    replace(site, &contact, proof, proposed, source).await?.ok_or_else(wrong)?;
    attempt.succeed(site).await
}

/// Uses the proof up and stores the password; its hash, or `None` if the proof does
/// not hold. Ends everything else.
async fn replace(
    site: &Site,
    contact: &Contact,
    proof: Proof,
    proposed: &SecretString,
    source: &RequestSource,
) -> Result<Option<String>, AppError> {
    // A token was looked at before; a code may be a guess.
    let priority = match proof {
        Proof::Link(_) => Priority::Known,
        Proof::Code(..) => Priority::Unknown,
    };
    let hash = hashed(site, &[contact.user.username.as_str(), &contact.email], proposed, priority).await?;
    let given = Password::parse(proposed.expose_secret())
        .map_err(|error| AppError::invalid(Field::NewPassword, error))?;
    let verifier = srp::make(site, &contact.user, &given, priority).await?;
    let input = (site.clone(), contact.user.clone(), proof, (hash, verifier), source.clone());
    let replaced = site
        .database
        .write(input, |db, (site, user, proof, (hash, verifier), source)| {
            Box::pin(async move {
                // Again, because of two at once one gets it.
                let taken = one_time::take(db, &proof, Purpose::ResetPassword).await?;
                let Some(found) = taken else { return Ok(None) };
                store::set_hash(db, &found.user, &hash).await?;
                srp::store(db, &found.user, &hash, verifier.as_ref()).await?;
                // Who reads a mail to an address has it.
                contact::verify(db, &found.user, &found.email).await?;
                audit::record(db, AuditEvent::of(AuditKind::PasswordReset, &user, "mail"), &source).await?;
                mails::tell(db, &site, &user, Deed::PasswordChanged, &source).await?;
                Ok(Some(hash))
            })
        })
        .await?;
    if replaced.is_some() {
        // Only now, see [`service::Authenticated::must_still_hold`].
        logins::sign_out_everywhere(site, contact.user.id.clone()).await?;
    }
    Ok(replaced)
}

async fn hashed(
    site: &Site,
    about: &[&str],
    proposed: &SecretString,
    priority: Priority,
) -> Result<String, AppError> {
    let password = NewPassword::parse(proposed.expose_secret(), about)
        .map_err(|error| AppError::invalid(Field::NewPassword, error))?;
    site.hasher().hash(password, priority).await
}
