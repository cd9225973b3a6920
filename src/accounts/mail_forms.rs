//! The forms of accounts that need mail.

use serde_json::Value;

use super::forms::{LOGGED_IN, WELCOME, next};
use crate::{
    http::{
        forms::{Call, Form, Notice, Then},
        limits::ACCOUNT_BODY,
    },
    ui::Values,
};

pub const FORMS: &[&Form] =
    &[&FORGOT_PASSWORD, &RESET_PASSWORD, &VERIFY_EMAIL, &RESEND_CODE, &CHANGE_EMAIL, &UNDO_EMAIL];

/// What is said after an answer that may be one of several.
pub static NOTICES: [&Notice; 3] = [&WELCOME, &CONFIRMED, &ACCOUNT_MADE];

static FORGOT_PASSWORD: Form = Form {
    call: Call { endpoint: "/api/forgot_password", max_body: ACCOUNT_BODY, is_for_anyone: true },
    page: "/forgot-password",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(|_, _| "/forgot-password".to_owned()),
    notice: Some(&INSTRUCTIONS_SENT),
};

static RESET_PASSWORD: Form = Form {
    call: Call { endpoint: "/api/reset_password", max_body: ACCOUNT_BODY, is_for_anyone: true },
    page: "/reset-password",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(next),
    notice: Some(&PASSWORD_SET),
};

static VERIFY_EMAIL: Form = Form {
    call: Call { endpoint: "/api/verify_email", max_body: ACCOUNT_BODY, is_for_anyone: true },
    page: "/verify-email",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoToWith(confirmed),
    notice: None,
};

static RESEND_CODE: Form = Form {
    call: Call { endpoint: "/api/resend_code", max_body: ACCOUNT_BODY, is_for_anyone: true },
    page: "/verify-email/send",
    holds_text: false,
    is_shown_again: false,
    then: Then::GoTo(|typed, _| verify_page(typed)),
    notice: Some(&CODE_SENT),
};

static CHANGE_EMAIL: Form = Form {
    call: Call { endpoint: "/api/change_email", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/email",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(|_, _| "/account/email".to_owned()),
    notice: None,
};

static UNDO_EMAIL: Form = Form {
    call: Call { endpoint: "/api/undo_email", max_body: ACCOUNT_BODY, is_for_anyone: true },
    page: "/account/email/undo",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(|_, _| "/login".to_owned()),
    notice: Some(&CHANGE_UNDONE),
};

static INSTRUCTIONS_SENT: Notice = Notice {
    name: "instructions-sent",
    sentence: "If there is an account of that name, instructions are on their way to its address. The link in them works for 30 minutes.",
};
static PASSWORD_SET: Notice = Notice {
    name: "password-set",
    sentence: "Your new password is set. Everybody who was logged in before is logged out.",
};
static CODE_SENT: Notice = Notice {
    name: "code-sent",
    sentence: "If there is an address to confirm, another mail is on its way. Use the code in the newest one.",
};
static CONFIRMED: Notice = Notice { name: "confirmed", sentence: "Your address is confirmed." };
static ACCOUNT_MADE: Notice = Notice {
    name: "account-made",
    sentence: "Your address is confirmed and your account is made. Log in with the password that you chose.",
};
static CHANGE_UNDONE: Notice = Notice {
    name: "change-undone",
    sentence: "Your address is restored, and everybody is logged out. A link that sets a new password was mailed to it: use it now.",
};

/// By what was confirmed.
fn confirmed(_: &Values, answer: &Value) -> (String, Option<&'static Notice>) {
    match answer["confirmed"].as_str() {
        Some("signed_up") => (LOGGED_IN.to_owned(), Some(&WELCOME)),
        Some("signed_up_elsewhere") => ("/login".to_owned(), Some(&ACCOUNT_MADE)),
        // Without a login it leads to the login, which does not say less.
        _ => ("/account/email".to_owned(), Some(&CONFIRMED)),
    }
}

/// The page of the code, for the same sign-up.
fn verify_page(typed: &Values) -> String {
    let is_id = |id: &&str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let id = typed.get("sign_up").filter(is_id).filter(|id| !id.is_empty());
    id.map_or_else(|| "/verify-email".to_owned(), |id| format!("/verify-email?sign_up={id}"))
}
