//! The texts of mails with links and codes that are used once (security row P7). The
//! links are built from the setting `public-url` alone.

use super::one_time::{Code, Token};
use crate::{credentials::User, mail::Letter, site::Site};

/// For whoever runs out of password: a link that sets a new one.
pub(super) fn reset(site: &Site, username: &str, token: &Token, code: &Code) -> Letter {
    Letter::about("Set a new password")
        .text(format!("Somebody, you we hope, has asked for a new password for your account “{username}”."))
        .link("Set a new password", site.link(&format!("/reset-password?token={}", token.expose())))
        .text("Where an app asks for a code instead, it is this one:")
        .code(code.expose())
        .note("Link and code work once, for 30 minutes. If you did not ask for it, ignore this mail: nothing has changed.")
}

/// A link and a code that confirm an address.
fn confirming(site: &Site, subject: &str, why: String, token: &Token, code: &Code) -> Letter {
    Letter::about(subject)
        .text(why)
        .text("Enter this code:")
        .code(code.expose())
        .text("Or open this link, on this device or any other:")
        .link("Confirm the address", site.link(&format!("/verify-email?token={}", token.expose())))
        .note("Code and link work once, for 30 minutes. If you did not ask for this, ignore this mail: nothing happens.")
}

/// To somebody who signs up.
pub(super) fn confirm_sign_up(site: &Site, username: &str, token: &Token, code: &Code) -> Letter {
    let why = format!("Somebody, you we hope, has signed up as “{username}” with this address.");
    confirming(site, "Confirm your address", why, token, code)
}

/// To the owner of an address with which somebody signs up again.
pub(super) fn sign_up_with_known_address(site: &Site) -> Letter {
    Letter::about("You already have an account")
        .text("Somebody, you perhaps, has tried to sign up with this address, which already has an account here. No second one was made.")
        .text("You can log in with this address and your password. If you have forgotten it, set a new one:")
        .link("Set a new password", site.link("/forgot-password"))
        .note("If it was not you, ignore this mail: nobody was told that you have an account.")
}

/// To the address of an account that is not confirmed yet.
pub(super) fn confirm_address(site: &Site, user: &User, token: &Token, code: &Code) -> Letter {
    let why = format!("Confirm that this is the address of your account “{}”.", user.username);
    confirming(site, "Confirm your address", why, token, code)
}

/// To the address that is to be the new one of an account.
pub(super) fn confirm_new_address(site: &Site, user: &User, token: &Token, code: &Code) -> Letter {
    let why = format!("Confirm that this is to be the new address of your account “{}”.", user.username);
    confirming(site, "Confirm your new address", why, token, code)
}

/// To the old address of an account, once the new one counts.
pub(super) fn address_changed(site: &Site, user: &User, undo: &Token) -> Letter {
    Letter::about("The address of your account was changed")
        .text(format!("Your account “{}” has another address now; this one no longer belongs to it.", user.username))
        .text("If this was you, there is nothing to do. If it was not, undo it: this address counts again, everybody who is signed in is signed out, and you set a new password.")
        .link("Undo the change", site.link(&format!("/account/email/undo?token={}", undo.expose())))
        .note("The link works once, for 72 hours.")
}
