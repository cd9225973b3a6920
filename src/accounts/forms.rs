//! The forms of accounts.

use serde_json::Value;

use crate::{
    http::{
        forms::{Call, Form, Notice, Then},
        limits::ACCOUNT_BODY,
    },
    ui::{Next, Values, with_next},
};

pub const FORMS: &[&Form] = &[
    &SIGN_UP,
    &LOG_IN,
    &LOG_OUT,
    &CONFIRM_IDENTITY,
    &CHANGE_PASSWORD,
    &SAVE_PROFILE,
    &END_LOGIN,
    &END_OTHER_LOGINS,
    &DELETE_ACCOUNT,
    &CREATE_API_KEY,
    &REVOKE_API_KEY,
];

/// The page after a login. It is shown to a browser that did not return the new
/// cookie; every other browser is redirected.
pub const LOGGED_IN: &str = "/login/done";

/// The page of the second step of a login.
pub const LOG_IN_CODE: &str = "/login/code";

static SIGN_UP: Form = Form {
    call: Call { endpoint: "/api/sign_up", max_body: ACCOUNT_BODY, is_for_anyone: true },
    page: "/signup",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoToWith(after_sign_up),
    notice: None,
};

static LOG_IN: Form = Form {
    call: Call { endpoint: "/api/log_in", max_body: ACCOUNT_BODY, is_for_anyone: true },
    page: "/login",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(next),
    notice: None,
};

/// It stands in the header of every page.
static LOG_OUT: Form = Form {
    call: Call { endpoint: "/api/log_out", max_body: ACCOUNT_BODY, is_for_anyone: true },
    page: "/logout",
    holds_text: false,
    is_shown_again: false,
    then: Then::GoTo(|_, _| "/".to_owned()),
    notice: Some(&LOGGED_OUT),
};

static CONFIRM_IDENTITY: Form = Form {
    call: Call { endpoint: "/api/confirm_identity", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/confirm",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(confirmed),
    notice: None,
};

static CHANGE_PASSWORD: Form = Form {
    call: Call { endpoint: "/api/change_password", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/password",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(|_, _| "/account".to_owned()),
    notice: Some(&PASSWORD_CHANGED),
};

static SAVE_PROFILE: Form = Form {
    call: Call { endpoint: "/api/save_profile", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/profile",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(|_, _| "/account".to_owned()),
    notice: Some(&PROFILE_SAVED),
};

static END_LOGIN: Form = Form {
    call: Call { endpoint: "/api/end_login", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/sessions/{id}/end",
    holds_text: false,
    is_shown_again: false,
    then: Then::GoTo(|_, _| "/account/sessions".to_owned()),
    notice: Some(&LOGIN_ENDED),
};

static END_OTHER_LOGINS: Form = Form {
    call: Call { endpoint: "/api/end_other_logins", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/sessions",
    holds_text: false,
    is_shown_again: false,
    then: Then::GoTo(|_, _| "/account/sessions".to_owned()),
    notice: Some(&OTHER_LOGINS_ENDED),
};

static DELETE_ACCOUNT: Form = Form {
    call: Call { endpoint: "/api/delete_account", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/delete",
    holds_text: false,
    is_shown_again: true,
    then: Then::GoTo(|_, _| "/".to_owned()),
    notice: Some(&DELETION_ASKED),
};

static CREATE_API_KEY: Form = Form {
    call: Call { endpoint: "/api/create_api_key", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/api-keys",
    holds_text: false,
    is_shown_again: true,
    then: Then::ShowOnce,
    notice: None,
};

static REVOKE_API_KEY: Form = Form {
    call: Call { endpoint: "/api/revoke_api_key", max_body: ACCOUNT_BODY, is_for_anyone: false },
    page: "/account/api-keys/{id}/revoke",
    holds_text: false,
    is_shown_again: false,
    then: Then::GoTo(|_, _| "/account/api-keys".to_owned()),
    notice: Some(&KEY_REVOKED),
};

pub(super) static WELCOME: Notice =
    Notice { name: "welcome", sentence: "Welcome to Byline. You are signed up and logged in." };
static LOGGED_OUT: Notice = Notice { name: "logged-out", sentence: "You are logged out." };
static PASSWORD_CHANGED: Notice = Notice {
    name: "password-changed",
    sentence: "Your password is changed. You are signed out everywhere else.",
};
static PROFILE_SAVED: Notice = Notice { name: "profile-saved", sentence: "Your profile is saved." };
static LOGIN_ENDED: Notice = Notice { name: "login-ended", sentence: "That login has ended." };
static OTHER_LOGINS_ENDED: Notice =
    Notice { name: "other-logins-ended", sentence: "You are signed out everywhere else." };
static DELETION_ASKED: Notice = Notice {
    name: "deletion-asked",
    sentence: "Your account will be deleted in seven days. Log in before then to keep it.",
};
static KEY_REVOKED: Notice = Notice { name: "key-revoked", sentence: "The key is revoked." };

/// Back to what asked who it is.
pub(super) fn confirmed(typed: &Values, _: &Value) -> String {
    let next = typed.get("next").and_then(Next::parse);
    next.map_or_else(|| "/account".to_owned(), |next| next.as_str().to_owned())
}

/// Where a login goes on: to what was wanted, or to its second step, or to the code
/// that confirms its sign-up.
pub(super) fn next(typed: &Values, answer: &Value) -> String {
    if let Some(id) = answer["sign_up"].as_str() {
        return code_of_sign_up(id);
    }
    if answer.get("second_factor").is_some() {
        return match typed.get("next").and_then(Next::parse) {
            Some(next) => with_next(LOG_IN_CODE, next.as_str()),
            None => LOG_IN_CODE.to_owned(),
        };
    }
    let next = typed.get("next").and_then(Next::parse);
    next.map_or_else(|| LOGGED_IN.to_owned(), |next| with_next(LOGGED_IN, next.as_str()))
}

fn code_of_sign_up(id: &str) -> String {
    format!("/verify-email?sign_up={id}")
}

/// Where mail is sent, on to the page of the code.
fn after_sign_up(typed: &Values, answer: &Value) -> (String, Option<&'static Notice>) {
    match answer["sign_up"].as_str() {
        Some(id) => (code_of_sign_up(id), None),
        None => (next(typed, answer), Some(&WELCOME)),
    }
}
