//! An authenticator in software: makes passkeys and signs with them (Web
//! Authentication 3, 6), written anew, so that the site is not compared with itself.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use p256::ecdsa::{Signature, SigningKey, signature::Signer};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const USER_PRESENT: u8 = 1;
const USER_VERIFIED: u8 = 4;
const ATTESTED: u8 = 64;

/// A device with one passkey. Public fields are what a test makes it lie about.
#[derive(Clone)]
pub struct SoftKey {
    key: SigningKey,
    id: Vec<u8>,
    /// The account that the passkey was made for.
    handle: Vec<u8>,
    pub origin: String,
    pub counter: u32,
    pub verifies_user: bool,
    /// Instead of the one that the site asks for.
    pub rp_id: Option<String>,
    pub cross_origin: bool,
}

impl SoftKey {
    /// In a browser that shows a page of `origin`.
    pub fn at(origin: &str) -> Self {
        let random = || uuid::Uuid::new_v4().into_bytes();
        let seed = [random(), random()].concat();
        Self {
            key: SigningKey::from_slice(&seed).expect("a key"),
            id: random().to_vec(),
            handle: Vec::new(),
            origin: origin.to_owned(),
            counter: 1,
            verifies_user: true,
            rp_id: None,
            cross_origin: false,
        }
    }

    /// Makes the passkey that the options ask for: the credential as browsers send it.
    pub fn make(&mut self, options: &Value) -> Value {
        assert_eq!(options["authenticatorSelection"]["residentKey"], "required", "{options}");
        assert_eq!(options["authenticatorSelection"]["userVerification"], "required", "{options}");
        self.handle = BASE64.decode(options["user"]["id"].as_str().expect("a user")).expect("base64");
        let data = self.client_data("webauthn.create", options);
        let point = self.key.verifying_key().to_sec1_point(false);
        let point = point.as_bytes();
        let mut auth = self.auth_data(options["rp"]["id"].as_str(), ATTESTED);
        auth.extend([0; 16]);
        auth.extend(u16::try_from(self.id.len()).expect("a short id").to_be_bytes());
        auth.extend(&self.id);
        // COSE_Key: EC2, ES256, P-256 and the point.
        auth.extend([0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32]);
        auth.extend(&point[1..33]);
        auth.extend([0x22, 0x58, 32]);
        auth.extend(&point[33..]);
        let mut attestation = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58".to_vec();
        attestation.push(u8::try_from(auth.len()).expect("less than 256 bytes"));
        attestation.extend(auth);
        json!({
            "id": BASE64.encode(&self.id),
            "rawId": BASE64.encode(&self.id),
            "type": "public-key",
            "response": { "clientDataJSON": BASE64.encode(data), "attestationObject": BASE64.encode(attestation) },
            "clientExtensionResults": {},
        })
    }

    /// Signs what the options ask for. Each signature raises the counter.
    pub fn sign(&mut self, options: &Value) -> Value {
        assert_eq!(options["userVerification"], "required", "{options}");
        self.counter += 1;
        let data = self.client_data("webauthn.get", options);
        let auth = self.auth_data(options["rpId"].as_str(), 0);
        let signed = [&auth[..], &Sha256::digest(&data)].concat();
        let signature: Signature = self.key.sign(&signed);
        json!({
            "id": BASE64.encode(&self.id),
            "rawId": BASE64.encode(&self.id),
            "type": "public-key",
            "response": {
                "clientDataJSON": BASE64.encode(data),
                "authenticatorData": BASE64.encode(auth),
                "signature": BASE64.encode(signature.to_der().as_bytes()),
                "userHandle": BASE64.encode(&self.handle),
            },
            "clientExtensionResults": {},
        })
    }

    /// The same key with the name of another account.
    pub fn claiming_to_be_of(mut self, other: &Self) -> Self {
        self.handle.clone_from(&other.handle);
        self
    }

    /// The same passkey with another private key.
    pub fn with_another_key(mut self) -> Self {
        self.key = Self::at("").key;
        self
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let data = json!({
            "type": kind,
            "challenge": options["challenge"],
            "origin": self.origin,
            "crossOrigin": self.cross_origin,
        });
        data.to_string().into_bytes()
    }

    fn auth_data(&self, asked: Option<&str>, flags: u8) -> Vec<u8> {
        let rp_id = self.rp_id.as_deref().or(asked).expect("a relying party");
        let verified = if self.verifies_user { USER_VERIFIED } else { 0 };
        let mut data = Sha256::digest(rp_id).to_vec();
        data.push(USER_PRESENT | verified | flags);
        data.extend(self.counter.to_be_bytes());
        data
    }
}
