//! What scripts of other origins may ask (WHATWG Fetch, 3.3: the CORS protocol).
//!
//! For endpoints that take their credential from a header or a body alone.
//! `Access-Control-Allow-Credentials` is never sent, so no browser lets a
//! foreign script read what a cookie opens.

use std::str::FromStr;

use axum::{
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN,
            VARY,
        },
    },
    middleware::Next,
    response::Response,
};
use url::Url;

use super::Site;

/// By name: `*` does not cover `authorization` (Fetch, 4.9), and clients of
/// AWS look for theirs.
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "authorization,content-type,x-amz-user-agent,x-api-key,cache-control,x-amz-target",
);
const EXPOSED_HEADERS: HeaderValue =
    HeaderValue::from_static("x-amzn-RequestId,x-amzn-ErrorType,x-amz-user-agent,x-amzn-ErrorMessage,Date");
const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST");
/// In seconds; browsers remember no longer than two hours anyway.
const PREFLIGHT_TIME: HeaderValue = HeaderValue::from_static("7200");

/// The origins whose scripts may read the answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// Whichever.
    Any,
    /// These, as browsers write them.
    Listed(Vec<HeaderValue>),
}

/// The text names no origin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is no origin like https://app.example, and * stands alone")]
pub struct OriginsError(String);

impl Origins {
    /// `*`, or origins: scheme, host and port.
    ///
    /// # Errors
    /// [`OriginsError`] names the first that is none.
    pub fn parse(raw: &[String]) -> Result<Self, OriginsError> {
        match raw {
            [one] if one.trim() == "*" => Ok(Self::Any),
            several => {
                several.iter().map(|raw| origin(raw.trim())).collect::<Result<_, _>>().map(Self::Listed)
            }
        }
    }

    /// What a browser is told that comes from `origin`.
    fn answer(&self, origin: Option<&HeaderValue>) -> Option<HeaderValue> {
        match self {
            Self::Any => Some(HeaderValue::from_static("*")),
            Self::Listed(listed) => origin.filter(|origin| listed.contains(origin)).cloned(),
        }
    }
}

fn origin(raw: &str) -> Result<HeaderValue, OriginsError> {
    let wrong = || OriginsError(raw.to_owned());
    let url = Url::from_str(raw).map_err(|_| wrong())?;
    let origin = url.origin().ascii_serialization();
    let bare = url.as_str().trim_end_matches('/') == origin && matches!(url.scheme(), "http" | "https");
    if bare { HeaderValue::from_str(&origin).map_err(|_| wrong()) } else { Err(wrong()) }
}

/// A layer that answers preflights, and lets the listed origins read what the
/// routes below it answer.
pub async fn share(State(site): State<Site>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let allowed = site.cors_origins.answer(headers.get(ORIGIN));
    let preflight =
        request.method() == Method::OPTIONS && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = if preflight {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NO_CONTENT;
        response
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("origin"));
    if let Some(allowed) = allowed {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        if preflight {
            for (name, value) in [
                (ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS),
                (ACCESS_CONTROL_ALLOW_HEADERS, ALLOWED_HEADERS),
                (ACCESS_CONTROL_MAX_AGE, PREFLIGHT_TIME),
            ] {
                headers.insert(name, value);
            }
        } else {
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
        }
    }
    open_to_other_origins(headers);
    response
}

/// Otherwise a browser keeps the answer from a foreign page that embeds it.
fn open_to_other_origins(headers: &mut HeaderMap) {
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(raw: &[&str]) -> Result<Origins, OriginsError> {
        Origins::parse(&raw.iter().map(ToString::to_string).collect::<Vec<_>>())
    }

    #[test]
    fn origins_are_compared_as_browsers_write_them() {
        let listed = parse(&["https://App.example:443/", "http://localhost:5173"]).unwrap();
        let answer = |origin| listed.answer(Some(&HeaderValue::from_static(origin)));
        assert_eq!(answer("https://app.example"), Some(HeaderValue::from_static("https://app.example")));
        assert_eq!(answer("http://localhost:5173"), Some(HeaderValue::from_static("http://localhost:5173")));
        for other in ["http://app.example", "https://app.example:444", "https://evil.example", "null"] {
            assert_eq!(answer(other), None, "{other}");
        }
        assert_eq!(listed.answer(None), None);
        assert_eq!(parse(&["*"]).unwrap().answer(None), Some(HeaderValue::from_static("*")));
        assert_eq!(parse(&[]).unwrap().answer(Some(&HeaderValue::from_static("https://a.example"))), None);
    }

    #[test]
    fn what_is_no_origin_is_refused() {
        for wrong in
            ["", "app.example", "https://app.example/path", "https://a@b.example", "ftp://a.example", "null"]
        {
            assert_eq!(parse(&[wrong]), Err(OriginsError(wrong.to_owned())));
        }
        assert_eq!(parse(&["https://a.example", "*"]), Err(OriginsError("*".to_owned())));
    }
}
