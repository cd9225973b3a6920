//! Where a request comes from, read from its head.

use axum::http::{HeaderMap, header::USER_AGENT, request::Parts};

use super::{cookies, layers::client_address::ClientAddress};
use crate::credentials::{IssuedDevice, RequestSource};

/// The source of the request with this head.
#[must_use]
pub fn source(head: &Parts) -> RequestSource {
    let address = head.extensions.get().map(|ClientAddress(address)| *address);
    let issued = head.extensions.get::<IssuedDevice>().cloned().unwrap_or_default();
    let device = cookies::cookie(&head.headers, cookies::DEVICE);
    RequestSource::of_request(address, user_agent(&head.headers), device, issued)
}

fn user_agent(headers: &HeaderMap) -> &str {
    headers.get(USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
