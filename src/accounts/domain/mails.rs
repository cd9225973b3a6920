//! What accounts are told by mail.

use super::{contact, device_name::whence_of};
use crate::{
    credentials::{RequestSource, User},
    database::Db,
    error::AppError,
    mail::{self, Envelope, Letter},
    site::Site,
};

/// For whoever did not do what a mail tells of.
const NOT_YOU: &str = "If this was you, there is nothing to do. If it was not, set a new password now: \
    that signs everybody out who is signed in to your account.";

/// A deed that strangers would do as well.
#[derive(Clone, Copy, Debug)]
pub enum Deed<'a> {
    /// A login with a browser or a program that the account has not seen.
    LoggedInFromNewDevice,
    /// The password was changed, or set anew after it was forgotten.
    PasswordChanged,
    /// A passkey of that name.
    PasskeyAdded(&'a str),
    /// A passkey of that name.
    PasskeyRemoved(&'a str),
    TwoFactorTurnedOn,
    TwoFactorTurnedOff,
    /// A recovery code was used instead of a second factor; so many are left.
    RecoveryCodeUsed(usize),
}

impl Deed<'_> {
    /// The subject of the mail, and what it tells.
    fn texts(self) -> (&'static str, String) {
        match self {
            Self::LoggedInFromNewDevice => ("A new login to your account", "Somebody has logged in.".into()),
            Self::PasswordChanged => ("Your password was changed", "Your password was changed.".into()),
            Self::PasskeyAdded(name) => (
                "A passkey was added to your account",
                format!("The passkey “{name}” was added; it opens your account without a password."),
            ),
            Self::PasskeyRemoved(name) => {
                ("A passkey was removed from your account", format!("The passkey “{name}” was removed."))
            }
            Self::TwoFactorTurnedOn => {
                ("Two-factor authentication is on", "Two-factor authentication was turned on.".into())
            }
            Self::TwoFactorTurnedOff => {
                ("Two-factor authentication is off", "Two-factor authentication was turned off.".into())
            }
            Self::RecoveryCodeUsed(left) => (
                "A recovery code was used",
                format!("Somebody has logged in with a recovery code; {left} are left."),
            ),
        }
    }
}

/// Tells a person at their present address what was done in their account, and from
/// where, in the transaction of the deed. Does nothing where no mail is sent.
pub async fn tell(
    db: &mut Db,
    site: &Site,
    user: &User,
    deed: Deed<'_>,
    source: &RequestSource,
) -> Result<(), AppError> {
    if !site.mailer().is_on() {
        return Ok(());
    }
    let Some(contact) = contact::of(db, &user.id).await? else { return Ok(()) };
    let (subject, what) = deed.texts();
    let done = format!("This was done in your account “{}”, with {}.", user.username, whence_of(source));
    let letter = Letter::about(subject)
        .text(format!("{what} {done}"))
        .text(NOT_YOU)
        .link("Set a new password", site.link("/forgot-password"));
    mail::enqueue(db, site, &Envelope { to: Some(contact.email), letter, useful_until: None }).await
}
