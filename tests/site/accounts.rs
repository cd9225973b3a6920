//! Signing up and logging in.

use std::collections::BTreeSet;

use byline::{
    accounts::{
        Username,
        server::{Login, NewPassword, hashing::Cost, service},
    },
    server::router::router,
};
use futures::future::join_all;
use serde_json::json;

use crate::support::{Answer, Client, PASSWORD, Running};

/// Fills in the page of sign-up.
async fn sign_up(client: &mut Client, username: &str, email: &str, password: &str) -> Answer {
    client.submit("/signup", &[("username", username), ("email", email), ("password", password)]).await
}

#[tokio::test]
async fn signing_up_signs_in() {
    let site = Running::start().await;
    let mut ada = site.browser();
    let answer = sign_up(&mut ada, " Ada ", "Ada@Example.ORG", PASSWORD).await;
    assert_eq!((answer.status, answer.location()), (303, "/my-posts"));
    let page = ada.page("/my-posts").await;
    assert_eq!(page.signed_in_as().as_deref(), Some("ada"));
    assert!(page.has_button("Log out") && page.link("Log in").is_none());
    assert_eq!(site.text("SELECT username || ' ' || email FROM users").await, "ada ada@example.org");
    let hash = site.text("SELECT password_hash FROM users").await;
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");

    let bob = json!({ "username": "bob", "email": "bob@example.org", "password": PASSWORD });
    let mut script = site.script();
    let answer = script.submit_json("/api/sign_up", &bob).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "username": "bob" })));
    assert_eq!(script.get("/api/my_posts").await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_who_want_one_name_at_once_one_gets_it() {
    let site = Running::start().await;
    let people = (0..50).map(|number| {
        let mut browser = site.browser();
        let username = ["alice", "Alice", "ALICE"][number % 3];
        async move {
            let email = format!("alice{number}@example.org");
            loop {
                let answer = sign_up(&mut browser, username, &email, PASSWORD).await;
                // Fifty hashes at once are more than the lane takes; whoever is told so comes again.
                if answer.status != 503 {
                    return answer;
                }
                assert_ne!(answer.header("retry-after"), "");
            }
        }
    });
    let answers = join_all(people).await;
    let (in_, out): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 303);
    assert_eq!(in_.len(), 1);
    for answer in out {
        assert_eq!(answer.status, 422);
        answer.page().assert_problem("username", "That username is taken. Choose another");
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 1);
    assert_eq!(site.count("SELECT COUNT(*) FROM sessions").await, 1);
}

#[tokio::test]
async fn one_mailbox_has_one_account_however_it_is_written() {
    let site = Running::start().await;
    for (username, email) in [("first", "Ada@Example.ORG"), ("second", "eve@bücher.example")] {
        assert_eq!(sign_up(&mut site.browser(), username, email, PASSWORD).await.status, 303, "{email}");
    }
    let before = site.dump().await;
    for email in [
        "ada@example.org",
        " ADA@EXAMPLE.ORG ",
        "ａｄａ@example.org",
        "eve@xn--bcher-kva.example",
        "EVE@BÜCHER.example",
    ] {
        let answer = sign_up(&mut site.browser(), "third", email, PASSWORD).await;
        assert_eq!(answer.status, 422, "{email}");
        answer.page().assert_problem(
            "email",
            "There is already an account with that email address. Log in instead, or use another",
        );
        assert_eq!(site.dump().await, before, "{email}");
    }
}

#[tokio::test]
async fn a_sign_up_that_breaks_a_rule_comes_back_without_the_password() {
    let site = Running::start().await;
    let fine = ("fine", "fine@example.org", PASSWORD);
    let too_long = "x".repeat(1025);
    let letters = "Username can have the letters a to z, numbers, hyphens and underscores only";
    let reserved = "That username is reserved. Choose another";
    let guessable = "Use 15 characters or more, or a password that is harder to guess";
    for (username, email, password, field, message) in [
        ("", fine.1, fine.2, "username", "Enter a username"),
        ("ab", fine.1, fine.2, "username", "Username must be 3 to 30 characters long"),
        ("аda", fine.1, fine.2, "username", letters), // its first letter is Cyrillic
        ("ada\u{200b}", fine.1, fine.2, "username", letters),
        ("<script>", fine.1, fine.2, "username", letters),
        ("admin", fine.1, fine.2, "username", reserved),
        ("Byline", fine.1, fine.2, "username", reserved),
        (fine.0, "", fine.2, "email", "Enter an email address"),
        (fine.0, "fine", fine.2, "email", "Enter an email address in the form name@example.com"),
        (fine.0, fine.1, "", "password", "Enter a password"),
        (fine.0, fine.1, "xK9$vQ2", "password", "Password must be 8 characters or more"),
        (fine.0, fine.1, "password1", "password", guessable),
        (fine.0, fine.1, "fine1234", "password", guessable),
        (fine.0, fine.1, &too_long, "password", "Password must be 1,024 bytes or fewer"),
    ] {
        let mut browser = site.browser();
        let answer = sign_up(&mut browser, username, email, password).await;
        assert_eq!(answer.status, 422, "{username:?} {email:?} {password:?}");
        let page = answer.page();
        let words = page.texts(".error-summary li");
        assert_eq!(words.len(), 1, "{words:?}");
        assert!(words[0].ends_with(message), "{:?} should end with {message:?}", words[0]);
        assert!(
            message != guessable || words[0].len() > guessable.len() + 10,
            "a reason in words: {words:?}"
        );
        page.assert_problem(field, &words[0]);
        assert_eq!((page.value("username").as_str(), page.value("email").as_str()), (username, email));
        assert_eq!(page.attribute("input[name=password]", "value"), None, "a password never comes back");
        assert!(password.is_empty() || !answer.text().contains(password), "a password never comes back");
        assert_eq!(browser.sid(), None, "{username:?} is not signed in");
    }
    let answer = sign_up(&mut site.browser(), "", "", "").await;
    assert_eq!(answer.page().count(".error-summary li"), 3, "all mistakes are named at once");
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 0);
}

#[tokio::test]
async fn a_password_of_fifteen_of_anything_or_of_a_hundred_and_more_will_do() {
    let site = Running::start().await;
    for (number, password) in ["aaaaaaaaaaaaaaa", "xK9$vQ2!mZ", &"long ".repeat(200)].into_iter().enumerate()
    {
        let username = format!("author{number}");
        let email = format!("{username}@example.org");
        assert_eq!(sign_up(&mut site.browser(), &username, &email, password).await.status, 303, "{password}");
        let mut browser = site.browser();
        let cut = &password[..password.len() - 1];
        let wrong = browser.submit("/login", &[("identifier", &username), ("password", cut)]).await;
        assert_eq!(wrong.status, 422, "{password:?} without its last character");
        let right = browser.submit("/login", &[("identifier", &username), ("password", password)]).await;
        assert_eq!(right.status, 303, "{password:?}");
    }
}

#[tokio::test]
async fn people_log_in_by_username_or_by_email() {
    let site = Running::start().await;
    site.author("ada").await;
    for identifier in ["ada", " ADA ", "ada@example.org", "Ada@EXAMPLE.org"] {
        let mut browser = site.browser();
        let answer = browser.log_in(identifier).await;
        assert_eq!((answer.status, answer.location()), (303, "/my-posts"), "{identifier:?}");
        assert_eq!(browser.signed_in_as().await.as_deref(), Some("ada"));
        let call = json!({ "identifier": identifier, "password": PASSWORD });
        let answer = site.script().submit_json("/api/log_in", &call).await;
        assert_eq!((answer.status, answer.json()), (200, json!({ "username": "ada" })), "{identifier:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_the_same() {
    let site = Running::start().await;
    site.author("ada").await;
    let mut answers = Vec::new();
    for identifier in ["ada", "ada@example.org", "nadia", "nadia@example.org", "no name", "а@b"] {
        let fields = [("identifier", identifier), ("password", "wrong horse battery staple")];
        let mut browser = site.browser();
        let form = browser.submit("/login", &fields).await;
        form.page().assert_problem("identifier", "Username, email or password is wrong");
        assert_eq!(form.page().value("identifier"), identifier, "what was typed is kept");
        assert_eq!(browser.sid(), None);
        let call = site.script().submit("/api/log_in", &fields).await;
        let known = |answer: &Answer| {
            let mut headers = answer.headers.clone();
            headers.remove("date");
            headers.remove("x-request-id");
            headers.remove("content-length");
            (answer.status, headers, answer.text().replace(&format!("value=\"{identifier}\""), "value=\"…\""))
        };
        answers.push((known(&form), known(&call)));
    }
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
        assert_eq!((answer.0.0, answer.1.0), (422, 422));
    }
}

#[tokio::test]
async fn a_login_hashes_the_password_again_when_the_cost_has_changed() {
    let site = Running::start().await;
    site.author("ada").await;
    let site = site.restart_with(Cost { iterations: 3, ..Cost::FLOOR }).await;
    let hash = async || site.text("SELECT password_hash FROM users").await;
    let old = hash().await;
    assert!(old.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{old}");
    let wrong = [("identifier", "ada"), ("password", "wrong horse battery staple")];
    assert_eq!(site.browser().submit("/login", &wrong).await.status, 422);
    assert_eq!(hash().await, old, "a wrong password changes nothing");
    assert_eq!(site.browser().log_in("ada").await.status, 303);
    let new = hash().await;
    assert!(new.starts_with("$argon2id$v=19$m=19456,t=3,p=1$"), "{new}");
    assert_eq!(site.browser().log_in("ada").await.status, 303, "the new hash holds");
    assert_eq!(hash().await, new, "and is not made again");
}

#[tokio::test]
async fn login_and_sign_up_bring_people_back_where_they_were_going() {
    let site = Running::start().await;
    let post = site.author("ada").await.publish("Title", "").await;
    let edit = format!("/my-posts/{post}/edit");
    let mut browser = site.browser();
    let to_login = browser.get(&edit).await;
    let login = browser.page(to_login.location()).await;
    assert_eq!(login.value("next"), edit);
    let sign_up_link = login.link("Make an account").expect("a link");
    assert_eq!(browser.page(&sign_up_link).await.value("next"), edit, "sign-up keeps the way, too");
    let fields = [("identifier", "ada"), ("password", "wrong horse"), ("next", edit.as_str())];
    assert_eq!(
        browser.submit("/login", &fields).await.page().value("next"),
        edit,
        "a mistake keeps it as well"
    );
    let fields = [("identifier", "ada"), ("password", PASSWORD), ("next", edit.as_str())];
    assert_eq!(browser.submit("/login", &fields).await.location(), edit);
    let again = browser.get(to_login.location()).await;
    assert_eq!(
        (again.status, again.location()),
        (303, edit.as_str()),
        "whoever is signed in goes on at once"
    );
    let fields = [
        ("username", "bob"),
        ("email", "bob@example.org"),
        ("password", PASSWORD),
        ("next", "/my-posts/new"),
    ];
    assert_eq!(site.browser().submit("/signup", &fields).await.location(), "/my-posts/new");
}

#[tokio::test]
async fn nobody_is_sent_to_another_site() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    for foreign in [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        "https:/evil.example",
        "http:evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "///evil.example",
        "javascript:alert(1)",
        "evil.example",
        "/a\r\nLocation: https://evil.example",
        "@evil.example",
        "",
    ] {
        let fields = [("identifier", "ada"), ("password", PASSWORD), ("next", foreign)];
        let answer = site.browser().submit("/login", &fields).await;
        assert_eq!((answer.status, answer.location()), (303, "/my-posts"), "{foreign:?}");
        let query: String = url::form_urlencoded::byte_serialize(foreign.as_bytes()).collect();
        for page in ["/login", "/signup"] {
            let path = format!("{page}?next={query}");
            assert_eq!(site.browser().page(&path).await.count("input[name=next]"), 0, "{path}");
            assert_eq!(ada.get(&path).await.location(), "/my-posts", "{path}");
        }
    }
}

#[tokio::test]
async fn a_sign_up_sent_twice_makes_one_account_and_signs_in_both_times() {
    let site = Running::start().await;
    let form = |key: &'static str| {
        [("username", "ada"), ("email", "ada@example.org"), ("password", PASSWORD), ("idempotency_key", key)]
    };
    for _ in 0..2 {
        let mut ada = site.browser();
        assert_eq!(ada.submit("/signup", &form("one")).await.status, 303);
        assert_eq!(ada.page("/my-posts").await.signed_in_as().as_deref(), Some("ada"));
    }
    // Another wish for the same name is somebody else's.
    let mut other = site.browser();
    assert_eq!(other.submit("/signup", &form("another")).await.status, 422);
    assert_eq!(other.page("/").await.signed_in_as(), None);
    assert_eq!(site.count("SELECT COUNT(*) FROM users").await, 1);
}

#[tokio::test]
async fn nobody_signs_in_by_the_key_of_anothers_sign_up_alone() {
    let site = Running::start().await;
    let sign_up = |password: &'static str| {
        json!({
            "username": "ada", "email": "ada@example.org", "password": password, "idempotency_key": "signup-1"
        })
    };
    let mut ada = site.script();
    assert_eq!(ada.submit_json("/api/sign_up", &sign_up(PASSWORD)).await.status, 200);
    assert!(!site.dump().await.contains("signup-1"), "the key is not stored");
    let taken = async |password: &'static str| {
        let before = site.dump().await;
        let mut mallory = site.script();
        let answer = mallory.submit_json("/api/sign_up", &sign_up(password)).await;
        assert_eq!((answer.status, answer.cookies().count()), (422, 0), "{}", answer.text());
        let taken = "That username is taken. Choose another";
        assert_eq!(answer.json()["errors"][0], json!({ "field": "username", "message": taken }));
        assert_eq!(mallory.get("/api/my_posts").await.status, 401);
        assert_eq!(site.dump().await, before);
    };
    taken("wrong horse battery staple").await;

    let login = Login::parse("ada").expect("a login");
    let new = NewPassword::parse("another long pass phrase", &[]).expect("a password");
    service::set_password(&site.site, &login, new).await.expect("a new password");
    assert_eq!(site.count("SELECT COUNT(*) FROM sessions").await, 0);
    taken(PASSWORD).await;
    assert_eq!(site.count("SELECT COUNT(*) FROM sessions").await, 0, "the old password is over");
    let new = site.script().submit_json("/api/sign_up", &sign_up("another long pass phrase")).await;
    assert_eq!(new.status, 200, "whoever knows the password signs in: {}", new.text());
}

#[tokio::test]
async fn a_wish_that_was_stored_by_its_key_is_still_known() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await.as_script();
    let post = [("title", "Title"), ("idempotency_key", "one")];
    let made = ada.submit("/api/create_post", &post).await.json();
    site.tamper("UPDATE idempotency_keys SET key = 'one'").await;
    assert_eq!(ada.submit("/api/create_post", &post).await.json(), made);
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 1);
}

#[tokio::test]
async fn a_name_that_was_reserved_later_stays_its_owners() {
    let site = Running::start().await;
    site.author("ada").await.publish("Title", "").await;
    site.tamper("UPDATE users SET username = 'admin'").await;
    let mut admin = site.browser();
    assert_eq!(admin.log_in("admin").await.status, 303);
    assert_eq!(admin.signed_in_as().await.as_deref(), Some("admin"));
    assert_eq!(admin.as_script().get("/api/my_posts").await.json()["posts"][0]["owner"], "admin");
    admin.publish("Another", "").await;
    let token = site.token_of("admin").await;
    let answer = site.graphql(&token, "{ me { username } }").await;
    assert_eq!(answer.json()["data"]["me"]["username"], "admin", "{}", answer.text());
    let login = Login::parse("admin").expect("a login");
    let new = NewPassword::parse("another long pass phrase", &[]).expect("a password");
    service::set_password(&site.site, &login, new).await.expect("a new password");
}

#[tokio::test]
async fn nobody_is_named_like_a_path_of_the_site() {
    let site = Running::start().await;
    // axum shows its paths here and nowhere else.
    let shown = format!("{:?}", router(site.site.clone()));
    let paths = shown.split('"').filter_map(|text| text.strip_prefix('/'));
    let segments: BTreeSet<_> = paths.filter_map(|path| path.split('/').next()).collect();
    for known in ["api", "posts", "graphql", "assets"] {
        assert!(segments.contains(known), "{segments:?}");
    }
    for segment in segments {
        let parsed = Username::parse(segment);
        assert!(parsed.is_err(), "{segment} is a path, and can be signed up: {parsed:?}");
    }
}
