//! Where a request comes from: for limits on guesses, for the list of places where a
//! person is signed in, and for the audit log.

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, OnceLock},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::secret_bits::SecretBits;
use crate::{error::AppError, telemetry};

/// Bytes of a user agent that are stored at most.
const USER_AGENT_BYTES: usize = 256;

/// Where a request comes from, as far as it can be believed.
#[derive(Clone, Debug, Default)]
pub struct RequestSource {
    /// The address of the client ([`crate::http::layers::client_address`]); absent at
    /// the command line.
    pub address: Option<IpAddr>,
    /// What the client says it is, shortened.
    pub user_agent: String,
    /// The id of the request, as the log has it.
    pub request_id: String,
    device: Device,
}

/// The cookie by which a browser is known again, after it has logged in once.
#[derive(Clone, Default)]
struct Device {
    sent: Option<SecretString>,
    issued: IssuedDevice,
}

/// The device cookie that the answer of this request sets, if it sets one.
#[derive(Clone, Default)]
pub struct IssuedDevice(Arc<OnceLock<SecretString>>);

impl IssuedDevice {
    /// The value of the cookie.
    #[must_use]
    pub fn get(&self) -> Option<&SecretString> {
        self.0.get()
    }
}

/// The hash of a device cookie, which is what the database has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DeviceHash(pub [u8; 32]);

/// What a session or a token family shows of where it was begun.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BegunFrom {
    /// As text; empty at the command line.
    pub address: String,
    /// As the client sent it.
    pub user_agent: String,
}

impl RequestSource {
    /// Of a request with that address, user agent and device cookie.
    #[must_use]
    pub fn of_request(
        address: Option<IpAddr>,
        user_agent: &str,
        device: Option<&str>,
        issued: IssuedDevice,
    ) -> Self {
        let device = Device { sent: device.map(Into::into), issued };
        let user_agent = telemetry::cut(user_agent, USER_AGENT_BYTES).into_owned();
        Self { address, user_agent, request_id: telemetry::request_id(), device }
    }

    /// Of a command: whoever runs it may do everything.
    #[must_use]
    pub fn command_line() -> Self {
        Self { user_agent: "byline".to_owned(), ..Self::default() }
    }

    /// What is stored of it.
    #[must_use]
    pub fn begun_from(&self) -> BegunFrom {
        let address = self.address.map(|address| address.to_string()).unwrap_or_default();
        BegunFrom { address, user_agent: self.user_agent.clone() }
    }

    /// The browser by which the request came, if it has a device cookie.
    #[must_use]
    pub fn device(&self) -> Option<DeviceHash> {
        let cookie = self.device.issued.get().or(self.device.sent.as_ref())?;
        Some(DeviceHash(Sha256::digest(cookie.expose_secret()).into()))
    }

    /// Gives the browser a device cookie, unless it has one.
    ///
    /// # Errors
    /// [`AppError::Internal`] if the system has no random numbers.
    pub fn issue_device(&self) -> Result<(), AppError> {
        if self.device.sent.is_none() {
            let value = BASE64_URL_SAFE_NO_PAD.encode(SecretBits::random()?.expose());
            // Another call of the same request may have been faster.
            let _ = self.device.issued.0.set(value.into());
        }
        Ok(())
    }
}

impl fmt::Debug for Device {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Device")
    }
}

impl fmt::Debug for IssuedDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssuedDevice")
    }
}
