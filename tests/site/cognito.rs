//! `/cognito`: what the clients of AWS Amplify send, and what they look for in
//! the answers.

use axum::http::Method;
use byline::credentials::token;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    Answer, App, Byline, Client, PASSWORD, Running,
    tokens::{Tokens, forged, parts},
};

const OTHER_PASSWORD: &str = "another long pass phrase";
const CLIENT: &str = "byline-web";
const FAMILIES: &str = "SELECT COUNT(*) FROM token_families";
/// More than the ten seconds in which a refresh token may be used twice.
const LATER: &str = "UPDATE refresh_tokens SET used_at = used_at - 11000000 WHERE used_at IS NOT NULL";

async fn call(client: &mut Client, operation: &str, input: &Value) -> Answer {
    let request = client
        .request_of_unknown_origin(Method::POST, "/cognito")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"))
        .header("origin", "https://app.example")
        .header("sec-fetch-site", "cross-site")
        .body(input.to_string().into())
        .expect("a request");
    let answer = client.send(request).await;
    assert_eq!(answer.header("content-type"), "application/x-amz-json-1.1", "{}", answer.text());
    assert_eq!(answer.header("cache-control"), "no-store");
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("cross-origin-resource-policy"), "cross-origin");
    answer
}

async fn done(site: &Running, operation: &str, input: Value) -> Value {
    let answer = call(&mut site.script(), operation, &input).await;
    assert_eq!(answer.status, 200, "{operation} {input}: {}", answer.text());
    answer.json()
}

/// The message of a refusal with that error name.
async fn refused(site: &Running, operation: &str, input: Value, name: &str) -> String {
    let answer = call(&mut site.script(), operation, &input).await;
    let body = answer.json();
    assert_eq!((answer.status, body["__type"].as_str()), (400, Some(name)), "{operation} {input}: {body}");
    assert_eq!(answer.header("x-amzn-errortype"), name);
    body["message"].as_str().expect("a sentence").to_owned()
}

fn sign_up(username: &str, email: &str, password: &str) -> Value {
    json!({
        "Username": username,
        "Password": password,
        "UserAttributes": [{ "Name": "name", "Value": "x" }, { "Name": "email", "Value": email }],
        "ClientId": CLIENT,
        "ValidationData": null,
    })
}

fn log_in(username: &str, password: &str) -> Value {
    json!({
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": username, "PASSWORD": password },
        "ClientId": CLIENT,
        "ClientMetadata": {},
    })
}

fn tokens(answer: &Value) -> Tokens {
    let result = &answer["AuthenticationResult"];
    assert_eq!((result["TokenType"].as_str(), result["ExpiresIn"].as_u64()), (Some("Bearer"), Some(600)));
    let text = |name: &str| result[name].as_str().unwrap_or_default().to_owned();
    Tokens { access: text("AccessToken"), refresh: text("RefreshToken") }
}

async fn logged_in(site: &Running, username: &str) -> Tokens {
    tokens(&done(site, "InitiateAuth", log_in(username, PASSWORD)).await)
}

fn refresh_token_auth(token: &str) -> Value {
    let parameters = json!({ "REFRESH_TOKEN": token, "DEVICE_KEY": null });
    json!({ "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": parameters, "ClientId": CLIENT })
}

fn get_tokens(token: &str) -> Value {
    json!({ "RefreshToken": token, "ClientId": CLIENT, "DeviceKey": null })
}

async fn opens(site: &Running, token: &str) -> bool {
    token::verify(&site.site, &token.into()).await.is_ok()
}

#[tokio::test]
async fn a_client_signs_up_and_logs_in_by_cognitos_protocol() {
    let site = Running::start().await;
    let answer = done(&site, "SignUp", sign_up("Ada", "Ada@Example.org", PASSWORD)).await;
    assert_eq!(answer["UserConfirmed"], true);
    let sub = site.text("SELECT id FROM users").await;
    assert_eq!(answer["UserSub"], sub.as_str());
    assert_eq!(site.text("SELECT username FROM users").await, "ada");

    // However somebody names themselves, they are told their name as it stands
    // under their posts.
    for identifier in ["ada", "ada@example.org", "Ada", "ADA@Example.org"] {
        let answer = done(&site, "InitiateAuth", log_in(identifier, PASSWORD)).await;
        assert_eq!(answer["ChallengeParameters"], json!({}));
        let tokens = tokens(&answer);
        assert_eq!(tokens.refresh.len(), 43);
        let (_, access) = tokens.parts();
        let (_, id) = parts(answer["AuthenticationResult"]["IdToken"].as_str().expect("an id token"));
        // What the clients read.
        for (claims, token_use) in [(&access, "access"), (&id, "id")] {
            assert_eq!(
                (claims["sub"].as_str(), claims["token_use"].as_str()),
                (Some(&*sub), Some(token_use))
            );
            assert!(claims["exp"].is_u64() && claims["iat"].is_u64() && claims["origin_jti"].is_string());
        }
        assert_eq!(
            (access["username"].as_str(), id["cognito:username"].as_str()),
            (Some("ada"), Some("ada"))
        );
        assert_eq!(access["scope"], "aws.cognito.signin.user.admin");

        let user = done(&site, "GetUser", json!({ "AccessToken": tokens.access })).await;
        assert_eq!(user["Username"], "ada");
        let attributes = json!([
            { "Name": "sub", "Value": sub },
            { "Name": "email", "Value": "ada@example.org" },
            { "Name": "email_verified", "Value": "false" },
        ]);
        assert_eq!(user["UserAttributes"], attributes);
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM sessions").await, 0);
    assert_eq!(site.browser().log_in("ada").await.status, 303, "it is an account like any other");
}

#[tokio::test]
async fn a_form_with_fields_left_empty_signs_somebody_up() {
    let site = Running::start().await;
    let attribute = |name: &str, value: Value| json!({ "Name": name, "Value": value });
    let mut input = sign_up("ada", "", PASSWORD);
    input["UserAttributes"] = json!([
        attribute("phone_number", json!(null)),
        json!({ "Name": "given_name" }),
        attribute("email", json!("ada@example.org")),
        attribute("custom:shoe", json!("42")),
    ]);
    done(&site, "SignUp", input).await;
    assert_eq!(site.text("SELECT username || ' ' || email FROM users").await, "ada ada@example.org");

    let before = site.dump().await;
    for attributes in [json!(null), json!([]), json!([attribute("email", json!(null))])] {
        let mut input = sign_up("newcomer", "", PASSWORD);
        input["UserAttributes"] = attributes;
        let said = refused(&site, "SignUp", input, "InvalidParameterException").await;
        assert!(said.contains("email address"), "{said}");
    }
    assert_eq!(site.dump().await, before);
}

#[tokio::test]
async fn parameters_that_byline_does_not_use_are_ignored() {
    let site = Running::start().await;
    let with_more = |mut input: Value| {
        let more = json!({
            "AnalyticsMetadata": { "AnalyticsEndpointId": "x" },
            "UserContextData": { "EncodedData": "x", "IpAddress": null },
            "ClientMetadata": { "a": "b" },
            "ValidationData": [{ "Name": "a", "Value": null }],
            "SecretHash": "x",
            "ForceAliasCreation": false,
            "DeviceKey": null,
            "Session": null,
            "Unheard-of": [1, { "two": null }],
        });
        for (name, value) in more.as_object().expect("members") {
            input[name] = value.clone();
        }
        if let Some(parameters) = input.get_mut("AuthParameters") {
            parameters["SECRET_HASH"] = json!("x");
            parameters["DEVICE_KEY"] = json!(null);
        }
        input
    };
    done(&site, "SignUp", with_more(sign_up("ada", "ada@example.org", PASSWORD))).await;
    let tokens = tokens(&done(&site, "InitiateAuth", with_more(log_in("ada", PASSWORD))).await);
    let access = json!({ "AccessToken": tokens.access });
    let change = json!({
        "AccessToken": tokens.access,
        "PreviousPassword": PASSWORD,
        "ProposedPassword": OTHER_PASSWORD,
    });
    for (operation, input) in [
        ("InitiateAuth", refresh_token_auth(&tokens.refresh)),
        ("GetTokensFromRefreshToken", get_tokens(&tokens.refresh)),
        ("GetUser", access.clone()),
        ("ChangePassword", change),
        ("GlobalSignOut", access),
        ("RevokeToken", json!({ "ClientId": CLIENT, "Token": tokens.refresh })),
    ] {
        done(&site, operation, with_more(input)).await;
    }
    let of_client = json!({ "ClientId": CLIENT, "Username": "ada" });
    for operation in ["ConfirmSignUp", "ResendConfirmationCode"] {
        done(&site, operation, with_more(of_client.clone())).await;
    }
    for (operation, name) in
        [("ForgotPassword", "InvalidParameterException"), ("ConfirmForgotPassword", "CodeMismatchException")]
    {
        refused(&site, operation, with_more(of_client.clone()), name).await;
    }
    assert_eq!(site.count(FAMILIES).await, 0);
    assert_eq!(site.browser().log_in("ada").await.status, 422, "the password is another");
}

#[tokio::test]
async fn a_sign_up_that_breaks_a_rule_makes_nothing() {
    let site = Running::start().await;
    site.author("ada").await;
    let before = site.dump().await;
    for (username, email, password, name, words) in [
        ("ada", "new@example.org", PASSWORD, "UsernameExistsException", "taken"),
        ("ADA", "new@example.org", PASSWORD, "UsernameExistsException", "taken"),
        ("newcomer", "ada@example.org", PASSWORD, "UsernameExistsException", "already an account"),
        ("x", "new@example.org", PASSWORD, "InvalidParameterException", "3 to 30"),
        ("admin", "new@example.org", PASSWORD, "InvalidParameterException", "reserved"),
        ("newcomer", "nowhere", PASSWORD, "InvalidParameterException", "name@example.com"),
        ("newcomer", "", PASSWORD, "InvalidParameterException", "email address"),
        ("newcomer", "new@example.org", "", "InvalidPasswordException", "Enter a password"),
        ("newcomer", "new@example.org", "short", "InvalidPasswordException", "8 characters"),
        ("newcomer", "new@example.org", "password1", "InvalidPasswordException", "15 characters"),
    ] {
        let said = refused(&site, "SignUp", sign_up(username, email, password), name).await;
        assert!(said.contains(words) && said.ends_with('.') && !said.ends_with(".."), "{said}");
    }
    let without_email = json!({ "Username": "newcomer", "Password": PASSWORD, "ClientId": CLIENT });
    refused(&site, "SignUp", without_email, "InvalidParameterException").await;
    assert_eq!(site.dump().await, before);
}

#[tokio::test]
async fn no_sign_up_needs_confirmation_and_any_code_is_accepted() {
    let site = Running::start().await;
    site.author("ada").await;
    for username in ["ada", "nobody-here"] {
        let user = json!({ "Username": username, "ClientId": CLIENT, "ConfirmationCode": "123456", "Password": OTHER_PASSWORD });
        for operation in ["ResendConfirmationCode", "ConfirmSignUp"] {
            assert_eq!(done(&site, operation, user.clone()).await, json!({}), "{operation} of {username}");
            let mut elsewhere = user.clone();
            elsewhere["ClientId"] = json!("another");
            refused(&site, operation, elsewhere, "ResourceNotFoundException").await;
        }
        let said = refused(&site, "ForgotPassword", user.clone(), "InvalidParameterException").await;
        assert!(said.contains("whoever runs it"), "{said}");
        refused(&site, "ConfirmForgotPassword", user, "CodeMismatchException").await;
    }
    assert_eq!(site.browser().log_in("ada").await.status, 303, "the password is the old one");
    assert_eq!(site.browser().log_in("nobody-here").await.status, 422, "nothing was made");
}

#[tokio::test]
async fn an_unknown_name_and_a_wrong_password_get_the_same_answer() {
    let site = Running::start().await;
    site.author("ada").await;
    let long = "x".repeat(2000);
    for username in ["ada", "ada@example.org", "nobody-here", "nobody@example.org", "no name at all"] {
        for password in ["wrong password", &long] {
            let input = log_in(username, password);
            let said = refused(&site, "InitiateAuth", input, "NotAuthorizedException").await;
            assert_eq!(said, "Incorrect username or password.");
        }
    }
    assert_eq!(site.count(FAMILIES).await, 0);
}

#[tokio::test]
async fn what_is_not_offered_is_refused_by_its_name() {
    let site = Running::start().await;
    site.author("ada").await;
    for flow in ["CUSTOM_AUTH", "ADMIN_USER_PASSWORD_AUTH", ""] {
        let parameters = json!({ "USERNAME": "ada", "SRP_A": "00" });
        let input = json!({ "AuthFlow": flow, "AuthParameters": parameters, "ClientId": CLIENT });
        let said = refused(&site, "InitiateAuth", input, "InvalidParameterException").await;
        assert!(said.contains("USER_PASSWORD_AUTH"), "{said}");
    }
    for operation in ["", "AdminDeleteUser", "AdminCreateUser", "signUp"] {
        refused(&site, operation, json!({}), "UnknownOperationException").await;
    }
    let tokens = logged_in(&site, "ada").await;
    let before = site.dump().await;
    for (operation, mut input) in [
        ("SignUp", sign_up("newcomer", "new@example.org", PASSWORD)),
        ("ConfirmSignUp", json!({ "Username": "ada" })),
        ("ResendConfirmationCode", json!({ "Username": "ada" })),
        ("ForgotPassword", json!({ "Username": "ada" })),
        ("ConfirmForgotPassword", json!({ "Username": "ada" })),
        ("InitiateAuth", log_in("ada", PASSWORD)),
        ("GetTokensFromRefreshToken", get_tokens(&tokens.refresh)),
        ("RevokeToken", json!({ "Token": tokens.refresh })),
    ] {
        input["ClientId"] = json!("another");
        let said = refused(&site, operation, input, "ResourceNotFoundException").await;
        assert_eq!(said, "User pool client another does not exist.");
    }
    for (parameters, missing) in [
        (json!({}), "USERNAME"),
        (json!({ "USERNAME": "ada" }), "PASSWORD"),
        (json!({ "USERNAME": null }), "USERNAME"),
    ] {
        let input =
            json!({ "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": parameters, "ClientId": CLIENT });
        let said = refused(&site, "InitiateAuth", input, "InvalidParameterException").await;
        assert_eq!(said, format!("Missing required parameter {missing}"));
    }
    for input in [json!([]), json!(null), json!({}), json!({ "ClientId": 1 })] {
        refused(&site, "InitiateAuth", input, "InvalidParameterException").await;
    }
    assert_eq!(site.dump().await, before);
}

#[tokio::test]
async fn a_request_that_is_not_one_is_refused() {
    let site = Running::start().await;
    let mut client = site.script();
    let send = async |client: &mut Client, target: Option<&str>, body: String| {
        let mut request = client.request_of_unknown_origin(Method::POST, "/cognito/");
        if let Some(target) = target {
            request = request.header("x-amz-target", target);
        }
        client.send(request.body(body.into()).expect("a request")).await
    };
    for target in [None, Some("InitiateAuth"), Some("AWSCognitoIdentityService.GetId")] {
        let answer = send(&mut client, target, "{}".to_owned()).await;
        assert_eq!((answer.status, answer.header("x-amzn-errortype")), (400, "UnknownOperationException"));
    }
    let target = Some("AWSCognitoIdentityProviderService.SignUp");
    for body in ["", "{", "Username=ada", "{\"Username\":\u{7f}}"] {
        let answer = send(&mut client, target, body.to_owned()).await;
        assert_eq!(
            (answer.status, answer.header("x-amzn-errortype")),
            (400, "SerializationException"),
            "{body}"
        );
    }
    let answer = send(&mut client, target, format!("\"{}\"", "x".repeat(70_000))).await;
    assert_eq!((answer.status, answer.header("x-amzn-errortype")), (413, "InvalidParameterException"));
    let answer = client.get("/cognito").await;
    assert_eq!((answer.status, answer.header("allow")), (405, "POST"));
}

#[tokio::test]
async fn a_client_that_keeps_its_refresh_token_may_use_it_again_and_again() {
    let site = Running::start().await;
    site.author("ada").await;
    let first = logged_in(&site, "ada").await;
    for flow in ["REFRESH_TOKEN_AUTH", "REFRESH_TOKEN"] {
        let mut input = refresh_token_auth(&first.refresh);
        input["AuthFlow"] = json!(flow);
        let answer = done(&site, "InitiateAuth", input).await;
        let renewed = tokens(&answer);
        assert_eq!(renewed.refresh, "", "it has one");
        assert!(opens(&site, &renewed.access).await);
        assert!(answer["AuthenticationResult"]["IdToken"].is_string());
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM refresh_tokens").await, 1);
    for wrong in ["x", &"A".repeat(43), &first.access] {
        refused(&site, "InitiateAuth", refresh_token_auth(wrong), "NotAuthorizedException").await;
    }
    let missing = refused(&site, "InitiateAuth", refresh_token_auth(""), "InvalidParameterException").await;
    assert_eq!(missing, "Missing required parameter REFRESH_TOKEN");
}

#[tokio::test]
async fn a_client_that_takes_a_new_refresh_token_gets_one() {
    let site = Running::start().await;
    site.author("ada").await;
    let first = logged_in(&site, "ada").await;
    let second = tokens(&done(&site, "GetTokensFromRefreshToken", get_tokens(&first.refresh)).await);
    let again = tokens(&done(&site, "GetTokensFromRefreshToken", get_tokens(&first.refresh)).await);
    assert!(second.refresh != first.refresh && second.refresh == again.refresh);
    let third = tokens(&done(&site, "GetTokensFromRefreshToken", get_tokens(&second.refresh)).await);

    site.tamper(LATER).await;
    refused(&site, "GetTokensFromRefreshToken", get_tokens(&first.refresh), "NotAuthorizedException").await;
    refused(&site, "GetTokensFromRefreshToken", get_tokens(&third.refresh), "NotAuthorizedException").await;
    assert!(!opens(&site, &third.access).await);
    assert_eq!(site.count(FAMILIES).await, 0, "it was stolen, and ended");
}

#[tokio::test]
async fn a_refresh_token_that_was_rotated_ends_its_family_in_either_flow() {
    let site = Running::start().await;
    site.author("ada").await;
    let first = logged_in(&site, "ada").await;
    done(&site, "GetTokensFromRefreshToken", get_tokens(&first.refresh)).await;
    site.tamper(LATER).await;
    refused(&site, "InitiateAuth", refresh_token_auth(&first.refresh), "NotAuthorizedException").await;
    assert_eq!(site.count(FAMILIES).await, 0);
}

#[tokio::test]
async fn a_page_that_goes_from_version_5_to_6_keeps_its_login_and_rotates_from_then_on() {
    let site = Running::start().await;
    site.author("ada").await;
    let first = logged_in(&site, "ada").await;
    done(&site, "InitiateAuth", refresh_token_auth(&first.refresh)).await;
    assert_eq!(site.count("SELECT COUNT(*) FROM refresh_tokens").await, 1);
    let second = tokens(&done(&site, "GetTokensFromRefreshToken", get_tokens(&first.refresh)).await);

    // Version 5 again, which takes what comes; a thief who asks in this way has to as well.
    let third = tokens(&done(&site, "InitiateAuth", refresh_token_auth(&second.refresh)).await);
    assert_eq!(third.refresh.len(), 43, "the next one comes with the answer");
    assert!(third.refresh != second.refresh && opens(&site, &third.access).await);
    site.tamper(LATER).await;
    refused(&site, "GetTokensFromRefreshToken", get_tokens(&second.refresh), "NotAuthorizedException").await;
    assert!(!opens(&site, &third.access).await);
    assert_eq!(site.count(FAMILIES).await, 0, "two had it");
}

#[tokio::test]
async fn a_refresh_token_of_a_program_is_used_once_here_as_well() {
    let site = Running::start().await;
    site.author("ada").await;
    let stolen = site.script().tokens("ada").await;
    let thief = tokens(&done(&site, "InitiateAuth", refresh_token_auth(&stolen.refresh)).await);
    assert!(!thief.refresh.is_empty());
    assert_eq!(site.count("SELECT COUNT(*) FROM refresh_tokens WHERE used_at IS NOT NULL").await, 1);
    site.tamper(LATER).await;
    let fields = [("grant_type", "refresh_token"), ("refresh_token", stolen.refresh.as_str())];
    assert_eq!(site.script().submit("/api/token", &fields).await.status, 400);
    assert!(!opens(&site, &thief.access).await);
    assert_eq!(site.count(FAMILIES).await, 0);
}

#[tokio::test]
async fn a_token_that_is_forged_or_an_id_token_opens_no_operation() {
    let site = Running::start().await;
    site.author("ada").await;
    let answer = done(&site, "InitiateAuth", log_in("ada", PASSWORD)).await;
    let id = answer["AuthenticationResult"]["IdToken"].as_str().expect("an id token").to_owned();
    let before = site.dump().await;
    let forged = forged(&site, &tokens(&answer).access).await;
    for token in forged.into_iter().map(|forged| forged.token).chain([id]) {
        for operation in ["GetUser", "GlobalSignOut", "ChangePassword"] {
            let input = json!({
                "AccessToken": token,
                "PreviousPassword": PASSWORD,
                "ProposedPassword": OTHER_PASSWORD,
            });
            refused(&site, operation, input, "NotAuthorizedException").await;
        }
    }
    assert_eq!(site.dump().await, before);
}

#[tokio::test]
async fn a_logout_revokes_what_the_client_had() {
    let site = Running::start().await;
    site.author("ada").await;
    let (here, elsewhere) = (logged_in(&site, "ada").await, logged_in(&site, "ada").await);
    let revoke = |token: &str| json!({ "ClientId": CLIENT, "Token": token });
    refused(&site, "RevokeToken", revoke(&here.access), "UnsupportedTokenTypeException").await;
    assert!(opens(&site, &here.access).await);
    for _ in 0..2 {
        assert_eq!(done(&site, "RevokeToken", revoke(&here.refresh)).await, json!({}));
    }
    assert!(!opens(&site, &here.access).await);
    refused(&site, "GetUser", json!({ "AccessToken": here.access }), "NotAuthorizedException").await;
    refused(&site, "InitiateAuth", refresh_token_auth(&here.refresh), "NotAuthorizedException").await;
    assert!(opens(&site, &elsewhere.access).await);
}

#[tokio::test]
async fn a_logout_everywhere_ends_every_token_and_every_session() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    site.author("bob").await;
    let (here, elsewhere) = (logged_in(&site, "ada").await, logged_in(&site, "ada").await);
    let of_bob = logged_in(&site, "bob").await;
    assert_eq!(done(&site, "GlobalSignOut", json!({ "AccessToken": here.access })).await, json!({}));
    for tokens in [&here, &elsewhere] {
        assert!(!opens(&site, &tokens.access).await);
        refused(&site, "GetTokensFromRefreshToken", get_tokens(&tokens.refresh), "NotAuthorizedException")
            .await;
    }
    assert_eq!(ada.as_script().get("/api/my_posts").await.status, 401);
    assert!(opens(&site, &of_bob.access).await);
    refused(&site, "GlobalSignOut", json!({ "AccessToken": here.access }), "NotAuthorizedException").await;
}

#[tokio::test]
async fn a_new_password_ends_everything_but_the_login_it_was_set_by() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let (here, elsewhere) = (logged_in(&site, "ada").await, logged_in(&site, "ada").await);
    let change = |previous: &str, proposed: &str| json!({ "AccessToken": here.access, "PreviousPassword": previous, "ProposedPassword": proposed });
    let before = site.dump().await;
    for (previous, proposed, name) in [
        ("wrong password", OTHER_PASSWORD, "NotAuthorizedException"),
        ("", OTHER_PASSWORD, "NotAuthorizedException"),
        (PASSWORD, "password1", "InvalidPasswordException"),
        (PASSWORD, "ada@example", "InvalidPasswordException"),
        (PASSWORD, "", "InvalidPasswordException"),
    ] {
        refused(&site, "ChangePassword", change(previous, proposed), name).await;
    }
    assert_eq!(site.dump().await, before);

    assert_eq!(done(&site, "ChangePassword", change(PASSWORD, OTHER_PASSWORD)).await, json!({}));
    assert!(opens(&site, &here.access).await);
    assert!(!opens(&site, &elsewhere.access).await);
    refused(&site, "InitiateAuth", refresh_token_auth(&elsewhere.refresh), "NotAuthorizedException").await;
    assert_eq!(ada.as_script().get("/api/my_posts").await.status, 401);
    refused(&site, "InitiateAuth", log_in("ada", PASSWORD), "NotAuthorizedException").await;
    done(&site, "InitiateAuth", log_in("ada", OTHER_PASSWORD)).await;
    done(&site, "GetTokensFromRefreshToken", get_tokens(&here.refresh)).await;
}

#[tokio::test]
async fn of_two_new_passwords_at_once_one_holds() {
    let site = Running::start().await;
    site.author("ada").await;
    let here = logged_in(&site, "ada").await;
    let proposed = ["the first long pass phrase", "the second long pass phrase"];
    let change = async |proposed: &str| {
        let input =
            json!({ "AccessToken": here.access, "PreviousPassword": PASSWORD, "ProposedPassword": proposed });
        call(&mut site.script(), "ChangePassword", &input).await.status
    };
    let answers = join_all(proposed.iter().map(|proposed| change(proposed))).await;
    assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{answers:?}");
    let holds = proposed[answers.iter().position(|status| *status == 200).expect("one")];
    done(&site, "InitiateAuth", log_in("ada", holds)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_is_told_to_try_again() {
    let site = Running::start().await;
    let crowd =
        join_all((0..100).map(|_| async {
            call(&mut site.script(), "InitiateAuth", &log_in("nobody-here", PASSWORD)).await
        }))
        .await;
    let busy: Vec<_> = crowd
        .iter()
        .filter(|answer| answer.header("x-amzn-errortype") == "TooManyRequestsException")
        .collect();
    assert!(!busy.is_empty(), "a hundred are more than the queue takes");
    for answer in busy {
        assert_ne!(answer.header("retry-after"), "");
    }
    assert!(crowd.iter().all(|answer| [400, 429].contains(&answer.status)));
}

#[tokio::test]
async fn nothing_secret_stands_in_the_database_or_in_the_log() {
    const CANARY: &str = "canary password 7b1f0c";
    const NEW_CANARY: &str = "canary password 9e2a4d";
    const WRONG: &str = "canary mistake 55d01a";
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&["--log-format", "json"]).await;
    let mut client = Client::browser(served.address, false).as_script();
    assert_eq!(call(&mut client, "SignUp", &sign_up("ada", "ada@example.org", CANARY)).await.status, 200);
    assert_eq!(call(&mut client, "InitiateAuth", &log_in("ada", WRONG)).await.status, 400);
    let answer = call(&mut client, "InitiateAuth", &log_in("ada", CANARY)).await.json();
    let first = tokens(&answer);
    let second =
        tokens(&call(&mut client, "GetTokensFromRefreshToken", &get_tokens(&first.refresh)).await.json());
    let change =
        json!({ "AccessToken": second.access, "PreviousPassword": CANARY, "ProposedPassword": NEW_CANARY });
    assert_eq!(call(&mut client, "ChangePassword", &change).await.status, 200);
    let misplaced = json!({ "Username": { "x": WRONG }, "Password": [CANARY], "ClientId": CLIENT });
    assert_eq!(call(&mut client, "SignUp", &misplaced).await.status, 400);
    let log = served.terminate().await;
    let stored = byline.stored();
    assert!(stored.contains("ada@example.org"), "it is the database");
    let id = answer["AuthenticationResult"]["IdToken"].as_str().expect("an id token");
    let secrets =
        [CANARY, NEW_CANARY, WRONG, id, &first.access, &first.refresh, &second.access, &second.refresh];
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} stands in the log:\n{log}");
        assert!(!stored.contains(secret), "{secret} stands in the database");
    }
    for tokens in [&first, &second] {
        assert!(!byline.has_stored(&tokens.refresh_bytes()), "nor by its bytes");
    }
}

#[tokio::test]
async fn a_client_that_knows_the_bare_host_reaches_the_same_protocol() {
    let site = Running::start().await;
    site.author("ada").await;
    let script = site.script();
    let request = script
        .request(axum::http::Method::POST, "/")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AWSCognitoIdentityProviderService.InitiateAuth");
    let answer =
        site.exchange(request.body(log_in("ada", PASSWORD).to_string().into()).expect("a request")).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.json()["AuthenticationResult"]["AccessToken"].is_string());
    let answer = site.browser().submit("/", &[]).await;
    assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD"));
    assert_eq!(site.browser().get("/").await.status, 200);
}

/// A login that is older than ten minutes.
async fn age_logins(site: &Running) {
    site.tamper("UPDATE token_families SET created_at = created_at - 700000000").await;
    site.site.trust().forget();
}

#[tokio::test]
async fn a_client_turns_a_second_factor_on_and_logs_in_with_it() {
    let site = Running::start_with_key().await;
    site.author("ada").await;
    let token = logged_in(&site, "ada").await.access;
    let with = |extra: Value| {
        let mut input = json!({ "AccessToken": token });
        input.as_object_mut().expect("an object").extend(extra.as_object().expect("an object").clone());
        input
    };
    let on = json!({ "SoftwareTokenMfaSettings": { "Enabled": true, "PreferredMfa": true } });
    refused(&site, "SetUserMFAPreference", with(on.clone()), "InvalidParameterException").await;
    let secret = done(&site, "AssociateSoftwareToken", with(json!({}))).await["SecretCode"].clone();
    let app = App::with(secret.as_str().expect("a secret"));
    let wrong = with(json!({ "UserCode": "000000" }));
    refused(&site, "VerifySoftwareToken", wrong, "EnableSoftwareTokenMFAException").await;
    let verified = done(&site, "VerifySoftwareToken", with(json!({ "UserCode": app.code(-1) }))).await;
    assert_eq!(verified["Status"], "SUCCESS");
    done(&site, "SetUserMFAPreference", with(on)).await;
    assert_eq!(done(&site, "GetUser", with(json!({}))).await["PreferredMfaSetting"], "SOFTWARE_TOKEN_MFA");

    let challenge = done(&site, "InitiateAuth", log_in("ada", PASSWORD)).await;
    assert_eq!(challenge["ChallengeName"], "SOFTWARE_TOKEN_MFA");
    assert!(challenge["AuthenticationResult"].is_null(), "a password alone opens nothing");
    let answer = |code: &str| {
        json!({
            "ClientId": CLIENT, "ChallengeName": "SOFTWARE_TOKEN_MFA", "Session": challenge["Session"],
            "ChallengeResponses": { "USERNAME": "ada", "SOFTWARE_TOKEN_MFA_CODE": code },
        })
    };
    refused(&site, "RespondToAuthChallenge", answer("000000"), "CodeMismatchException").await;
    let tokens = done(&site, "RespondToAuthChallenge", answer(&app.code(0))).await;
    let fresh = tokens["AuthenticationResult"]["AccessToken"].clone();

    let off = json!({ "AccessToken": fresh, "SoftwareTokenMfaSettings": { "Enabled": false } });
    age_logins(&site).await;
    refused(&site, "SetUserMFAPreference", off.clone(), "NotAuthorizedException").await;
    site.tamper("UPDATE token_families SET created_at = created_at + 700000000").await;
    site.site.trust().forget();
    done(&site, "SetUserMFAPreference", off).await;
    assert_eq!(site.count("SELECT COUNT(*) FROM two_factor").await, 0);
    let noted = "SELECT COUNT(*) FROM audit WHERE kind LIKE 'two_factor%' AND credential = 'access token'";
    assert_eq!(site.count(noted).await, 2, "on and off, by what was shown");
}

#[tokio::test]
async fn a_client_deletes_an_account_after_a_recent_login_alone() {
    let site = Running::start().await;
    site.author("ada").await;
    let token = logged_in(&site, "ada").await.access;
    age_logins(&site).await;
    refused(&site, "DeleteUser", json!({ "AccessToken": token }), "NotAuthorizedException").await;
    let token = logged_in(&site, "ada").await.access;
    assert_eq!(done(&site, "DeleteUser", json!({ "AccessToken": token })).await, json!({}));
    assert_eq!(site.count("SELECT COUNT(*) FROM users WHERE delete_at IS NOT NULL").await, 1);
    refused(&site, "GetUser", json!({ "AccessToken": token }), "NotAuthorizedException").await;
}
