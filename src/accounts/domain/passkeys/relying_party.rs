//! The site as authenticators know it: by its domain (Web Authentication, 4).

use url::{Host, Url};
use webauthn_rs::{Webauthn, WebauthnBuilder};

use crate::{database::internal, error::AppError, site::Site};

/// Why a site has no passkeys, in words for its visitors.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoPasskeys {
    /// Authenticators know sites by a name.
    #[error("Passkeys need a site with a name, and this one is at {0}, a number. Use a name for it")]
    Number(String),
    /// Browsers offer passkeys on encrypted pages alone, and on this machine.
    #[error("Passkeys need a site that is reached by https, and this one is at {0}")]
    NoHttps(String),
}

/// The address that passkeys are bound to. Where the operator has set none, it is
/// this machine's own name: other names could be anybody's.
pub fn origin(site: &Site) -> Result<Url, NoPasskeys> {
    let public = &site.public_url;
    let text = match public.set() {
        Some(origin) => origin.to_string(),
        None => {
            let scheme = if public.is_https() { "https" } else { "http" };
            let port = public.origin(None).unusual_port();
            port.map_or_else(
                || format!("{scheme}://localhost"),
                |port| format!("{scheme}://localhost:{port}"),
            )
        }
    };
    let number = || NoPasskeys::Number(text.clone());
    let url = Url::parse(&text).map_err(|_| number())?;
    let Some(Host::Domain(name)) = url.host() else { return Err(number()) };
    let is_here = name == "localhost" || name.ends_with(".localhost");
    if url.scheme() == "https" || is_here { Ok(url) } else { Err(NoPasskeys::NoHttps(text)) }
}

/// What checks ceremonies: exactly this origin, user verification always.
///
/// # Errors
/// [`AppError::BadRequest`] where the site has no passkeys.
pub(super) fn relying_party(site: &Site) -> Result<Webauthn, AppError> {
    let url = origin(site).map_err(|reason| AppError::BadRequest { reason: reason.to_string() })?;
    let domain = url.domain().unwrap_or_default().to_owned();
    WebauthnBuilder::new(&domain, &url)
        .and_then(|builder| {
            builder.rp_name(site.settings().identity.name.as_str()).timeout(super::ceremonies::TIME).build()
        })
        .map_err(internal)
}
