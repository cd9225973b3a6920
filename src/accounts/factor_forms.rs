//! The forms of two-factor authentication and of passkeys.

use super::forms::{LOG_IN_CODE as LOG_IN_CODE_PAGE, confirmed, next};
use crate::http::{
    forms::{Call, Form, Notice, Then},
    limits::ACCOUNT_BODY,
};

pub const FORMS: &[&Form] = &[
    &LOG_IN_CODE,
    &SET_UP,
    &TURN_ON,
    &RENEW_CODES,
    &TURN_OFF,
    &ADD_PASSKEY,
    &REMOVE_PASSKEY,
    &LOG_IN_BY_PASSKEY,
    &CONFIRM_BY_PASSKEY,
    &DROP_PASSWORD,
    &SET_PASSWORD,
];

/// Server functions without a form, which anyone may call.
pub static BEGIN_PASSKEY_LOG_IN: Call =
    Call { endpoint: "/api/begin_passkey_log_in", max_body: ACCOUNT_BODY, is_for_anyone: true };

static LOG_IN_CODE: Form = Form {
    call: Call { endpoint: "/api/log_in_code", max_body: ACCOUNT_BODY, is_for_anyone: true },
    page: LOG_IN_CODE_PAGE,
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(next),
    notice: None,
};

static SET_UP: Form = Form {
    call: Call { endpoint: "/api/set_up_two_factor", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/two-factor",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(|_, _| "/account/two-factor".to_owned()),
    notice: None,
};

static TURN_ON: Form = Form {
    call: Call { endpoint: "/api/turn_on_two_factor", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/two-factor/on",
    holds_text: false,
    is_shown_again: true,
    then: Then::ShowOnce,
    notice: None,
};

static RENEW_CODES: Form = Form {
    call: Call { endpoint: "/api/renew_recovery_codes", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/two-factor/codes",
    holds_text: false,
    is_shown_again: true,
    then: Then::ShowOnce,
    notice: None,
};

static TURN_OFF: Form = Form {
    call: Call { endpoint: "/api/turn_off_two_factor", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/two-factor/off",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(|_, _| "/account/two-factor".to_owned()),
    notice: Some(&TURNED_OFF),
};

static ADD_PASSKEY: Form = Form {
    call: Call { endpoint: "/api/add_passkey", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/passkeys",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(|_, _| "/account/passkeys".to_owned()),
    notice: Some(&PASSKEY_ADDED),
};

static REMOVE_PASSKEY: Form = Form {
    call: Call { endpoint: "/api/remove_passkey", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/passkeys/{id}/remove",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(|_, _| "/account/passkeys".to_owned()),
    notice: Some(&PASSKEY_REMOVED),
};

static LOG_IN_BY_PASSKEY: Form = Form {
    call: Call { endpoint: "/api/log_in_by_passkey", max_body: ACCOUNT_BODY, is_for_anyone: true },
    page: "/login/passkey",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(next),
    notice: None,
};

static CONFIRM_BY_PASSKEY: Form = Form {
    call: Call { endpoint: "/api/confirm_by_passkey", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/confirm/passkey",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(confirmed),
    notice: None,
};

static DROP_PASSWORD: Form = Form {
    call: Call { endpoint: "/api/drop_password", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/passkeys/without-password",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(|_, _| "/account/passkeys".to_owned()),
    notice: Some(&PASSWORD_DROPPED),
};

static SET_PASSWORD: Form = Form {
    call: Call { endpoint: "/api/set_password", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/passkeys/password",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(|_, _| "/account/passkeys".to_owned()),
    notice: Some(&PASSWORD_SET_AGAIN),
};

static TURNED_OFF: Notice = Notice { name: "two-factor-off", sentence: "Two-factor authentication is off." };
static PASSKEY_ADDED: Notice = Notice { name: "passkey-added", sentence: "The passkey is added." };
static PASSKEY_REMOVED: Notice = Notice { name: "passkey-removed", sentence: "The passkey is removed." };
static PASSWORD_SET_AGAIN: Notice =
    Notice { name: "password-set-again", sentence: "Your account has a password again." };
static PASSWORD_DROPPED: Notice =
    Notice { name: "password-dropped", sentence: "Your account has no password any more." };
