//! Tokens for programs: who gets one, what it allows, and when it ends (security rows
//! J1 to J3).

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use byline::{
    accounts::domain::{Login, NewPassword, Password, service},
    credentials::{
        RequestSource,
        token::{
            self, TokenError, VerifiedToken,
            keys::{self, Keys, Rotation},
            service as tokens,
        },
    },
    error::AppError,
    ops::housekeeping,
};
use ed25519_dalek::{Signature, VerifyingKey};
use futures::future::join_all;
use jsonwebtoken::jwk::{AlgorithmParameters, JwkSet};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

use crate::support::{
    Answer, Byline, Client, Credential, Heard, PASSWORD, Running, Socket,
    tokens::{Tokens, forged, key_of, parts, signed},
    until,
};

const FAMILIES: &str = "SELECT COUNT(*) FROM token_families";
const REFRESH_TOKENS: &str = "SELECT COUNT(*) FROM refresh_tokens";
/// More than the ten seconds in which a refresh token may be used twice.
const LATER: &str = "UPDATE refresh_tokens SET used_at = used_at - 11000000 WHERE used_at IS NOT NULL";
const HOUR: i64 = 60 * 60 * 1_000_000;

async fn verify(site: &Running, token: &str) -> Result<VerifiedToken, TokenError> {
    token::verify(&site.site, &token.into()).await
}

async fn verify_either(site: &Running, token: &str) -> Result<VerifiedToken, TokenError> {
    token::verify_either(&site.site, &token.into()).await
}

/// Whoever is asked, a new request or a connection that is open, says the same.
async fn opens(site: &Running, tokens: &Tokens) -> bool {
    let opens = match verify(site, &tokens.access).await {
        Ok(verified) => {
            let holds = token::still_holds(&site.site, &verified).await;
            assert_eq!(holds, Ok(true), "a connection would end that a request begins");
            true
        }
        Err(TokenError::Expired) => false,
        Err(other) => panic!("{other:?}"),
    };
    let answer = site.graphql(&Credential::token(&tokens.access), "{ __typename }").await;
    assert_eq!(answer.status, if opens { 200 } else { 401 }, "{}", answer.text());
    opens
}

async fn refresh(site: &Running, token: &str) -> Answer {
    site.script().submit("/api/token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

async fn refreshed(site: &Running, tokens: &Tokens) -> Tokens {
    let answer = refresh(site, &tokens.refresh).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    Tokens::of(&answer.json())
}

fn assert_refused(answer: &Answer, error: &str) {
    assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some(error)), "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
}

async fn assert_ended(site: &Running, tokens: &Tokens) {
    assert!(!opens(site, tokens).await);
    assert_refused(&refresh(site, &tokens.refresh).await, "invalid_grant");
}

#[tokio::test]
async fn a_program_gets_tokens_for_a_password() {
    let site = Running::start().await;
    site.author("ada").await;
    for (username, by_json) in [("ada", false), ("ada@example.org", false), ("Ada@Example.org", true)] {
        let mut program = site.script();
        let answer = if by_json {
            let body = json!({ "grant_type": "password", "username": username, "password": PASSWORD, "client_id": "byline-web" });
            program.submit_json("/api/token", &body).await
        } else {
            program
                .submit(
                    "/api/token",
                    &[("grant_type", "password"), ("username", username), ("password", PASSWORD)],
                )
                .await
        };
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.header("content-type"), "application/json");
        assert_eq!((answer.header("cache-control"), answer.header("pragma")), ("no-store", "no-cache"));
        assert_eq!(answer.cookies().count(), 0);
        let body = answer.json();
        assert_eq!((body["token_type"].as_str(), body["expires_in"].as_u64()), (Some("Bearer"), Some(600)));
        let tokens = Tokens::of(&body);
        assert_eq!(tokens.refresh.len(), 43, "256 bits");

        let verified = verify(&site, &tokens.access).await.expect("a token that holds");
        assert_eq!(verified.user.username.as_str(), "ada");
        let (header, claims) = tokens.parts();
        assert_eq!(header["alg"], "EdDSA");
        let url = format!("http://{}", site.address);
        for (name, value) in [
            ("sub", verified.user.id.as_str()),
            ("username", "ada"),
            ("iss", &url),
            ("aud", &format!("{url}/graphql")),
            ("client_id", "byline-web"),
            ("token_use", "access"),
            ("origin_jti", &verified.family),
        ] {
            assert_eq!(claims[name], value, "{name}");
        }
        assert_eq!(claims["exp"].as_u64(), claims["iat"].as_u64().map(|iat| iat + 600));
        assert_eq!(claims["nbf"], claims["iat"]);
    }
    assert_eq!((site.count(FAMILIES).await, site.count(REFRESH_TOKENS).await), (3, 3));
    assert_eq!(site.count("SELECT COUNT(*) FROM sessions").await, 1, "the one of the sign-up");
}

#[tokio::test]
async fn a_request_that_breaks_a_rule_is_refused_by_its_name() {
    let site = Running::start().await;
    site.author("ada").await;
    let mut program = site.script();
    let tokens = program.tokens("ada").await;
    refreshed(&site, &tokens).await;
    let before = site.dump().await;
    let password = ("password", PASSWORD);
    for (fields, error) in [
        (&[][..], "invalid_request"),
        (&[("grant_type", "password")], "invalid_request"),
        (&[("grant_type", "password"), ("username", "ada")], "invalid_request"),
        (&[("grant_type", "password"), ("username", "ada"), ("password", "")], "invalid_request"),
        (&[("grant_type", "password"), ("username", "ada"), password, password], "invalid_request"),
        (&[("grant_type", "refresh_token")], "invalid_request"),
        (&[("grant_type", "client_credentials")], "unsupported_grant_type"),
        (
            &[("grant_type", "password"), ("username", "ada"), password, ("client_id", "other")],
            "invalid_client",
        ),
        (&[("grant_type", "refresh_token"), ("refresh_token", "x")], "invalid_grant"),
        (&[("grant_type", "refresh_token"), ("refresh_token", &"A".repeat(43))], "invalid_grant"),
    ] {
        assert_refused(&program.submit("/api/token", fields).await, error);
    }
    for (content_type, body) in [
        ("text/plain", "grant_type=password"),
        ("application/json", "[]"),
        ("application/json", "{\"grant_type\":{}}"),
        ("application/x-www-form-urlencoded", "%ff"),
    ] {
        assert_refused(&program.post("/api/token", content_type, body).await, "invalid_request");
    }
    let long = "x".repeat(70_000);
    assert_eq!(program.submit("/api/token", &[("grant_type", &long)]).await.status, 413);
    for path in ["/api/token", "/api/token/revoke"] {
        let answer = program.get(path).await;
        assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
    }
    assert_refused(&program.submit("/api/token/revoke", &[]).await, "invalid_request");
    assert_eq!(site.dump().await, before);
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_get_the_same_answer() {
    let site = Running::start().await;
    site.author("ada").await;
    let mut answers = Vec::new();
    for username in ["ada", "ada@example.org", "nobody-here", "nobody@example.org", "no name at all"] {
        let fields = [("grant_type", "password"), ("username", username), ("password", "wrong password")];
        let answer = site.script().submit("/api/token", &fields).await;
        assert_refused(&answer, "invalid_grant");
        answers.push(answer.text().to_owned());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert_eq!(site.count(FAMILIES).await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_logs_in_is_told_to_come_back() {
    let site = Running::start().await;
    site.author("ada").await;
    let fields = [("grant_type", "password"), ("username", "ada"), ("password", "wrong password")];
    let crowd = join_all((0..100).map(|_| async { site.script().submit("/api/token", &fields).await })).await;
    let busy: Vec<_> = crowd.iter().filter(|answer| [429, 503].contains(&answer.status)).collect();
    assert!(!busy.is_empty(), "a hundred are more than the queue takes");
    for answer in busy {
        assert_ne!(answer.header("retry-after"), "");
        assert_eq!(answer.json()["error"], "temporarily_unavailable");
    }
    assert!(crowd.iter().all(|answer| [400, 429, 503].contains(&answer.status)));
}

#[tokio::test]
async fn a_forged_token_is_not_believed() {
    let site = Running::start().await;
    site.author("ada").await;
    let tokens = site.script().tokens("ada").await;
    let before = site.dump().await;
    let forged = forged(&site, &tokens.access).await;
    assert!(forged.len() > 80, "{}", forged.len());
    for forged in forged {
        match verify(&site, &forged.token).await {
            Err(refused) => assert_eq!(refused.to_string(), forged.says, "{}", forged.name),
            Ok(verified) => panic!("{} is believed: {verified:?}", forged.name),
        }
    }
    assert_eq!(site.dump().await, before);
    assert!(opens(&site, &tokens).await);

    // What the forgeries are made with makes tokens that are believed.
    let (header, claims) = tokens.parts();
    let key = key_of(&site, header["kid"].as_str().expect("a kid")).await;
    assert!(verify(&site, &signed(&header, &claims, &key)).await.is_ok());
}

#[tokio::test]
async fn a_token_of_another_site_is_not_believed() {
    let (site, other) = (Running::start().await, Running::start().await);
    for site in [&site, &other] {
        site.author("ada").await;
    }
    let tokens = other.script().tokens("ada").await;
    assert_eq!(verify(&site, &tokens.access).await, Err(TokenError::Malformed));
    assert_refused(&refresh(&site, &tokens.refresh).await, "invalid_grant");
}

/// The texts of [`tokens::Tokens`].
struct Issued {
    access: String,
    id: String,
    refresh: String,
}

/// An access token and the id token beside it, of somebody who has an account.
async fn issued(site: &Running, username: &str) -> Issued {
    let password = Password::parse(PASSWORD).expect("a password");
    let login = Login::parse(username).expect("a login");
    let authenticated = service::begin_log_in(&site.site, login, password, &RequestSource::default())
        .await
        .expect("the password is right");
    let authenticated = authenticated.done().expect("no second factor");
    let tokens =
        service::begin_family(&site.site, token::Client::OAuth, &authenticated, &RequestSource::default())
            .await
            .expect("tokens");
    Issued { access: text(&tokens.access), id: text(&tokens.id), refresh: text(&tokens.refresh.reveal()) }
}

fn text(secret: &SecretString) -> String {
    secret.expose_secret().to_owned()
}

#[tokio::test]
async fn an_id_token_opens_the_graphql_api_and_nothing_else_and_a_refresh_token_nothing() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let issued = issued(&site, "ada").await;
    let verified = verify(&site, &issued.access).await.expect("the access token holds");
    assert_eq!(verify_either(&site, &issued.access).await.as_ref(), Ok(&verified));
    assert_eq!(verify_either(&site, &issued.id).await, Ok(verified.clone()), "the same in all");
    assert_eq!(verify(&site, &issued.id).await, Err(TokenError::Malformed));
    assert_eq!(verify_either(&site, &issued.refresh).await, Err(TokenError::Malformed));

    let (_, claims) = parts(&issued.id);
    let expected = [
        ("aud", json!("byline-web")),
        ("token_use", json!("id")),
        ("cognito:username", json!("ada")),
        ("email", json!("ada@example.org")),
        ("email_verified", json!(false)),
        ("sub", json!(verified.user.id.as_str())),
        ("origin_jti", json!(verified.family)),
    ];
    for (name, value) in expected {
        assert_eq!(claims[name], value, "{name}");
    }
    site.tamper("UPDATE users SET email_verified_at = 1").await;
    let (_, claims) = parts(&self::issued(&site, "ada").await.id);
    assert_eq!(claims["email_verified"], true, "once she has confirmed it");

    for token in [issued.id.clone(), format!("Bearer {}", issued.id)] {
        let answer = site.graphql(&Credential::token(&token), "{ me { username } }").await;
        assert_eq!(answer.json()["data"]["me"]["username"], "ada", "{}", answer.text());
    }
    let credential = json!({ "Authorization": issued.id, "host": "byline.example" });
    let mut new = Socket::transport(&ada, credential.clone()).await;
    let on_create = "subscription { onCreatePost { title } }";
    new.subscribe("1", on_create).await;
    let mut old = Socket::appsync(&ada, &credential).await;
    assert_eq!(old.start("1", on_create, &credential).await["type"], "start_ack");
    ada.publish("Heard", "").await;
    for socket in [&mut new, &mut old] {
        assert_eq!(socket.said().await["payload"]["data"]["onCreatePost"]["title"], "Heard");
    }

    for path in ["/api/my_posts", "/account/api/schema.graphql"] {
        for (token, status) in [(&issued.access, 200), (&issued.id, 401), (&issued.refresh, 401)] {
            let request = Credential::token(token).request(&site, axum::http::Method::GET, path);
            let answer = site.exchange(request.body(axum::body::Body::empty()).expect("a request")).await;
            assert_eq!(answer.status, status, "{path}: {}", answer.text());
        }
    }
}

#[tokio::test]
async fn an_id_token_is_checked_as_an_access_token_is() {
    let site = Running::start().await;
    let other = Running::start().await;
    for site in [&site, &other] {
        site.author("ada").await;
    }
    let issued_here = issued(&site, "ada").await;
    let opens = async |token: &str| {
        let status = site.graphql(&Credential::token(token), "{ __typename }").await.status;
        assert!([200, 401].contains(&status), "{status}");
        status == 200
    };
    let (header, claims) = parts(&issued_here.id);
    let key = key_of(&site, header["kid"].as_str().expect("a kid")).await;
    assert!(opens(&signed(&header, &claims, &key)).await, "what the forgeries are made with");
    for forged in forged(&site, &issued_here.id).await {
        // What the token says already, and what it does not have.
        if [r#"aud "byline-web""#, r#"token_use "id""#, r#"client_id "another""#]
            .contains(&forged.name.as_str())
        {
            continue;
        }
        assert!(!opens(&forged.token).await, "{}", forged.name);
    }
    for (name, value) in
        [("aud", parts(&issued_here.access).1["aud"].clone()), ("token_use", json!("access"))]
    {
        let mut altered = claims.clone();
        altered[name] = value;
        assert!(!opens(&signed(&header, &altered, &key)).await, "{name}");
    }
    assert!(!opens(&issued(&other, "ada").await.id).await, "of another site");

    assert!(opens(&issued_here.id).await);
    let answer = site.script().submit("/api/token/revoke", &[("token", &issued_here.refresh)]).await;
    assert_eq!(answer.status, 200);
    assert!(!opens(&issued_here.id).await, "its family has ended");
}

#[tokio::test]
async fn a_token_names_the_person_as_the_database_has_them() {
    let site = Running::start().await;
    site.author("ada").await;
    let tokens = site.script().tokens("ada").await;
    site.tamper("UPDATE users SET username = 'ada-lovelace'").await;
    let verified = verify(&site, &tokens.access).await.expect("a token that holds");
    assert_eq!(verified.user.username.as_str(), "ada-lovelace");
}

async fn jwks(site: &Running) -> JwkSet {
    let answer = site.script().get("/.well-known/jwks.json").await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "public, max-age=300"));
    serde_json::from_slice(&answer.body).expect("a JWK set")
}

async fn published_kids(site: &Running) -> Vec<String> {
    jwks(site).await.keys.into_iter().map(|key| key.common.key_id.expect("a kid")).collect()
}

fn kid(tokens: &Tokens) -> String {
    tokens.parts().0["kid"].as_str().expect("a kid").to_owned()
}

#[tokio::test]
async fn anybody_can_check_a_token_by_the_published_keys() {
    let site = Running::start().await;
    site.author("ada").await;
    let tokens = site.script().tokens("ada").await;
    let set = jwks(&site).await;
    let published = set.find(&kid(&tokens)).expect("its key is published");
    let AlgorithmParameters::OctetKeyPair(pair) = &published.algorithm else { panic!("{published:?}") };
    let bytes = |encoded: &str| BASE64_URL_SAFE_NO_PAD.decode(encoded).expect("base64url");
    let key = VerifyingKey::try_from(&*bytes(&pair.x)).expect("a key");
    let (message, signature) = tokens.access.rsplit_once('.').expect("a signature");
    let signature = Signature::from_slice(&bytes(signature)).expect("a signature");
    key.verify_strict(message.as_bytes(), &signature).expect("a signature that fits");
    assert_eq!(tokens.parts().1["username"], "ada");

    let answer = site.script().get("/.well-known/jwks.json").await.json();
    let mut members: Vec<_> = answer["keys"][0].as_object().expect("a key").keys().cloned().collect();
    members.sort();
    assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x"], "and nothing of the private half");
}

#[tokio::test]
async fn processes_that_need_the_first_key_at_once_make_one() {
    let site = Running::start().await;
    let processes: Vec<_> = (0..8).map(|_| Keys::new(site.site.sealer().cloned())).collect();
    let published = join_all(processes.iter().map(|keys| keys::published(keys, &site.site.database))).await;
    assert_eq!(site.count("SELECT COUNT(*) FROM signing_keys").await, 1);
    let mut published: Vec<_> = published.into_iter().map(|keys| keys.expect("keys").to_string()).collect();
    published.dedup();
    assert_eq!(published.len(), 1, "{published:?}");
}

#[tokio::test]
async fn a_new_key_is_announced_then_signs_and_the_old_one_is_believed_for_an_hour() {
    let site = Running::start().await;
    site.author("ada").await;
    let old = site.script().tokens("ada").await;
    let next = keys::rotate(&site.site, Rotation::InTurn).await.expect("a new key");
    assert_eq!(published_kids(&site).await, [kid(&old), next.clone()], "published at once");
    let meanwhile = site.script().tokens("ada").await;
    assert_eq!(kid(&meanwhile), kid(&old), "whoever fetched the keys a moment ago knows the old one only");
    let seconds = "SELECT (signs_from - created_at) / 1000000 FROM signing_keys WHERE generation = 2";
    assert_eq!(site.count(seconds).await, 300);

    site.tamper(&format!("UPDATE signing_keys SET signs_from = signs_from - {}", HOUR / 12)).await;
    let new = site.script().tokens("ada").await;
    assert_eq!(kid(&new), next);
    for tokens in [&old, &meanwhile, &new] {
        assert!(opens(&site, tokens).await);
    }

    site.tamper(&format!("UPDATE signing_keys SET signs_from = signs_from - {HOUR}")).await;
    assert_eq!(published_kids(&site).await, std::slice::from_ref(&next));
    until("the old key to be over", async || verify(&site, &old.access).await == Err(TokenError::Malformed))
        .await;
    assert!(opens(&site, &new).await);
    assert!(opens(&site, &refreshed(&site, &old).await).await, "who has a refresh token notices nothing");

    let cleaning = tokio::spawn(housekeeping::run(site.site.clone()));
    until("the old key to be removed", async || site.count("SELECT COUNT(*) FROM signing_keys").await == 1)
        .await;
    cleaning.abort();
    assert_eq!(site.text("SELECT kid FROM signing_keys").await, next);
}

#[tokio::test]
async fn what_a_leaked_key_signed_is_refused_at_once_by_processes_that_remember_it() {
    let site = Running::start().await;
    site.author("ada").await;
    let before = site.script().tokens("ada").await;
    assert!(opens(&site, &before).await);
    let kid_before = kid(&before);
    let leaked = key_of(&site, &kid_before).await;
    let (header, claims) = before.parts();

    let next = keys::rotate(&site.site, Rotation::Now).await.expect("a new key");
    assert_eq!(verify(&site, &before.access).await, Err(TokenError::Malformed));
    assert_eq!(verify(&site, &signed(&header, &claims, &leaked)).await, Err(TokenError::Malformed));
    let after = refreshed(&site, &before).await;
    assert_eq!(kid(&after), next, "it signs at once");
    assert!(opens(&site, &after).await);
    assert_eq!(published_kids(&site).await, [next]);
}

#[tokio::test]
async fn a_connection_that_a_leaked_key_opened_is_told_nothing_more_after_the_rotation() {
    const ON_CREATE: &str = "subscription { onCreatePost { title } }";
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let honest = site.script().tokens("ada").await;
    let (header, claims) = honest.parts();
    let leaked = key_of(&site, &kid(&honest)).await;
    let forged = signed(&header, &claims, &leaked);
    let mut thief = Socket::transport(&ada, json!({ "Authorization": forged })).await;
    thief.subscribe("theirs", ON_CREATE).await;

    keys::rotate(&site.site, Rotation::Now).await.expect("a new key");
    let renewed = refreshed(&site, &honest).await;
    let mut own = Socket::transport(&ada, json!({ "Authorization": renewed.access })).await;
    own.subscribe("own", ON_CREATE).await;

    let over = thief.said().await;
    assert_eq!((&over["type"], &over["id"]), (&json!("error"), &json!("theirs")), "{over}");
    assert_eq!(thief.hear().await, Heard::Closed(Some(4403)));
    assert_eq!(site.count(FAMILIES).await, 1, "the login lives");
    ada.publish("PostEvent", "").await;
    let said = own.said().await;
    assert_eq!(said["payload"]["data"]["onCreatePost"]["title"], "PostEvent", "the new key holds: {said}");
}

#[tokio::test]
async fn the_keys_are_looked_after_at_the_command_line() {
    let byline = Byline::in_an_empty_folder();
    let duties = async || {
        let listed = byline.run(&["keys", "list"], "").await.succeeded();
        listed.lines().map(|line| line.rsplit('\t').next().expect("a duty").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(duties().await, [""; 0]);
    byline.run(&["user", "create", "ada", "ada@example.org"], PASSWORD).await.succeeded();
    let served = byline.serve(&[]).await;
    let mut program = Client::browser(served.address, false).as_script();
    let first = program.tokens("ada").await;
    assert_eq!(duties().await, ["signs"]);
    let said = byline.run(&["keys", "rotate"], "").await.succeeded();
    assert!(said.contains("five minutes"), "{said}");
    assert_eq!(duties().await, ["signs", "announced"]);
    assert_eq!(kid(&program.tokens("ada").await), kid(&first));
    let said = byline.run(&["keys", "rotate", "--now"], "").await.succeeded();
    let new = said.split_whitespace().next().expect("a kid");
    assert_eq!(duties().await, ["signs"]);
    assert_eq!(kid(&program.tokens("ada").await), new, "another process signs with it at once");
    served.terminate().await;
}

#[tokio::test]
async fn a_refresh_token_gives_the_next_one() {
    let site = Running::start().await;
    site.author("ada").await;
    let first = site.script().tokens("ada").await;
    let second = refreshed(&site, &first).await;
    let third = refreshed(&site, &second).await;
    assert!(first.refresh != second.refresh && second.refresh != third.refresh);
    let families: Vec<_> =
        [&first, &second, &third].map(|tokens| tokens.parts().1["origin_jti"].clone()).into();
    assert!(families.iter().all(|family| *family == families[0]), "{families:?}");
    for tokens in [&first, &second, &third] {
        assert!(opens(&site, tokens).await, "an access token holds until it expires");
    }
    assert_eq!((site.count(FAMILIES).await, site.count(REFRESH_TOKENS).await), (1, 3));
    assert_eq!(site.count("SELECT COUNT(*) FROM refresh_tokens WHERE used_at IS NULL").await, 1);
}

#[tokio::test]
async fn a_refresh_token_sent_twice_in_a_moment_gives_the_same_next_one() {
    let site = Running::start().await;
    site.author("ada").await;
    let first = site.script().tokens("ada").await;
    let answer = refreshed(&site, &first).await;
    let lost = refreshed(&site, &first).await;
    assert_eq!(answer.refresh, lost.refresh);
    site.tamper("UPDATE refresh_tokens SET used_at = used_at - 8000000 WHERE used_at IS NOT NULL").await;
    assert_eq!(refreshed(&site, &first).await.refresh, answer.refresh, "for ten seconds");
    assert_eq!(site.count(REFRESH_TOKENS).await, 2);
    assert!(opens(&site, &refreshed(&site, &answer).await).await);
}

#[tokio::test]
async fn a_refresh_token_used_again_later_ends_its_family() {
    let site = Running::start().await;
    site.author("ada").await;
    let stolen = site.script().tokens("ada").await;
    let elsewhere = site.script().tokens("ada").await;
    let newest = refreshed(&site, &refreshed(&site, &stolen).await).await;
    site.tamper(LATER).await;
    assert_refused(&refresh(&site, &stolen.refresh).await, "invalid_grant");
    assert_ended(&site, &newest).await;
    assert_ended(&site, &stolen).await;
    assert!(opens(&site, &elsewhere).await, "another login is another family");
    assert_eq!((site.count(FAMILIES).await, site.count(REFRESH_TOKENS).await), (1, 1));
}

#[tokio::test]
async fn twenty_refreshes_at_once_are_one_chain() {
    let site = Running::start().await;
    site.author("ada").await;
    let first = site.script().tokens("ada").await;
    let all = join_all((0..20).map(|_| refreshed(&site, &first))).await;
    assert!(all.iter().all(|tokens| tokens.refresh == all[0].refresh));
    assert_eq!((site.count(FAMILIES).await, site.count(REFRESH_TOKENS).await), (1, 2));
    site.tamper(LATER).await;
    assert_refused(&refresh(&site, &first.refresh).await, "invalid_grant");
    assert_ended(&site, &all[7]).await;
}

/// [`tokens::renew`], which no path below `/api` leads to.
async fn renewed(site: &Running, token: &str) -> Option<Tokens> {
    let tokens = tokens::renew(&site.site, &token.into()).await.expect("an answer")?;
    Some(Tokens { access: text(&tokens.access), refresh: text(&tokens.refresh.reveal()) })
}

#[tokio::test]
async fn a_program_of_amplify_keeps_its_refresh_token_until_it_takes_another() {
    let site = Running::start().await;
    site.author("ada").await;
    let (login, password) = (Login::parse("ada").expect("a login"), Password::parse(PASSWORD));
    let password = password.expect("a password");
    let source = RequestSource::default();
    let issued =
        service::log_in_program(&site.site, token::Client::Amplify, login, password, None, &source).await;
    let first = text(&issued.expect("tokens").refresh.reveal());
    for _ in 0..3 {
        let renewed = renewed(&site, &first).await.expect("tokens");
        assert_eq!(renewed.refresh, first);
        assert!(opens(&site, &renewed).await);
    }
    assert_eq!(site.count(REFRESH_TOKENS).await, 1);

    let second = Tokens::of(&refresh(&site, &first).await.json());
    let again = renewed(&site, &first).await.expect("tokens");
    assert_eq!(again.refresh, second.refresh, "in the moment after");
    let third = renewed(&site, &second.refresh).await.expect("tokens");
    assert!(third.refresh != second.refresh, "from then on it is used up");
    assert_eq!(site.count("SELECT COUNT(*) FROM refresh_tokens WHERE used_at IS NOT NULL").await, 2);

    site.tamper(LATER).await;
    assert_eq!(renewed(&site, &first).await, None);
    assert_ended(&site, &third).await;
    assert_eq!(renewed(&site, "x").await, None);
}

#[tokio::test]
async fn a_stolen_refresh_token_of_a_program_is_detected_when_it_is_used_again() {
    let site = Running::start().await;
    site.author("ada").await;
    // Before the program has refreshed for the first time, and after.
    for refreshes in [0, 1] {
        let mut stolen = site.script().tokens("ada").await;
        for _ in 0..refreshes {
            stolen = refreshed(&site, &stolen).await;
        }
        let thief = renewed(&site, &stolen.refresh).await.expect("it holds");
        assert!(thief.refresh != stolen.refresh, "it is used up");
        site.tamper(LATER).await;
        assert_refused(&refresh(&site, &stolen.refresh).await, "invalid_grant");
        assert_ended(&site, &thief).await;
        assert_eq!(site.count(FAMILIES).await, 0);
    }
}

#[tokio::test]
async fn a_refresh_that_cannot_be_answered_uses_nothing_up() {
    let site = Running::start().await;
    site.author("ada").await;
    let first = site.script().tokens("ada").await;
    site.tamper("UPDATE signing_keys SET seed = SUBSTR(seed, 2)").await;
    let answer = refresh(&site, &first.refresh).await;
    assert_eq!((answer.status, answer.json()["error"].as_str()), (500, Some("server_error")));
    site.tamper("DELETE FROM signing_keys").await;
    assert_eq!(site.count("SELECT COUNT(*) FROM refresh_tokens WHERE used_at IS NULL").await, 1);
    assert_eq!(site.count(REFRESH_TOKENS).await, 1);
    assert!(opens(&site, &refreshed(&site, &first).await).await);
}

#[tokio::test]
async fn a_refresh_that_comes_again_after_a_503_finds_its_next_token() {
    let site = Running::start().await;
    site.author("ada").await;
    // Refreshed once, so that the site has its secret.
    let first = refreshed(&site, &site.script().tokens("ada").await).await;
    let mut slow = site.probe().await;
    for hold in ["BEGIN", "UPDATE refresh_tokens SET created_at = created_at"] {
        slow.execute(hold).await;
    }
    let answer = refresh(&site, &first.refresh).await;
    assert_eq!((answer.status, answer.header("retry-after")), (503, "2"), "{}", answer.text());
    slow.execute("ROLLBACK").await;
    // It was answered before the database gave up: the token is used up all the same.
    until("the token to be used up", async || site.count(REFRESH_TOKENS).await == 3).await;
    assert!(opens(&site, &refreshed(&site, &first).await).await);
    assert_eq!(site.count(REFRESH_TOKENS).await, 3);
}

#[tokio::test]
async fn a_family_ends_after_thirty_days_however_often_it_is_refreshed() {
    let site = Running::start().await;
    site.author("ada").await;
    let tokens = refreshed(&site, &site.script().tokens("ada").await).await;
    let days = format!("SELECT (expires_at - created_at) / {HOUR} / 24 FROM token_families");
    assert_eq!(site.count(&days).await, 30);

    site.tamper(&format!("UPDATE token_families SET expires_at = expires_at - {HOUR} * 24 * 30 + 60000000"))
        .await;
    let last = refreshed(&site, &tokens).await;
    let (_, claims) = last.parts();
    let holds = claims["exp"].as_u64().expect("exp") - claims["iat"].as_u64().expect("iat");
    assert!(holds <= 60, "no token outlives its family: {holds} s");

    site.tamper("UPDATE token_families SET expires_at = expires_at - 61000000").await;
    assert_ended(&site, &last).await;
    let cleaning = tokio::spawn(housekeeping::run(site.site.clone()));
    until("the family to be removed", async || site.count(FAMILIES).await == 0).await;
    cleaning.abort();
    assert_eq!(site.count(REFRESH_TOKENS).await, 0);
}

#[tokio::test]
async fn a_revoked_token_is_refused_at_once_with_all_of_its_family() {
    let site = Running::start().await;
    site.author("ada").await;
    let elsewhere = site.script().tokens("ada").await;
    for by_access in [true, false] {
        for used in [false, true] {
            let first = site.script().tokens("ada").await;
            let tokens = if used { refreshed(&site, &first).await } else { first.clone() };
            let token = if by_access { &first.access } else { &first.refresh };
            let mut program = site.script();
            let answer = program.submit("/api/token/revoke", &[("token", token)]).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            assert_ended(&site, &tokens).await;
            let again = program.submit_json("/api/token/revoke", &json!({ "token": token })).await;
            assert_eq!(again.status, 200, "twice is no error");
        }
    }
    for unknown in ["x", &"A".repeat(43), "a.b.c"] {
        let fields = [("token", unknown), ("token_type_hint", "refresh_token")];
        assert_eq!(site.script().submit("/api/token/revoke", &fields).await.status, 200);
    }
    assert!(opens(&site, &elsewhere).await);
    assert_eq!(site.count(FAMILIES).await, 1);
}

#[tokio::test]
async fn a_new_password_ends_every_token_of_the_account() {
    let site = Running::start().await;
    for username in ["ada", "bob"] {
        site.author(username).await;
    }
    let mut of_ada = Vec::new();
    for _ in 0..2 {
        of_ada.push(refreshed(&site, &site.script().tokens("ada").await).await);
    }
    let of_bob = site.script().tokens("bob").await;
    let new = NewPassword::parse("another long pass phrase", &[]).expect("a password");
    let ada = Login::parse("ada").expect("a login");
    service::set_password(&site.site, &ada, new).await.expect("a new password");
    for tokens in &of_ada {
        assert_ended(&site, tokens).await;
    }
    assert!(opens(&site, &of_bob).await);
}

#[tokio::test]
async fn a_login_of_a_program_under_way_does_not_outlive_a_new_password() {
    let site = Running::start().await;
    site.author("ada").await;
    let ada = Login::parse("ada").expect("a login");
    let old = Password::parse(PASSWORD).expect("a password");
    let authenticated = service::begin_log_in(&site.site, ada.clone(), old, &RequestSource::default())
        .await
        .expect("the password is right");
    let authenticated = authenticated.done().expect("no second factor");
    let new = NewPassword::parse("another long pass phrase", &[]).expect("a password");
    service::set_password(&site.site, &ada, new).await.expect("a new password");
    let issued =
        service::begin_family(&site.site, token::Client::OAuth, &authenticated, &RequestSource::default())
            .await;
    assert!(matches!(issued, Err(AppError::Invalid { .. })), "{issued:?}");
    assert_eq!(site.count(FAMILIES).await, 0);
}

#[tokio::test]
async fn a_cookie_counts_for_nothing_and_no_page_of_another_site_is_refused() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let body = format!("grant_type=password&username=ada&password={}", PASSWORD.replace(' ', "+"));
    let request = ada
        .request_of_unknown_origin(axum::http::Method::POST, "/api/token")
        .header("origin", "https://app.example")
        .header("sec-fetch-site", "cross-site")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body.into())
        .expect("a request");
    let answer = ada.clone().send(request).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert!(answer.headers.get("access-control-allow-credentials").is_none());
    assert!(answer.header("access-control-expose-headers").contains("x-amzn-ErrorType"));
    assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin");
    assert_eq!(answer.cookies().count(), 0);
    let page = ada.clone().get("/").await;
    assert_eq!(page.header("cross-origin-resource-policy"), "same-origin");
    assert!(page.headers.get("access-control-allow-origin").is_none());

    let mut with_session_alone = ada.as_script();
    assert_refused(
        &with_session_alone.submit("/api/token", &[("grant_type", "refresh_token")]).await,
        "invalid_request",
    );
}

#[tokio::test]
async fn no_token_and_no_password_stands_in_the_database_or_in_the_log() {
    const WRONG: &str = "canary mistake 55d01a";
    let byline = Byline::in_an_empty_folder();
    byline.run(&["user", "create", "ada", "ada@example.org"], PASSWORD).await.succeeded();
    let served = byline.serve(&["--log-format", "json"]).await;
    let mut program = Client::browser(served.address, false).as_script();
    let first = program.tokens("ada").await;
    let fields = |token| [("grant_type", "refresh_token"), ("refresh_token", token)];
    let second = Tokens::of(&program.submit("/api/token", &fields(&first.refresh)).await.json());
    let wrong = [("grant_type", "password"), ("username", "ada"), ("password", WRONG)];
    assert_eq!(program.submit("/api/token", &wrong).await.status, 400);
    assert_eq!(program.submit("/api/token", &fields("canary-token-3b8e01")).await.status, 400);
    assert_eq!(program.submit("/api/token/revoke", &[("token", "canary-token-3b8e01")]).await.status, 200);
    assert_eq!(program.submit("/api/token/revoke", &[("token", &second.access)]).await.status, 200);
    let log = served.terminate().await;
    let stored = byline.stored();
    assert!(stored.contains("ada@example.org"), "it is the database");
    let secrets = [PASSWORD, WRONG, "canary-token-3b8e01"];
    let given = [&first.access, &first.refresh, &second.access, &second.refresh];
    for secret in secrets.into_iter().chain(given.map(String::as_str)) {
        assert!(!log.contains(secret), "{secret} stands in the log:\n{log}");
        assert!(!stored.contains(secret), "{secret} stands in the database");
    }
    for tokens in [&first, &second] {
        assert!(!byline.has_stored(&tokens.refresh_bytes()), "nor by its bytes");
    }
}

#[tokio::test]
async fn what_a_client_discovers_exists_and_is_the_issuer_of_its_tokens() {
    let site = Running::start().await;
    site.author("ada").await;
    let script = &mut site.script();
    let (_, claims) = script.tokens("ada").await.parts();
    for name in ["openid-configuration", "oauth-authorization-server"] {
        let answer = script.get(&format!("/.well-known/{name}")).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
        let metadata = answer.json();
        assert_eq!(metadata["issuer"], claims["iss"]);
        assert!(metadata.get("authorization_endpoint").is_none());
        for endpoint in ["token_endpoint", "revocation_endpoint", "jwks_uri"] {
            let url = metadata[endpoint].as_str().expect("an address");
            let path = url.strip_prefix(claims["iss"].as_str().expect("an issuer")).expect("of this site");
            let status = script.get(path).await.status;
            assert_eq!(status, if endpoint == "jwks_uri" { 200 } else { 405 }, "{path}");
        }
    }
}
