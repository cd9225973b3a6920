//! The forms of accounts.

use serde_json::Value;

use crate::{
    http::{
        forms::{Call, Form, Notice, Then},
        limits::ACCOUNT_BODY,
    },
    ui::{Next, Values, with_next},
};

pub const FORMS: &[&Form] =
    &[&SIGN_UP, &LOG_IN, &LOG_OUT, &CONFIRM_IDENTITY, &CREATE_API_KEY, &REVOKE_API_KEY];

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
    then: Then::GoTo(next),
    notice: Some(&WELCOME),
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
    then: Then::GoTo(|typed, _| {
        typed
            .get("next")
            .and_then(Next::parse)
            .map_or_else(|| "/account".to_owned(), |next| next.as_str().to_owned())
    }),
    notice: None,
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

static WELCOME: Notice =
    Notice { name: "welcome", sentence: "Welcome to Byline. You are signed up and logged in." };
static LOGGED_OUT: Notice = Notice { name: "logged-out", sentence: "You are logged out." };
static KEY_REVOKED: Notice = Notice { name: "key-revoked", sentence: "The key is revoked." };

/// Where a login goes on: to what was wanted, or to its second step.
pub(super) fn next(typed: &Values, answer: &Value) -> String {
    if answer.get("second_factor").is_some() {
        return match typed.get("next").and_then(Next::parse) {
            Some(next) => with_next(LOG_IN_CODE, next.as_str()),
            None => LOG_IN_CODE.to_owned(),
        };
    }
    let next = typed.get("next").and_then(Next::parse);
    next.map_or_else(|| LOGGED_IN.to_owned(), |next| with_next(LOGGED_IN, next.as_str()))
}
