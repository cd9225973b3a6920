//! API keys: what programs read with (security row K1).

use axum::http::{
    Method,
    header::{ACCEPT, CONTENT_TYPE},
};
use byline::{
    accounts::{ApiKeyDays, ApiKeyName, ListedApiKey, domain::api_keys},
    credentials::{
        Caller, HeaderCredential, RequestSource,
        api_key::{self, ApiKeyId, VerifiedKey, public_key, still_holds},
    },
    error::AppError,
    site::Site,
};
use futures::future::join_all;

use crate::support::{Answer, Byline, Client, Credential, PASSWORD, Running, TestDatabase, until};

fn wanted(name: &str, days: &str) -> api_keys::Wanted {
    api_keys::Wanted {
        name: ApiKeyName::parse(name).expect("a name"),
        days: ApiKeyDays::parse(days).expect("days"),
    }
}

fn source() -> RequestSource {
    RequestSource::default()
}

fn id_of(listed: &ListedApiKey) -> ApiKeyId {
    ApiKeyId::parse(&listed.id).expect("an id")
}

async fn caller(site: &Running, username: &str) -> Caller {
    Caller::operator(site.user(username).await)
}

/// A new key of a new author.
async fn key_of(site: &Running, username: &str) -> byline::accounts::NewApiKey {
    site.author(username).await;
    let caller = caller(site, username).await;
    api_keys::create(&site.site, &caller, Ok(wanted("Reader", "1")), Ok(None), &source())
        .await
        .expect("a key")
}

async fn verify(site: &Site, key: &str) -> Option<VerifiedKey> {
    api_key::verify(site, &key.into()).await.expect("an answer")
}

#[tokio::test]
async fn a_key_holds_until_it_is_revoked_and_is_refused_at_once() {
    let site = Running::start().await;
    let made = key_of(&site, "ada").await;
    let verified = verify(&site.site, &made.key).await.expect("it holds");
    assert_eq!((&verified.id, verified.expires_at), (&made.listed.id, made.listed.expires_at));
    assert_eq!(still_holds(&site.site, &verified).await, Ok(true));

    let ada = caller(&site, "ada").await;
    api_keys::revoke(&site.site, &ada, Some(id_of(&made.listed)), Ok(None), &source())
        .await
        .expect("it is revoked");
    assert_eq!(verify(&site.site, &made.key).await, None);
    assert_eq!(still_holds(&site.site, &verified).await, Ok(false));
    assert_eq!(site.count("SELECT COUNT(*) FROM api_keys").await, 0);
}

#[tokio::test]
async fn an_expired_key_is_refused_at_once_and_stays_in_the_list() {
    let site = Running::start().await;
    let made = key_of(&site, "ada").await;
    site.tamper("UPDATE api_keys SET expires_at = created_at").await;
    assert_eq!(verify(&site.site, &made.key).await, None);
    let verified = VerifiedKey { id: made.listed.id, expires_at: made.listed.expires_at };
    assert_eq!(still_holds(&site.site, &verified).await, Ok(false));
    let listed = api_keys::list(&site.site, &caller(&site, "ada").await.actor).await.expect("a list");
    assert_eq!(listed.len(), 1);
}

#[tokio::test]
async fn a_malformed_key_is_refused_without_a_query() {
    let site = Running::start().await;
    let key = key_of(&site, "ada").await.key;
    site.site.database.close().await;
    let misspelt = format!("{}{}", &key[..41], if key.ends_with('x') { "y" } else { "x" });
    for text in [misspelt.as_str(), "", "byl_", "da2-abcdefghijklmnopqrstuvwxyz", &key[..41]] {
        assert_eq!(verify(&site.site, text).await, None, "{text:?}");
    }
    let asked = api_key::verify(&site.site, &key.into()).await;
    assert!(asked.is_err(), "a well-formed one is looked up: {asked:?}");
}

#[tokio::test]
async fn the_use_of_a_key_is_noted_once_a_minute() {
    let site = Running::start().await;
    let made = key_of(&site, "ada").await;
    let last_used = async || site.count("SELECT COALESCE(MAX(last_used_at), 0) FROM api_keys").await;
    assert_eq!(last_used().await, 0);
    verify(&site.site, &made.key).await.expect("it holds");
    until("the first use to be noted", async || last_used().await > 0).await;
    let first = last_used().await;
    for _ in 0..5 {
        verify(&site.site, &made.key).await.expect("it holds");
    }
    // Writes come one after the other, or each at its time: this one is behind whatever they noted.
    site.author("bob").await;
    assert_eq!(last_used().await, first, "within the minute nothing is written");
    // A key that is changed is looked up anew; otherwise what was noted is known.
    site.tamper("UPDATE api_keys SET last_used_at = last_used_at - 61000000, hash = hash").await;
    until("a later use to be noted", async || {
        verify(&site.site, &made.key).await.expect("it holds");
        last_used().await >= first
    })
    .await;
}

#[tokio::test]
async fn a_person_has_twenty_keys_at_most_however_fast_they_ask() {
    let site = Running::start().await;
    site.author("ada").await;
    let ada = caller(&site, "ada").await;
    let all = (0..30).map(|number| {
        let (site, ada) = (site.site.clone(), ada.clone());
        async move {
            loop {
                match api_keys::create(
                    &site,
                    &ada,
                    Ok(wanted(&format!("Key {number}"), "1")),
                    Ok(None),
                    &source(),
                )
                .await
                {
                    // Told to come again, they do.
                    Err(AppError::WriteConflict | AppError::Busy { .. }) => {}
                    answer => return answer,
                }
            }
        }
    });
    let answers = join_all(all).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 20, "{answers:?}");
    for answer in answers {
        if let Err(error) = answer {
            assert!(error.status() == 422, "{error:?}");
        }
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM api_keys").await, 20);

    site.tamper("UPDATE api_keys SET expires_at = 0 WHERE name = (SELECT MIN(name) FROM api_keys)").await;
    api_keys::create(&site.site, &ada, Ok(wanted("One more", "1")), Ok(None), &source())
        .await
        .expect("only living ones count");
}

#[tokio::test]
async fn anothers_key_is_neither_seen_nor_revoked() {
    let site = Running::start().await;
    let made = key_of(&site, "ada").await;
    site.author("bob").await;
    let bob = caller(&site, "bob").await;
    assert_eq!(api_keys::list(&site.site, &bob.actor).await, Ok(Vec::new()));
    let id = id_of(&made.listed);
    assert_eq!(
        api_keys::revoke(&site.site, &bob, Some(id.clone()), Ok(None), &source()).await,
        Err(AppError::NotFound)
    );
    let program = HeaderCredential::ApiKey(made.key.clone().into()).caller(&site.site).await.expect("a key");
    for (caller, error) in [(Caller::anonymous(), AppError::NotSignedIn), (program, AppError::ReadOnly)] {
        let create = api_keys::create(&site.site, &caller, Ok(wanted("x", "1")), Ok(None), &source()).await;
        assert_eq!(create, Err(error.clone()));
        assert_eq!(api_keys::list(&site.site, &caller.actor).await, Err(error.clone()));
        assert_eq!(
            api_keys::revoke(&site.site, &caller, Some(id.clone()), Ok(None), &source()).await,
            Err(error)
        );
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM api_keys").await, 1);
    verify(&site.site, &made.key).await.expect("it still holds");
}

#[tokio::test]
async fn the_newest_public_key_that_holds_can_be_written_again() {
    let site = Running::start().await;
    assert_eq!(public_key(&site.site).await, Ok(None));
    key_of(&site, "ada").await;
    assert_eq!(public_key(&site.site).await, Ok(None), "a person's key is not public");
    let older = site.public_key_called("Older").await;
    let newer = site.public_key_called("Newer").await;
    key_of(&site, "bob").await;
    assert_eq!(public_key(&site.site).await, Ok(Some(newer.key.clone())));
    verify(&site.site, &newer.key).await.expect("it holds");
    api_keys::revoke_any(&site.site, id_of(&newer.listed)).await.expect("it is revoked");
    assert_eq!(public_key(&site.site).await, Ok(Some(older.key)));
    site.tamper("UPDATE api_keys SET expires_at = 0 WHERE name = 'Older'").await;
    assert_eq!(public_key(&site.site).await, Ok(None));
}

const PAGE: &str = "/account/api-keys";

/// Fills in the form; returns the page with the key.
async fn make(browser: &mut Client, name: &str, days: &str, wish: &str) -> Answer {
    browser.submit(PAGE, &[("name", name), ("days", days), ("idempotency_key", wish)]).await
}

#[tokio::test]
async fn a_new_key_is_shown_once_and_stored_nowhere() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let empty = ada.page(PAGE).await;
    assert_eq!(empty.texts("h1"), ["API keys"]);
    assert_eq!(empty.texts(".empty p"), ["You have no API keys."]);
    assert_eq!(empty.value("days"), "90");
    assert_eq!(empty.texts("header a[aria-current=true] strong"), ["ada"], "the name leads here");

    let answer = make(&mut ada, " Reader ", "7", &empty.value("idempotency_key")).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    let page = answer.page();
    let key = page.attribute("#new-key[readonly]", "value").expect("the key");
    assert!(page.texts(".new-key").concat().contains("It will not be shown again"));
    assert_eq!(page.texts(".entry h3"), ["Reader"]);
    assert_eq!(page.texts(".facts code"), [&key[..8]]);
    assert_ne!(page.value("idempotency_key"), empty.value("idempotency_key"), "the next is another wish");
    verify(&site.site, &key).await.expect("it holds");
    let days = site.count("SELECT (expires_at - created_at) / 86400000000 FROM api_keys").await;
    assert_eq!(days, 7);

    let later = ada.get(PAGE).await;
    assert_eq!(later.page().texts(".entry h3"), ["Reader"]);
    assert!(!later.text().contains(&key[8..]), "it is not shown again");
    let stored = site.bytes().await;
    assert!(!stored.windows(10).any(|part| part == &key.as_bytes()[8..18]), "it is not stored");
}

#[tokio::test]
async fn a_form_sent_twice_makes_one_key_and_shows_it_both_times() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let wish = ada.page(PAGE).await.value("idempotency_key");
    let twice = join_all((0..2).map(|_| {
        let (mut ada, wish) = (ada.clone(), wish.clone());
        async move { make(&mut ada, "Reader", "7", &wish).await.page().value_of("#new-key") }
    }));
    let keys = twice.await;
    assert_eq!(keys[0], keys[1]);
    verify(&site.site, &keys[0]).await.expect("it holds");
    assert_eq!(site.count("SELECT COUNT(*) FROM api_keys").await, 1);
    let remembered = site.dump().await;
    assert!(!remembered.contains(&wish), "what the key is made from is not stored either");

    let mut bob = site.author("bob").await;
    let of_bob = make(&mut bob, "Reader", "7", &wish).await.page().value_of("#new-key");
    assert_ne!(of_bob, keys[0], "another's wish is another, whatever it is called");

    let id = verify(&site.site, &keys[0]).await.expect("it holds").id;
    assert_eq!(ada.submit(&format!("{PAGE}/{id}/revoke"), &[]).await.status, 303);
    assert_eq!(make(&mut ada, "Reader", "7", &wish).await.status, 404, "a revoked key does not come back");
    site.tamper("DELETE FROM idempotency_keys").await;
    let anew = make(&mut ada, "Reader", "7", &wish).await.page().value_of("#new-key");
    assert_ne!(anew, keys[0], "nor does it when the wish is long forgotten");
    assert_eq!(verify(&site.site, &keys[0]).await, None);
}

#[tokio::test]
async fn what_breaks_a_rule_comes_back_with_what_was_typed() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let days = "Enter a whole number of days from 1 to 365";
    let long = "x".repeat(61);
    for (name, typed, field, message) in [
        ("Reader", "0", "days", days),
        ("Reader", "366", "days", days),
        ("Reader", "", "days", days),
        ("Reader", "1.5", "days", days),
        ("Reader", "a year", "days", days),
        ("", "7", "name", "Enter a name for the key"),
        (" \u{200b}", "7", "name", "Enter a name for the key"),
        (&long, "7", "name", "Name must be 60 characters or fewer; this one has 61"),
        ("a\nb", "7", "name", "Name must be a single line without control characters"),
    ] {
        let answer = make(&mut ada, name, typed, "").await;
        assert_eq!(answer.status, 422, "{name:?} {typed:?}");
        let page = answer.page();
        assert_eq!(page.title(), "Error: API keys");
        page.assert_problem(field, message);
        assert_eq!((page.value("name").as_str(), page.value("days").as_str()), (name, typed));
        let call = serde_json::json!({ "name": name, "days": typed });
        let answer = ada.as_script().submit_json("/api/create_api_key", &call).await;
        assert_eq!((answer.status, answer.code().as_str()), (422, "invalid"), "{name:?} {typed:?}");
    }
    assert_eq!(make(&mut ada, "", "0", "").await.page().count(".error-summary li"), 2);
    assert_eq!(site.count("SELECT COUNT(*) FROM api_keys").await, 0);

    for number in 0..20 {
        assert_eq!(make(&mut ada, &format!("Key {number}"), "365", "").await.status, 200);
    }
    let one_more = make(&mut ada, "One more", "1", "").await;
    assert_eq!(one_more.status, 422);
    let message = "You have 20 keys, and that is as many as there can be. Revoke one first";
    one_more.page().assert_problem("name", message);
    assert_eq!(site.count("SELECT COUNT(*) FROM api_keys").await, 20);
}

#[tokio::test]
async fn a_person_revokes_a_key_after_being_asked() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let key = make(&mut ada, "Reader", "7", "").await.page().value_of("#new-key");
    make(&mut ada, "Writer", "7", "").await;
    let id = verify(&site.site, &key).await.expect("it holds").id;
    let path = format!("{PAGE}/{id}/revoke");
    assert!(ada.page(PAGE).await.attributes("a.danger", "href").contains(&path));

    let question = ada.page(&path).await;
    assert_eq!(question.texts("h1"), ["Revoke this key?"]);
    assert!(question.texts(".message p").concat().contains("Reader"));
    verify(&site.site, &key).await.expect("asking revokes nothing");

    let wish = question.value("idempotency_key");
    for _ in 0..2 {
        let answer = ada.submit(&path, &[("idempotency_key", &wish)]).await;
        assert_eq!((answer.status, answer.location()), (303, PAGE), "sent twice, revoked once");
        let page = ada.page(PAGE).await;
        assert_eq!(page.texts(".notice p"), ["The key is revoked."]);
        assert_eq!(page.texts(".entry h3"), ["Writer"]);
    }
    assert_eq!(verify(&site.site, &key).await, None);
    assert_eq!(ada.submit(&path, &[("idempotency_key", "another")]).await.status, 404);
    assert_eq!(site.count("SELECT COUNT(*) FROM api_keys").await, 1);
}

#[tokio::test]
async fn only_its_owner_has_a_page_for_a_key() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let key = make(&mut ada, "Secret name", "7", "").await.page().value_of("#new-key");
    let id = verify(&site.site, &key).await.expect("it holds").id;
    let path = format!("{PAGE}/{id}/revoke");
    until("the use to be noted", async || {
        site.count("SELECT COUNT(*) FROM api_keys WHERE last_used_at IS NOT NULL").await == 1
    })
    .await;
    let before = site.text("SELECT id || name FROM api_keys").await;

    let mut bob = site.author("bob").await;
    for answer in [bob.get(&path).await, bob.submit(&path, &[]).await, bob.get(PAGE).await] {
        assert!(!answer.text().contains("Secret name"), "{}", answer.text());
    }
    assert_eq!(bob.get(&path).await.status, 404);
    assert_eq!(bob.submit(&path, &[]).await.status, 404);
    let mut script = bob.as_script();
    assert_eq!(script.submit("/api/revoke_api_key", &[("id", &id)]).await.status, 404);
    assert_eq!(script.get("/api/my_api_keys").await.text(), "[]");
    // Whose the key will be is never taken from the form.
    let foreign = [("name", "x"), ("days", "1"), ("user_id", "ada"), ("owner", "ada"), ("id", &id)];
    assert_eq!(script.submit("/api/create_api_key", &foreign).await.status, 200);
    let owner = "SELECT u.username FROM api_keys k JOIN users u ON u.id = k.user_id WHERE k.name = 'x'";
    assert_eq!(site.text(owner).await, "bob");

    let mut nobody = site.browser();
    for (path, next) in [(PAGE, PAGE), (path.as_str(), path.as_str())] {
        let login = format!("/login?next={next}");
        for answer in [nobody.get(path).await, nobody.submit(path, &[("name", ""), ("days", "0")]).await] {
            assert_eq!((answer.status, answer.location()), (303, login.as_str()), "{path}");
        }
    }
    let mut script = site.script();
    for path in ["/api/create_api_key", "/api/revoke_api_key"] {
        let fields = [("id", id.as_str()), ("name", "x"), ("days", "1")];
        assert_eq!(script.submit(path, &fields).await.status, 401, "{path}");
    }
    assert_eq!(script.get("/api/my_api_keys").await.status, 401);
    assert_eq!(site.text("SELECT id || name FROM api_keys WHERE name <> 'x'").await, before);
}

#[tokio::test]
async fn the_page_of_a_form_is_for_its_sender_with_any_credential() {
    let site = Running::start().await;
    site.author("ada").await;
    let bob = site.author("bob").await;
    let submit = async |by: &Credential, fields: &str| {
        let request = by.request(&site, Method::POST, PAGE).header(ACCEPT, "text/html");
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        site.exchange(request.body(fields.to_owned().into()).expect("a request")).await
    };
    let token = site.token_of("ada").await;
    let made = submit(&token, "name=Reader&days=7").await;
    assert_eq!(made.status, 200, "{}", made.text());
    let page = made.page();
    assert_eq!(page.signed_in_as().as_deref(), Some("ada"));
    assert_eq!(page.texts(".entry h3"), ["Reader"]);

    let wrong = submit(&token, "name=Reader&days=0").await;
    assert_eq!(wrong.status, 422);
    assert_eq!(wrong.page().signed_in_as().as_deref(), Some("ada"));

    let before = site.dump().await;
    let bad = Credential::token("a.b.c").beside(&Credential::session(&bob));
    let refused = submit(&bad, "name=Reader&days=7").await;
    assert_eq!((refused.status, refused.page().signed_in_as()), (401, None));
    assert_eq!(site.dump().await, before);
    // Last, since its use is noted.
    verify(&site.site, &page.value_of("#new-key")).await.expect("it holds");
}

#[tokio::test]
async fn a_text_that_is_no_id_is_the_id_of_no_key() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let (_, id) = site.api_key_of(&ada).await;
    let before = site.dump().await;
    for no_id in ["\0", "nothing", "", " ", &format!("{id}\0"), &id.to_uppercase(), "' OR 1=1 --", "é"] {
        let fields = [("id", no_id), ("idempotency_key", "one")];
        let answer = ada.as_script().submit("/api/revoke_api_key", &fields).await;
        assert_eq!((answer.status, answer.code().as_str()), (404, "not_found"), "{no_id:?}");
        let in_path: String = url::form_urlencoded::byte_serialize(no_id.as_bytes()).collect();
        let page = format!("{PAGE}/{}/revoke", in_path.replace('+', "%20"));
        assert_eq!(ada.get(&page).await.status, 404, "{page}");
        assert_eq!(ada.submit(&page, &[]).await.status, 404, "{page}");
        let nobody = site.browser().get(&page).await;
        assert!(no_id.is_empty() || nobody.location().starts_with("/login"), "{page}: {}", nobody.status);
        assert_eq!(site.script().submit("/api/revoke_api_key", &fields).await.status, 401, "{no_id:?}");
    }
    assert_eq!(site.dump().await, before);
}

#[tokio::test]
async fn a_script_makes_lists_and_revokes_keys() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await.as_script();
    let wanted = serde_json::json!({ "name": "Reader", "days": 7, "idempotency_key": "one" });
    let answer = ada.submit_json("/api/create_api_key", &wanted).await;
    assert_eq!((answer.status, answer.header("cache-control")), (200, "no-store"));
    let made = answer.json();
    let id = verify(&site.site, made["key"].as_str().expect("a key")).await.expect("it holds").id;
    assert_eq!((made["id"].as_str(), made["name"].as_str()), (Some(id.as_str()), Some("Reader")));

    let listed = ada.get("/api/my_api_keys").await.json();
    assert_eq!((listed[0]["id"].as_str(), &listed[0]["key"]), (Some(id.as_str()), &serde_json::Value::Null));
    let revoke = [("id", id.as_str()), ("idempotency_key", "two")];
    assert_eq!(ada.submit("/api/revoke_api_key", &revoke).await.status, 200);
    assert_eq!(ada.submit("/api/revoke_api_key", &revoke).await.status, 200);
    assert_eq!(ada.get("/api/my_api_keys").await.text(), "[]");
    assert_eq!(site.count("SELECT COUNT(*) FROM api_keys").await, 0);
}

#[tokio::test]
async fn the_keys_of_an_account_go_with_it() {
    let site = Running::start().await;
    let made = key_of(&site, "ada").await;
    let public = site.public_key().await;
    site.tamper("DELETE FROM users").await;
    assert_eq!(verify(&site.site, &made.key).await, None);
    verify(&site.site, &public.key).await.expect("the site's own stays");
}

#[tokio::test]
async fn the_terminal_makes_lists_and_revokes_keys() {
    let database = TestDatabase::fresh().await;
    let byline = Byline::in_an_empty_folder();
    let run = async |arguments: &[&str]| {
        let all: Vec<_> = arguments.iter().copied().chain(["--database-url", database.url_text()]).collect();
        byline.run(&all, PASSWORD).await
    };
    run(&["user", "create", "ada", "ada@example.org"]).await.succeeded();
    let key = run(&["api-key", "create", "--user", "ada", "--name", "Cron job"]).await.succeeded();
    assert!(key.starts_with("byl_") && key.len() == 43, "the key alone: {key:?}");
    let public = run(&["api-key", "create", "--public"]).await.succeeded();
    run(&["api-key", "create", "--user", "ADA@example.org", "--days", "1"]).await.succeeded();

    let listed = run(&["api-key", "list"]).await.succeeded();
    let lines: Vec<Vec<_>> = listed.lines().map(|line| line.split('\t').collect()).collect();
    let shown: Vec<_> = lines.iter().map(|line| (line[1], line[2], line[5], line[6])).collect();
    let rest = lines[2][2];
    assert_eq!(
        shown,
        [
            ("ada", &key[..8], "never", "Cron job"),
            ("(public)", &public[..8], "never", "Command line"),
            ("ada", rest, "never", "Command line")
        ]
    );
    let days = "SELECT (expires_at - created_at) / 86400000000 FROM api_keys WHERE";
    assert_eq!(database.count(&format!("{days} name = 'Cron job'")).await, 90);
    assert_eq!(database.count(&format!("{days} user_id IS NULL")).await, 365);

    let before = database.dump().await;
    for (arguments, words) in [
        (&["create", "--user", "nadia"][..], &["no such account"][..]),
        (&["create", "--user", "ada", "--days", "0"], &["1 to 365"]),
        (&["create", "--public", "--days", "366"], &["1 to 365"]),
        (&["create", "--public", "--name", " "], &["Enter a name"]),
        (&["revoke", "nothing"], &["no such key", "list"]),
    ] {
        let arguments: Vec<_> = ["api-key"].iter().chain(arguments).copied().collect();
        run(&arguments).await.failed_with(words);
    }
    for arguments in [&["api-key", "create"][..], &["api-key", "create", "--public", "--user", "ada"]] {
        assert_eq!(run(arguments).await.code, Some(2), "{arguments:?}");
    }
    assert_eq!(database.dump().await, before);

    run(&["api-key", "revoke", lines[0][0]]).await.succeeded();
    assert_eq!(run(&["api-key", "list"]).await.succeeded().lines().count(), 2);
    run(&["api-key", "revoke", lines[0][0]]).await.failed_with(&["no such key"]);
}
