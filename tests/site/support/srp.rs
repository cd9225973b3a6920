//! A client of SRP, with arithmetic of its own.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use byline::credentials::srp::N;
use crypto_bigint::{
    BoxedUint, Odd,
    modular::{BoxedMontyForm, BoxedMontyParams},
};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const TIME: &str = "Sat Nov 28 13:00:00 UTC 2026";

/// A client that is logging in.
pub struct SrpClient {
    params: BoxedMontyParams,
    own: BoxedUint,
    public: BoxedMontyForm,
}

fn shortest(number: &[u8]) -> Vec<u8> {
    let digits: Vec<u8> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
    if digits.first().is_some_and(|first| *first < 0x80) { digits } else { [vec![0], digits].concat() }
}

fn sha(parts: &[&[u8]]) -> [u8; 32] {
    parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize().into()
}

fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    parts.iter().fold(mac, |mac, part| mac.chain_update(part)).finalize().into_bytes().into()
}

fn small(bytes: &[u8; 32]) -> BoxedUint {
    BoxedUint::from_be_slice(bytes, 256).expect("256 bits")
}

impl SrpClient {
    pub fn new(own: u8) -> Self {
        let modulus = BoxedUint::from_be_hex(N, 3072).into_option().expect("a number");
        let params = BoxedMontyParams::new_vartime(Odd::new(modulus).into_option().expect("a prime"));
        let own = small(&[own; 32]);
        let public = BoxedMontyForm::one(&params).double().pow(&own);
        Self { params, own, public }
    }

    /// As it is sent.
    pub fn public(&self) -> String {
        let bytes = self.public.retrieve().to_be_bytes();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn read(&self, hex: &Value) -> BoxedMontyForm {
        let hex = hex.as_str().expect("a number");
        let number = BoxedUint::from_be_hex(&format!("{hex:0>768}"), 3072).into_option();
        BoxedMontyForm::new(number.expect("a number"), &self.params)
    }

    /// The answer to the parameters of a challenge.
    pub fn answer(&self, challenge: &Value, password: &str) -> Value {
        let user = challenge["USER_ID_FOR_SRP"].as_str().expect("a name");
        let salt = self.read(&challenge["SALT"]).retrieve().to_be_bytes();
        let theirs = self.read(&challenge["SRP_B"]);
        let inner = sha(&[b"byline", user.as_bytes(), b":", password.as_bytes()]);
        let x = small(&sha(&[&shortest(&salt), &inner]));
        let bytes = |form: &BoxedMontyForm| shortest(&form.retrieve().to_be_bytes());
        let u = sha(&[&bytes(&self.public), &bytes(&theirs)]);
        let prime = BoxedUint::from_be_hex(N, 3072).into_option().expect("a number").to_be_bytes();
        let mut k = [0; 384];
        k[352..].copy_from_slice(&sha(&[&shortest(&prime), &[2]]));
        let k = BoxedUint::from_be_slice(&k, 3072).expect("a number");
        let k = BoxedMontyForm::new(k, &self.params);
        let g = BoxedMontyForm::one(&self.params).double();
        let base = theirs.sub(&k.mul(&g.pow(&x)));
        let shared = base.pow(&self.own).mul(&base.pow(&x).pow(&small(&u)));
        let extracted = mac(&shortest(&u), &[&bytes(&shared)]);
        let key = mac(&extracted, &[b"Caldera Derived Key", &[1]]);
        let block = challenge["SECRET_BLOCK"].as_str().expect("a block");
        let raw = BASE64_STANDARD.decode(block).expect("base64");
        let proof = mac(&key[..16], &[b"byline", user.as_bytes(), &raw, TIME.as_bytes()]);
        json!({
            "USERNAME": user,
            "PASSWORD_CLAIM_SECRET_BLOCK": block,
            "PASSWORD_CLAIM_SIGNATURE": BASE64_STANDARD.encode(proof),
            "TIMESTAMP": TIME,
        })
    }
}
