//! What scripts of other origins may do (WHATWG Fetch, 3.3: the CORS protocol).
//!
//! For endpoints whose credential is only in a header or a body.
//! `Access-Control-Allow-Credentials` is never sent, so no browser lets a foreign
//! script read what a cookie allows. Such a script may send every header: it either
//! proves who asks or has no effect.
//!
//! Not tower-http's `CorsLayer` (read at 0.6.11):
//! - it treats every `OPTIONS` as a preflight and answers 200 without the layers
//!   inside, so without a log line and the common headers;
//! - it allows a list of headers or the requested ones, never both;
//! - of two origins it uses the first;
//! - it writes `Vary` anew for every answer.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{
        HeaderMap, HeaderName, HeaderValue, Method, StatusCode,
        header::{
            ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
            ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS,
            ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
        },
    },
    middleware::Next,
    response::Response,
};

use crate::{config::Origins, site::Site};

/// Always allowed, by name: `*` does not cover `authorization` (Fetch, 4.9),
/// and clients of AWS look for theirs.
const ALLOWED_HEADERS: [&str; 6] =
    ["authorization", "content-type", "x-amz-user-agent", "x-api-key", "cache-control", "x-amz-target"];
/// The most bytes of header names that are allowed because a script asked for
/// them.
const MAX_REQUESTED: usize = 4096;
/// The headers that scripts may read, besides those of Fetch, 2.2.2.
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "x-amzn-RequestId,x-amzn-ErrorType,x-amz-user-agent,x-amzn-ErrorMessage,Date,\
     ETag,Retry-After,Allow,WWW-Authenticate,X-Request-Id",
);
const ALLOWED_METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST");
/// In seconds; browsers remember no longer than two hours anyway.
const PREFLIGHT_TIME: HeaderValue = HeaderValue::from_static("7200");
const VARIES: HeaderValue = HeaderValue::from_static(
    "origin, access-control-request-headers, access-control-request-private-network",
);

/// A page of the open network asks for an address of a private one (WICG
/// Private Network Access).
const REQUEST_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName = HeaderName::from_static("access-control-allow-private-network");

/// Marks a preflight, for [`answer_to_preflight`].
#[derive(Clone, Copy)]
struct Preflight;

/// A layer around all others of the routes below it. It lets the listed origins
/// read every answer, also those of other layers: a script that may not read
/// "come again later" would take it for a lost network.
pub async fn share(State(site): State<Site>, mut request: Request, next: Next) -> Response {
    let asked = request.headers();
    let allowed_origin = allowed_origin(&site.cors_origins, asked);
    let preflight = (request.method() == Method::OPTIONS
        && asked.contains_key(ACCESS_CONTROL_REQUEST_METHOD))
    .then(|| answer_headers(asked));
    if preflight.is_some() {
        request.extensions_mut().insert(Preflight);
    }
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(VARY, VARIES);
    if let Some(allowed) = allowed_origin {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        match preflight {
            Some(preflight) => headers.extend(preflight),
            None => drop(headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS)),
        }
    }
    // Otherwise a browser keeps the answer from a foreign page that embeds it.
    headers.insert(
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("cross-origin"),
    );
    response
}

/// The answer to a preflight, which needs neither a place nor a route;
/// [`share`] adds what is allowed. `None` for any other request.
#[must_use]
pub fn answer_to_preflight(request: &Request) -> Option<Response> {
    request.extensions().get::<Preflight>()?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    Some(response)
}

/// Which origin is let in; a request that names two names none.
fn allowed_origin(origins: &Origins, asked: &HeaderMap) -> Option<HeaderValue> {
    let mut named = asked.get_all(ORIGIN).iter();
    let origin = named.next().filter(|_| named.next().is_none());
    match origins {
        Origins::Any => Some(HeaderValue::from_static("*")),
        Origins::Listed(listed) => {
            origin.filter(|origin| listed.iter().any(|listed| listed.matches(origin))).cloned()
        }
    }
}

/// The headers of the answer to a preflight, except the origin.
fn answer_headers(asked: &HeaderMap) -> HeaderMap {
    let mut told = HeaderMap::new();
    told.insert(ACCESS_CONTROL_ALLOW_METHODS, ALLOWED_METHODS);
    told.insert(ACCESS_CONTROL_MAX_AGE, PREFLIGHT_TIME);
    let mut names = ALLOWED_HEADERS.join(",");
    for name in requested_headers(asked).unwrap_or_default() {
        if !ALLOWED_HEADERS.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            names.push(',');
            names.push_str(name);
        }
    }
    if let Ok(names) = HeaderValue::try_from(names) {
        told.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
    }
    if asked.get(REQUEST_PRIVATE_NETWORK).is_some_and(|value| value == "true") {
        told.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
    }
    told
}

/// The names of headers in a preflight: a list of tokens (RFC 9110, 5.6).
/// `None` for anything else, or if it is longer than [`MAX_REQUESTED`].
fn requested_headers(asked: &HeaderMap) -> Option<Vec<&str>> {
    let mut names = Vec::new();
    let mut bytes = 0;
    for value in asked.get_all(ACCESS_CONTROL_REQUEST_HEADERS) {
        bytes += value.len();
        if bytes > MAX_REQUESTED {
            return None;
        }
        let listed = value.to_str().ok()?.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.extend(listed);
    }
    // A name that the parser of headers takes is a token.
    names.iter().all(|name| HeaderName::from_bytes(name.as_bytes()).is_ok()).then_some(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed_to(asked: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in asked {
            headers.append(ACCESS_CONTROL_REQUEST_HEADERS, HeaderValue::from_str(value).unwrap());
        }
        let told = answer_headers(&headers);
        let allowed = told[ACCESS_CONTROL_ALLOW_HEADERS].to_str().unwrap();
        let always = "authorization,content-type,x-amz-user-agent,x-api-key,cache-control,x-amz-target";
        allowed.strip_prefix(always).unwrap_or_else(|| panic!("{allowed}")).to_owned()
    }

    #[test]
    fn a_preflight_is_allowed_every_header_that_it_names() {
        assert_eq!(allowed_to(&[]), "");
        assert_eq!(allowed_to(&["authorization,X-Api-Key"]), "", "allowed without being named");
        let of_the_sdk = "amz-sdk-invocation-id,amz-sdk-request,content-type,x-amz-target,x-amz-user-agent";
        assert_eq!(allowed_to(&[of_the_sdk]), ",amz-sdk-invocation-id,amz-sdk-request");
        assert_eq!(allowed_to(&["a , b", "", ",,c"]), ",a,b,c", "a list may have empty elements");
    }

    #[test]
    fn what_is_no_list_of_names_or_too_long_a_one_is_not_repeated() {
        for wrong in ["a b", "a,b:c", "a;b", "\"a\"", "a,b(c)", "a\tb"] {
            assert_eq!(allowed_to(&[wrong]), "", "{wrong}");
        }
        let longest = "x".repeat(MAX_REQUESTED);
        assert_eq!(allowed_to(&[&longest]), format!(",{longest}"));
        assert_eq!(allowed_to(&[&longest, "a"]), "");
    }

    #[test]
    fn an_address_of_a_private_network_is_given_to_whoever_asks_for_it() {
        for (asked, told) in [("true", true), ("false", false), ("", false)] {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_PRIVATE_NETWORK, HeaderValue::from_static(asked));
            assert_eq!(answer_headers(&headers).contains_key(ALLOW_PRIVATE_NETWORK), told, "{asked:?}");
        }
    }

    #[test]
    fn a_request_that_names_two_origins_names_none() {
        let listed = Origins::parse(&["https://app.example".to_owned()]).unwrap();
        let mut headers = HeaderMap::new();
        headers.append(ORIGIN, HeaderValue::from_static("https://app.example"));
        assert_eq!(allowed_origin(&listed, &headers).unwrap(), "https://app.example");
        assert_eq!(allowed_origin(&Origins::Any, &headers).unwrap(), "*");
        headers.append(ORIGIN, HeaderValue::from_static("https://evil.example"));
        assert_eq!(allowed_origin(&listed, &headers), None);
    }
}
