//! A new password by mail (security row P7).

use axum::{body::Body, http::Method};
use byline::{
    accounts::domain::{
        Login,
        one_time::Code,
        recovery::{self, set_password_by_code},
    },
    credentials::RequestSource,
    error::{AppError, Field},
};
use futures::future::join_all;
use serde_json::json;

use crate::support::{Answer, Arrived, Client, Manner, Running, Smtp, other_than, same_time, until};

const NEW: &str = "another horse, another battery";
const OVER: &str = "This link does not work any more";

async fn ask(site: &Running, identifier: &str) -> Answer {
    site.browser().submit("/forgot-password", &[("identifier", identifier)]).await
}

async fn set(client: &mut Client, token: &str, password: &str) -> Answer {
    client.submit("/reset-password", &[("token", token), ("new_password", password)]).await
}

#[tokio::test]
async fn a_person_who_forgot_their_password_sets_a_new_one_by_the_link_of_a_mail() {
    let (server, site) = Running::start_with_mail().await;
    let mut elsewhere = site.signed_in("ada").await;
    let program = site.token_of("ada").await;
    let mut browser = site.browser();
    assert_eq!(
        browser.page("/login").await.link("Forgot your password?").as_deref(),
        Some("/forgot-password")
    );
    let page = browser.page("/forgot-password").await;
    assert!(page.has_button("Send instructions"));
    let answer = browser.submit("/forgot-password", &[("identifier", " ADA@example.org ")]).await;
    assert_eq!((answer.status, answer.location()), (303, "/forgot-password"));
    let said = browser.page("/forgot-password").await.texts(".notice[role=status]").concat();
    assert!(said.starts_with("If there is an account of that name"), "{said}");

    let mail = server.mails(1).await.remove(0);
    assert_eq!(
        (mail.to.as_str(), mail.header("Subject").as_str()),
        ("ada@example.org", "Set a new password")
    );
    let token = mail.token("/reset-password");
    let path = format!("/reset-password?token={token}");
    let page = browser.page(&path).await;
    assert!(page.has_button("Set password"));
    let again = set(&mut browser, &token, "short").await;
    assert_eq!(again.status, 422);
    again.page().assert_problem("new_password", "Password must be 8 characters or more");
    assert_eq!(again.page().value("token"), token, "the form comes back with its token");
    assert!(!again.text().contains("\"short\""));

    let answer = set(&mut browser, &token, NEW).await;
    assert_eq!((answer.status, answer.location()), (303, "/login/done"));
    assert_eq!(browser.signed_in_as().await.as_deref(), Some("ada"));
    assert_eq!(elsewhere.signed_in_as().await, None, "every other session has ended");
    assert_eq!(site.graphql(&program, "{ __typename }").await.status, 401, "and every family of tokens");
    assert_eq!(site.browser().log_in("ada").await.status, 422, "the old password is over");
    let mut anew = site.browser();
    let answer = anew.submit("/login", &[("identifier", "ada"), ("password", NEW)]).await;
    assert_eq!(answer.status, 303);
    assert_eq!(server.mails(2).await[1].header("Subject"), "Your password was changed");
    assert_eq!(site.count("SELECT COUNT(*) FROM users WHERE email_verified_at IS NOT NULL").await, 1);
    assert_eq!(site.count("SELECT COUNT(*) FROM audit WHERE kind = 'password_reset'").await, 1);
}

#[tokio::test]
async fn a_link_works_once_however_many_use_it_at_once_and_on_whichever_process() {
    let (server, site) = Running::start_with_mail().await;
    let mail = server.settings();
    let other = site
        .another(|config| {
            mail(config);
            Running::with_key(config);
        })
        .await;
    site.account("ada").await;
    ask(&site, "ada").await;
    let token = server.mails(1).await[0].token("/reset-password");
    let tries = (0..8).map(|number| {
        let mut browser = [&site, &other][number % 2].browser();
        let token = token.clone();
        async move { set(&mut browser, &token, &format!("{NEW} {number}")).await.status }
    });
    let statuses = join_all(tries).await;
    let in_ = statuses.iter().filter(|status| **status == 303).count();
    assert_eq!(in_, 1, "{statuses:?}");
    for process in [&site, &other] {
        let mut browser = process.browser();
        let answer = set(&mut browser, &token, NEW).await;
        assert_eq!(answer.status, 422);
        let page = answer.page();
        assert_eq!(page.texts("h1"), [OVER]);
        assert_eq!(page.link("Ask for another link").as_deref(), Some("/forgot-password"));
        assert_eq!(browser.signed_in_as().await, None);
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM one_time_tokens").await, 0);
}

#[tokio::test]
async fn looking_at_a_link_uses_nothing_up() {
    let (server, site) = Running::start_with_mail().await;
    site.account("ada").await;
    ask(&site, "ada").await;
    let token = server.mails(1).await[0].token("/reset-password");
    let path = format!("/reset-password?token={token}");
    until("the outbox to be empty", async || site.count("SELECT COUNT(*) FROM outbox").await == 0).await;
    let before = site.dump().await;
    for method in [Method::GET, Method::HEAD, Method::GET] {
        let mut scanner = site.browser();
        let request = scanner.request(method, &path).body(Body::empty()).expect("a request");
        let answer = scanner.send(request).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
    }
    assert_eq!(site.dump().await, before);
    assert_eq!(set(&mut site.browser(), &token, NEW).await.status, 303);
}

#[tokio::test]
async fn a_link_that_is_late_wrong_or_for_something_else_changes_nothing() {
    let (server, site) = Running::start_with_mail().await;
    site.signed_in("ada").await;
    let mut ada = site.browser();
    ada.log_in("ada").await;
    assert_eq!(ada.submit("/verify-email/send", &[]).await.status, 303);
    let verifying = server.mails(1).await[0].token("/verify-email");
    ask(&site, "ada").await;
    let late = server.mails(2).await[1].token("/reset-password");
    site.tamper("UPDATE one_time_tokens SET expires_at = 1 WHERE purpose = 'reset_password'").await;
    let hashes = "SELECT password_hash FROM users";
    let before = site.text(hashes).await;
    let unknown = "A".repeat(43);
    for token in [late.as_str(), &verifying, &unknown, "", "x", &"A".repeat(5000)] {
        let mut browser = site.browser();
        let page = browser.page(&format!("/reset-password?token={token}")).await;
        assert_eq!(page.texts("h1"), [OVER], "{token}");
        let answer = set(&mut browser, token, NEW).await;
        assert_eq!(answer.status, 422, "{token}");
        assert_eq!(answer.page().texts("h1"), [OVER], "{token}");
        let input = json!({ "token": token, "new_password": NEW });
        let call = browser.as_script().submit_json("/api/reset_password", &input).await.json();
        assert_eq!(call["errors"][0]["field"], "token", "{call}");
    }
    assert_eq!(site.text(hashes).await, before);
    assert_eq!(ada.signed_in_as().await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_link_sets_the_password_of_the_person_to_whom_it_was_mailed() {
    let (server, site) = Running::start_with_mail().await;
    for username in ["ada", "bob"] {
        site.account(username).await;
    }
    ask(&site, "ada").await;
    let token = server.mails(1).await[0].token("/reset-password");
    let mut bob = site.browser();
    bob.log_in("bob").await;
    assert_eq!(set(&mut bob, &token, NEW).await.status, 303);
    assert_eq!(bob.signed_in_as().await.as_deref(), Some("ada"), "it is adas link");
    assert_eq!(site.browser().log_in("bob").await.status, 303, "bobs password is as it was");
    assert_eq!(site.browser().log_in("ada").await.status, 422);
}

#[tokio::test]
async fn nobody_learns_who_has_an_account() {
    let (server, site) = Running::start_with_mail().await;
    site.account("ada").await;
    let seen = async |identifier: &str| {
        let mut browser = site.browser();
        let answer = browser.submit("/forgot-password", &[("identifier", identifier)]).await;
        let notices: Vec<String> = answer.cookies().map(str::to_owned).collect();
        let page = browser.get("/forgot-password").await;
        (answer.status, answer.location().to_owned(), notices, page.text().to_owned())
    };
    let known = seen("ada").await;
    for unknown in ["nobody", "nobody@example.org", "not a name", "@", "nobody@"] {
        assert_eq!(seen(unknown).await, known, "{unknown}");
    }
    let mails = server.mails(1).await;
    assert_eq!(mails[0].to, "ada@example.org");
    // Who asks too often is told so, whether or not there is anybody.
    for identifier in ["ada", "nobody"] {
        let statuses = join_all((0..6).map(|_| ask(&site, identifier))).await;
        let refused: Vec<&Answer> = statuses.iter().filter(|answer| answer.status == 429).collect();
        assert_eq!(refused.len(), 2, "{identifier}");
        assert!(refused.iter().all(|answer| answer.header("retry-after").parse::<u32>().is_ok()));
    }
    let mut script = site.script();
    let empty = script.submit_json("/api/forgot_password", &json!({ "identifier": " " })).await;
    assert_eq!((empty.status, empty.json()["errors"][0]["field"].as_str()), (422, Some("identifier")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_name_takes_as_long_as_an_unknown_one() {
    const PAIRS: usize = 200;
    let (server, site) = Running::start_with_mail().await;
    let rows: Vec<String> =
        (0..PAIRS).map(|n| format!("('user-{n}', 'user-{n}', 'user-{n}@example.org', '', 0)")).collect();
    let insert = "INSERT INTO users (id, username, email, password_hash, created_at) VALUES ";
    site.tamper(&format!("{insert}{}", rows.join(", "))).await;
    let asked = async |name: String| {
        let answer = site.script().submit_json("/api/forgot_password", &json!({ "identifier": name })).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    same_time(PAIRS, async |n| asked(format!("user-{n}")).await, async |n| asked(format!("none-{n}")).await)
        .await;
    server.mails(PAIRS).await;
}

#[tokio::test]
async fn a_forged_host_does_not_stand_in_the_mail() {
    let server = Smtp::start(Manner::Takes).await;
    let mail = server.settings();
    let site = Running::start_with(|config| {
        mail(config);
        config.public_url = "https://byline.example".parse().expect("a URL");
    })
    .await;
    site.account("ada").await;
    let mut attacker = site.browser();
    for (host, forwarded) in [("evil.example", "evil.example"), ("byline.example", "evil.example")] {
        let request = axum::http::Request::builder()
            .method(Method::POST)
            .uri("/forgot-password")
            .header("host", host)
            .header("x-forwarded-host", forwarded)
            .header("forwarded", format!("host={forwarded}"))
            .header("origin", "https://byline.example")
            .header("accept", "text/html")
            .header("content-type", "application/x-www-form-urlencoded");
        let answer = attacker.send(request.body(Body::from("identifier=ada")).expect("a request")).await;
        assert!([303, 403].contains(&answer.status), "{host}: {}", answer.status);
    }
    // The one that names the site is sent at least.
    until("a mail", async || !server.arrived().is_empty()).await;
    for mail in server.arrived() {
        assert!(!mail.text.contains("evil"), "{}", mail.text);
        assert!(mail.plain().contains("\nhttps://byline.example/reset-password?token="), "{}", mail.plain());
        let links = mail.html().matches("href=\"https://byline.example/").count();
        assert_eq!(mail.html().matches("href=\"").count(), links, "{}", mail.html());
    }
}

#[tokio::test]
async fn a_site_without_mail_says_so_plainly() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let mut browser = site.browser();
    let link = browser.page("/login").await.link("Forgot your password?");
    assert_eq!(link.as_deref(), Some("/forgot-password"));
    let page = browser.page("/forgot-password").await;
    assert!(page.text("main").contains("This site cannot send mail"));
    assert!(!page.has_button("Send instructions"));
    let before = site.dump().await;
    for identifier in ["ada", "nobody", ""] {
        let answer = browser
            .as_script()
            .submit_json("/api/forgot_password", &json!({ "identifier": identifier }))
            .await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "mail_is_off"));
        assert_eq!(ask(&site, identifier).await.status, 403);
    }
    assert_eq!(ada.as_script().submit("/api/resend_code", &[]).await.status, 403);
    assert_eq!(site.dump().await, before);
    assert_eq!(ada.signed_in_as().await.as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_token_or_a_code_does_not_stand_in_the_database_and_a_mail_is_gone_once_it_is_sent() {
    let (server, site) = Running::start_with_mail().await;
    let site = site.stop_mail().await;
    site.account("ada").await;
    ask(&site, "ada").await;
    let waiting = site.bytes().await;
    let worker = byline::mail::Worker::start(&site.site);
    let mail: Arrived = server.mails(1).await.remove(0);
    worker.stop().await;
    for secret in [mail.token("/reset-password"), format!("\"{}\"", mail.code())] {
        // On PostgreSQL bytes are read as hexadecimal digits.
        let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
        for bytes in [&waiting, &site.bytes().await] {
            for secret in [&secret, &hex] {
                assert!(!bytes.windows(secret.len()).any(|found| found == secret.as_bytes()), "{secret}");
            }
        }
    }
}

#[tokio::test]
async fn a_program_sets_a_new_password_by_the_code_and_guesses_are_counted() {
    let (server, site) = Running::start_with_mail().await;
    site.account("ada").await;
    let source = RequestSource::command_line();
    let login = Login::parse("ada").expect("a name");
    recovery::ask(&site.site, login.clone(), &source).await.expect("a mail");
    let right = server.mails(1).await[0].code();
    let wrong = other_than(&right);
    let set = async |login: &Login, code: &str| {
        let code = Code::parse(code).expect("six digits");
        set_password_by_code(&site.site, login, &code, &NEW.into(), &source).await
    };
    let refused = set(&login, wrong).await.expect_err("a wrong code");
    assert_eq!(refused.sentences(), "That code is wrong, or is older than 30 minutes.");
    let nobody = Login::parse("nobody").expect("a name");
    assert_eq!(set(&nobody, wrong).await, Err(refused.clone()));
    assert!(matches!(&refused, AppError::Invalid { errors } if errors[0].field == Field::Code));
    set(&login, &right).await.expect("the right code");
    assert_eq!(set(&login, &right).await, Err(refused), "it works once");
    let mut browser = site.browser();
    assert_eq!(browser.submit("/login", &[("identifier", "ada"), ("password", NEW)]).await.status, 303);
    assert_eq!(site.browser().log_in("ada").await.status, 422);
    for _ in 0..20 {
        if let Err(AppError::TooMany { retry_after }) = set(&login, wrong).await {
            assert!(retry_after >= 1);
            return;
        }
    }
    panic!("nobody counts the guesses");
}
