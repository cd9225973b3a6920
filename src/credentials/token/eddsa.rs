//! The one algorithm that signs tokens (security row J1): Ed25519, in JWS as RFC
//! 8037 defines it.
//!
//! jsonwebtoken writes, parses and validates tokens, and accepts other
//! implementations of algorithms. Its own two also contain RSA and the NIST
//! curves, which Byline does not need. This one has a single algorithm, from the
//! crate that makes the keys, so no token can choose another.

use ed25519_dalek::{Signature, SigningKey, VerifyingKey};
use jsonwebtoken::{
    Algorithm, AlgorithmFamily, DecodingKey, EncodingKey,
    crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils},
    errors::{ErrorKind, Result},
    signature::{Error, Signer, Verifier},
};

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory: |algorithm, key| {
        let seed = ed25519(*algorithm, key.family(), key.as_bytes())?;
        Ok(Box::new(Ed25519Signer(SigningKey::from_bytes(seed))))
    },
    verifier_factory: |algorithm, key| {
        let public = ed25519(*algorithm, key.family(), key.try_get_as_bytes()?)?;
        let key = VerifyingKey::from_bytes(public).map_err(|_| ErrorKind::InvalidEddsaKey)?;
        Ok(Box::new(Ed25519Verifier(key)))
    },
    // For making JWKs of private keys; ours are written by `Key::jwk`.
    key_utils: KeyUtils::new_unimplemented(),
};

/// The two halves of a key, as jsonwebtoken passes them. Its names say DER, but
/// the content is up to caller and provider: here it is the 32 bytes
/// themselves. Nothing signs or verifies without such a key, so the provider is
/// installed here.
pub(super) fn key_pair(seed: &[u8; 32], public: &[u8; 32]) -> (EncodingKey, DecodingKey) {
    // An error means that it is installed already.
    let _ = PROVIDER.install_default();
    (EncodingKey::from_ed_der(seed), DecodingKey::from_ed_der(public))
}

/// The bytes of a key, if it is one for this algorithm, and this algorithm is
/// what the token asks for.
fn ed25519(algorithm: Algorithm, family: AlgorithmFamily, key: &[u8]) -> Result<&[u8; 32]> {
    if algorithm != Algorithm::EdDSA {
        return Err(ErrorKind::InvalidAlgorithm.into());
    }
    if family != AlgorithmFamily::Ed {
        return Err(ErrorKind::InvalidKeyFormat.into());
    }
    key.try_into().map_err(|_| ErrorKind::InvalidEddsaKey.into())
}

struct Ed25519Signer(SigningKey);

impl Signer<Vec<u8>> for Ed25519Signer {
    fn try_sign(&self, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        let signature: Signature = self.0.try_sign(message)?;
        Ok(signature.to_vec())
    }
}

impl JwtSigner for Ed25519Signer {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

struct Ed25519Verifier(VerifyingKey);

impl Verifier<Vec<u8>> for Ed25519Verifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        // Strictly: a point of small order is no key, and none makes a signature.
        self.0.verify_strict(message, &Signature::from_slice(signature)?)
    }
}

impl JwtVerifier for Ed25519Verifier {
    fn algorithm(&self) -> Algorithm {
        Algorithm::EdDSA
    }
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    use jsonwebtoken::crypto::{sign, verify};

    use super::*;

    /// RFC 8037 A.1, A.4.
    const SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
    const PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
    const MESSAGE: &[u8] = b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    const SIGNATURE: &str =
        "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

    const OTHERS: [Algorithm; 11] = [
        Algorithm::HS256,
        Algorithm::HS384,
        Algorithm::HS512,
        Algorithm::RS256,
        Algorithm::RS384,
        Algorithm::RS512,
        Algorithm::PS256,
        Algorithm::PS384,
        Algorithm::PS512,
        Algorithm::ES256,
        Algorithm::ES384,
    ];

    fn bytes<const N: usize>(encoded: &str) -> [u8; N] {
        BASE64_URL_SAFE_NO_PAD.decode(encoded).unwrap().try_into().unwrap()
    }

    fn pair() -> (EncodingKey, DecodingKey) {
        key_pair(&bytes(SEED), &bytes(PUBLIC))
    }

    fn verified(signature: &[u8], message: &[u8], key: &DecodingKey) -> bool {
        let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
        verify(&signature, message, key, Algorithm::EdDSA).unwrap()
    }

    #[test]
    fn the_example_of_rfc_8037_is_signed_and_verified() {
        let (signing, verifying) = pair();
        assert_eq!(sign(MESSAGE, &signing, Algorithm::EdDSA).unwrap(), SIGNATURE);
        assert!(verify(SIGNATURE, MESSAGE, &verifying, Algorithm::EdDSA).unwrap());
    }

    #[test]
    fn another_signature_message_or_key_is_not_verified() {
        let (_, verifying) = pair();
        let signature: [u8; 64] = bytes(SIGNATURE);
        assert!(verified(&signature, MESSAGE, &verifying));
        for at in 0..64 {
            let mut flipped = signature;
            flipped[at] ^= 1;
            assert!(!verified(&flipped, MESSAGE, &verifying), "{at}");
        }
        for wrong in [&[][..], &signature[..63], &[&signature[..], &[0]].concat()] {
            assert!(!verified(wrong, MESSAGE, &verifying), "{} bytes", wrong.len());
        }
        assert!(!verified(&signature, &MESSAGE[1..], &verifying));
        let other = SigningKey::from_bytes(&[7; 32]).verifying_key().to_bytes();
        assert!(!verified(&signature, MESSAGE, &DecodingKey::from_ed_der(&other)));

        // The neutral element is a point, and with it as key and as `R` an `S`
        // of nothing would sign every message.
        let mut neutral = [0; 32];
        neutral[0] = 1;
        let forged = [neutral, [0; 32]].concat();
        assert!(!verified(&forged, MESSAGE, &DecodingKey::from_ed_der(&neutral)));
    }

    #[test]
    fn there_is_no_other_algorithm_and_no_other_key() {
        let (signing, verifying) = pair();
        for algorithm in OTHERS {
            assert!(sign(MESSAGE, &signing, algorithm).is_err(), "{algorithm:?}");
            assert!(verify(SIGNATURE, MESSAGE, &verifying, algorithm).is_err(), "{algorithm:?}");
        }
        let (seed, public): ([u8; 32], [u8; 32]) = (bytes(SEED), bytes(PUBLIC));
        for key in [
            EncodingKey::from_secret(&seed),
            EncodingKey::from_rsa_der(&seed),
            EncodingKey::from_ec_der(&seed),
            EncodingKey::from_ed_der(&seed[1..]),
            EncodingKey::from_ed_der(&[]),
        ] {
            assert!(sign(MESSAGE, &key, Algorithm::EdDSA).is_err(), "{key:?}");
        }
        for key in [
            DecodingKey::from_secret(&public),
            DecodingKey::from_rsa_der(&public),
            DecodingKey::from_rsa_raw_components(&public, &[1, 0, 1]),
            DecodingKey::from_ec_der(&public),
            DecodingKey::from_ed_der(&public[1..]),
            DecodingKey::from_ed_der(&[&public[..], &[0]].concat()),
            DecodingKey::from_ed_der(&[]),
        ] {
            assert!(verify(SIGNATURE, MESSAGE, &key, Algorithm::EdDSA).is_err(), "{key:?}");
        }
    }
}
