//! Passkeys (security row F2), with an authenticator in software. What browsers do
//! with a passkey is tried by Playwright (`end2end/tests/passkeys.script.spec.ts`).

use serde_json::{Value, json};

use crate::support::{
    Answer, App, Client, Manner, PASSWORD, Running, Several, Smtp, SoftKey, postgres_database, until,
};

const PAGE: &str = "/account/passkeys";
/// How a device lies.
type Lie<'a> = &'a dyn Fn(&mut SoftKey);

const REFUSED: &str = "That passkey was not accepted. Try again, or log in in another way";

/// A site with a name, as passkeys need it, and that name.
async fn start() -> (Running, String) {
    let site = Running::start_with(|config| {
        let name = format!("http://localhost:{}", config.listen.port());
        config.public_url = name.parse().expect("a URL");
        Running::with_key(config);
    })
    .await;
    let origin = format!("http://localhost:{}", site.address.port());
    (site, origin)
}

/// Somebody who signs up at the site's name.
async fn author(site: &Running, origin: &str, username: &str) -> Client {
    let mut browser = site.browser().by_address(origin);
    assert_eq!(browser.sign_up(username).await.status, 303);
    browser
}

/// What the site asks a browser: the ceremony and the options.
async fn asked(client: &Client, path: &str) -> (String, Value) {
    let answer = client.as_script().submit_json(path, &json!({})).await;
    assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    let mut body = answer.json();
    (body["ceremony"].as_str().expect("a ceremony").to_owned(), body["options"].take())
}

/// Sends the form that the page's script fills in.
async fn send(client: &mut Client, path: &str, name: &str, ceremony: &str, credential: &Value) -> Answer {
    let credential = credential.to_string();
    let fields = [("name", name), ("ceremony", ceremony), ("credential", &credential)];
    client.submit(path, &fields).await
}

/// Adds a new passkey.
async fn add(client: &mut Client, origin: &str, name: &str) -> SoftKey {
    let mut key = SoftKey::at(origin);
    let (ceremony, options) = asked(client, "/api/begin_passkey").await;
    let made = key.make(&options);
    let answer = send(client, PAGE, name, &ceremony, &made).await;
    assert_eq!((answer.status, answer.location()), (303, PAGE), "{}", answer.text());
    key
}

/// Logs in with a passkey, as a browser without a session.
async fn log_in(site: &Running, origin: &str, key: &mut SoftKey) -> (Client, Answer) {
    let mut browser = site.browser().by_address(origin);
    let (ceremony, options) = asked(&browser, "/api/begin_passkey_log_in").await;
    let signed = key.sign(&options);
    let answer = send(&mut browser, "/login/passkey", "", &ceremony, &signed).await;
    (browser, answer)
}

fn assert_refused(answer: &Answer, about: &str) {
    assert_eq!(answer.status, 422, "{about}: {}", answer.text());
    let page = answer.page();
    assert_eq!(page.texts(".error-summary li"), [REFUSED], "{about}");
    assert_eq!(page.count("#passkey"), 1, "{about}: the summary links to the button");
}

#[tokio::test]
async fn a_person_adds_a_passkey_and_logs_in_with_it_alone_even_with_a_second_factor() {
    let (site, origin) = start().await;
    let mut ada = author(&site, &origin, "ada").await;
    let page = ada.page(PAGE).await;
    assert_eq!(page.texts("h1"), ["Passkeys"]);
    assert!(
        page.has_button("Add a passkey") && page.texts("main").concat().contains("You have no passkeys.")
    );
    let mut key = add(&mut ada, &origin, " My laptop ").await;
    let page = ada.page(PAGE).await;
    assert_eq!(page.texts("article h3"), ["My laptop"]);
    assert!(page.texts("article").concat().contains("never"));
    assert_eq!(site.text("SELECT kind FROM audit WHERE kind LIKE 'passkey%'").await, "passkey_added");

    ada.submit("/account/two-factor", &[]).await;
    let app = App::with(&ada.page("/account/two-factor").await.value_of("#secret"));
    assert_eq!(ada.submit("/account/two-factor/on", &[("code", &app.code(0))]).await.status, 200);

    let before = site.browser().by_address(&origin).page("/login").await;
    assert!(before.has_button("Log in with a passkey"));
    assert_eq!(before.attribute("#identifier", "autocomplete").as_deref(), Some("username webauthn"));
    let (mut browser, answer) = log_in(&site, &origin, &mut key).await;
    assert_eq!(browser.goes_on_to(&answer).await, "/my-posts");
    assert_eq!(browser.signed_in_as().await.as_deref(), Some("ada"));
    assert_eq!(site.count("SELECT COUNT(*) FROM passkeys WHERE last_used_at IS NOT NULL").await, 1);
    assert_eq!(site.count("SELECT COUNT(*) FROM passkey_ceremonies").await, 0);

    let mut script = site.browser().by_address(&origin).as_script();
    let (ceremony, options) = asked(&script, "/api/begin_passkey_log_in").await;
    let signed = key.sign(&options).to_string();
    let arguments = json!({ "ceremony": ceremony, "credential": signed });
    let answer = script.submit_json("/api/log_in_by_passkey", &arguments).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "username": "ada" })));
}

#[tokio::test]
async fn a_form_that_is_sent_twice_adds_one_passkey_and_says_yes_both_times() {
    let (site, origin) = start().await;
    let mut ada = author(&site, &origin, "ada").await;
    let mut key = SoftKey::at(&origin);
    let (ceremony, options) = asked(&ada, "/api/begin_passkey").await;
    let made = key.make(&options);
    for _ in 0..2 {
        let answer = send(&mut ada, PAGE, "Phone", &ceremony, &made).await;
        assert_eq!((answer.status, answer.location()), (303, PAGE), "{}", answer.text());
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM passkeys").await, 1);
    // The device is told what it has, so that it makes no second one.
    let (_, options) = asked(&ada, "/api/begin_passkey").await;
    assert_eq!(options["excludeCredentials"].as_array().map(Vec::len), Some(1), "{options}");
}

#[tokio::test]
async fn an_answer_counts_once_in_time_and_for_what_it_was_asked() {
    let (site, origin) = start().await;
    let mut ada = author(&site, &origin, "ada").await;
    let mut key = add(&mut ada, &origin, "Laptop").await;
    let mut browser = site.browser().by_address(&origin);
    let (ceremony, options) = asked(&browser, "/api/begin_passkey_log_in").await;
    let signed = key.sign(&options);
    assert_eq!(send(&mut browser, "/login/passkey", "", &ceremony, &signed).await.status, 303);

    let refused = async |ceremony: &str, signed: &Value, about: &str| {
        let mut browser = site.browser().by_address(&origin);
        assert_refused(&send(&mut browser, "/login/passkey", "", ceremony, signed).await, about);
        assert_eq!(browser.signed_in_as().await, None, "{about}");
    };
    refused(&ceremony, &signed, "sent again").await;
    let (other, _) = asked(&browser, "/api/begin_passkey_log_in").await;
    refused(&other, &signed, "the signature of another ceremony").await;
    let (late, options) = asked(&browser, "/api/begin_passkey_log_in").await;
    site.tamper("UPDATE passkey_ceremonies SET expires_at = expires_at - 300000000").await;
    refused(&late, &key.sign(&options), "after five minutes").await;
    let (confirmation, options) = asked(&ada, "/api/begin_passkey_confirmation").await;
    refused(&confirmation, &key.sign(&options), "asked for another purpose").await;
    let (adding, options) = asked(&ada, "/api/begin_passkey").await;
    let made = SoftKey::at(&origin).make(&options);
    refused(&adding, &made, "a new passkey").await;
    refused("unknown", &signed, "an unknown ceremony").await;
    // Nor does the answer of one person add a passkey to another's account.
    let mut eve = author(&site, &origin, "eve").await;
    assert_refused(&send(&mut eve, PAGE, "Stolen", &adding, &made).await, "another's ceremony");
    assert_eq!(site.count("SELECT COUNT(*) FROM passkeys").await, 1);
    // Nobody has lost a ceremony by that.
    assert_eq!(send(&mut ada, PAGE, "Second", &adding, &made).await.status, 303);
}

#[tokio::test]
async fn what_is_signed_elsewhere_or_by_another_key_is_refused() {
    let (site, origin) = start().await;
    let (mut ada, mut eve) = (author(&site, &origin, "ada").await, author(&site, &origin, "eve").await);
    let (key, eves) = (add(&mut ada, &origin, "Laptop").await, add(&mut eve, &origin, "Laptop").await);
    let lies: [(&str, Lie); 8] = [
        ("another site", &|key| key.origin = "http://evil.example".to_owned()),
        ("another port", &|key| key.origin = "http://localhost:1".to_owned()),
        ("https instead of http", &|key| key.origin = key.origin.replace("http:", "https:")),
        ("a page within another site's", &|key| key.cross_origin = true),
        ("another relying party", &|key| key.rp_id = Some("evil.example".to_owned())),
        ("nobody verified", &|key| key.verifies_user = false),
        ("another private key", &|key| *key = key.clone().with_another_key()),
        ("her passkey as ada's", &|_| ()),
    ];
    for (about, lie) in lies {
        let mut liar =
            if about.starts_with("her") { eves.clone().claiming_to_be_of(&key) } else { key.clone() };
        liar.counter += 10;
        lie(&mut liar);
        let (mut browser, answer) = log_in(&site, &origin, &mut liar).await;
        assert_refused(&answer, about);
        assert_eq!(browser.signed_in_as().await, None, "{about}");
    }
    for (about, lie) in lies.iter().filter(|(about, _)| !about.contains("key")) {
        let mut liar = SoftKey::at(&origin);
        lie(&mut liar);
        let (ceremony, options) = asked(&ada, "/api/begin_passkey").await;
        let made = liar.make(&options);
        assert_refused(&send(&mut ada, PAGE, "Phone", &ceremony, &made).await, about);
    }
    for wrong in ["", "{}", "[]", "null", "{\"id\":1}", "x"] {
        let (ceremony, _) = asked(&ada, "/api/begin_passkey_log_in").await;
        let mut browser = site.browser().by_address(&origin);
        let fields = [("ceremony", ceremony.as_str()), ("credential", wrong)];
        assert_eq!(browser.submit("/login/passkey", &fields).await.status, 422, "{wrong}");
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM passkeys").await, 2);
}

#[tokio::test]
async fn a_copied_passkey_is_refused_and_written_down() {
    let (site, origin) = start().await;
    let mut ada = author(&site, &origin, "ada").await;
    let mut key = add(&mut ada, &origin, "Laptop").await;
    let mut copy = key.clone();
    for _ in 0..2 {
        assert_eq!(log_in(&site, &origin, &mut key).await.1.status, 303);
    }
    let (mut thief, answer) = log_in(&site, &origin, &mut copy).await;
    assert_refused(&answer, "its counter is behind");
    assert_eq!(thief.signed_in_as().await, None);
    assert_eq!(site.count("SELECT COUNT(*) FROM audit WHERE kind = 'passkey_refused'").await, 1);
    // A copy that tries again would catch up. So nobody can use that passkey any more.
    copy.counter += 10;
    assert_refused(&log_in(&site, &origin, &mut copy).await.1, "its counter has caught up");
    assert_refused(&log_in(&site, &origin, &mut key).await.1, "the site does not know which is the copy");
    assert!(ada.page(PAGE).await.texts("article").concat().contains("This passkey was copied"));
    assert_eq!(site.count("SELECT COUNT(*) FROM audit WHERE kind = 'passkey_refused'").await, 1);
}

#[tokio::test]
async fn a_passkey_that_was_removed_opens_nothing_and_only_its_owner_removes_it() {
    let (site, origin) = start().await;
    let (mut ada, mut eve) = (author(&site, &origin, "ada").await, author(&site, &origin, "eve").await);
    let mut key = add(&mut ada, &origin, "Laptop").await;
    let link = ada.page(PAGE).await.link("Remove").expect("a link");
    assert_eq!(eve.get(&link).await.status, 404);
    eve.submit(&link, &[]).await;
    assert_eq!(site.count("SELECT COUNT(*) FROM passkeys").await, 1, "it is not hers");
    assert_eq!(log_in(&site, &origin, &mut key).await.1.status, 303);

    assert!(ada.page(&link).await.has_button("Remove passkey"));
    for _ in 0..2 {
        let answer = ada.submit(&link, &[]).await;
        assert_eq!((answer.status, answer.location()), (303, PAGE), "twice is once");
    }
    assert_refused(&log_in(&site, &origin, &mut key).await.1, "it was removed");
    assert_eq!(site.count("SELECT COUNT(*) FROM audit WHERE kind = 'passkey_removed'").await, 1);
}

#[tokio::test]
async fn an_account_does_without_a_password_once_it_has_two_passkeys() {
    let (site, origin) = start().await;
    let mut ada = author(&site, &origin, "ada").await;
    let mut first = add(&mut ada, &origin, "Laptop").await;
    const DROP: &str = "/account/passkeys/without-password";
    assert!(!ada.page(PAGE).await.has_button("Remove my password"));
    let answer = ada.submit(DROP, &[]).await;
    assert_eq!(answer.status, 422);
    assert_eq!(
        answer.page().texts(".error-summary li"),
        ["You need two passkeys before you can do without a password"]
    );
    add(&mut ada, &origin, "Phone").await;
    assert!(ada.page(PAGE).await.has_button("Remove my password"));
    for _ in 0..2 {
        assert_eq!(ada.submit(DROP, &[]).await.status, 303);
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM audit WHERE kind = 'password_removed'").await, 1);
    let mut browser = site.browser().by_address(&origin);
    assert_eq!(browser.log_in("ada").await.status, 422, "the password no longer counts");
    assert_eq!(log_in(&site, &origin, &mut first).await.1.status, 303);

    let link = ada.page(PAGE).await.link("Remove").expect("a link");
    let answer = ada.submit(&link, &[]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("You have no password, so you need two passkeys."));
    assert_eq!(site.count("SELECT COUNT(*) FROM passkeys").await, 2);
    add(&mut ada, &origin, "Key").await;
    assert_eq!(ada.submit(&link, &[]).await.status, 303);
    assert_eq!(site.count("SELECT COUNT(*) FROM passkeys").await, 2);

    const SET: &str = "/account/passkeys/password";
    assert!(ada.page(PAGE).await.has_button("Set password"));
    assert_eq!(ada.submit(SET, &[("new_password", "short")]).await.status, 422);
    assert_eq!(ada.submit(SET, &[("new_password", PASSWORD)]).await.status, 303);
    assert_eq!(ada.submit(SET, &[("new_password", "another battery staple horse")]).await.status, 403);
    let mut browser = site.browser().by_address(&origin);
    assert_eq!(browser.log_in("ada").await.status, 303, "the password counts again");
    let link = ada.page(PAGE).await.link("Remove").expect("a link");
    assert_eq!(ada.submit(&link, &[]).await.status, 303, "so one passkey is enough");
}

#[tokio::test]
async fn a_passkey_shows_as_a_password_does_that_it_is_the_person() {
    let (site, origin) = start().await;
    let (mut ada, mut eve) = (author(&site, &origin, "ada").await, author(&site, &origin, "eve").await);
    assert!(!ada.page("/account/confirm").await.has_button("Use a passkey"), "there is none yet");
    let (mut key, mut eves) = (add(&mut ada, &origin, "Laptop").await, add(&mut eve, &origin, "Phone").await);
    site.forget_confirmations().await;
    for path in
        ["/api/begin_passkey", "/api/set_up_two_factor", "/api/turn_off_two_factor", "/api/drop_password"]
    {
        let answer = ada.as_script().submit_json(path, &json!({})).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "confirm_identity"), "{path}");
    }
    let answer = ada.get("/account/two-factor").await;
    assert_eq!((answer.status, answer.location()), (303, "/account/confirm?next=/account/two-factor"));
    assert!(ada.page(answer.location()).await.has_button("Use a passkey"));

    let confirm = async |client: &mut Client, key: &mut SoftKey| {
        let (ceremony, options) = asked(client, "/api/begin_passkey_confirmation").await;
        let credential = key.sign(&options).to_string();
        let fields =
            [("ceremony", ceremony.as_str()), ("credential", &credential), ("next", "/account/two-factor")];
        client.submit("/account/confirm/passkey", &fields).await
    };
    assert_refused(&confirm(&mut ada, &mut eves).await, "another's passkey");
    assert_eq!(ada.get("/account/two-factor").await.status, 303);
    let before = ada.sid().map(str::to_owned);
    let answer = confirm(&mut ada, &mut key).await;
    assert_eq!((answer.status, answer.location()), (303, "/account/two-factor"));
    assert_ne!(ada.sid().map(str::to_owned), before, "the session has a new id");
    assert!(ada.page("/account/two-factor").await.has_button("Set up"));
    let noted = "SELECT credential FROM audit WHERE kind = 'identity_confirmed'";
    assert_eq!(site.text(noted).await, "passkey");
    assert_eq!(eve.get("/account/two-factor").await.status, 303, "nobody else has shown anything");
}

#[tokio::test]
async fn the_owner_of_an_account_is_told_of_its_passkeys_and_of_its_second_factor() {
    let server = Smtp::start(Manner::Takes).await;
    let settings = server.settings();
    let site = Running::start_with(|config| {
        settings(config);
        Running::with_key(config);
        config.public_url = format!("http://localhost:{}", config.listen.port()).parse().expect("a URL");
    })
    .await;
    let origin = format!("http://localhost:{}", site.address.port());
    let mut ada = site.browser().by_address(&origin);
    let answer = ada.sign_up("ada").await;
    let id = answer.location().strip_prefix("/verify-email?sign_up=").expect("on to the code").to_owned();
    let code = server.mails(1).await[0].code();
    assert_eq!(ada.submit("/verify-email", &[("sign_up", &id), ("code", &code)]).await.status, 303);
    add(&mut ada, &origin, "Laptop & co").await;
    let arrived = async |subject: &str| {
        let find = || server.arrived().into_iter().find(|mail| mail.header("Subject") == subject);
        until(subject, async || find().is_some()).await;
        let mail = find().expect("it is there");
        assert_eq!(mail.to, "ada@example.org");
        mail.plain()
    };
    let told = arrived("A passkey was added to your account").await;
    assert!(told.contains("The passkey “Laptop & co” was added"), "{told}");
    let link = ada.page(PAGE).await.link("Remove").expect("a link");
    assert_eq!(ada.submit(&link, &[]).await.status, 303);
    arrived("A passkey was removed from your account").await;
    ada.submit("/account/two-factor", &[]).await;
    let app = App::with(&ada.page("/account/two-factor").await.value_of("#secret"));
    let answer = ada.submit("/account/two-factor/on", &[("code", &app.code(0))]).await;
    let codes = answer.page().texts(".recovery-codes li");
    arrived("Two-factor authentication is on").await;
    let mut browser = site.browser().by_address(&origin);
    browser.log_in("ada").await;
    assert_eq!(browser.submit("/login/code", &[("code", &codes[0])]).await.status, 303);
    let told = arrived("A recovery code was used").await;
    assert!(told.contains("9 are left"), "{told}");
    assert_eq!(ada.submit("/account/two-factor/off", &[]).await.status, 303);
    arrived("Two-factor authentication is off").await;
}

#[tokio::test]
async fn without_script_the_pages_say_what_is_missing() {
    let (site, origin) = start().await;
    let mut ada = author(&site, &origin, "ada").await;
    let words = "Passkeys need JavaScript, and your browser has not run this page's script";
    let mut stranger = site.browser().by_address(&origin);
    let answer = stranger.submit("/login/passkey", &[("ceremony", ""), ("credential", "")]).await;
    assert_eq!((answer.status, answer.page().texts(".error-summary li")), (422, vec![words.to_owned()]));
    let fields = [("name", "Laptop"), ("ceremony", ""), ("credential", "")];
    let answer = ada.submit(PAGE, &fields).await;
    assert_eq!((answer.status, answer.page().texts(".error-summary li")), (422, vec![words.to_owned()]));
    assert_eq!(answer.page().value("name"), "Laptop");
    let answer = ada.submit(PAGE, &[("name", " "), ("ceremony", ""), ("credential", "")]).await;
    answer.page().assert_problem("name", "Enter a name for the key");
    for (client, path) in [(&mut stranger, "/login"), (&mut ada, PAGE)] {
        let answer = client.get(path).await;
        assert!(answer.text().contains("<noscript><p>Passkeys need JavaScript"), "{path}");
    }
}

#[tokio::test]
async fn a_site_that_is_only_a_number_says_that_it_has_no_passkeys() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let page = ada.page(PAGE).await;
    assert!(
        page.texts("main").concat().contains("Passkeys need a site with a name")
            && !page.has_button("Add a passkey")
    );
    assert!(!site.browser().page("/login").await.has_button("Log in with a passkey"));
    for path in ["/api/begin_passkey", "/api/begin_passkey_log_in", "/api/begin_passkey_confirmation"] {
        assert_eq!(ada.as_script().submit_json(path, &json!({})).await.status, 400, "{path}");
    }
    // By http, browsers have passkeys on this machine alone.
    let site =
        Running::start_with(|config| config.public_url = "http://byline.example".parse().expect("a URL"))
            .await;
    let mut visitor = site.browser().by_address("http://byline.example");
    assert!(!visitor.page("/login").await.has_button("Log in with a passkey"));
    let site = Running::start_behind_https().await;
    assert!(site.browser().page("/login").await.has_button("Log in with a passkey"));
}

#[tokio::test]
async fn one_client_has_a_limited_number_of_questions_open_and_keeps_nobody_else_from_theirs() {
    let (site, origin) = start().await;
    let mut ada = author(&site, &origin, "ada").await;
    let mut key = add(&mut ada, &origin, "Laptop").await;
    site.tamper(
        "INSERT INTO passkey_ceremonies (id_hash, kind, client, state, expires_at)
         SELECT credential_id, 'log in', '203.0.113.7', '{}', 1 FROM passkeys",
    )
    .await;
    let stranger = site.browser().by_address(&origin);
    for _ in 0..60 {
        asked(&stranger, "/api/begin_passkey_log_in").await;
    }
    let mine = "SELECT COUNT(*) FROM passkey_ceremonies WHERE client = '127.0.0.1'";
    assert_eq!(site.count(mine).await, 50);
    assert_eq!(site.count("SELECT COUNT(*) FROM passkey_ceremonies WHERE client = '203.0.113.7'").await, 1);
    assert_eq!(log_in(&site, &origin, &mut key).await.1.status, 303, "the newest one counts");
}

#[tokio::test]
async fn any_process_ends_what_another_began_and_none_takes_an_answer_twice() {
    let database = postgres_database().await;
    let sites = Several::start_called(database, 2, "localhost", &[]).await;
    let origin = sites.origin().to_owned();
    let mut ada = sites.browser().by_address(&origin);
    let email = "ada@example.org";
    assert_eq!(
        ada.submit("/signup", &[("username", "ada"), ("email", email), ("password", PASSWORD)]).await.status,
        303
    );
    let [first, second] = [0, 1].map(|process| sites.at(&ada, process));
    let mut key = SoftKey::at(&origin);
    let (ceremony, options) = asked(&first, "/api/begin_passkey").await;
    let made = key.make(&options);
    assert_eq!(send(&mut second.clone(), PAGE, "Laptop", &ceremony, &made).await.status, 303);
    let visitor = sites.browser().by_address(&origin);
    let (ceremony, options) = asked(&sites.at(&visitor, 1), "/api/begin_passkey_log_in").await;
    let signed = key.sign(&options);
    let answers = [0, 1].map(|process| {
        let mut browser = sites.at(&visitor, process);
        let (ceremony, signed) = (ceremony.clone(), signed.clone());
        async move { send(&mut browser, "/login/passkey", "", &ceremony, &signed).await.status }
    });
    let mut statuses = futures::future::join_all(answers).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422]);
    sites.stop().await;
}
