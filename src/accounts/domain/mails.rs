//! What accounts are told by mail. Every function puts one mail into the outbox, in
//! the transaction of the deed, and does nothing where no mail is sent.

use crate::{
    credentials::{User, UserId},
    database::{Db, on_engine},
    error::AppError,
    mail::{self, Envelope, Letter},
    site::Site,
};

/// For whoever did not do what a mail tells of.
const NOT_YOU: &str = "If this was you, there is nothing to do. If it was not, set a new password now: \
    that signs everybody out who is signed in to your account.";

/// Where a deed came from, in words: "Firefox on Linux, from 192.0.2.7".
pub type Whence<'a> = &'a str;

/// The address of an account; `None` if it is gone.
async fn address(db: &mut Db, user: &UserId) -> Result<Option<String>, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar("SELECT email FROM users WHERE id = $1")
        .bind(user.as_str())
        .fetch_optional(db)
        .await?))
}

/// To the present address of a person.
async fn tell(db: &mut Db, site: &Site, user: &User, letter: Letter) -> Result<(), AppError> {
    if !site.mailer().is_on() {
        return Ok(());
    }
    let Some(to) = address(db, &user.id).await? else { return Ok(()) };
    mail::enqueue(db, site, &Envelope { to: Some(to), letter, useful_until: None }).await
}

/// About a deed that strangers would do as well: the letter ends with what to do then.
fn about(site: &Site, user: &User, subject: &str, what: &str, whence: Whence<'_>) -> Letter {
    Letter::about(subject)
        .text(format!("{what} This was done in your account “{}”, with {whence}.", user.username))
        .text(NOT_YOU)
        .link("Set a new password", site.link("/forgot-password"))
}

/// Somebody has logged in with a browser or a program that the account has not seen.
pub async fn login_from_new_device(
    db: &mut Db,
    site: &Site,
    user: &User,
    whence: Whence<'_>,
) -> Result<(), AppError> {
    let letter = about(site, user, "A new login to your account", "Somebody has logged in.", whence);
    tell(db, site, user, letter).await
}

/// The password was changed, or set anew after it was forgotten.
pub async fn password_changed(
    db: &mut Db,
    site: &Site,
    user: &User,
    whence: Whence<'_>,
) -> Result<(), AppError> {
    let letter = about(site, user, "Your password was changed", "Your password was changed.", whence);
    tell(db, site, user, letter).await
}

/// A passkey was added, by that name.
pub async fn passkey_added(
    db: &mut Db,
    site: &Site,
    user: &User,
    name: &str,
    whence: Whence<'_>,
) -> Result<(), AppError> {
    let what = format!("The passkey “{name}” was added; it opens your account without a password.");
    tell(db, site, user, about(site, user, "A passkey was added to your account", &what, whence)).await
}

/// A passkey was removed, by that name.
pub async fn passkey_removed(
    db: &mut Db,
    site: &Site,
    user: &User,
    name: &str,
    whence: Whence<'_>,
) -> Result<(), AppError> {
    let what = format!("The passkey “{name}” was removed.");
    tell(db, site, user, about(site, user, "A passkey was removed from your account", &what, whence)).await
}

/// Two-factor authentication was turned on or off.
pub async fn two_factor_changed(
    db: &mut Db,
    site: &Site,
    user: &User,
    is_on: bool,
    whence: Whence<'_>,
) -> Result<(), AppError> {
    let (subject, what) = if is_on {
        ("Two-factor authentication is on", "Two-factor authentication was turned on.")
    } else {
        ("Two-factor authentication is off", "Two-factor authentication was turned off.")
    };
    tell(db, site, user, about(site, user, subject, what, whence)).await
}

/// A recovery code was used instead of a second factor; so many are left.
pub async fn recovery_code_used(
    db: &mut Db,
    site: &Site,
    user: &User,
    left: usize,
    whence: Whence<'_>,
) -> Result<(), AppError> {
    let what = format!("Somebody has logged in with a recovery code; {left} are left.");
    tell(db, site, user, about(site, user, "A recovery code was used", &what, whence)).await
}
