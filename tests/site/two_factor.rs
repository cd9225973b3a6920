//! Two-factor authentication (security row F1): codes of an app, recovery codes, and
//! the second step of a login at every door.

use std::collections::BTreeSet;

use byline::{
    accounts::domain::{Login, NewPassword, service},
    config::SecretKeySource,
    username::Username,
};
use serde_json::json;

use crate::support::{Answer, App, Client, KEY, PASSWORD, Running, Several, postgres_database};

const PAGE: &str = "/account/two-factor";

/// Sets an app up and turns it on; the app and the recovery codes.
async fn turn_on(person: &mut Client) -> (App, Vec<String>) {
    let answer = person.submit(PAGE, &[]).await;
    assert_eq!((answer.status, answer.location()), (303, PAGE), "{}", answer.text());
    let app = App::with(&person.page(PAGE).await.value_of("#secret"));
    let answer = person.submit("/account/two-factor/on", &[("code", &app.code(0))]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    (app, answer.page().texts(".recovery-codes li"))
}

/// The dark modules that a path draws: rectangles like `M4 4h7v1h-7z`, with four
/// modules around them.
fn dark_modules(path: &str) -> BTreeSet<(usize, usize)> {
    let run = |run: &str| {
        let (place, rest) = run.split_once('h').expect("a run");
        let (left, top) = place.split_once(' ').expect("a place");
        let (length, _) = rest.split_once('v').expect("its height");
        let number = |text: &str| text.parse::<usize>().expect("a number");
        let (left, top, length) = (number(left) - 4, number(top) - 4, number(length));
        (left..left + length).map(move |x| (x, top))
    };
    path.split('M').skip(1).flat_map(run).collect()
}

fn modules_of(text: &str) -> BTreeSet<(usize, usize)> {
    let code = fast_qr::QRBuilder::new(text).ecl(fast_qr::ECL::M).build().expect("a QR code");
    let all = (0..code.size).flat_map(|y| (0..code.size).map(move |x| (x, y)));
    all.filter(|(x, y)| code[*y][*x].value()).collect()
}

/// Codes count once, and tests do not wait for the next.
async fn forget_used_codes(site: &Running) {
    site.tamper("UPDATE two_factor SET last_step = 0").await;
}

/// Enters the password, and is asked for a code.
async fn ask_for_code(client: &mut Client, username: &str) {
    let answer = client.log_in(username).await;
    assert_eq!((answer.status, answer.location()), (303, "/login/code"), "{}", answer.text());
}

async fn enter(client: &mut Client, code: &str) -> Answer {
    client.submit("/login/code", &[("code", code)]).await
}

#[tokio::test]
async fn a_person_turns_it_on_and_then_logs_in_with_a_code_of_the_app() {
    let site = Running::start_with_key().await;
    let mut ada = site.author("ada").await;
    let page = ada.page(PAGE).await;
    assert_eq!(page.texts("h1"), ["Two-factor authentication"]);
    assert!(page.has_button("Set up") && !page.has_button("Turn on"));

    ada.submit(PAGE, &[]).await;
    let page = ada.page(PAGE).await;
    let secret = page.value_of("#secret");
    assert_eq!((secret.len(), page.texts("label[for=secret]")), (32, vec!["Secret".to_owned()]));
    let drawn = page.attributes("svg.qr-code[role=img] path[fill='#000']", "d");
    let uri =
        format!("otpauth://totp/Byline:ada?secret={secret}&issuer=Byline&algorithm=SHA1&digits=6&period=30");
    assert_eq!(dark_modules(&drawn[0]), modules_of(&uri), "the QR code says what an app has to know");
    assert_eq!(page.count("svg [style]"), 0, "the policy allows no inline style");
    let app = App::with(&secret);
    let answer = ada.submit("/account/two-factor/on", &[("code", &app.wrong_code())]).await;
    assert_eq!(answer.status, 422);
    assert_eq!(answer.page().value_of("#secret"), secret, "it is still the same");
    let mut elsewhere = site.browser();
    assert_eq!(
        elsewhere.log_in("ada").await.location(),
        "/login/done",
        "a set-up that is not finished asks nothing"
    );

    let answer = ada.submit("/account/two-factor/on", &[("code", &app.code(0))]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let codes = answer.page().texts(".recovery-codes li");
    assert_eq!(codes.len(), 10);
    let page = ada.page(PAGE).await;
    assert!(page.has_button("Turn off") && page.count(".recovery-codes") == 0, "they are shown once");
    assert!(!ada.get(PAGE).await.text().contains(&secret));

    let mut elsewhere = site.browser();
    let answer = elsewhere
        .submit("/login", &[("identifier", "ada"), ("password", PASSWORD), ("next", "/my-posts/new")])
        .await;
    assert_eq!((answer.status, answer.location()), (303, "/login/code?next=/my-posts/new"));
    let page = elsewhere.page(answer.location()).await;
    assert!(page.has_button("Continue") && page.signed_in_as().is_none());
    assert_eq!(page.value("next"), "/my-posts/new");
    assert_eq!(elsewhere.get("/my-posts").await.location(), "/login?next=/my-posts");
    let first = elsewhere.sid().expect("a session").to_owned();

    forget_used_codes(&site).await;
    let answer = enter(&mut elsewhere, &app.wrong_code()).await;
    assert_eq!(answer.status, 422);
    let wrong = "That code is wrong, or it was used before. Enter the one that your app shows now";
    answer.page().assert_problem("code", wrong);
    let typed = [("code", app.code(0)), ("next", "/my-posts/new".to_owned())];
    let typed: Vec<_> = typed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = elsewhere.submit("/login/code", &typed).await;
    assert_eq!(elsewhere.goes_on_to(&answer).await, "/my-posts/new");
    assert_eq!(elsewhere.signed_in_as().await.as_deref(), Some("ada"));
    assert_ne!(elsewhere.sid(), Some(first.as_str()), "the session has a new id");
    assert_eq!(site.browser().with_sid(&first).signed_in_as().await, None);
    assert_eq!(
        site.text("SELECT kind FROM audit WHERE kind LIKE 'two_factor%'").await,
        "two_factor_turned_on"
    );
}

#[tokio::test]
async fn a_code_of_the_app_counts_once() {
    let site = Running::start_with_key().await;
    let mut ada = site.author("ada").await;
    let (app, _) = turn_on(&mut ada).await;
    forget_used_codes(&site).await;
    let code = app.code(0);
    let (mut first, mut second) = (site.browser(), site.browser());
    ask_for_code(&mut first, "ada").await;
    ask_for_code(&mut second, "ada").await;
    assert_eq!(enter(&mut first, &code).await.status, 303);
    assert_eq!(enter(&mut second, &code).await.status, 422);
    assert_eq!(second.signed_in_as().await, None);
    // Nor does one of before.
    assert_eq!(enter(&mut second, &app.code(-1)).await.status, 422);
    assert_eq!(enter(&mut second, &app.code(1)).await.status, 303);
}

#[tokio::test]
async fn a_recovery_code_counts_once_and_no_longer_than_until_there_are_new_ones() {
    let site = Running::start_with_key().await;
    let mut ada = site.author("ada").await;
    let (_, codes) = turn_on(&mut ada).await;
    let mut browser = site.browser();
    ask_for_code(&mut browser, "ada").await;
    assert_eq!(enter(&mut browser, &codes[0].to_uppercase().replace('-', " ")).await.status, 303);
    assert_eq!(browser.signed_in_as().await.as_deref(), Some("ada"));
    assert!(ada.get(PAGE).await.text().contains("You have 9 recovery codes left."));
    let mut browser = site.browser();
    ask_for_code(&mut browser, "ada").await;
    assert_eq!(enter(&mut browser, &codes[0]).await.status, 422, "it was used");

    let answer = ada.submit("/account/two-factor/codes", &[("idempotency_key", "new")]).await;
    let new = answer.page().texts(".recovery-codes li");
    assert_eq!(new.len(), 10);
    let again = ada.submit("/account/two-factor/codes", &[("idempotency_key", "new")]).await;
    assert_eq!(again.page().texts(".recovery-codes li"), new, "a form sent twice shows the same");
    assert_eq!(enter(&mut browser, &codes[1]).await.status, 422, "it was replaced");
    assert_eq!(enter(&mut browser, &new[1]).await.status, 303);
    assert_eq!(site.count("SELECT COUNT(*) FROM audit WHERE kind = 'recovery_code_used'").await, 2);
}

#[tokio::test]
async fn a_form_to_turn_it_on_that_is_sent_twice_shows_the_same_recovery_codes() {
    let site = Running::start_with_key().await;
    let mut ada = site.author("ada").await;
    ada.submit(PAGE, &[]).await;
    let page = ada.page(PAGE).await;
    let (app, key) = (App::with(&page.value_of("#secret")), page.value("idempotency_key"));
    let code = app.code(0);
    let fields = [("code", code.as_str()), ("idempotency_key", key.as_str())];
    let codes = async |ada: &mut Client| {
        let answer = ada.submit("/account/two-factor/on", &fields).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.page().texts(".recovery-codes li")
    };
    let first = codes(&mut ada).await;
    assert_eq!((first.len(), codes(&mut ada).await), (10, first.clone()));
    assert_eq!(site.count("SELECT COUNT(*) FROM recovery_codes").await, 10);
}

#[tokio::test]
async fn no_secret_and_no_code_stands_in_the_database() {
    let site = Running::start_with_key().await;
    let mut ada = site.author("ada").await;
    ada.submit(PAGE, &[]).await;
    let secret = ada.page(PAGE).await.value_of("#secret");
    let code = App::with(&secret).code(0);
    let answer = ada.submit("/account/two-factor/on", &[("code", &code)]).await;
    let codes = answer.page().texts(".recovery-codes li");
    // Bytes are in it as hexadecimal digits.
    let stored = site.dump().await.to_lowercase();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let plain = codes.iter().map(|code| code.replace('-', ""));
    let texts = plain.chain(codes.clone()).chain([secret.clone()]);
    let texts = texts.flat_map(|text| [text.to_lowercase(), hex(text.as_bytes())]);
    for text in texts.chain([hex(App::with(&secret).secret())]) {
        assert!(!stored.contains(&text), "{text} is stored");
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM recovery_codes WHERE length(hash) = 32").await, 10);
    let sealed = "SELECT COUNT(*) FROM two_factor WHERE length(secret) > 20";
    assert_eq!(site.count(sealed).await, 1);
}

#[tokio::test]
async fn a_password_alone_opens_no_door() {
    let site = Running::start_with_key().await;
    let mut ada = site.browser();
    let sign_up = json!({
        "username": "ada", "email": "ada@example.org", "password": PASSWORD, "idempotency_key": "once"
    });
    assert_eq!(ada.as_script().submit_json("/api/sign_up", &sign_up).await.status, 200);
    ada.log_in("ada").await;
    let (app, codes) = turn_on(&mut ada).await;
    let families = "SELECT COUNT(*) FROM token_families";
    let sessions = "SELECT COUNT(*) FROM sessions WHERE user_id IS NOT NULL";
    let (families_before, sessions_before) = (site.count(families).await, site.count(sessions).await);

    // A script learns what is missing, and is nobody until it sends it.
    let mut script = site.script();
    let log_in = json!({ "identifier": "ada", "password": PASSWORD });
    let answer = script.submit_json("/api/log_in", &log_in).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "second_factor": true })));
    for path in ["/api/my_posts", "/api/my_api_keys", "/api/my_passkeys"] {
        assert_eq!(script.get(path).await.status, 401, "{path}");
    }
    for path in ["/api/set_up_two_factor", "/api/turn_off_two_factor", "/api/create_api_key"] {
        let arguments = json!({ "name": "Key", "days": "1" });
        assert_eq!(script.submit_json(path, &arguments).await.status, 401, "{path}");
    }
    // A sign-up that is sent again.
    let mut again = site.script();
    let answer = again.submit_json("/api/sign_up", &sign_up).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "second_factor": true })));
    assert_eq!(again.get("/api/my_posts").await.status, 401);

    let mut program = site.script();
    let grant = [("grant_type", "password"), ("username", "ada"), ("password", PASSWORD)];
    let answer = program.submit("/api/token", &grant).await;
    assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("second_factor_required")));
    let wrong = app.wrong_code();
    let send = async |program: &mut Client, code: &str| {
        let fields: Vec<_> = grant.into_iter().chain([("totp", code)]).collect();
        program.submit("/api/token", &fields).await
    };
    let answer = send(&mut program, &wrong).await;
    assert_eq!((answer.status, answer.json()["error"].as_str()), (400, Some("invalid_grant")));
    let answer = program
        .post(
            "/cognito",
            "application/x-amz-json-1.1",
            json!({
                "ClientId": "byline-web",
                "AuthFlow": "USER_PASSWORD_AUTH",
                "AuthParameters": { "USERNAME": "ada", "PASSWORD": PASSWORD },
            })
            .to_string(),
        )
        .await;
    assert!(!answer.text().contains("AccessToken"), "{}", answer.text());
    assert_eq!((site.count(families).await, site.count(sessions).await), (families_before, sessions_before));

    // With a code, each opens.
    forget_used_codes(&site).await;
    assert_eq!(send(&mut program, &app.code(0)).await.status, 200);
    assert_eq!(send(&mut program, &codes[0]).await.status, 200);
    let answer = script.submit_json("/api/log_in_code", &json!({ "code": codes[1] })).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "username": "ada" })));
    assert_eq!(script.get("/api/my_posts").await.status, 200);
    let answer = again.submit_json("/api/log_in_code", &json!({ "code": codes[2] })).await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn a_code_alone_opens_no_door_either() {
    let site = Running::start_with_key().await;
    let mut ada = site.author("ada").await;
    let (_, codes) = turn_on(&mut ada).await;
    let mut eve = site.author("eve").await;
    let answer = enter(&mut site.browser(), &codes[0]).await;
    assert_eq!((answer.status, answer.location()), (303, "/login?next=/login/code"));
    assert_eq!(site.script().submit_json("/api/log_in_code", &json!({ "code": codes[0] })).await.status, 401);
    // Nor is the code of one person another's.
    turn_on(&mut eve).await;
    let mut browser = site.browser();
    ask_for_code(&mut browser, "eve").await;
    assert_eq!(enter(&mut browser, &codes[0]).await.status, 422);
    assert_eq!(site.count("SELECT COUNT(*) FROM recovery_codes WHERE used_at IS NOT NULL").await, 0);
}

#[tokio::test]
async fn a_new_password_ends_the_logins_that_wait_for_a_code() {
    let site = Running::start_with_key().await;
    let mut ada = site.author("ada").await;
    let (_, codes) = turn_on(&mut ada).await;
    let mut thief = site.browser();
    ask_for_code(&mut thief, "ada").await;
    let login = Login::Username(Username::parse("ada").expect("a username"));
    let other = NewPassword::parse("another battery staple horse", &[]).expect("a password");
    service::set_password(&site.site, &login, other).await.expect("a new password");
    assert_eq!(enter(&mut thief, &codes[0]).await.status, 422);
    assert_eq!(thief.signed_in_as().await, None);
}

#[tokio::test]
async fn turning_it_off_forgets_the_secret_and_the_codes() {
    let site = Running::start_with_key().await;
    let mut ada = site.author("ada").await;
    turn_on(&mut ada).await;
    for _ in 0..2 {
        let answer = ada.submit("/account/two-factor/off", &[]).await;
        assert_eq!((answer.status, answer.location()), (303, PAGE), "twice is once");
    }
    assert_eq!(
        site.count("SELECT (SELECT COUNT(*) FROM two_factor) + (SELECT COUNT(*) FROM recovery_codes)").await,
        0
    );
    assert_eq!(site.count("SELECT COUNT(*) FROM audit WHERE kind = 'two_factor_turned_off'").await, 1);
    assert_eq!(site.browser().log_in("ada").await.location(), "/login/done");
    assert!(ada.page(PAGE).await.has_button("Set up"));
}

#[tokio::test]
async fn another_secret_before_it_is_on_replaces_the_first_and_afterwards_changes_nothing() {
    let site = Running::start_with_key().await;
    let mut ada = site.author("ada").await;
    ada.submit(PAGE, &[]).await;
    let first = App::with(&ada.page(PAGE).await.value_of("#secret"));
    ada.submit(PAGE, &[]).await;
    let answer = ada.submit("/account/two-factor/on", &[("code", &first.code(0))]).await;
    assert_eq!(answer.status, 422, "the first secret no longer counts");
    let (app, _) = turn_on(&mut ada).await;
    // Somebody begins to set up another, and does not finish.
    assert_eq!(ada.submit(PAGE, &[]).await.status, 303);
    forget_used_codes(&site).await;
    let mut browser = site.browser();
    ask_for_code(&mut browser, "ada").await;
    assert_eq!(enter(&mut browser, &app.code(0)).await.status, 303);
}

#[tokio::test]
async fn guesses_at_a_code_are_counted_for_the_account() {
    let site = Running::start_with_key().await;
    let mut ada = site.author("ada").await;
    let (app, _) = turn_on(&mut ada).await;
    let wrong = app.wrong_code();
    let mut statuses = Vec::new();
    let mut last = None;
    for _ in 0..6 {
        let mut browser = site.browser();
        browser.log_in("ada").await;
        let answer = enter(&mut browser, &wrong).await;
        statuses.push(answer.status);
        let is_paused = answer.status == 429;
        last = Some(answer);
        if is_paused {
            break;
        }
    }
    let last = last.expect("an answer");
    assert_eq!(statuses[0], 422, "{statuses:?}");
    assert_eq!(last.status, 429, "{statuses:?}");
    assert!(last.header("retry-after").parse::<u32>().is_ok_and(|seconds| seconds > 0));
}

#[tokio::test]
async fn a_site_without_a_key_says_that_it_has_no_second_factor() {
    let site = Running::start_with(|config| config.secret_key = SecretKeySource::Nowhere).await;
    let mut ada = site.author("ada").await;
    let page = ada.get(PAGE).await;
    assert!(page.text().contains("this site has no secret key") && !page.page().has_button("Set up"));
    let answer = ada.submit(PAGE, &[]).await;
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert_eq!(site.count("SELECT COUNT(*) FROM two_factor").await, 0);
}

#[tokio::test]
async fn any_process_finishes_a_login_that_another_began_and_a_code_counts_once_at_all_of_them() {
    let key = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(key.path(), KEY).expect("a key");
    let path = key.path().to_str().expect("a path");
    let database = postgres_database().await;
    let sites = Several::start(database, 2, &["--secret-key-file", path]).await;
    let ada = sites.author("ada").await;
    let [mut first, mut second] = [0, 1].map(|process| sites.at(&ada, process));
    first.submit(PAGE, &[]).await;
    let app = App::with(&second.page(PAGE).await.value_of("#secret"));
    let answer = first.submit("/account/two-factor/on", &[("code", &app.code(-1))]).await;
    let codes = answer.page().texts(".recovery-codes li");
    let mut browser = sites.at(&sites.browser(), 0);
    ask_for_code(&mut browser, "ada").await;
    let mut elsewhere = sites.at(&browser, 1);
    assert_eq!(enter(&mut elsewhere, &codes[0]).await.status, 303);
    let mut browser = sites.at(&sites.browser(), 1);
    ask_for_code(&mut browser, "ada").await;
    assert_eq!(enter(&mut sites.at(&browser, 0), &codes[0]).await.status, 422);
    sites.stop().await;
}
