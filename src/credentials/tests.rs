//! What can be printed of secrets: nothing.

use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use tower_sessions::{
    Session, SessionStore,
    session::{Id, Record},
    session_store::Result,
};

use super::{
    HeaderCredential, RequestCredential, Secret, UserSession,
    api_key::ApiKey,
    secret_bits::SecretBits,
    token::{RefreshToken, service::Tokens},
};
use crate::accounts::{
    TypedPassword,
    api::{LogIn, SignUp},
    domain::{Email, NewAccount, NewPassword, Password},
};

const TEXT: &str = "correct horse battery";
const BYTE: u8 = 119;
const ID: i128 = 987_654_321;

#[derive(Debug)]
struct NoStore;

#[async_trait]
impl SessionStore for NoStore {
    async fn save(&self, _: &Record) -> Result<()> {
        Ok(())
    }

    async fn load(&self, _: &Id) -> Result<Option<Record>> {
        Ok(None)
    }

    async fn delete(&self, _: &Id) -> Result<()> {
        Ok(())
    }
}

#[test]
fn no_type_that_holds_a_secret_prints_it() {
    let text = || SecretString::from(TEXT);
    let bits = SecretBits::of([BYTE; 32]);
    let refresh_text = BASE64_URL_SAFE_NO_PAD.encode(bits.expose());
    let refresh = RefreshToken::parse(&refresh_text.as_str().into()).expect("a refresh token");
    let key = ApiKey::public(&Secret::for_test(BYTE), "1");
    let key_text = String::from(key.clone());
    let session = Session::new(Some(Id(ID)), Arc::new(NoStore), None);
    let chosen = NewPassword::parse(TEXT, &[]).expect("a good password");
    let account = NewAccount {
        username: "ada".to_owned().try_into().expect("a name"),
        email: Email::parse("ada@example.org").expect("an address"),
        password: chosen.clone(),
    };
    let typed = TypedPassword::from(TEXT.to_owned());
    let log_in = LogIn { identifier: "ada".to_owned(), password: typed.clone(), keep_signed_in: None };
    let sign_up = SignUp {
        username: "ada".to_owned(),
        email: "ada@example.org".to_owned(),
        password: typed.clone(),
        idempotency_key: None,
        invite: None,
    };
    let tokens = Tokens { access: text(), id: text(), refresh: refresh.clone() };
    let printable: [&dyn Debug; 16] = [
        &text(),
        &bits,
        &Secret::for_test(BYTE),
        &refresh,
        &tokens,
        &key,
        &HeaderCredential::Token(text()),
        &HeaderCredential::ApiKey(text()),
        &RequestCredential::Header(HeaderCredential::Token(text())),
        &UserSession::new(session),
        &typed,
        &log_in,
        &sign_up,
        &Password::parse(TEXT).expect("a password"),
        &chosen,
        &account,
    ];
    let printed = printable.map(|value| format!("{value:?} {value:#?}")).join("\n");
    for secret in [TEXT, &BYTE.to_string(), &refresh_text, &key_text[8..], &ID.to_string()] {
        assert!(!printed.contains(secret), "{secret} is in:\n{printed}");
    }
    assert_eq!(text().expose_secret(), TEXT, "it is there to be printed");
}
