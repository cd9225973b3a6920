//! Forms: how a browser calls a server function, and what it shows afterwards.
//!
//! A form is declared once, beside its feature, as a [`Form`]; this module works
//! for all of them. [`crate::start`] has the list.

use axum::http::HeaderValue;
use serde_json::Value;

use super::{cookies, limits::ACCOUNT_BODY};
use crate::{error::AppError, site::Site, ui::Values};

/// A server function, as far as a request to it is of interest before it runs.
#[derive(Debug)]
pub struct Call {
    /// Its path: `/api/…`.
    pub endpoint: &'static str,
    /// The most bytes of the body of a request.
    pub max_body: usize,
    /// Whether people who are not signed in may send it.
    pub is_for_anyone: bool,
}

/// A form that calls a server function.
#[derive(Debug)]
pub struct Form {
    pub call: Call,
    /// The page of the form, which is shown again when something is wrong; as
    /// the router names it, with parameters such as `{id}`.
    pub page: &'static str,
    /// Whether it has a text that somebody writes.
    pub holds_text: bool,
    /// Whether the sender can correct mistakes on its page. If so, the page
    /// comes back with what was typed.
    pub is_shown_again: bool,
    /// Where the browser goes after success.
    pub then: Then,
    /// The notice that is shown there.
    pub notice: Option<&'static Notice>,
}

#[derive(Debug)]
pub enum Then {
    /// A redirect to a path of this site, which depends on the typed values and
    /// the answer of the server function.
    GoTo(fn(&Values, &Value) -> String),
    /// A redirect as [`Self::GoTo`], with the notice that fits the answer.
    GoToWith(fn(&Values, &Value) -> (String, Option<&'static Notice>)),
    /// The answer is shown once, on the form's own page, as
    /// [`ShownOnce`](super::pages::ShownOnce), because it is stored nowhere.
    ShowOnce,
}

/// Every form, and every other server function that differs from what is usual.
#[derive(Clone, Copy, Debug)]
pub struct Forms {
    pub of_features: &'static [&'static [&'static Form]],
    /// Server functions that have no form.
    pub calls: &'static [&'static Call],
    /// The notices of [`Then::GoToWith`], and of what is no [`Form`].
    pub notices: &'static [&'static [&'static Notice]],
}

impl Site {
    #[must_use]
    pub fn forms(&self) -> &Forms {
        self.part()
    }
}

impl Forms {
    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &'static Form> + use<> {
        self.of_features.iter().flat_map(|forms| forms.iter().copied())
    }

    #[must_use]
    pub fn of_endpoint(&self, endpoint: &str) -> Option<&'static Form> {
        self.all().find(|form| form.call.endpoint == endpoint)
    }

    /// Bytes of a body at most, and whether anyone may call.
    #[must_use]
    pub fn limits_of(&self, endpoint: &str) -> (usize, bool) {
        let of_forms = self.all().map(|form| &form.call);
        let call = of_forms.chain(self.calls.iter().copied()).find(|call| call.endpoint == endpoint);
        call.map_or((ACCOUNT_BODY, false), |call| (call.max_body, call.is_for_anyone))
    }

    /// The notice that a cookie names.
    #[must_use]
    pub fn notice(&self, name: &str) -> Option<&'static Notice> {
        let of_forms = self.all().filter_map(|form| form.notice);
        let of_features = self.notices.iter().copied().flatten().copied();
        of_forms.chain(of_features).chain([Notice::LOG_IN_TO_SAVE]).find(|notice| notice.name == name)
    }
}

impl Form {
    /// The controls whose values are never shown again.
    pub const SECRETS: [&'static str; 4] = ["password", "current_password", "new_password", "code"];
    /// The hidden control with the name of the author; see
    /// [`crate::credentials::FormToKeep`].
    pub const AUTHOR: &'static str = "author";
    /// The hidden control with the id of a [`crate::credentials::KeptForm`] in
    /// the form, and the argument of the page that asks for one.
    pub const KEPT: &'static str = "kept";

    /// The URL of its page, with the parameters from `values`. A value that is no
    /// id is left out, and the page is then 404.
    #[must_use]
    pub fn page(&self, values: &Values) -> String {
        let part = |part: &'static str| match part.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => values.get(name).filter(|value| is_id(value)).unwrap_or_default(),
            None => part,
        };
        self.page.split('/').map(part).collect::<Vec<_>>().join("/")
    }

    /// Whether it comes back with what was typed after that error.
    #[must_use]
    pub const fn is_shown_again(&self, error: &AppError) -> bool {
        self.is_shown_again
            && matches!(
                error,
                AppError::Invalid { .. }
                    | AppError::Conflict { .. }
                    | AppError::KeyReused { .. }
                    | AppError::EmailNotConfirmed
                    | AppError::Busy { .. }
                    | AppError::TooMany { .. }
                    | AppError::WriteConflict
                    | AppError::Internal
            )
    }
}

/// Whether it can stand in a path unencoded.
fn is_id(value: &str) -> bool {
    (1..=64).contains(&value.len())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// A message about what was just done, shown once on the next page. The cookie
/// has only its name, so nobody can forge a text.
#[derive(Debug, PartialEq, Eq)]
pub struct Notice {
    /// As the cookie names it.
    pub name: &'static str,
    /// The text that people read.
    pub sentence: &'static str,
}

impl Notice {
    /// A text written without a session is back in the editor. It comes with
    /// the text itself; no cookie carries it.
    pub const TEXT_KEPT: &'static Self = &Self {
        name: "text-kept",
        sentence: "You had been logged out. Your text is still here; it has not been saved yet.",
    };

    /// Why the page to log in is shown after a text was sent.
    pub const LOG_IN_TO_SAVE: &'static Self = &Self {
        name: "log-in-to-save",
        sentence: "You are logged out. Your text is kept: log in, and it is back in the editor.",
    };

    /// Sets the cookie, for a minute: a page that never comes leaves no trace.
    #[must_use]
    pub fn cookie(&self, https: bool) -> HeaderValue {
        set_cookie(self.name, 60, https)
    }

    #[must_use]
    pub fn removal(https: bool) -> HeaderValue {
        set_cookie("", 0, https)
    }
}

fn set_cookie(value: &str, max_age: u32, https: bool) -> HeaderValue {
    let secure = if https { "; Secure" } else { "" };
    let text =
        format!("{}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}", cookies::NOTICE);
    HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Form = Form {
        call: Call { endpoint: "/api/change", max_body: 1, is_for_anyone: false },
        page: "/things/{id}/change",
        holds_text: false,
        is_shown_again: true,
        then: Then::ShowOnce,
        notice: None,
    };

    #[test]
    fn the_page_of_a_form_is_found_by_its_id_and_nothing_else_is_put_into_a_path() {
        let page = |id: &str| FORM.page(&Values::from_iter([("id".to_owned(), id.to_owned())]));
        assert_eq!(page("0199-a_Z"), "/things/0199-a_Z/change");
        for wrong in ["", "..", "a/b", "a b", "%2e%2e", "\r\n", &"a".repeat(65)] {
            assert_eq!(page(wrong), "/things//change", "{wrong:?}");
        }
        assert_eq!(FORM.page(&Values::default()), "/things//change");
    }
}
