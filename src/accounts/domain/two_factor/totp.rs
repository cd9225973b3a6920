//! The codes of an app: six digits every thirty seconds (RFC 6238).

use std::fmt;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use totp_rs::{Algorithm, Builder, Secret, Totp};
use url::form_urlencoded;

use crate::{
    config::SiteName, database::internal, error::AppError, timestamp::Timestamp, username::Username,
};

/// What an app and the site share: 160 random bits (RFC 4226, 4, R6).
#[derive(Clone)]
pub struct TotpSecret(SecretSlice<u8>);

impl fmt::Debug for TotpSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TotpSecret")
    }
}

impl TotpSecret {
    const BYTES: usize = 20;
    /// Apps know no other values well.
    const DIGITS: u8 = 6;
    /// In seconds.
    const STEP: u64 = 30;
    /// A code counts this many steps before its time and after it, because clocks
    /// differ and people type (RFC 6238, 5.2).
    const SKEW: u16 = 1;

    pub(super) fn random() -> Result<Self, AppError> {
        let mut bytes = vec![0; Self::BYTES];
        getrandom::fill(&mut bytes).map_err(internal)?;
        Ok(Self(bytes.into()))
    }

    /// As it was sealed.
    pub(super) const fn from_stored(bytes: SecretSlice<u8>) -> Self {
        Self(bytes)
    }

    pub(super) fn expose(&self) -> &[u8] {
        self.0.expose_secret()
    }

    /// As apps and clients of Cognito take it.
    #[must_use]
    pub fn base32(&self) -> SecretString {
        Secret::new(self.expose().into()).to_base32().into()
    }

    /// What a QR code says to an app, which names the site as `issuer`
    /// (<https://github.com/google/google-authenticator/wiki/Key-Uri-Format>).
    #[must_use]
    pub fn uri(&self, issuer: &SiteName, username: &Username) -> SecretString {
        // A colon ends the issuer.
        let issuer = issuer.as_str().replace(':', " ");
        let label = utf8_percent_encode(&issuer, NON_ALPHANUMERIC).to_string();
        let parameters = form_urlencoded::Serializer::new(String::new())
            .append_pair("secret", self.base32().expose_secret())
            .append_pair("issuer", &issuer)
            .append_pair("algorithm", "SHA1")
            .append_pair("digits", &Self::DIGITS.to_string())
            .append_pair("period", &Self::STEP.to_string())
            .finish();
        format!("otpauth://totp/{label}:{username}?{parameters}").into()
    }

    /// The time step of a code, if it is one of now and later than `after`, the
    /// last that was accepted.
    pub(super) fn check(&self, code: &str, now: Timestamp, after: i64) -> Result<Option<i64>, AppError> {
        let seconds = u64::try_from(now.micros() / 1_000_000).unwrap_or_default();
        let step = self.totp()?.check(code, seconds).and_then(|step| i64::try_from(step).ok());
        Ok(step.filter(|step| *step > after))
    }

    fn totp(&self) -> Result<Totp, AppError> {
        Builder::new()
            .with_algorithm(Algorithm::SHA1)
            .with_digits(Self::DIGITS)
            .with_skew(Self::SKEW)
            .with_step_duration(Self::STEP)
            .with_secret(Secret::new(self.expose().into()))
            .build()
            .map_err(internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret() -> TotpSecret {
        TotpSecret(b"12345678901234567890".to_vec().into())
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    #[test]
    fn codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, the last six of its eight digits.
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (2_000_000_000, "279037")] {
            assert_eq!(secret().check(code, at(seconds), 0).unwrap(), Some(seconds / 30), "{code}");
        }
    }

    #[test]
    fn a_code_counts_one_step_early_or_late_and_never_twice() {
        let check = |seconds, after| secret().check("081804", at(seconds), after).unwrap();
        let step = 1_111_111_109 / 30;
        for seconds in [step * 30 - 30, step * 30, step * 30 + 59] {
            assert_eq!(check(seconds, step - 1), Some(step), "{seconds}");
            assert_eq!(check(seconds, step), None, "{seconds}");
        }
        for seconds in [step * 30 - 31, step * 30 + 60] {
            assert_eq!(check(seconds, 0), None, "{seconds}");
        }
        for wrong in ["", "81804", "0818040", "+81804", "081805", "０８１８０４"] {
            assert_eq!(secret().check(wrong, at(step * 30), 0).unwrap(), None, "{wrong:?}");
        }
    }

    #[test]
    fn an_app_is_told_everything_by_one_address_and_the_log_nothing() {
        let username = Username::parse("ada").unwrap();
        assert_eq!(
            secret().uri(&SiteName::default(), &username).expose_secret(),
            "otpauth://totp/Byline:ada?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Byline&algorithm=SHA1&digits=6&period=30"
        );
        let uri = secret().uri(&"Ada's: Blog & Co".parse().unwrap(), &username).expose_secret().to_owned();
        assert!(uri.starts_with("otpauth://totp/Ada%27s%20%20Blog%20%26%20Co:ada?secret="), "{uri}");
        assert!(uri.contains("&issuer=Ada%27s++Blog+%26+Co&"), "{uri}");
        assert_eq!(format!("{:?}", secret()), "TotpSecret");
        assert_ne!(TotpSecret::random().unwrap().expose(), TotpSecret::random().unwrap().expose());
    }
}
