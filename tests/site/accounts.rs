//! Signing up and logging in.

use std::collections::BTreeSet;

use axum::http::Method;
use byline::{
    accounts::domain::{Login, NewPassword, service},
    config::Cost,
    router::router,
    username::Username,
};
use futures::future::join_all;
use serde_json::json;

use crate::support::{Answer, Client, PASSWORD, Running, until};

/// Fills in the page of sign-up.
async fn sign_up(client: &mut Client, username: &str, email: &str, password: &str) -> Answer {
    client.submit("/signup", &[("username", username), ("email", email), ("password", password)]).await
}

#[tokio::test]
async fn signing_up_signs_in() {
    let site = Running::start().await;
    let mut ada = site.browser();
    let answer = sign_up(&mut ada, " Ada ", "Ada@Example.ORG", PASSWORD).await;
    assert_eq!(ada.goes_on_to(&answer).await, "/my-posts");
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
async fn one_of_fifty_sign_ups_with_one_name_at_once_succeeds() {
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
async fn a_password_of_fifteen_equal_or_a_thousand_characters_is_accepted() {
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
        assert_eq!(browser.goes_on_to(&answer).await, "/my-posts", "{identifier:?}");
        assert_eq!(browser.signed_in_as().await.as_deref(), Some("ada"));
        let call = json!({ "identifier": identifier, "password": PASSWORD });
        let answer = site.script().submit_json("/api/log_in", &call).await;
        assert_eq!((answer.status, answer.json()), (200, json!({ "username": "ada" })), "{identifier:?}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_look_the_same() {
    let site = Running::start_behind_a_proxy().await;
    site.author("ada").await;
    let mut answers = Vec::new();
    for (number, identifier) in
        ["ada", "ada@example.org", "nadia", "nadia@example.org", "no name", "а@b"].into_iter().enumerate()
    {
        let fields = [("identifier", identifier), ("password", "wrong horse battery staple")];
        // Somebody else each time, or the limit on guesses would answer.
        let mut browser = site.browser().coming_from(&format!("192.0.2.{number}"));
        let form = browser.submit("/login", &fields).await;
        form.page().assert_problem("identifier", "Username, email or password is wrong");
        assert_eq!(form.page().value("identifier"), identifier, "what was typed is kept");
        assert_eq!(browser.sid(), None);
        let call = browser.as_script().submit("/api/log_in", &fields).await;
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
    let answer = browser.submit("/login", &fields).await;
    assert_eq!(browser.goes_on_to(&answer).await, edit);
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
    let mut bob = site.browser();
    let answer = bob.submit("/signup", &fields).await;
    assert_eq!(bob.goes_on_to(&answer).await, "/my-posts/new");
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
        let mut browser = site.browser();
        let answer = browser.submit("/login", &fields).await;
        assert_eq!(browser.goes_on_to(&answer).await, "/my-posts", "{foreign:?}");
        let query: String = url::form_urlencoded::byte_serialize(foreign.as_bytes()).collect();
        for page in ["/login", "/signup", "/login/done"] {
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
async fn an_operation_stored_with_its_plain_key_is_still_recognised() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await.as_script();
    let post = [("title", "Title"), ("idempotency_key", "one")];
    let made = ada.submit("/api/create_post", &post).await.json();
    site.tamper("UPDATE idempotency_keys SET key = 'one'").await;
    assert_eq!(ada.submit("/api/create_post", &post).await.json(), made);
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 1);
}

#[tokio::test]
async fn a_name_that_was_reserved_later_stays_with_its_owner() {
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

/// Follows an answer as a browser does that keeps no cookie: the page where it ends.
async fn without_cookies(browser: &Client, answer: Answer) -> Answer {
    let mut answer = answer;
    for _ in 0..5 {
        if answer.status != 303 {
            break;
        }
        answer = browser.without_cookies().get(answer.location()).await;
    }
    answer
}

#[tokio::test]
async fn a_browser_without_cookies_is_told_so_after_sign_up_and_login() {
    for site in [Running::start().await, Running::start_behind_https().await] {
        let mut browser = site.browser();
        for (by, answer) in [
            ("sign-up", sign_up(&mut browser, "ada", "ada@example.org", PASSWORD).await),
            ("login", browser.without_cookies().log_in("ada").await),
            ("login from elsewhere", {
                let fields = [("identifier", "ada"), ("password", PASSWORD), ("next", "/my-posts/new")];
                browser.without_cookies().submit("/login", &fields).await
            }),
        ] {
            let answer = without_cookies(&browser, answer).await;
            assert_eq!(answer.status, 200, "after {by}");
            let page = answer.page();
            assert_eq!(page.signed_in_as(), None);
            let said = page.text("main");
            assert!(said.contains("cookie") && said.contains("not logged in"), "after {by}: {said}");
        }
    }
}

#[tokio::test]
async fn a_browser_that_keeps_the_cookie_is_redirected_at_once() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    for (next, target) in
        [("/my-posts/new", "/my-posts/new"), ("/posts/x?y=1&z=%20", "/posts/x?y=1&z=%20"), ("", "/my-posts")]
    {
        let fields = [("identifier", "ada"), ("password", PASSWORD), ("next", next)];
        let answer = ada.submit("/login", &fields).await;
        let answer = ada.get(answer.location()).await;
        assert_eq!((answer.status, answer.location()), (303, target));
    }
    let answer = ada.get("/login/done?next=https://evil.example").await;
    assert_eq!((answer.status, answer.location()), (303, "/my-posts"));
}

/// Latin with accents, Hangul and a space: as most systems compose it, and as
/// macOS hands it over.
const COMPOSED: &str = "\u{17d}lu\u{165}ou\u{10d}k\u{fd} k\u{16f}\u{148} \u{d55c}\u{ae00}";
const DECOMPOSED: &str = "Z\u{30c}lut\u{30c}ouc\u{30c}ky\u{301}\u{a0}ku\u{30a}n\u{30c} \u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}";

/// The ways to log in.
async fn logs_in_everywhere(site: &Running, username: &str, password: &str) {
    let page = site.browser().submit("/login", &[("identifier", username), ("password", password)]).await;
    assert_eq!(page.status, 303, "{password:?} at /login");
    let body = json!({ "identifier": username, "password": password });
    assert_eq!(
        site.script().submit_json("/api/log_in", &body).await.status,
        200,
        "{password:?} at /api/log_in"
    );
    let body = json!({ "grant_type": "password", "username": username, "password": password });
    assert_eq!(
        site.script().submit_json("/api/token", &body).await.status,
        200,
        "{password:?} at /api/token"
    );
    let body = json!({
        "ClientId": "byline-web",
        "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": username, "PASSWORD": password },
    });
    let request = site.script().request_of_unknown_origin(Method::POST, "/cognito");
    let request = request
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", "AWSCognitoIdentityProviderService.InitiateAuth");
    let answer = site.script().send(request.body(body.to_string().into()).expect("a request")).await;
    assert_eq!(answer.status, 200, "{password:?} at /cognito: {}", answer.text());
}

#[tokio::test]
async fn a_password_is_the_same_on_every_system() {
    let site = Running::start().await;
    for (username, chosen) in [("ada", COMPOSED), ("bob", DECOMPOSED)] {
        let email = format!("{username}@example.org");
        assert_eq!(sign_up(&mut site.browser(), username, &email, chosen).await.status, 303, "{username}");
        for typed in [COMPOSED, DECOMPOSED] {
            logs_in_everywhere(&site, username, typed).await;
        }
    }
}

#[tokio::test]
async fn a_password_that_was_hashed_as_typed_still_works_and_is_hashed_again() {
    use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};

    let site = Running::start().await;
    site.author("ada").await;
    let params = Params::new(19_456, 2, 1, None).expect("a cost");
    let as_before = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let old = as_before.hash_password(DECOMPOSED.as_bytes()).expect("a hash").to_string();
    site.tamper(&format!("UPDATE users SET password_hash = '{old}'")).await;

    let wrong = site
        .browser()
        .submit("/login", &[("identifier", "ada"), ("password", "another one of theirs")])
        .await;
    assert_eq!(wrong.status, 422);
    assert_eq!(site.text("SELECT password_hash FROM users").await, old, "a wrong password changes nothing");
    logs_in_everywhere(&site, "ada", DECOMPOSED).await;
    assert_ne!(site.text("SELECT password_hash FROM users").await, old);
    logs_in_everywhere(&site, "ada", COMPOSED).await;
}

#[tokio::test]
async fn an_address_in_another_script_signs_up_and_logs_in() {
    let site = Running::start().await;
    for (username, email) in [
        ("sampark", "संपर्क@डाटामेल.भारत"),
        ("vietnam", "nguyễn.văn@example.org"),
        ("arabic", "مُحَمَّد@example.org"),
    ] {
        assert_eq!(sign_up(&mut site.browser(), username, email, PASSWORD).await.status, 303, "{email}");
        let mut browser = site.browser();
        assert_eq!(browser.log_in(email).await.status, 303, "{email}");
        assert_eq!(browser.signed_in_as().await.as_deref(), Some(username));
    }
}

#[tokio::test]
async fn an_unknown_name_costs_as_much_as_a_known_one() {
    let site = Running::start().await;
    let names = ["nobody-here", "nobody@example.org", "n", "not a name", "@", "Nobody-Here"];
    let drawn = async |site: &Running, name: &str| {
        let secret = site.site.secret_made_before().await.expect("an answer");
        let login = Login::parse(name).expect("something");
        site.site.costs().of_nobody(&site.site.database, secret, &login).await.expect("a count")
    };
    assert_eq!(drawn(&site, "nobody-here").await, None, "there is nobody to look like");
    for username in ["ada", "bob"] {
        site.author(username).await;
    }
    let dear = Cost { iterations: 3, ..Cost::FLOOR };
    let site = site.restart_with(dear).await;
    for name in names {
        assert_eq!(drawn(&site, name).await, Some(Cost::FLOOR), "{name:?}: the hashes are the old ones");
    }
    assert_eq!(site.browser().log_in("ada").await.status, 303, "her hash is made anew");
    let several = |number: usize| format!("nobody-{number}");
    until("both costs to be drawn", async || {
        let mut costs = BTreeSet::new();
        for number in 0..100 {
            costs.extend(drawn(&site, &several(number)).await.map(|cost| cost.iterations));
        }
        costs == BTreeSet::from([2, 3])
    })
    .await;
    for number in 0..100 {
        let name = several(number);
        assert_eq!(
            drawn(&site, &name).await,
            drawn(&site, &name.to_uppercase()).await,
            "{name}: one name, one cost"
        );
    }
}

#[tokio::test]
async fn an_account_whose_hash_cannot_be_read_looks_like_any_other() {
    let site = Running::start().await;
    site.author("ada").await;
    for hash in ["", "!", "*", "$argon2id$v=19$m=19456,t=2,p=1$broken", "$2b$12$abcdefghijklmnopqrstuv"] {
        site.tamper(&format!("UPDATE users SET password_hash = '{hash}'")).await;
        let (known, unknown) =
            (site.browser().log_in("ada").await, site.browser().log_in("nobody-at-all").await);
        assert_eq!((known.status, unknown.status), (422, 422), "{hash:?}");
    }
}
