//! Confirming addresses: at sign-up, of an account, and when it changes (security row
//! P7).

use axum::{body::Body, http::Method};
use futures::future::join_all;
use serde_json::{Value, json};

use byline::{config::Unverified, ops::deletions};

use crate::support::{Answer, Client, Manner, PASSWORD, Running, Smtp, other_than, same_time, until};

async fn sign_up(client: &mut Client, username: &str, email: &str) -> Answer {
    client.submit("/signup", &[("username", username), ("email", email), ("password", PASSWORD)]).await
}

/// The id of a sign-up, from where its answer leads.
fn id_of(answer: &Answer) -> String {
    assert_eq!(answer.status, 303, "{}", answer.text());
    let id = answer.location().strip_prefix("/verify-email?sign_up=").expect("on to the code");
    id.to_owned()
}

async fn enter(client: &mut Client, sign_up: &str, code: &str) -> Answer {
    client.submit("/verify-email", &[("sign_up", sign_up), ("code", code)]).await
}

const WRONG: &str = "That code is wrong, or is older than 30 minutes. Ask for another if need be";

#[tokio::test]
async fn an_account_is_made_once_the_code_from_the_mail_is_entered() {
    let (server, site) = Running::start_with_mail().await;
    let mut ada = site.browser();
    let answer = sign_up(&mut ada, "ada", "Ada@example.org").await;
    let id = id_of(&answer);
    assert_eq!(ada.signed_in_as().await, None);
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 0);
    let page = ada.page(answer.location()).await;
    assert!(page.has_button("Confirm") && page.has_button("Send another mail"));
    let mail = server.mails(1).await.remove(0);
    assert_eq!(
        (mail.to.as_str(), mail.header("Subject").as_str()),
        ("ada@example.org", "Confirm your address")
    );
    let code = mail.code();
    for (typed, message) in [
        ("", "Enter the six digits from the mail"),
        ("12", "Enter the six digits from the mail"),
        (other_than(&code), WRONG),
    ] {
        let answer = enter(&mut ada, &id, typed).await;
        assert_eq!(answer.status, 422);
        answer.page().assert_problem("code", message);
    }
    let spaced = format!(" {} {} ", &code[..3], &code[3..]);
    let answer = enter(&mut ada, &id, &spaced).await;
    assert_eq!(ada.goes_on_to(&answer).await, "/my-posts");
    assert_eq!(ada.signed_in_as().await.as_deref(), Some("ada"));
    assert_eq!(site.text("SELECT username || ' ' || email FROM users").await, "ada ada@example.org");
    assert_eq!(site.count("SELECT COUNT(*) FROM users WHERE email_verified_at IS NOT NULL").await, 1);
    assert_eq!(site.count("SELECT COUNT(*) FROM pending_sign_ups").await, 0);
    ada.publish("Hello", "World").await;
    assert_eq!(site.browser().log_in("ada").await.status, 303);
    let again = enter(&mut site.browser(), &id, &code).await;
    assert_eq!(again.status, 422, "it works once");
}

#[tokio::test]
async fn a_link_makes_the_account_and_signs_in_the_browser_that_asked_for_it_alone() {
    let (server, site) = Running::start_with_mail().await;
    for (number, here) in [(1, true), (2, false)] {
        let username = format!("person-{number}");
        let mut browser = site.browser();
        id_of(&sign_up(&mut browser, &username, &format!("{username}@example.org")).await);
        let token = server.mails(number).await[number - 1].token("/verify-email");
        let path = format!("/verify-email?token={token}");
        until("the outbox to be empty", async || site.count("SELECT COUNT(*) FROM outbox").await == 0).await;
        let before = site.dump().await;
        let mut opened = if here { browser.clone() } else { site.browser() };
        let page = opened.page(&path).await;
        assert!(page.has_button("Confirm"));
        assert!(page.text("main").contains(&format!("{username}@example.org")));
        assert_eq!(site.dump().await, before, "looking uses nothing up");
        let answer = opened.submit("/verify-email", &[("token", &token)]).await;
        assert_eq!(answer.status, 303, "{}", answer.text());
        let signed_in = opened.signed_in_as().await;
        if here {
            assert_eq!(signed_in.as_deref(), Some(username.as_str()));
        } else {
            assert_eq!((answer.location(), signed_in), ("/login", None));
            assert_eq!(opened.log_in(&username).await.status, 303);
        }
        let again = opened.submit("/verify-email", &[("token", &token)]).await;
        assert_eq!(again.status, 422);
        assert!(again.page().text("main").contains("This link does not work any more"));
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 2);
}

#[tokio::test]
async fn a_sign_up_does_not_tell_whether_the_address_has_an_account() {
    let (server, site) = Running::start_with_mail().await;
    site.account("ada").await;
    let seen = async |username: &str, email: &str| {
        let mut browser = site.browser();
        let answer = sign_up(&mut browser, username, email).await;
        let id = id_of(&answer);
        let page = browser.get(answer.location()).await.text().replace(&id, "ID");
        let cookies: Vec<String> =
            answer.cookies().map(|cookie| cookie.split_once('=').expect("a cookie").0.to_owned()).collect();
        let wrong = enter(&mut browser, &id, "000000").await;
        let log_in = browser.log_in(username).await;
        (
            page,
            cookies,
            wrong.status,
            wrong.text().replace(&id, "ID"),
            log_in.status,
            log_in.text().replace(username, "NAME"),
        )
    };
    let taken = seen("eve-one", "ADA@example.org").await;
    let free = seen("eve-two", "free@example.org").await;
    assert_eq!(taken, free);
    // The name is reserved in both cases.
    for username in ["eve-one", "eve-two"] {
        let answer = sign_up(&mut site.browser(), username, "third@example.org").await;
        assert_eq!(answer.status, 422);
        answer.page().assert_problem("username", "That username is taken. Choose another");
    }
    let mails = server.mails(2).await;
    let of = |to: &str| mails.iter().find(|mail| mail.to == to).expect("a mail").header("Subject");
    assert_eq!(of("ada@example.org"), "You already have an account");
    assert_eq!(of("free@example.org"), "Confirm your address");
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 1);
    assert_eq!(site.count("SELECT COUNT(*) FROM pending_sign_ups").await, 2);
    let answer = sign_up(&mut site.browser(), "ada", "other@example.org").await;
    answer.page().assert_problem("username", "That username is taken. Choose another");
    site.tamper("UPDATE pending_sign_ups SET expires_at = 1").await;
    id_of(&sign_up(&mut site.browser(), "eve-one", "third@example.org").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_up_takes_as_long_for_an_address_that_has_an_account() {
    const PAIRS: usize = 200;
    let (_server, site) = Running::start_with_mail().await;
    let rows: Vec<String> =
        (0..PAIRS).map(|n| format!("('user-{n}', 'user-{n}', 'user-{n}@example.org', '', 0)")).collect();
    let insert = "INSERT INTO users (id, username, email, password_hash, created_at) VALUES ";
    site.tamper(&format!("{insert}{}", rows.join(", "))).await;
    let asked = async |username: String, email: String| {
        let input = json!({ "username": username, "email": email, "password": PASSWORD });
        let answer = site.script().submit_json("/api/sign_up", &input).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.json()["sign_up"].is_string());
    };
    same_time(
        PAIRS,
        async |n| asked(format!("eve-{n}"), format!("user-{n}@example.org")).await,
        async |n| asked(format!("mal-{n}"), format!("none-{n}@example.org")).await,
    )
    .await;
}

#[tokio::test]
async fn a_sign_up_that_is_sent_twice_is_one() {
    let (server, site) = Running::start_with_mail().await;
    let mut ada = site.browser();
    let key = ada.page("/signup").await.value("idempotency_key");
    let fields = [
        ("username", "ada"),
        ("email", "ada@example.org"),
        ("password", PASSWORD),
        ("idempotency_key", key.as_str()),
    ];
    let sent = join_all((0..4).map(|_| {
        let mut again = ada.clone();
        async move { again.submit("/signup", &fields).await }
    }))
    .await;
    let ids: Vec<String> = sent.iter().map(id_of).collect();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let code = server.mails(1).await[0].code();
    assert_eq!(enter(&mut ada, &ids[0], &code).await.status, 303);
}

#[tokio::test]
async fn a_code_is_guessed_a_few_times_and_is_of_one_sign_up() {
    let (server, site) = Running::start_with_mail().await;
    let mut ada = site.browser();
    let mut bob = site.browser();
    let adas = id_of(&sign_up(&mut ada, "ada", "ada@example.org").await);
    let adas_code = server.mails(1).await[0].code();
    let bobs = id_of(&sign_up(&mut bob, "bob", "bob@example.org").await);
    let bobs_code = server.mails(2).await[1].code();
    if adas_code != bobs_code {
        assert_eq!(enter(&mut bob, &bobs, &adas_code).await.status, 422);
    }
    assert_eq!(enter(&mut bob, "", &bobs_code).await.status, 422);
    let mut statuses = Vec::new();
    // Fewer than an address has: this is the count of the sign-up.
    for _ in 0..6 {
        let answer = enter(&mut bob, &bobs, other_than(&bobs_code)).await;
        statuses.push(answer.status);
        if answer.status == 429 {
            assert_ne!(answer.header("retry-after"), "");
            break;
        }
    }
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    assert_eq!(enter(&mut bob, &bobs, &bobs_code).await.status, 429, "the right one waits too");
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 0);
    site.tamper("UPDATE pending_sign_ups SET expires_at = 1").await;
    assert_ne!(enter(&mut ada, &adas, &adas_code).await.status, 303, "it is late");
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 0);
}

#[tokio::test]
async fn a_mail_that_is_sent_again_replaces_the_code() {
    let (server, site) = Running::start_with_mail().await;
    let mut ada = site.browser();
    let id = id_of(&sign_up(&mut ada, "ada", "ada@example.org").await);
    let first = server.mails(1).await.remove(0);
    let answer = ada.submit("/verify-email/send", &[("sign_up", &id)]).await;
    assert_eq!((answer.status, answer.location()), (303, format!("/verify-email?sign_up={id}").as_str()));
    let second = server.mails(2).await.remove(1);
    let old = ada.submit("/verify-email", &[("token", &first.token("/verify-email"))]).await;
    assert_eq!(old.status, 422);
    assert_eq!(enter(&mut ada, &id, &second.code()).await.status, 303);
    // Of an unknown sign-up it says the same, and sends nothing.
    let answer = site.browser().submit("/verify-email/send", &[("sign_up", "unknown")]).await;
    assert_eq!(answer.status, 303);
    let injected = site.browser().submit("/verify-email/send", &[("sign_up", "x\r\nSet-Cookie: a=b")]).await;
    assert_eq!(injected.location(), "/verify-email");
    until("the outbox to be empty", async || site.count("SELECT COUNT(*) FROM outbox").await == 0).await;
    assert_eq!(server.arrived().len(), 2);
    let answers = join_all((0..8).map(|_| {
        let mut again = site.browser();
        async move { again.submit("/verify-email/send", &[("sign_up", "unknown")]).await.status }
    }));
    assert!(answers.await.contains(&429));
}

#[tokio::test]
async fn whoever_has_not_confirmed_their_address_reads_and_deletes_and_does_not_write() {
    let (server, site) = Running::start_with_mail().await;
    let mut ada = site.signed_in("ada").await;
    site.tamper("UPDATE users SET email_verified_at = 1").await;
    let post = ada.publish("Before", "It was").await;
    site.tamper("UPDATE users SET email_verified_at = NULL").await;
    let token = site.token_of("ada").await;
    let before = site.stored_post(&post).await;

    let page = ada.page("/my-posts").await;
    assert!(page.text(".unconfirmed").contains("Your address is not confirmed"));
    assert_eq!(page.link("Confirm it").as_deref(), Some("/verify-email"));
    let mut script = ada.as_script();
    for (call, input) in [
        ("/api/create_post", json!({ "title": "New", "content": "Text" })),
        ("/api/update_post", json!({ "id": post, "title": "New", "content": "Text", "version": "1" })),
    ] {
        let answer = script.submit_json(call, &input).await;
        assert_eq!((answer.status, answer.code().as_str()), (403, "email_not_confirmed"), "{call}");
    }
    let answer = ada.submit("/my-posts/new", &[("title", "Kept"), ("content", "What was typed")]).await;
    assert_eq!(answer.status, 403);
    let page = answer.page();
    assert!(page.text(".error-summary").contains("/verify-email"), "{}", page.text(".error-summary"));
    assert!(page.text("textarea").contains("What was typed"));
    for document in [
        "mutation { createPost(input: { title: \"New\" }) { id } }".to_owned(),
        format!("mutation {{ updatePost(input: {{ id: \"{post}\", title: \"New\" }}) {{ id }} }}"),
    ] {
        let answer = site.graphql(&token, &document).await.json();
        assert_eq!(answer["errors"][0]["errorType"], "Unauthorized", "{answer}");
        let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(message.contains("/verify-email"), "{answer}");
    }
    assert_eq!(site.stored_post(&post).await, before);
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 1);

    let page = ada.page("/verify-email").await;
    assert!(page.has_button("Confirm"));
    assert_eq!(ada.submit("/verify-email/send", &[]).await.location(), "/verify-email");
    let code = server.mails(1).await[0].code();
    let answer = ada.submit("/verify-email", &[("code", other_than(&code))]).await;
    answer.page().assert_problem("code", WRONG);
    let answer = ada.submit("/verify-email", &[("code", &code)]).await;
    assert_eq!((answer.status, answer.location()), (303, "/account/email"));
    ada.publish("After", "Now").await;
    assert_eq!(ada.page("/my-posts").await.count(".unconfirmed"), 0);
    assert_eq!(site.count("SELECT COUNT(*) FROM audit WHERE kind = 'email_verified'").await, 1);
    site.tamper("UPDATE users SET email_verified_at = NULL").await;
    let deleted = script.submit_json("/api/delete_post", &json!({ "id": post })).await;
    assert_eq!(deleted.status, 200, "{}", deleted.text());
    let restored = script.submit_json("/api/restore_post", &json!({ "id": post })).await;
    assert_eq!((restored.status, restored.code().as_str()), (403, "email_not_confirmed"));
    assert_eq!(site.stored_post(&post).await, None);
}

#[tokio::test]
async fn a_site_may_let_everybody_write() {
    let server = Smtp::start(Manner::Takes).await;
    let mail = server.settings();
    let site = Running::start_with(|config| {
        mail(config);
        config.unverified = Unverified::MayWrite;
    })
    .await;
    site.signed_in("ada").await.publish("Hello", "World").await;
    let without_mail = Running::start_with(|config| config.unverified = Unverified::MayNotWrite).await;
    let answer =
        without_mail.author("bob").await.submit("/my-posts/new", &[("title", "a"), ("content", "b")]).await;
    assert_eq!(answer.status, 403);
}

/// Asks for another address, having just logged in.
async fn change(client: &mut Client, email: &str) -> Answer {
    client.submit("/account/email", &[("email", email)]).await
}

async fn address(site: &Running) -> String {
    site.text("SELECT email || CASE WHEN email_verified_at IS NULL THEN ' unconfirmed' ELSE '' END FROM users WHERE username = 'ada'")
        .await
}

#[tokio::test]
async fn a_new_address_counts_once_it_is_confirmed_and_the_old_one_undoes_it() {
    let (server, site) = Running::start_with_mail().await;
    let mut ada = site.signed_in("ada").await;
    let token = site.token_of("ada").await;
    site.browser().submit("/forgot-password", &[("identifier", "ada")]).await;
    let reset = server.mails(1).await[0].token("/reset-password");
    let page = ada.page("/account/email").await;
    assert_eq!(page.texts("h1"), ["Email"]);
    assert!(page.has_button("Change email") && page.text("main").contains("ada@example.org"));
    for (email, message) in [
        ("ada@example.org", "This is your address already. Enter another"),
        ("ada", "Enter an email address in the form name@example.com"),
    ] {
        let answer = change(&mut ada, email).await;
        assert_eq!(answer.status, 422);
        answer.page().assert_problem("email", message);
    }
    assert_eq!(change(&mut ada, "Eve@example.org").await.status, 303);
    let mail = server.mails(2).await.remove(1);
    assert_eq!(
        (mail.to.as_str(), mail.header("Subject").as_str()),
        ("eve@example.org", "Confirm your new address")
    );
    assert_eq!(address(&site).await, "ada@example.org unconfirmed");
    assert!(ada.page("/account/email").await.text("main").contains("eve@example.org"));
    assert_eq!(site.browser().log_in("eve@example.org").await.status, 422, "it does not count yet");
    let answer = ada.submit("/verify-email", &[("code", &mail.code())]).await;
    assert_eq!((answer.status, answer.location()), (303, "/account/email"));
    assert_eq!(address(&site).await, "eve@example.org");
    let dead = site.browser().submit("/reset-password", &[("token", &reset), ("new_password", "x")]).await;
    assert_eq!(dead.status, 422, "links to the old address are over");

    let told = server.mails(3).await.remove(2);
    assert_eq!(
        (told.to.as_str(), told.header("Subject").as_str()),
        ("ada@example.org", "The address of your account was changed")
    );
    let undo = told.token("/account/email/undo");
    assert_eq!(
        site.count(
            "SELECT (expires_at - created_at) / 3600000000 FROM one_time_tokens WHERE purpose = 'undo_email'"
        )
        .await,
        72
    );
    let path = format!("/account/email/undo?token={undo}");
    let mut owner = site.browser();
    assert!(owner.page(&path).await.has_button("Undo the change"));
    assert_eq!(address(&site).await, "eve@example.org", "looking changes nothing");
    assert_eq!(ada.signed_in_as().await.as_deref(), Some("ada"));
    let answer = owner.submit("/account/email/undo", &[("token", &undo)]).await;
    assert_eq!((answer.status, answer.location()), (303, "/login"));
    assert_eq!(address(&site).await, "ada@example.org");
    assert_eq!(ada.signed_in_as().await, None);
    assert_eq!(site.graphql(&token, "{ __typename }").await.status, 401);
    let reset = server.mails(4).await.remove(3);
    assert_eq!(reset.to, "ada@example.org");
    let fields =
        [("token", reset.token("/reset-password")), ("new_password", "a quite new password".to_owned())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(owner.submit("/reset-password", &fields).await.status, 303);
    let again = owner.submit("/account/email/undo", &[("token", &undo)]).await;
    assert_eq!(again.status, 422);
    assert_eq!(site.count("SELECT COUNT(*) FROM audit WHERE kind = 'email_changed'").await, 2);
}

#[tokio::test]
async fn whoever_took_over_an_account_does_not_take_the_undoing_from_its_owner() {
    let (server, site) = Running::start_with_mail().await;
    let mut thief = site.signed_in("ada").await;
    let mut mails = 0;
    for number in 1..=2 {
        assert_eq!(change(&mut thief, &format!("eve{number}@example.org")).await.status, 303);
        let code = server.mails(mails + 1).await[mails].code();
        assert_eq!(thief.submit("/verify-email", &[("code", &code)]).await.status, 303);
        server.mails(mails + 2).await;
        mails += 2;
    }
    let told = server.arrived();
    let (owners, thiefs) = (told[1].token("/account/email/undo"), told[3].token("/account/email/undo"));
    let mut browser = site.browser();
    assert_eq!(browser.submit("/account/email/undo", &[("token", &thiefs)]).await.status, 303);
    assert_eq!(address(&site).await, "eve1@example.org");
    assert_eq!(browser.submit("/account/email/undo", &[("token", &owners)]).await.status, 303);
    assert_eq!(address(&site).await, "ada@example.org");
    assert_eq!(site.count("SELECT COUNT(*) FROM one_time_tokens WHERE purpose = 'undo_email'").await, 0);
}

#[tokio::test]
async fn an_address_is_changed_by_whoever_has_just_shown_who_they_are() {
    let (server, site) = Running::start_with_mail().await;
    let mut ada = site.signed_in("ada").await;
    site.forget_confirmations().await;
    let answer = change(&mut ada, "eve@example.org").await;
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(answer.location().starts_with("/account/confirm?next="), "{}", answer.location());
    let call = ada.as_script().submit_json("/api/change_email", &json!({ "email": "eve@example.org" })).await;
    assert_eq!((call.status, call.code().as_str()), (403, "confirm_identity"));
    let nobody = site.script().submit_json("/api/change_email", &json!({ "email": "eve@example.org" })).await;
    assert_eq!(nobody.status, 401);
    assert_eq!(server.arrived().len(), 0);
    assert_eq!(site.count("SELECT COUNT(*) FROM one_time_tokens").await, 0);
}

#[tokio::test]
async fn an_address_that_another_account_has_is_not_told_and_not_taken() {
    let (server, site) = Running::start_with_mail().await;
    site.account("bob").await;
    let mut ada = site.signed_in("ada").await;
    assert_eq!(change(&mut ada, "bob@example.org").await.status, 303);
    let mail = server.mails(1).await.remove(0);
    assert_eq!(
        (mail.to.as_str(), mail.header("Subject").as_str()),
        ("bob@example.org", "You already have an account")
    );
    // Free when it was asked for, and taken when it is confirmed.
    assert_eq!(change(&mut ada, "carol@example.org").await.status, 303);
    let code = server.mails(2).await[1].code();
    site.account("carol").await;
    let answer = ada.submit("/verify-email", &[("code", &code)]).await;
    assert_eq!(answer.status, 422);
    assert!(answer.text().contains("Another account has that address by now"));
    assert_eq!(address(&site).await, "ada@example.org unconfirmed");
}

#[tokio::test]
async fn where_no_mail_is_sent_an_address_changes_at_once_and_stays_unconfirmed() {
    let site = Running::start().await;
    site.author("bob").await;
    let mut ada = site.author("ada").await;
    let answer = change(&mut ada, "bob@example.org").await;
    assert_eq!(answer.status, 422);
    answer.page().assert_problem("email", "Another account has that address by now");
    assert_eq!(change(&mut ada, "eve@example.org").await.status, 303);
    assert_eq!(address(&site).await, "eve@example.org unconfirmed");
    ada.publish("Hello", "World").await;
}

#[tokio::test]
async fn pages_of_links_say_what_they_would_do_and_do_nothing_by_get() {
    let (server, site) = Running::start_with_mail().await;
    let before = site.dump().await;
    for path in [
        "/verify-email",
        "/verify-email?token=x",
        "/verify-email?sign_up=x",
        "/account/email/undo?token=x",
        "/account/email/undo",
    ] {
        let mut browser = site.browser();
        let request = browser.request(Method::GET, path).body(Body::empty()).expect("a request");
        let answer = browser.send(request).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
    }
    assert_eq!(site.browser().get("/account/email").await.location(), "/login?next=/account/email");
    assert_eq!(site.dump().await, before);
    let neither = site.script().submit_json("/api/verify_email", &json!({})).await;
    assert_eq!((neither.status, &neither.json()["errors"][0]["field"]), (422, &Value::from("code")));
    assert_eq!(server.arrived().len(), 0);
}

#[tokio::test]
async fn posts_of_an_author_who_never_confirmed_the_address_outlive_the_account() {
    let (_server, site) = Running::start_with_mail().await;
    let mut ada = site.signed_in("ada").await;
    let mut bob = site.signed_in("bob").await;
    site.tamper("UPDATE users SET email_verified_at = 1").await;
    let post = ada.publish("Hers", "stays").await;
    site.tamper("UPDATE users SET email_verified_at = NULL").await;
    for (client, posts) in [(&mut ada, "keep"), (&mut bob, "delete")] {
        let fields = [("posts", posts), ("password", PASSWORD)];
        assert_eq!(client.submit("/account/delete", &fields).await.status, 303);
    }
    site.tamper("UPDATE users SET delete_at = 1 WHERE username = 'ada'").await;
    site.tamper("UPDATE users SET delete_at = 2 WHERE username = 'bob'").await;
    deletions::run(&site.site).await.expect("both are deleted");
    assert_eq!(site.count("SELECT COUNT(*) FROM users WHERE username IN ('ada', 'bob')").await, 0);
    let kept = site.stored_post(&post).await.expect("the post");
    assert_eq!((kept.owner.as_str(), kept.content()), ("deleted-author", Some("stays")));
}

#[tokio::test]
async fn who_stays_signed_in_does_so_after_a_form_of_sign_up_as_well() {
    let (_server, site) = Running::start_with_mail().await;
    site.account("ada").await;
    let mut ada = site.browser();
    let fields = [("identifier", "ada"), ("password", PASSWORD), ("keep_signed_in", "yes")];
    assert_eq!(ada.submit("/login", &fields).await.status, 303);
    let fields = json!({ "username": "eve", "email": "eve@example.org", "password": PASSWORD });
    let answer = ada.as_script().submit_json("/api/sign_up", &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let cookie = answer.cookies().find(|cookie| cookie.starts_with("sid")).expect("a cookie");
    assert!(cookie.contains("Max-Age=1209"), "{cookie}");
}

const EVES_PASSWORD: &str = "a pass phrase that eve made up";

/// Eve signs up with that address, and tries to log in by the password that she gave.
async fn eve_logs_in(site: &Running, username: &str, email: &str, name: &str) -> [(u16, String); 3] {
    let typed = [("username", username), ("email", email), ("password", EVES_PASSWORD)];
    let id = id_of(&site.browser().submit("/signup", &typed).await);
    let typed = [("identifier", name), ("password", EVES_PASSWORD)];
    let form = site.browser().submit("/login", &typed).await;
    let script = site.script().submit("/api/log_in", &typed).await;
    let grant = [("grant_type", "password"), ("username", name), ("password", EVES_PASSWORD)];
    let token = site.script().submit("/api/token", &grant).await;
    let seen = |answer: &Answer, said: &str| (answer.status, said.replace(&id, "ID"));
    [seen(&form, form.location()), seen(&script, script.text()), seen(&token, token.text())]
}

#[tokio::test]
async fn a_login_before_the_address_is_confirmed_goes_on_to_the_code() {
    let (server, site) = Running::start_with_mail().await;
    let mut ada = site.browser();
    let id = id_of(&sign_up(&mut ada, "ada", "ada@example.org").await);
    // The tab with the page of the code is closed, and the mail comes only now.
    let mut later = site.browser();
    for name in ["ada", "Ada", "ada@example.org"] {
        let answer = later.submit("/login", &[("identifier", name), ("password", PASSWORD)]).await;
        assert_eq!(id_of(&answer), id, "{name}");
        assert_eq!(later.signed_in_as().await, None);
    }
    let wrong = later.submit("/login", &[("identifier", "ada"), ("password", EVES_PASSWORD)]).await;
    assert_eq!(wrong.status, 422);
    // A right password is no failure, however often it comes.
    for _ in 0..8 {
        id_of(&later.submit("/login", &[("identifier", "ada"), ("password", PASSWORD)]).await);
    }
    let code = server.mails(1).await[0].code();
    let answer = enter(&mut later, &id, &code).await;
    assert_eq!(later.goes_on_to(&answer).await, "/my-posts");
    assert_eq!(later.signed_in_as().await.as_deref(), Some("ada"));
    assert_eq!(site.browser().log_in("ada").await.location(), "/login/done");
}

#[tokio::test]
async fn a_login_before_the_address_is_confirmed_does_not_tell_whether_it_has_an_account() {
    let (_server, site) = Running::start_with_mail().await;
    site.account("ada").await;
    let by_name = eve_logs_in(&site, "eve-one", "ada@example.org", "eve-one").await;
    assert_eq!(by_name[0], (303, "/verify-email?sign_up=ID".to_owned()));
    assert_eq!(by_name[1], (200, r#"{"sign_up":"ID"}"#.to_owned()));
    assert_eq!(by_name[2].0, 400);
    assert!(by_name[2].1.contains("Confirm your email address first"), "{}", by_name[2].1);
    assert_eq!(eve_logs_in(&site, "eve-two", "free@example.org", "eve-two").await, by_name);
    assert_eq!(eve_logs_in(&site, "eve-three", "ada@example.org", "ada@example.org").await, by_name);
    assert_eq!(eve_logs_in(&site, "eve-four", "free@example.com", "free@example.com").await, by_name);
    // The account is its owner's.
    assert_eq!(site.browser().log_in("ada@example.org").await.location(), "/login/done");
}
