//! The pages of an account: what their owner sees and changes, and what ends then
//! (security rows S4 to S6, O5).

use std::io::Read;

use byline::ops::{deletions, housekeeping};

use crate::support::{Answer, Client, PASSWORD, Running, until};

const NEW: &str = "another long pass phrase";

async fn kinds(site: &Running) -> Vec<String> {
    site.probe().await.texts("SELECT kind FROM audit ORDER BY id").await
}

fn assert_asks_again(answer: &Answer, next: &str) {
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert_eq!(answer.location(), format!("/account/confirm?next={next}"));
}

#[tokio::test]
async fn the_account_page_has_everything_and_only_for_its_owner() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let page = ada.page("/account").await;
    for heading in [
        "Profile",
        "Password",
        "Email",
        "Passkeys",
        "Two-factor authentication",
        "Where you are signed in",
        "API keys",
        "Export",
        "Delete account",
        "Recent activity",
    ] {
        assert!(
            page.texts("main h2").iter().any(|text| text == heading),
            "{heading}: {:?}",
            page.texts("main h2")
        );
    }
    assert!(page.texts(".activity strong").contains(&"Account made".to_owned()));
    let page = site.browser().get("/account").await;
    assert_eq!((page.status, page.location()), (303, "/login?next=/account"));
    let change = site.browser().get("/.well-known/change-password").await;
    assert_eq!((change.status, change.location()), (303, "/account/password"));
}

#[tokio::test]
async fn an_author_changes_the_password_and_is_signed_out_everywhere_else() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let mut phone = site.browser();
    assert_eq!(phone.log_in("ada").await.status, 303);
    let program = site.token_of("ada").await;
    let old = ada.sid().expect("a session").to_owned();

    let wrong = [("current_password", "wrong horse battery staple"), ("new_password", NEW)];
    let answer = ada.submit("/account/password", &wrong).await;
    answer.page().assert_problem("current_password", "That is not your password");
    assert!(!answer.text().contains(NEW) && !answer.text().contains("wrong horse"), "no password comes back");
    let weak = [("current_password", PASSWORD), ("new_password", "password")];
    assert_eq!(ada.submit("/account/password", &weak).await.status, 422);

    let answer =
        ada.submit("/account/password", &[("current_password", PASSWORD), ("new_password", NEW)]).await;
    assert_eq!((answer.status, answer.location()), (303, "/account"));
    assert_ne!(ada.sid(), Some(old.as_str()), "a new id");
    assert_eq!(ada.signed_in_as().await.as_deref(), Some("ada"));
    assert_eq!(site.browser().with_sid(&old).signed_in_as().await, None, "the old id is dead");
    assert_eq!(phone.signed_in_as().await, None);
    assert_eq!(site.graphql(&program, "{ me { username } }").await.status, 401);
    assert_eq!(site.browser().log_in("ada").await.status, 422, "the old password is over");
    let fields = [("identifier", "ada"), ("password", NEW)];
    assert_eq!(site.browser().submit("/login", &fields).await.status, 303);
    assert!(kinds(&site).await.contains(&"password_changed".to_owned()));
}

#[tokio::test]
async fn important_changes_ask_for_the_password_after_ten_minutes() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    assert_eq!(ada.get("/account/export").await.status, 200, "just signed up");
    site.forget_confirmations().await;
    assert_asks_again(&ada.get("/account/export").await, "/account/export");
    assert_asks_again(&ada.submit("/account/export", &[]).await, "/account/export");
    let key = [("name", "Reader"), ("days", "1")];
    assert_asks_again(&ada.submit("/account/api-keys", &key).await, "/account/api-keys");
    let call = ada.as_script().submit("/api/create_api_key", &key).await;
    assert_eq!((call.status, call.code().as_str()), (403, "confirm_identity"));
    assert_eq!(site.count("SELECT COUNT(*) FROM api_keys").await, 0);

    let page = ada.page("/account/confirm?next=/account/export").await;
    assert_eq!((page.text("h1").as_str(), page.has_button("Continue")), ("Confirm it is you", true));
    let wrong = [("password", "wrong horse battery staple"), ("next", "/account/export")];
    ada.submit("/account/confirm", &wrong)
        .await
        .page()
        .assert_problem("password", "That is not your password");
    let old = ada.sid().expect("a session").to_owned();
    let answer = ada.submit("/account/confirm", &[("password", PASSWORD), ("next", "/account/export")]).await;
    assert_eq!((answer.status, answer.location()), (303, "/account/export"));
    assert_ne!(ada.sid(), Some(old.as_str()), "a new id (S2)");
    assert_eq!(site.browser().with_sid(&old).signed_in_as().await, None);
    assert_eq!(ada.get("/account/export").await.status, 200);
    assert_eq!(ada.submit("/account/api-keys", &key).await.status, 200);
}

#[tokio::test]
async fn an_author_sees_where_they_are_signed_in_and_ends_it() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let mut phone = site.browser();
    assert_eq!(phone.log_in("ada").await.status, 303);
    let program = site.token_of("ada").await;
    let mut bob = site.author("bob").await;

    let page = ada.page("/account/sessions").await;
    assert_eq!(page.count("article"), 3);
    assert!(page.texts("article h2")[0].contains("(this one)"));
    let forms = page.attributes("article form", "action");
    assert_eq!(forms.len(), 2, "not the one that asks");
    for form in &forms {
        assert_eq!(bob.submit(form, &[]).await.status, 303, "of another it says nothing");
    }
    assert_eq!(phone.signed_in_as().await.as_deref(), Some("ada"), "and ends nothing");
    assert_eq!(bob.get(&forms[0]).await.status, 404);

    for form in &forms {
        assert_eq!(ada.submit(form, &[]).await.location(), "/account/sessions");
    }
    assert_eq!(phone.signed_in_as().await, None);
    assert_eq!(site.graphql(&program, "{ me { username } }").await.status, 401);

    let mut tablet = site.browser();
    assert_eq!(tablet.log_in("ada").await.status, 303);
    let page = ada.page("/account/sessions").await;
    assert!(page.has_button("Sign out everywhere else"));
    assert_eq!(ada.submit("/account/sessions", &[]).await.location(), "/account/sessions");
    assert_eq!((tablet.signed_in_as().await, ada.signed_in_as().await.as_deref()), (None, Some("ada")));
    assert_eq!(bob.signed_in_as().await.as_deref(), Some("bob"));
}

#[tokio::test]
async fn who_asks_to_stay_signed_in_stays_for_fourteen_days() {
    let site = Running::start().await;
    site.author("ada").await;
    let log_in = async |keep: &[(&str, &str)]| {
        let mut browser = site.browser();
        let fields = [&[("identifier", "ada"), ("password", PASSWORD)], keep].concat();
        let answer = browser.submit("/login", &fields).await;
        let cookie = answer.cookies().find(|cookie| cookie.starts_with("sid")).expect("a cookie").to_owned();
        (browser, cookie)
    };
    let (mut kept, cookie) = log_in(&[("keep_signed_in", "yes")]).await;
    assert!(cookie.contains("Max-Age=1209"), "14 days are 1,209,600 seconds: {cookie}");
    let (mut plain, cookie) = log_in(&[]).await;
    assert!(!cookie.contains("Max-Age"), "{cookie}");
    let later = |hours: i64| {
        let micros = hours * 3_600_000_000;
        format!(
            "UPDATE sessions SET last_seen_at = last_seen_at - {micros}, created_at = created_at - {micros}"
        )
    };
    site.tamper(&later(3)).await;
    assert_eq!((kept.signed_in_as().await.as_deref(), plain.signed_in_as().await), (Some("ada"), None));
    site.tamper(&later(13 * 24)).await;
    assert_eq!(kept.signed_in_as().await.as_deref(), Some("ada"));
    site.tamper(&later(24)).await;
    assert_eq!(kept.signed_in_as().await, None);
}

#[tokio::test]
async fn a_logout_tells_the_browser_to_forget_its_cache() {
    let site = Running::start_behind_https().await;
    let mut ada = site.author("ada").await;
    let answer = ada.submit("/logout", &[]).await;
    assert_eq!(answer.header("clear-site-data"), "\"cache\"");
    assert_eq!(ada.sid(), None);
    assert!(ada.cookie("__Host-device").is_some(), "the browser is still known");
    assert_eq!(ada.get("/").await.header("clear-site-data"), "");
}

#[tokio::test]
async fn a_profile_is_kept_as_it_was_typed_and_wrong_links_come_back() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let fields = [
        ("display_name", " Ada <b>Lovelace</b> "),
        ("about", "Counts."),
        ("links", "https://example.org/ada\nhttps://ada.example"),
    ];
    assert_eq!(ada.submit("/account/profile", &fields).await.location(), "/account");
    let page = ada.page("/account/profile").await;
    assert_eq!(page.value("display_name"), "Ada <b>Lovelace</b>");
    assert_eq!(page.text("textarea"), "https://example.org/ada\nhttps://ada.example");
    ada.page("/account").await.assert_harmless("the account page");
    let answer =
        ada.submit("/account/profile", &[("display_name", ""), ("links", "javascript:alert(1)")]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.page().text(".error-summary").contains("is not a link"));
    assert_eq!(site.text("SELECT about FROM users").await, "Counts.");
}

#[tokio::test]
async fn an_export_has_every_post_and_no_secret() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let mut posts = Vec::new();
    for number in 0..25 {
        posts.push(ada.publish(&format!("Post \"{number}\": yes"), &format!("Text *{number}*")).await);
    }
    let gone = ada.publish("Gone", "but *kept*").await;
    assert_eq!(ada.submit(&format!("/posts/{gone}/delete"), &[]).await.status, 303);
    let mut bob = site.author("bob").await;
    let bobs = bob.publish("Bob's", "not hers").await;
    bob.submit(&format!("/posts/{bobs}/delete"), &[]).await;
    let (_, key) = site.api_key_of(&ada).await;
    let answer = ada.submit("/account/export", &[]).await;
    assert_eq!((answer.status, answer.header("content-type")), (200, "application/zip"));
    assert!(answer.header("content-disposition").contains("byline-ada.zip"));
    let bytes = answer.body.to_vec();
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(bytes)).expect("a zip file");
    let names: Vec<String> = zip.file_names().map(|name| name.expect("a name").into_owned()).collect();
    assert_eq!(names.iter().filter(|name| name.starts_with("posts/")).count(), 25);
    let mut read = |name: &str| {
        let mut text = String::new();
        zip.by_name(name).expect(name).read_to_string(&mut text).expect("a text");
        text
    };
    let post = read(&format!("posts/{}.md", posts[3]));
    assert!(
        post.starts_with("---\ntitle: \"Post \\\"3\\\": yes\"\n") && post.ends_with("---\n\nText *3*\n"),
        "{post}"
    );
    let deleted: Vec<_> = names.iter().filter(|name| name.starts_with("trash/")).collect();
    assert_eq!(deleted.len(), 1, "{deleted:?}");
    let post = read(deleted[0]);
    assert!(post.starts_with("---\ntitle: \"Gone\"\n") && post.ends_with("---\n\nbut *kept*\n"), "{post}");
    let profile: serde_json::Value = serde_json::from_str(&read("profile.json")).expect("JSON");
    assert_eq!((&profile["username"], &profile["email"]), (&"ada".into(), &"ada@example.org".into()));
    for name in ["profile.json", "sessions.json", "api-keys.json", "activity.json"] {
        let text = read(name);
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok(), "{name}");
        assert!(!text.contains("argon2") && !text.contains(ada.sid().expect("a session")), "{name}");
    }
    assert!(read("api-keys.json").contains(&key));
    assert!(kinds(&site).await.contains(&"exported".to_owned()));
}

async fn ask_for_deletion(client: &mut Client, posts: &str) -> Answer {
    client.submit("/account/delete", &[("posts", posts), ("password", PASSWORD)]).await
}

#[tokio::test]
async fn a_deletion_is_undone_by_a_login_and_final_after_seven_days() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    let mut bob = site.author("bob").await;
    let adas = ada.publish("Hers", "gone").await;
    let bobs = bob.publish("His", "stays").await;
    let token = site.token_of("ada").await;
    let answer = ada.submit("/account/delete", &[("posts", "x"), ("password", PASSWORD)]).await;
    answer.page().assert_problem("posts", "Choose what becomes of your posts");
    let answer =
        ada.submit("/account/delete", &[("posts", "delete"), ("password", "wrong horse battery")]).await;
    assert_eq!(answer.status, 422);

    assert_eq!(ask_for_deletion(&mut ada, "delete").await.status, 303);
    assert_eq!(ada.signed_in_as().await, None);
    assert_eq!(site.graphql(&token, "{ me { username } }").await.status, 401);
    assert_eq!(ada.log_in("ada").await.status, 303, "a login undoes it");
    assert_eq!(site.count("SELECT COUNT(*) FROM users WHERE delete_at IS NOT NULL").await, 0);
    assert!(kinds(&site).await.contains(&"deletion_undone".to_owned()));

    assert_eq!(ask_for_deletion(&mut ada, "delete").await.status, 303);
    assert_eq!(ask_for_deletion(&mut bob, "keep").await.status, 303);
    site.tamper("UPDATE users SET delete_at = delete_at - 7 * 86400000000 + 60000000").await;
    deletions::run(&site.site).await.expect("nothing is due");
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 2, "a minute before");
    site.tamper("UPDATE users SET delete_at = delete_at - 60000000").await;
    let cleaning = tokio::spawn(housekeeping::run(site.site.clone()));
    until("both accounts to be gone", async || {
        site.count("SELECT COUNT(*) FROM users WHERE username IN ('ada', 'bob')").await == 0
    })
    .await;
    cleaning.abort();
    let mut reader = site.browser();
    assert_eq!(reader.get(&format!("/posts/{adas}")).await.status, 404);
    let page = reader.page(&format!("/posts/{bobs}")).await;
    assert!(page.text("main").contains("deleted-author"), "{}", page.text("main"));
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 1);
    assert_eq!(reader.log_in("deleted-author").await.status, 422, "nobody is that author");
    assert_eq!(reader.sign_up("deleted-author").await.status, 422);
    assert_eq!(site.count("SELECT COUNT(*) FROM audit WHERE kind = 'deleted'").await, 2);
}
