//! `/cognito` where mail is sent: the codes of a sign-up, of a forgotten password and of
//! another address.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{PASSWORD, Running, other_than, until};

const NEW: &str = "another horse, another battery";

/// The status, and the body.
async fn call(site: &Running, operation: &str, mut input: Value) -> (u16, Value) {
    input["ClientId"] = json!("byline-web");
    let client = &mut site.script();
    let request = client
        .request_of_unknown_origin(Method::POST, "/cognito")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"))
        .body(input.to_string().into())
        .expect("a request");
    let answer = client.send(request).await;
    (answer.status, answer.json())
}

async fn done(site: &Running, operation: &str, input: Value) -> Value {
    let (status, body) = call(site, operation, input).await;
    assert_eq!(status, 200, "{operation}: {body}");
    body
}

async fn refused(site: &Running, operation: &str, input: Value, name: &str) {
    let (status, body) = call(site, operation, input).await;
    assert_eq!((status, body["__type"].as_str()), (400, Some(name)), "{operation}: {body}");
}

fn sign_up(username: &str, email: &str) -> Value {
    let email = json!([{ "Name": "email", "Value": email }]);
    json!({ "Username": username, "Password": PASSWORD, "UserAttributes": email })
}

async fn token(site: &Running, username: &str, password: &str) -> Value {
    let given = json!({ "USERNAME": username, "PASSWORD": password });
    let input = json!({ "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": given });
    done(site, "InitiateAuth", input).await["AuthenticationResult"]["AccessToken"].clone()
}

#[tokio::test]
async fn a_sign_up_waits_for_the_code_from_the_mail() {
    let (server, site) = Running::start_with_mail().await;
    let answer = done(&site, "SignUp", sign_up("ada", "ada@example.org")).await;
    assert_eq!(answer["UserConfirmed"], false);
    assert_eq!(answer["CodeDeliveryDetails"]["DeliveryMedium"], "EMAIL");
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 0);
    let code = server.mails(1).await[0].code();
    let wrong = other_than(&code);
    let confirm = |username: &str, code: &str| json!({ "Username": username, "ConfirmationCode": code });
    for (username, code) in [("ada", wrong), ("nobody-here", code.as_str()), ("ada", "x")] {
        refused(&site, "ConfirmSignUp", confirm(username, code), "CodeMismatchException").await;
    }
    done(&site, "ConfirmSignUp", confirm("ada", &code)).await;
    assert_eq!(site.count("SELECT COUNT(*) FROM users WHERE email_verified_at IS NOT NULL").await, 1);
    assert_eq!(site.count("SELECT COUNT(*) FROM srp_verifiers").await, 1, "it was made at the sign-up");
    let token = token(&site, "ada", PASSWORD).await;
    let user = done(&site, "GetUser", json!({ "AccessToken": token })).await;
    assert_eq!(user["UserAttributes"][2], json!({ "Name": "email_verified", "Value": "true" }));
}

#[tokio::test]
async fn a_sign_up_does_not_tell_that_an_address_has_an_account() {
    let (_server, site) = Running::start_with_mail().await;
    site.account("ada").await;
    let of = |mut answer: Value| {
        answer["UserSub"] = json!(answer["UserSub"].as_str().expect("an id").len());
        answer
    };
    let known = done(&site, "SignUp", sign_up("eve", "ada@example.org")).await;
    let unknown = done(&site, "SignUp", sign_up("bob", "bob@example.org")).await;
    assert_eq!(of(known), of(unknown));
    let named = json!({ "Username": "eve" });
    for operation in ["ResendConfirmationCode", "ForgotPassword"] {
        let of_nobody = done(&site, operation, json!({ "Username": "nobody-here" })).await;
        assert_eq!(done(&site, operation, named.clone()).await, of_nobody, "{operation}");
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 1);
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_by_the_code_from_the_mail() {
    let (server, site) = Running::start_with_mail().await;
    site.account("ada").await;
    done(&site, "ForgotPassword", json!({ "Username": "ada" })).await;
    let code = server.mails(1).await[0].code();
    let confirm = |code: &str, password: &str| json!({ "Username": "ada", "ConfirmationCode": code, "Password": password });
    let wrong = other_than(&code);
    refused(&site, "ConfirmForgotPassword", confirm(wrong, NEW), "CodeMismatchException").await;
    refused(&site, "ConfirmForgotPassword", confirm(&code, "short"), "InvalidPasswordException").await;
    done(&site, "ConfirmForgotPassword", confirm(&code, NEW)).await;
    refused(&site, "ConfirmForgotPassword", confirm(&code, NEW), "CodeMismatchException").await;
    token(&site, "ada", NEW).await;
}

#[tokio::test]
async fn another_address_counts_once_its_code_came_back() {
    let (server, site) = Running::start_with_mail().await;
    site.account("ada").await;
    let token = token(&site, "ada", PASSWORD).await;
    let attributes = json!([{ "Name": "email", "Value": "new@example.org" }]);
    let answer =
        done(&site, "UpdateUserAttributes", json!({ "AccessToken": token, "UserAttributes": attributes }))
            .await;
    assert_eq!(answer["CodeDeliveryDetailsList"][0]["AttributeName"], "email");
    assert_eq!(site.text("SELECT email FROM users").await, "ada@example.org", "not yet");
    until("the mail to the new address", async || {
        server.arrived().iter().any(|mail| mail.to == "new@example.org")
    })
    .await;
    let mails = server.arrived();
    let mail = mails.iter().find(|mail| mail.to == "new@example.org").expect("a mail");
    let verify = json!({ "AccessToken": token, "AttributeName": "email", "Code": mail.code() });
    done(&site, "VerifyUserAttribute", verify.clone()).await;
    assert_eq!(site.text("SELECT email FROM users").await, "new@example.org");
    let devices = done(&site, "ListDevices", json!({ "AccessToken": token })).await;
    assert_eq!(devices, json!({ "Devices": [] }));
}

#[tokio::test]
async fn an_address_is_enough_to_sign_up_and_the_account_gets_a_name_from_it() {
    let (server, site) = Running::start_with_mail().await;
    site.account("ada-l").await;
    done(&site, "SignUp", json!({ "Username": "Ada.L@example.com", "Password": PASSWORD })).await;
    let code = server.mails(1).await[0].code();
    done(&site, "ConfirmSignUp", json!({ "Username": "ada.l@example.com", "ConfirmationCode": code })).await;
    let name = site.text("SELECT username FROM users WHERE email = 'ada.l@example.com'").await;
    assert!(name.starts_with("ada-l-"), "another account has the first name that was tried: {name}");
    token(&site, "ADA.L@example.com", PASSWORD).await;
    token(&site, &name, PASSWORD).await;

    let site = Running::start().await;
    for (address, begins) in
        [("me@example.org", "me-"), ("admin@example.org", "admin-"), ("b+c@example.org", "b-c")]
    {
        done(&site, "SignUp", json!({ "Username": address, "Password": PASSWORD })).await;
        let statement = format!("SELECT username FROM users WHERE email = '{address}'");
        assert!(site.text(&statement).await.starts_with(begins), "{address}");
    }
    let again = json!({ "Username": "me@example.org", "Password": PASSWORD });
    refused(&site, "SignUp", again, "UsernameExistsException").await;
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 3);
}
