//! Logins by SRP at `/cognito`: the password is proven and not sent.

use axum::http::Method;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use byline::{
    accounts::domain::{Login, NewPassword, service},
    config::Srp,
    credentials::sealing::SealPurpose,
};
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use crate::support::{
    Answer, Client, KEY, PASSWORD, Running, Several, SrpClient, postgres_database, same_time,
};

const OTHER_PASSWORD: &str = "another long pass phrase";

async fn call(client: &mut Client, operation: &str, input: &Value) -> Answer {
    let request = client
        .request_of_unknown_origin(Method::POST, "/cognito")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"))
        .body(input.to_string().into())
        .expect("a request");
    client.send(request).await
}

async fn sign_up(client: &mut Client, name: &str) {
    let email = json!([{ "Name": "email", "Value": format!("{name}@example.org") }]);
    let input =
        json!({ "ClientId": "byline-web", "Username": name, "Password": PASSWORD, "UserAttributes": email });
    let answer = call(client, "SignUp", &input).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn begin(name: &str, public: &str) -> Value {
    json!({
        "AuthFlow": "USER_SRP_AUTH",
        "ClientId": "byline-web",
        "AuthParameters": { "USERNAME": name, "SRP_A": public },
    })
}

/// The parameters of the challenge.
async fn challenge(client: &mut Client, name: &str, srp: &SrpClient) -> Value {
    let answer = call(client, "InitiateAuth", &begin(name, &srp.public())).await;
    assert_eq!((answer.status, &answer.json()["ChallengeName"]), (200, &json!("PASSWORD_VERIFIER")));
    answer.json()["ChallengeParameters"].clone()
}

async fn respond(client: &mut Client, responses: Value) -> Answer {
    let input = json!({
        "ChallengeName": "PASSWORD_VERIFIER",
        "ClientId": "byline-web",
        "ChallengeResponses": responses,
    });
    call(client, "RespondToAuthChallenge", &input).await
}

async fn log_in(client: &mut Client, name: &str, password: &str) -> Answer {
    let srp = SrpClient::new(7);
    let challenge = challenge(client, name, &srp).await;
    respond(client, srp.answer(&challenge, password)).await
}

fn is_in(answer: &Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.json()["AuthenticationResult"]["AccessToken"].is_string(), "{}", answer.text());
}

fn is_refused(answer: &Answer, message: &str) {
    let body = answer.json();
    assert_eq!((answer.status, &body["__type"]), (400, &json!("NotAuthorizedException")), "{body}");
    assert_eq!(body["message"], message);
}

const WRONG: &str = "Incorrect username or password.";
const OVER: &str = "Invalid session for the user, session is expired.";

#[tokio::test]
async fn a_client_logs_in_by_username_or_address_and_sends_no_password() {
    let site = Running::start_with_key().await;
    let client = &mut site.script();
    sign_up(client, "ada").await;
    for name in ["ada", "Ada", "ada@example.org", "ADA@example.org"] {
        is_in(&log_in(client, name, PASSWORD).await);
        is_refused(&log_in(client, name, OTHER_PASSWORD).await, WRONG);
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM audit WHERE kind = 'logged_in'").await, 4);
    assert_eq!(site.count("SELECT COUNT(*) FROM audit WHERE kind = 'log_in_refused'").await, 4);
}

#[tokio::test]
async fn a_password_that_passes_by_at_any_door_is_the_one_that_counts() {
    let site = Running::start_with_key().await;
    let client = &mut site.script();
    // An account of before has none until its owner logs in.
    site.account("ada").await;
    site.tamper("DELETE FROM srp_verifiers").await;
    is_refused(&log_in(client, "ada", PASSWORD).await, WRONG);
    assert_eq!(site.browser().log_in("ada").await.status, 303);
    is_in(&log_in(client, "ada", PASSWORD).await);

    let new = NewPassword::parse(OTHER_PASSWORD, &[]).expect("a password");
    service::set_password(&site.site, &Login::parse("ada").expect("a name"), new).await.expect("it is set");
    is_refused(&log_in(client, "ada", PASSWORD).await, WRONG);
    is_in(&log_in(client, "ada", OTHER_PASSWORD).await);

    // A verifier of another password than the stored one counts no longer.
    site.tamper("UPDATE srp_verifiers SET password = salt").await;
    is_refused(&log_in(client, "ada", OTHER_PASSWORD).await, WRONG);
    assert_eq!(site.count("SELECT COUNT(*) FROM srp_verifiers").await, 1);
    // Two numbers of 384 bytes, and what seals them.
    assert_eq!(site.count("SELECT COUNT(*) FROM srp_verifiers WHERE length(verifier) = 768 + 49").await, 1);
}

#[tokio::test]
async fn a_challenge_is_answered_once_and_within_five_minutes() {
    let site = Running::start_with_key().await;
    let client = &mut site.script();
    sign_up(client, "ada").await;
    let srp = SrpClient::new(9);
    let first = srp.answer(&challenge(client, "ada", &srp).await, PASSWORD);
    is_in(&respond(client, first.clone()).await);
    is_refused(&respond(client, first.clone()).await, OVER);
    // A wrong answer uses it up as well.
    let second = challenge(client, "ada", &srp).await;
    is_refused(&respond(client, srp.answer(&second, OTHER_PASSWORD)).await, WRONG);
    is_refused(&respond(client, srp.answer(&second, PASSWORD)).await, OVER);
    assert_eq!(site.count("SELECT COUNT(*) FROM srp_used").await, 2);
    // The same challenge as it would have been five minutes earlier.
    let mut late = challenge(client, "ada", &srp).await;
    let sealer = site.site.sealer().expect("a key");
    let block = BASE64_STANDARD.decode(late["SECRET_BLOCK"].as_str().expect("a block")).expect("base64");
    let state = sealer.open_sealed(SealPurpose::SrpHandshake, "login", &block).expect("a state");
    let mut state: Value = serde_json::from_slice(state.expose_secret()).expect("JSON");
    for (age, is_over) in [(240_000_000_i64, false), (300_000_000, true)] {
        let mut older = state.clone();
        older["begun_at"] = json!(state["begun_at"].as_i64().expect("a time") - age);
        let json = serde_json::to_vec(&older).expect("JSON");
        let block = sealer.seal(SealPurpose::SrpHandshake, "login", &json).expect("a block");
        late["SECRET_BLOCK"] = json!(BASE64_STANDARD.encode(block));
        let answer = respond(client, srp.answer(&late, PASSWORD)).await;
        if is_over {
            is_refused(&answer, OVER)
        } else {
            is_in(&answer)
        }
        state["id"] = json!("0".repeat(32));
    }
    // Another's block, one of nobody, and one that was changed.
    sign_up(client, "eve").await;
    let mut crossed = srp.answer(&challenge(client, "ada", &srp).await, PASSWORD);
    let of_eve = challenge(client, "eve", &srp).await;
    crossed["PASSWORD_CLAIM_SECRET_BLOCK"] = of_eve["SECRET_BLOCK"].clone();
    is_refused(&respond(client, crossed).await, WRONG);
    let fresh = srp.answer(&challenge(client, "ada", &srp).await, PASSWORD);
    let block = fresh["PASSWORD_CLAIM_SECRET_BLOCK"].as_str().expect("a block");
    let mut changed = BASE64_STANDARD.decode(block).expect("base64");
    *changed.last_mut().expect("a byte") ^= 1;
    for block in [BASE64_STANDARD.encode(changed), "AAAA".to_owned(), "?".to_owned()] {
        let mut other = fresh.clone();
        other["PASSWORD_CLAIM_SECRET_BLOCK"] = json!(block);
        is_refused(&respond(client, other).await, OVER);
    }
    is_in(&respond(client, fresh).await);
}

#[tokio::test]
async fn an_unknown_name_is_answered_like_a_known_one() {
    let site = Running::start_with_key().await;
    let client = &mut site.script();
    sign_up(client, "ada").await;
    let srp = SrpClient::new(5);
    for (known, unknown) in [("ada", "bob"), ("ada@example.org", "bob@example.org")] {
        let mut seen = Vec::new();
        for name in [known, unknown] {
            let (one, other) = (challenge(client, name, &srp).await, challenge(client, name, &srp).await);
            for same in ["SALT", "USER_ID_FOR_SRP", "USERNAME"] {
                assert_eq!(one[same], other[same], "{name}");
            }
            for fresh in ["SRP_B", "SECRET_BLOCK"] {
                assert_ne!(one[fresh], other[fresh], "{name}");
            }
            let length = |name: &str| one[name].as_str().expect("a text").len();
            seen.push((length("SALT"), length("USER_ID_FOR_SRP"), length("SECRET_BLOCK")));
        }
        assert_eq!(seen[0], seen[1]);
        is_refused(&log_in(client, unknown, PASSWORD).await, WRONG);
    }
    let by_address = challenge(client, "ada@example.org", &srp).await;
    assert!(!by_address.to_string().contains("\"ada\""), "an address does not tell the username");
    let by_username = challenge(client, "ada", &srp).await;
    assert_ne!(by_address["SALT"], by_username["SALT"], "nor does the salt tell whose it is");
}

#[tokio::test]
async fn an_unknown_name_takes_as_long_as_a_known_one() {
    let site = Running::start_with_key().await;
    sign_up(&mut site.script(), "ada").await;
    let (mut one, mut other) = (site.script(), site.script());
    let srp = SrpClient::new(5);
    same_time(
        60,
        async |_| drop(challenge(&mut one, "ada", &srp).await),
        async |_| drop(challenge(&mut other, "bob", &srp).await),
    )
    .await;
}

#[tokio::test]
async fn guesses_by_proof_are_counted_like_those_by_password() {
    let site = Running::start_behind_a_proxy().await;
    sign_up(&mut site.script(), "ada").await;
    for name in ["ada", "nobody-here"] {
        for number in 0..5 {
            let client = &mut site.script().coming_from(&format!("198.51.100.{number}"));
            is_refused(&log_in(client, name, OTHER_PASSWORD).await, WRONG);
        }
        let client = &mut site.script().coming_from("198.51.100.77");
        let answer = log_in(client, name, PASSWORD).await;
        assert_eq!((answer.status, answer.header("retry-after")), (429, "1"), "{}", answer.text());
        assert_eq!(answer.json()["__type"], "TooManyRequestsException");
    }
}

#[tokio::test]
async fn a_number_that_gives_the_key_away_is_refused() {
    let site = Running::start_with_key().await;
    let client = &mut site.script();
    sign_up(client, "ada").await;
    for wrong in ["0", "00", byline::credentials::srp::N, "x", "-1"] {
        let answer = call(client, "InitiateAuth", &begin("ada", wrong)).await;
        assert_eq!((answer.status, &answer.json()["__type"]), (400, &json!("InvalidParameterException")));
    }
}

#[tokio::test]
async fn a_client_that_asks_how_to_log_in_is_told_and_may_choose() {
    let site = Running::start_with_key().await;
    let client = &mut site.script();
    sign_up(client, "ada").await;
    let asked = json!({
        "AuthFlow": "USER_AUTH", "ClientId": "byline-web", "AuthParameters": { "USERNAME": "ada" },
    });
    let answer = call(client, "InitiateAuth", &asked).await.json();
    assert_eq!(answer["ChallengeName"], "SELECT_CHALLENGE");
    assert_eq!(answer["AvailableChallenges"], json!(["PASSWORD_SRP", "PASSWORD"]));
    let srp = SrpClient::new(3);
    let chosen = json!({
        "ChallengeName": "SELECT_CHALLENGE",
        "ClientId": "byline-web",
        "Session": answer["Session"],
        "ChallengeResponses": { "USERNAME": "ada", "ANSWER": "PASSWORD_SRP", "SRP_A": srp.public() },
    });
    let challenge = call(client, "RespondToAuthChallenge", &chosen).await.json();
    is_in(&respond(client, srp.answer(&challenge["ChallengeParameters"], PASSWORD)).await);
    for (flow, way) in [("USER_AUTH", "PREFERRED_CHALLENGE"), ("USER_PASSWORD_AUTH", "X")] {
        let input = json!({
            "AuthFlow": flow,
            "ClientId": "byline-web",
            "AuthParameters": { "USERNAME": "ada", "PASSWORD": PASSWORD, way: "PASSWORD" },
        });
        is_in(&call(client, "InitiateAuth", &input).await);
    }
}

#[tokio::test]
async fn a_site_without_srp_keeps_no_verifier_and_names_the_other_flow() {
    let site = Running::start_with(|config| config.srp = Srp::Off).await;
    let client = &mut site.script();
    sign_up(client, "ada").await;
    assert_eq!(site.browser().log_in("ada").await.status, 303);
    assert_eq!(site.count("SELECT COUNT(*) FROM srp_verifiers").await, 0);
    let answer = call(client, "InitiateAuth", &begin("ada", &SrpClient::new(3).public())).await;
    assert_eq!(answer.status, 400);
    assert!(answer.text().contains("Use USER_PASSWORD_AUTH."), "{}", answer.text());
}

#[tokio::test]
async fn any_process_answers_what_another_asked_and_a_challenge_counts_once_at_all_of_them() {
    let key = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(key.path(), KEY).expect("a key");
    let path = key.path().to_str().expect("a path");
    let sites = Several::start(postgres_database().await, 2, &["--secret-key-file", path]).await;
    let [mut first, mut second] = [0, 1].map(|process| sites.at(&sites.browser(), process).as_script());
    sign_up(&mut first, "ada").await;
    let srp = SrpClient::new(3);
    let answer = srp.answer(&challenge(&mut first, "ada", &srp).await, PASSWORD);
    is_in(&respond(&mut second, answer.clone()).await);
    is_refused(&respond(&mut first, answer).await, OVER);
    sites.stop().await;
}

#[tokio::test]
async fn a_client_whose_sign_up_was_not_confirmed_is_told_so_for_its_own_password_alone() {
    let (server, site) = Running::start_with_mail().await;
    site.account("ada").await;
    let client = &mut site.script();
    let not_confirmed = |answer: &Answer| {
        let body = answer.json();
        assert_eq!((answer.status, &body["__type"]), (400, &json!("UserNotConfirmedException")), "{body}");
    };
    let by_password = async |client: &mut Client, name: &str, password: &str| {
        let given = json!({ "USERNAME": name, "PASSWORD": password });
        let flow = "USER_PASSWORD_AUTH";
        let input = json!({ "AuthFlow": flow, "ClientId": "byline-web", "AuthParameters": given });
        call(client, "InitiateAuth", &input).await
    };
    let sign_up_with = async |client: &mut Client, name: &str, email: &str| {
        let email = json!([{ "Name": "email", "Value": email }]);
        let input = json!({ "ClientId": "byline-web", "Username": name, "Password": OTHER_PASSWORD, "UserAttributes": email });
        assert_eq!(call(client, "SignUp", &input).await.status, 200);
    };
    sign_up_with(client, "eve", "eve@example.org").await;
    sign_up_with(client, "eva", "ada@example.org").await;
    for name in ["eve", "eva"] {
        not_confirmed(&log_in(client, name, OTHER_PASSWORD).await);
        not_confirmed(&by_password(client, name, OTHER_PASSWORD).await);
        is_refused(&log_in(client, name, PASSWORD).await, WRONG);
        is_refused(&by_password(client, name, PASSWORD).await, WRONG);
    }
    // By SRP, a client proves one password for a name: an address is its account's.
    for address in ["eve@example.org", "ada@example.org"] {
        is_refused(&log_in(client, address, OTHER_PASSWORD).await, WRONG);
        not_confirmed(&by_password(client, address, OTHER_PASSWORD).await);
    }
    is_in(&log_in(client, "ada@example.org", PASSWORD).await);
    assert_eq!(
        site.count("SELECT COUNT(*) FROM audit WHERE kind = 'logged_in' AND user_id IS NULL").await,
        0
    );

    let mails = server.mails(2).await;
    let code = mails.iter().find(|mail| mail.to == "eve@example.org").expect("a mail").code();
    let confirm = json!({ "ClientId": "byline-web", "Username": "eve", "ConfirmationCode": code });
    assert_eq!(call(client, "ConfirmSignUp", &confirm).await.status, 200);
    is_in(&log_in(client, "eve", OTHER_PASSWORD).await);
    is_in(&log_in(client, "eve@example.org", OTHER_PASSWORD).await);
}
