//! The setting `otlp-endpoint`.

use std::{fmt, str::FromStr};

use url::Url;

use super::error::StartError;

/// Where spans are sent, by OTLP over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtlpEndpoint(Url);

/// Why a text is no such place. It never shows the text, in which somebody may have written
/// a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no address of a collector; write http://127.0.0.1:4318, or https://… without a password")]
pub struct OtlpEndpointError;

impl FromStr for OtlpEndpoint {
    type Err = OtlpEndpointError;

    /// An address without a path gets the usual one.
    fn from_str(raw: &str) -> Result<Self, OtlpEndpointError> {
        let mut url: Url = raw.parse().map_err(|_| OtlpEndpointError)?;
        let is_plain = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.fragment().is_none();
        if !is_plain {
            return Err(OtlpEndpointError);
        }
        if url.path() == "/" {
            url.set_path("/v1/traces");
        }
        Ok(Self(url))
    }
}

/// The setting, as it was given.
pub(super) fn endpoint(given: &str) -> Result<OtlpEndpoint, StartError> {
    let problem = |error: OtlpEndpointError| error.to_string();
    let parsed = given.parse::<OtlpEndpoint>().map_err(problem);
    parsed.map_err(|problem| StartError::Value { setting: "otlp-endpoint", problem })
}

impl OtlpEndpoint {
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for OtlpEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_a_collector_gets_the_usual_path() {
        let parse = |raw: &str| raw.parse::<OtlpEndpoint>().map(|endpoint| endpoint.to_string());
        assert_eq!(parse("http://127.0.0.1:4318").as_deref(), Ok("http://127.0.0.1:4318/v1/traces"));
        assert_eq!(
            parse("https://c.example/otlp/v1/traces").as_deref(),
            Ok("https://c.example/otlp/v1/traces")
        );
        for wrong in ["", "127.0.0.1:4318", "grpc://c.example", "https://ada:s3cret@c.example", "http://"] {
            let said = parse(wrong).expect_err(wrong).to_string();
            assert!(!said.contains("s3cret"), "{said}");
        }
    }
}
