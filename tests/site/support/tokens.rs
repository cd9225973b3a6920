//! Valid and forged tokens.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use byline::credentials::sealing::{self, SealPurpose};
use ed25519_dalek::{Signer, SigningKey};
use hmac::{Hmac, Mac};
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::Sha256;

use super::{Client, PASSWORD, Probe, Running};

/// The answer of `/api/token`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tokens {
    pub access: String,
    pub refresh: String,
}

/// A token that must be refused.
#[derive(Debug)]
pub struct Forged {
    pub name: String,
    pub token: String,
    /// The message of the refusal.
    pub says: &'static str,
}

const MALFORMED: &str = "Unable to parse JWT token.";
const EXPIRED: &str = "Token has expired.";

impl Client {
    /// Logs in as a program, with the password that everyone has here.
    pub async fn tokens(&mut self, username: &str) -> Tokens {
        let fields = [("grant_type", "password"), ("username", username), ("password", PASSWORD)];
        let answer = self.submit("/api/token", &fields).await;
        assert_eq!(answer.status, 200, "{username} gets tokens: {}", answer.text());
        Tokens::of(&answer.json())
    }
}

impl Tokens {
    /// From the body of an answer.
    pub fn of(body: &Value) -> Self {
        let text = |name: &str| body[name].as_str().unwrap_or_else(|| panic!("no {name}: {body}")).to_owned();
        Self { access: text("access_token"), refresh: text("refresh_token") }
    }

    /// The bytes of the refresh token.
    pub fn refresh_bytes(&self) -> Vec<u8> {
        BASE64_URL_SAFE_NO_PAD.decode(&self.refresh).expect("base64")
    }

    /// The header and the claims of the access token.
    pub fn parts(&self) -> (Value, Value) {
        parts(&self.access)
    }
}

/// Header and claims of any token, believed or not.
pub fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        let json = BASE64_URL_SAFE_NO_PAD.decode(part).unwrap_or_default();
        serde_json::from_slice(&json).unwrap_or_default()
    });
    (parts.next().expect("a header"), parts.next().expect("claims"))
}

fn encoded(value: &Value) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token by an Ed25519 key, whatever it says of itself.
pub fn signed(header: &Value, claims: &Value, key: &SigningKey) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(key.sign(message.as_bytes()).to_bytes());
    format!("{message}.{signature}")
}

fn signed_by_hmac(header: &Value, claims: &Value, key: &[u8]) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
    mac.update(message.as_bytes());
    format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

/// The key with that kid, from the database.
pub async fn key_of(site: &Running, kid: &str) -> SigningKey {
    const FIND: &str = "SELECT seed FROM signing_keys WHERE kid = $1";
    let seed: Vec<u8> = match &mut site.probe().await {
        Probe::Sqlite(db) => sqlx::query_scalar(FIND).bind(kid).fetch_one(db).await,
        Probe::Postgres(db) => sqlx::query_scalar(FIND).bind(kid).fetch_one(db).await,
    }
    .expect("the key");
    let seed =
        sealing::open_stored(site.site.sealer(), SealPurpose::SigningKey, kid, seed).expect("it opens");
    SigningKey::from_bytes(seed.expose_secret().try_into().expect("32 bytes"))
}

fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs()
}

/// Forgeries of every kind (security rows J1 and J2), made from a token that
/// holds: with the site's own key where that is what it takes.
pub async fn forged(site: &Running, valid: &str) -> Vec<Forged> {
    let (header, claims) = parts(valid);
    let kid = header["kid"].as_str().expect("a kid");
    let key = key_of(site, kid).await;
    let mut all = forged_signatures(valid, &header, &claims, &key);
    all.extend(forged_claims(&header, &claims, &key));
    all
}

fn forged_signatures(valid: &str, header: &Value, claims: &Value, key: &SigningKey) -> Vec<Forged> {
    let with = |changes: Value| {
        let mut header = header.clone();
        for (name, value) in changes.as_object().expect("changes") {
            header[name] = value.clone();
        }
        header
    };
    let public = key.verifying_key().to_bytes();
    let x = BASE64_URL_SAFE_NO_PAD.encode(public);
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": x });
    let thief = SigningKey::from_bytes(&[7; 32]);
    let thieves_x = BASE64_URL_SAFE_NO_PAD.encode(thief.verifying_key().to_bytes());
    let thieves_jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": thieves_x, "kid": "thief" });
    let (message, signature) = valid.rsplit_once('.').expect("a signature");
    let unsigned = |alg: &str| format!("{}.{}", encoded(&with(json!({ "alg": alg }))), encoded(claims));
    let mut without_kid = header.clone();
    without_kid.as_object_mut().expect("a header").remove("kid");
    let mut flipped = BASE64_URL_SAFE_NO_PAD.decode(signature).expect("a signature");
    flipped[0] ^= 1;
    let mut of_another = claims.clone();
    of_another["username"] = json!("mallory");
    let hs256 = with(json!({ "alg": "HS256" }));

    let mut all = vec![
        ("nothing", String::new()),
        ("a word", "token".to_owned()),
        ("three empty parts", "..".to_owned()),
        ("no signature", format!("{message}.")),
        ("two parts", message.to_owned()),
        ("four parts", format!("{valid}.{signature}")),
        ("half a signature", format!("{message}.{}", &signature[..43])),
        ("another bit", format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(flipped))),
        (
            "the signature of other claims",
            format!("{}.{}.{signature}", encoded(header), encoded(&of_another)),
        ),
        ("HS256 with the public key", signed_by_hmac(&hs256, claims, &public)),
        ("HS256 with x", signed_by_hmac(&hs256, claims, x.as_bytes())),
        ("HS256 with the JWK", signed_by_hmac(&hs256, claims, jwk.to_string().as_bytes())),
        ("HS256 with nothing", signed_by_hmac(&hs256, claims, b"")),
        ("no kid", signed(&without_kid, claims, key)),
        ("an empty kid", signed(&with(json!({ "kid": "" })), claims, key)),
        ("an unknown kid", signed(&with(json!({ "kid": "unknown" })), claims, key)),
        ("a kid that is SQL", signed(&with(json!({ "kid": "' OR 1=1 --" })), claims, key)),
        ("a kid that is a path", signed(&with(json!({ "kid": "/dev/null" })), claims, key)),
        ("another's key", signed(header, claims, &thief)),
        ("another's key by jwk", signed(&with(json!({ "jwk": thieves_jwk })), claims, &thief)),
        (
            "another's key by jwk and kid",
            signed(&with(json!({ "jwk": thieves_jwk, "kid": "thief" })), claims, &thief),
        ),
        (
            "another's key by jku",
            signed(&with(json!({ "jku": "https://evil.example/jwks.json", "kid": "thief" })), claims, &thief),
        ),
        (
            "another's key by x5u",
            signed(&with(json!({ "x5u": "https://evil.example/cert.pem" })), claims, &thief),
        ),
    ];
    for alg in ["none", "None", "NONE", "nOnE", ""] {
        all.push(("alg none, unsigned", format!("{}.", unsigned(alg))));
        all.push(("alg none, signed", format!("{}.{signature}", unsigned(alg))));
    }
    for alg in ["HS256", "HS512", "RS256", "ES256", "PS256", "Ed448", "EdDSA2"] {
        all.push(("another algorithm", signed(&with(json!({ "alg": alg })), claims, key)));
    }
    all.into_iter().map(|(name, token)| Forged { name: name.to_owned(), token, says: MALFORMED }).collect()
}

/// Signed with the site's own key: only what they say is wrong.
fn forged_claims(header: &Value, claims: &Value, key: &SigningKey) -> Vec<Forged> {
    let now = seconds_now();
    let mut all = Vec::new();
    let mut add = |name: String, claims: Value, says: &'static str| {
        all.push(Forged { name, token: signed(header, &claims, key), says });
    };
    for name in claims.as_object().expect("claims").keys() {
        for empty in [None, Some(Value::Null), Some(json!({}))] {
            let mut fewer = claims.clone();
            let object = fewer.as_object_mut().expect("claims");
            object.remove(name);
            object.extend(empty.map(|value| (name.clone(), value)));
            add(format!("without {name}"), fewer, MALFORMED);
        }
    }
    let iss = claims["iss"].as_str().expect("an issuer");
    let iat = claims["iat"].as_u64().expect("a time");
    for (name, value, says) in [
        ("sub", json!("01900000-0000-7000-8000-000000000000"), MALFORMED),
        ("iss", json!("https://evil.example"), MALFORMED),
        ("iss", json!(format!("{iss}/")), MALFORMED),
        ("iss", json!([iss, "https://evil.example"]), MALFORMED),
        ("aud", json!(iss), MALFORMED),
        ("aud", json!("byline-web"), MALFORMED),
        ("aud", json!("https://evil.example/graphql"), MALFORMED),
        ("aud", json!([claims["aud"], "https://evil.example/graphql"]), MALFORMED),
        ("client_id", json!("another"), MALFORMED),
        ("token_use", json!("id"), MALFORMED),
        ("token_use", json!("refresh"), MALFORMED),
        ("origin_jti", json!("01900000-0000-7000-8000-000000000000"), EXPIRED),
        ("nbf", json!(now + 3600), MALFORMED),
        ("nbf", json!("0"), MALFORMED),
        ("exp", json!(now - 60), EXPIRED),
        ("exp", json!(0), EXPIRED),
        ("exp", json!((now + 600).to_string()), MALFORMED),
        ("exp", json!(u64::MAX), MALFORMED),
        ("exp", json!(iat + 601), MALFORMED),
        ("iat", json!(iat - 1), MALFORMED),
        ("iat", json!(0), MALFORMED),
        ("iat", json!(now + 3600), MALFORMED),
        ("iat", json!(u64::MAX), MALFORMED),
        ("exp", json!(-1), MALFORMED),
    ] {
        let mut altered = claims.clone();
        altered[name] = value.clone();
        add(format!("{name} {value}"), altered, says);
    }
    all
}
