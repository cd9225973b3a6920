//! The cookie by which a browser is known again after a login, so that a stranger
//! who guesses passwords locks nobody out (OWASP, "device cookies").

use axum::{
    extract::{Request, State},
    http::{HeaderValue, Method, header::SET_COOKIE},
    middleware::Next,
    response::Response,
};
use secrecy::ExposeSecret;

use crate::{credentials::IssuedDevice, http::cookies};

/// 400 days, the most that browsers keep a cookie (RFC 6265bis 5.5).
const MAX_AGE: u32 = 400 * 24 * 60 * 60;

/// Sets the cookie where a use case has issued one.
pub async fn device_cookie(State(https): State<bool>, mut request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let issued = IssuedDevice::default();
    request.extensions_mut().insert(issued.clone());
    let mut response = next.run(request).await;
    if let Some(value) = issued.get() {
        let secure = if https { "; Secure" } else { "" };
        let cookie = format!(
            "{}={}; Path=/; Max-Age={MAX_AGE}; HttpOnly; SameSite=Lax{secure}",
            cookies::DEVICE,
            value.expose_secret()
        );
        if let Ok(cookie) = HeaderValue::try_from(cookie) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    response
}
