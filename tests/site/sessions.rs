//! Sessions: who has one, and when it ends.

use axum::{body::Body, http::Method};
use byline::{
    accounts::domain::{Login, NewPassword, Password, service},
    clock,
    credentials::RequestSource,
    error::AppError,
};
use sha2::{Digest, Sha256};
use tower_sessions::session::Id;

use crate::support::{Answer, Client, Credential, PASSWORD, Running, in_time};

/// Whether the cookie still opens what is private.
async fn is_signed_in(client: &Client) -> bool {
    let by_call = client.as_script().get("/api/my_posts").await.status;
    let by_page = client.clone().get("/my-posts").await.status;
    match (by_call, by_page) {
        (200, 200) => true,
        (401, 303) => false,
        other => panic!("call and page disagree: {other:?}"),
    }
}

/// Name and attributes of the session cookie that an answer sets.
fn session_cookie(answer: &Answer) -> (String, Vec<String>) {
    let cookie = answer.cookies().find(|cookie| cookie.contains("sid")).expect("a session cookie");
    let mut parts = cookie.split(';').map(str::trim);
    let name = parts.next().and_then(|pair| pair.split_once('=')).expect("name=value").0.to_owned();
    let mut attributes: Vec<_> = parts
        .filter(|part| !part.starts_with("Max-Age") && !part.starts_with("Expires"))
        .map(str::to_owned)
        .collect();
    attributes.sort();
    (name, attributes)
}

#[tokio::test]
async fn a_session_id_from_before_the_login_is_invalid_after_it() {
    let site = Running::start().await;
    site.author("ada").await;
    let planted = Id::default().to_string();
    let mut victim = site.browser().with_sid(&planted);
    assert_eq!(victim.log_in("ada").await.status, 303);
    assert_ne!(victim.sid(), Some(planted.as_str()));
    assert!(is_signed_in(&victim).await);
    assert!(!is_signed_in(&site.browser().with_sid(&planted)).await, "the planted id is nobody's");

    // A session that the site itself began before the login: it keeps a text.
    let mut visitor = site.browser().with_sid(&planted);
    visitor.submit("/my-posts/new", &[("author", "ada"), ("title", "Kept")]).await;
    let before = visitor.sid().expect("a session of nobody").to_owned();
    assert_ne!(before, planted, "the site takes no id from outside");
    visitor.log_in("ada").await;
    assert_ne!(visitor.sid(), Some(before.as_str()));
    assert!(!is_signed_in(&site.browser().with_sid(&before)).await);

    // Whoever logs in once more leaves the first session behind, too.
    let first = visitor.sid().expect("a session").to_owned();
    visitor.log_in("ada").await;
    assert!(is_signed_in(&visitor).await);
    assert!(!is_signed_in(&site.browser().with_sid(&first)).await);
    assert_eq!(site.count("SELECT COUNT(*) FROM sessions WHERE user_id IS NULL").await, 0);
}

#[tokio::test]
async fn a_session_cannot_be_replayed_after_logout() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "").await;
    let stolen = ada.clone();
    assert!(is_signed_in(&stolen).await);
    let answer = ada.submit("/logout", &[]).await;
    assert_eq!((answer.status, answer.location(), ada.sid()), (303, "/", None));
    assert_eq!(ada.signed_in_as().await, None);
    assert_eq!(site.count("SELECT COUNT(*) FROM sessions").await, 0);
    assert!(!is_signed_in(&stolen).await);
    let answer = stolen.as_script().submit("/api/delete_post", &[("id", &post)]).await;
    assert_eq!((answer.status, answer.code().as_str()), (401, "not_signed_in"));
    assert!(site.stored_post(&post).await.is_some());
}

#[tokio::test]
async fn a_logout_ends_one_session_and_no_other() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let mut phone = site.browser();
    phone.log_in("ada").await;
    assert_eq!(ada.as_script().submit("/api/log_out", &[]).await.status, 200);
    assert!(!is_signed_in(&ada).await);
    assert!(is_signed_in(&phone).await);
    assert_eq!(site.browser().submit("/logout", &[]).await.status, 303, "logging out twice is no error");
}

#[tokio::test]
async fn a_program_logs_out_by_its_token_and_ends_every_token_of_the_family() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let log_out = async |by: &Credential| {
        let request = by.request(&site, Method::POST, "/api/log_out");
        site.exchange(request.body(Body::empty()).expect("a request")).await
    };
    let (ended, other) = (site.script().tokens("ada").await, site.token_of("ada").await);
    let session = Credential::session(&ada);
    let (key, _) = site.api_key_of(&ada).await;

    let before = site.dump().await;
    for by in [&key, &key.clone().beside(&session)] {
        let refused = log_out(by).await;
        assert_eq!((refused.status, refused.code().as_str()), (403, "read_only"), "{}", by.name);
    }
    assert_eq!(log_out(&Credential::token("a.b.c").beside(&session)).await.status, 401);
    assert_eq!(site.dump().await, before);

    let token = Credential::token(&ended.access);
    assert_eq!(log_out(&token.clone().beside(&session)).await.status, 200);
    assert_eq!(site.count("SELECT COUNT(*) FROM token_families").await, 1, "and no other family");
    assert_eq!(site.graphql(&token, "{ me { username } }").await.status, 401);
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", ended.refresh.as_str())];
    assert_eq!(site.script().submit("/api/token", &refresh).await.status, 400);
    assert_eq!(site.graphql(&other, "{ me { username } }").await.status, 200);
    assert!(is_signed_in(&ada).await, "a cookie beside a token is not looked at");
    assert_eq!(log_out(&token).await.status, 401, "it has ended already");
}

#[tokio::test]
async fn a_logout_ends_requests_that_are_still_being_sent() {
    let site = Running::start().await;
    for by_script in [true, false] {
        let mut ada = if by_script { site.author("ada").await } else { site.author("bob").await };
        let sender = if by_script { ada.as_script() } else { ada.clone() };
        let path = if by_script { "/api/create_post" } else { "/my-posts/new" };
        let slow = sender.submit_slowly(path).await;
        slow.write("title=Slow&");
        assert_eq!(ada.submit("/logout", &[]).await.status, 303);
        slow.write("content=Text");
        let answer = slow.finish().await;
        if by_script {
            assert_eq!((answer.status, answer.code().as_str()), (401, "not_signed_in"));
        } else {
            assert_eq!((answer.status, answer.location()), (303, "/login?next=/my-posts/new"));
        }
        assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 0);
        let signed_in = "SELECT COUNT(*) FROM sessions WHERE user_id IS NOT NULL";
        assert_eq!(site.count(signed_in).await, 0, "the session stays ended");
    }
}

#[tokio::test]
async fn a_session_id_does_not_stand_in_the_database() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let sid = ada.sid().expect("a session");
    let id: Id = sid.parse().expect("an id");
    assert!(sid.len() >= 22, "128 bits at least: {sid}");
    let bytes = site.bytes().await;
    let occurs = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
    assert!(occurs(b"ada@example.org"), "the search finds what is there");
    let in_hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let hash = Sha256::digest(id.0.to_le_bytes());
    assert!(occurs(&hash) || occurs(in_hex(&hash).as_bytes()), "the hash is there");
    let hex = in_hex(&id.0.to_le_bytes());
    for (form, needle) in [
        ("the cookie", sid.as_bytes()),
        ("its bytes", &id.0.to_le_bytes()),
        ("its bytes reversed", &id.0.to_be_bytes()),
        ("its number", id.0.to_string().as_bytes()),
        ("its bytes in hex", hex.as_bytes()),
    ] {
        assert!(!occurs(needle), "{form} stands in the database");
    }
}

#[tokio::test]
async fn a_session_ends_after_two_idle_hours_and_after_a_day_whatever_happens() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    for (statement, lives) in [
        ("UPDATE sessions SET last_seen_at = last_seen_at - 7140000000", true),
        ("UPDATE sessions SET last_seen_at = last_seen_at - 7200000000", false),
        ("UPDATE sessions SET created_at = created_at - 86340000000", true),
        ("UPDATE sessions SET created_at = created_at - 86400000000", false),
    ] {
        ada.log_in("ada").await;
        site.tamper(statement).await;
        assert_eq!(is_signed_in(&ada).await, lives, "{statement}");
        let answer = ada.as_script().submit("/api/create_post", &[("title", "Title")]).await;
        assert_eq!(answer.status, if lives { 200 } else { 401 }, "{statement}");
        site.tamper("DELETE FROM sessions").await;
    }
}

#[tokio::test]
async fn using_a_session_keeps_it_from_being_idle() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    site.tamper("UPDATE sessions SET last_seen_at = last_seen_at - 3600000000").await;
    let before = clock::now().micros();
    assert!(is_signed_in(&ada).await);
    in_time("the last use to be noted", async {
        while site.count("SELECT last_seen_at FROM sessions").await < before {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

#[tokio::test]
async fn the_session_cookie_is_kept_from_scripts_and_other_sites() {
    for (site, name, attributes) in [
        (Running::start().await, "sid-", vec!["HttpOnly", "Path=/", "SameSite=Lax"]),
        (
            Running::start_behind_https().await,
            "__Host-sid",
            vec!["HttpOnly", "Path=/", "SameSite=Lax", "Secure"],
        ),
    ] {
        let mut ada = site.browser();
        let expected_name = ada.session_cookie();
        assert!(expected_name.starts_with(name));
        let cookies = [
            ("sign-up", ada.sign_up("ada").await),
            ("login", ada.log_in("ada").await),
            ("logout", ada.submit("/logout", &[]).await),
        ];
        for (at, answer) in &cookies {
            assert_eq!(answer.status, 303, "{at}");
            let (found_name, found_attributes) = session_cookie(answer);
            assert_eq!(found_name, expected_name, "at {at}");
            assert_eq!(found_attributes, attributes, "at {at}");
        }
        let removal = cookies[2].1.cookies().find(|cookie| cookie.starts_with(name)).expect("a removal");
        assert!(removal.contains("Max-Age=0"), "{removal}");
    }
}

#[tokio::test]
async fn two_sites_on_one_host_do_not_log_each_other_out() {
    let (one, other) = (Running::start().await, Running::start().await);
    let ada = one.author("ada").await;
    let mut bob = ada.gone_to(&other.browser());
    assert_eq!(bob.page("/").await.signed_in_as(), None, "the other site knows nobody yet");
    assert_eq!(bob.sign_up("bob").await.status, 303);
    let mut ada = bob.gone_to(&ada);
    assert_eq!(ada.page("/").await.signed_in_as().as_deref(), Some("ada"));
    assert_eq!(ada.submit("/logout", &[]).await.status, 303);
    let mut bob = ada.gone_to(&bob);
    assert_eq!(bob.page("/").await.signed_in_as().as_deref(), Some("bob"));
    assert_eq!(
        bob.page("/").await.texts(".notice"),
        [""; 0],
        "what happened at the one is not said at the other"
    );
}

#[tokio::test]
async fn no_session_is_begun_for_reading() {
    let site = Running::start().await;
    site.author("ada").await.publish("Title", "").await;
    let mut reader = site.browser();
    for path in ["/", "/login", "/signup", "/my-posts", "/nope"] {
        assert_eq!(reader.get(path).await.cookies().count(), 0, "{path}");
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM sessions").await, 1);
}

#[tokio::test]
async fn a_text_sent_after_the_session_ended_is_back_in_the_editor_after_login() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Old title", "Old text").await;
    let edit = format!("/my-posts/{post}/edit");
    let (title, content) = ("A <title>", "\nA </textarea> text\n");
    for page in ["/my-posts/new", edit.as_str()] {
        site.tamper("UPDATE sessions SET last_seen_at = 0").await;
        let before = site.count("SELECT CAST(SUM(version) AS BIGINT) FROM posts").await;
        let fields = [("author", "ada"), ("title", title), ("content", content), ("version", "1")];
        let answer = ada.submit(page, &fields).await;
        assert_eq!((answer.status, answer.location()), (303, format!("/login?next={page}").as_str()));
        assert_eq!(
            site.count("SELECT CAST(SUM(version) AS BIGINT) FROM posts").await,
            before,
            "nothing is stored as a post"
        );
        assert!(!is_signed_in(&ada).await);

        let next = ada.page(answer.location()).await.value("next");
        let fields = [("identifier", "ada"), ("password", crate::support::PASSWORD), ("next", next.as_str())];
        let answer = ada.submit("/login", &fields).await;
        assert_eq!(ada.goes_on_to(&answer).await, page);
        let editor = ada.page(page).await;
        assert_eq!(
            (editor.value("title").as_str(), editor.text("#content").as_str()),
            (title, content),
            "{page}"
        );
        assert_eq!(editor.count(".notice[role=status]"), 1, "{page} says why");
        assert_ne!(ada.page(page).await.value("title"), title, "it comes back once");
    }
}

#[tokio::test]
async fn a_kept_text_is_shown_to_its_author_alone() {
    let site = Running::start().await;
    let mut browser = site.author("ada").await;
    site.author("bob").await;
    assert_eq!(browser.submit("/logout", &[]).await.status, 303);
    let fields = [("author", "ada"), ("title", "Private"), ("content", "Private")];
    assert_eq!(browser.submit("/my-posts/new", &fields).await.location(), "/login?next=/my-posts/new");
    let log_in = async |browser: &mut Client, name: &str| {
        let fields = [("identifier", name), ("password", crate::support::PASSWORD)];
        assert_eq!(browser.submit("/login", &fields).await.status, 303, "{name}");
    };
    log_in(&mut browser, "bob").await;
    assert_eq!(browser.page("/my-posts/new").await.value("title"), "");
    log_in(&mut browser, "ada").await;
    assert_eq!(browser.page("/my-posts/new").await.value("title"), "Private");
}

#[tokio::test]
async fn a_form_that_names_no_author_leaves_nothing_behind() {
    let site = Running::start().await;
    let before = site.dump().await;
    let answer = site.browser().submit("/my-posts/new", &[("title", "Spam"), ("content", "Spam")]).await;
    assert_eq!((answer.status, answer.cookies().count()), (303, 0));
    assert_eq!(site.dump().await, before);
}

#[tokio::test]
async fn a_broken_cookie_is_no_session_and_no_error() {
    let site = Running::start().await;
    for sid in ["x", "", "%00", "' OR 1=1 --", &"A".repeat(22), &"A".repeat(4000)] {
        let mut visitor = site.browser().with_sid(sid);
        assert_eq!(visitor.page("/").await.signed_in_as(), None, "{sid:?}");
        assert!(!is_signed_in(&visitor).await, "{sid:?}");
    }
}

#[tokio::test]
async fn a_login_under_way_does_not_outlive_a_new_password() {
    let site = Running::start().await;
    site.author("ada").await;
    let ada = Login::parse("ada").expect("a login");
    let old = Password::parse(PASSWORD).expect("a password");
    let authenticated = service::begin_log_in(&site.site, ada.clone(), old, &RequestSource::default())
        .await
        .expect("the password is right");
    let authenticated = authenticated.done().expect("no second factor");
    assert_eq!(authenticated.must_still_hold(&site.site).await, Ok(()));

    let new = NewPassword::parse("another long pass phrase", &[]).expect("a password");
    service::set_password(&site.site, &ada, new).await.expect("a new password");
    assert!(
        matches!(authenticated.must_still_hold(&site.site).await, Err(AppError::Invalid { .. })),
        "it is asked before anyone is in"
    );
    assert_eq!(site.count("SELECT COUNT(*) FROM sessions").await, 0, "whoever was in is out");
    assert_eq!(site.browser().log_in("ada").await.status, 422);
}
