//! Limits on guesses (security rows R1 and R2): for an account, for an address, on
//! every process and across restarts; and who is not locked out by them.

use byline::config::{AuthorLimits, Cost};
use futures::future::join_all;
use serde_json::json;

use crate::support::{Answer, Client, PASSWORD, Running, Several, postgres_database};

const WRONG: &str = "wrong horse battery staple";

async fn guess(client: &mut Client, name: &str) -> Answer {
    client.submit("/login", &[("identifier", name), ("password", WRONG)]).await
}

/// The seconds after which the next attempt counts.
fn retry_after(answer: &Answer) -> u32 {
    assert_eq!(answer.status, 429, "{}", answer.text());
    answer.header("retry-after").parse().expect("a number of seconds")
}

#[tokio::test]
async fn the_eleventh_failure_of_an_address_in_three_minutes_is_refused_whatever_the_name() {
    let site = Running::start().await;
    site.author("ada").await;
    for number in 0..10 {
        let answer = guess(&mut site.browser(), &format!("nobody-{number}")).await;
        assert_eq!(answer.status, 422, "{number}: {}", answer.text());
    }
    let answer = guess(&mut site.browser(), "nobody-10").await;
    assert!((170..=180).contains(&retry_after(&answer)), "{}", answer.header("retry-after"));
    let page = answer.page();
    assert!(page.text(".error-summary").contains("Too many attempts. Please wait 3 minutes and try again."));
    assert_eq!(page.value("identifier"), "nobody-10", "what was typed is kept");
    let right = site.script().submit("/api/log_in", &[("identifier", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(right.status, 200, "she has been there before");
    let call = site.script().submit("/api/log_in", &[("identifier", "nobody"), ("password", WRONG)]).await;
    assert_eq!((call.status, call.code().as_str()), (429, "too_many"));
    assert_eq!(site.count("SELECT COUNT(*) FROM audit WHERE kind = 'log_in_refused'").await, 10);
}

#[tokio::test]
async fn an_account_waits_from_the_fifth_failure_on_a_second_that_doubles() {
    let site = Running::start_behind_a_proxy().await;
    site.author("ada").await;
    for name in ["ada", "nobody-here"] {
        let from = |number: usize| format!("198.51.100.{number}");
        for number in 0..5 {
            let answer = guess(&mut site.browser().coming_from(&from(number)), name).await;
            assert_eq!(answer.status, 422, "{name} {number}");
        }
        for (number, pause) in [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900].into_iter().enumerate() {
            let mut stranger = site.browser().coming_from(&from(10 + number));
            assert_eq!(retry_after(&guess(&mut stranger, name).await), pause, "{name}");
            site.tamper("UPDATE attempts SET blocked_until = 0 WHERE blocked_until > 0").await;
            assert_eq!(guess(&mut stranger, name).await.status, 422, "{name}: the pause is over");
        }
    }
}

#[tokio::test]
async fn a_stranger_locks_nobody_out_of_a_browser_or_an_address_that_is_known() {
    let site = Running::start_behind_a_proxy().await;
    let mut ada = site.browser().coming_from("192.0.2.1");
    assert_eq!(ada.sign_up("ada").await.status, 303);
    let device = format!("device-{}", site.address.port());
    assert!(ada.cookie(&device).is_some(), "the browser is known from now on");
    for number in 0..6 {
        guess(&mut site.browser().coming_from(&format!("198.51.100.{number}")), "ada").await;
    }
    let mut stranger = site.browser().coming_from("198.51.100.77");
    let right = [("identifier", "ada"), ("password", PASSWORD)];
    assert_eq!(
        stranger.submit("/login", &right).await.status,
        429,
        "a stranger waits, with a right password too"
    );

    assert_eq!(ada.submit("/logout", &[]).await.status, 303);
    let mut elsewhere = ada.clone().coming_from("203.0.113.9");
    assert_eq!(elsewhere.submit("/login", &right).await.status, 303, "her browser, from a new address");
    let mut program = site.browser().coming_from("192.0.2.1").as_script();
    assert_eq!(program.submit("/api/log_in", &right).await.status, 200, "a program at her address");

    assert_eq!(elsewhere.submit("/logout", &[]).await.status, 303);
    // Nor is a copy of her cookie worth more than another account's guesses.
    for number in 0..5 {
        let answer = guess(&mut elsewhere, "ada").await;
        assert_eq!(answer.status, 422, "{number} {}", answer.location());
    }
    assert_eq!(retry_after(&guess(&mut elsewhere, "ada").await), 1);
    let mut bob = site.browser().coming_from("192.0.2.2");
    assert_eq!(bob.sign_up("bob").await.status, 303);
    assert_eq!(bob.submit("/logout", &[]).await.status, 303);
    bob = bob.with_cookie(&device, elsewhere.cookie(&device).expect("a cookie")).coming_from("198.51.100.88");
    for number in 0..10 {
        assert_eq!(guess(&mut bob, &format!("nobody-{number}")).await.status, 422);
    }
    assert_eq!(guess(&mut bob, "nobody").await.status, 429, "the cookie counts for her account alone");
}

#[tokio::test]
async fn a_right_password_takes_its_count_back() {
    let site = Running::start().await;
    site.author("ada").await;
    for _ in 0..40 {
        assert_eq!(site.browser().log_in("ada").await.status, 303);
    }
    for _ in 0..4 {
        assert_eq!(guess(&mut site.browser(), "ada").await.status, 422);
    }
    assert_eq!(site.browser().log_in("ada").await.status, 303);
    for _ in 0..4 {
        assert_eq!(guess(&mut site.browser(), "ada").await.status, 422, "her count began anew");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_at_the_same_time_pass_no_limit_that_one_after_the_other_would_not() {
    let site = Running::start().await;
    let crowd = join_all((0..64).map(|number| {
        let mut browser = site.browser();
        async move { guess(&mut browser, &format!("nobody-{number}")).await.status }
    }))
    .await;
    let checked = crowd.iter().filter(|status| **status == 422).count();
    assert!((1..=10).contains(&checked), "{checked} of 64 were checked: {crowd:?}");
    assert!(crowd.iter().all(|status| [422, 429, 503].contains(status)), "{crowd:?}");
}

#[tokio::test]
async fn every_door_says_429_and_when_to_come_again() {
    let site = Running::start().await;
    let mut ada = site.author("ada").await;
    for number in 0..10 {
        guess(&mut site.browser(), &format!("nobody-{number}")).await;
    }
    let grant = [("grant_type", "password"), ("username", "nobody"), ("password", WRONG)];
    let auth = json!({
        "ClientId": "byline-web", "AuthFlow": "USER_PASSWORD_AUTH",
        "AuthParameters": { "USERNAME": "nobody", "PASSWORD": WRONG },
    });
    let unknown = site.browser();
    let mut cognito = unknown.request(axum::http::Method::POST, "/cognito");
    cognito = cognito.header("x-amz-target", "AWSCognitoIdentityProviderService.InitiateAuth");
    for (door, answer) in [
        ("the form", site.browser().submit("/login", &[("identifier", "nobody"), ("password", WRONG)]).await),
        (
            "a script",
            site.script().submit("/api/log_in", &[("identifier", "nobody"), ("password", WRONG)]).await,
        ),
        ("a program", site.script().submit("/api/token", &grant).await),
        ("Cognito", site.exchange(cognito.body(auth.to_string().into()).expect("a request")).await),
    ] {
        assert!(retry_after(&answer) > 0, "{door}");
    }
    // At her own browser she is known, and has a count of her own.
    for _ in 0..5 {
        assert_eq!(ada.submit("/account/confirm", &[("password", WRONG)]).await.status, 422);
    }
    assert_eq!(retry_after(&ada.submit("/account/confirm", &[("password", WRONG)]).await), 1);
}

#[tokio::test]
async fn counts_survive_a_restart() {
    let site = Running::start().await;
    for number in 0..10 {
        guess(&mut site.browser(), &format!("nobody-{number}")).await;
    }
    let site = site.restart_with(Cost::FLOOR).await;
    assert_eq!(guess(&mut site.browser(), "nobody").await.status, 429);
}

#[tokio::test]
async fn another_process_of_the_site_counts_along() {
    let site = Several::start(postgres_database().await, 2, &[]).await;
    for number in 0..10 {
        let answer = guess(&mut site.at(&site.browser(), 0), &format!("nobody-{number}")).await;
        assert_eq!(answer.status, 422);
    }
    assert_eq!(guess(&mut site.at(&site.browser(), 1), "nobody").await.status, 429);
    site.stop().await;
}

#[tokio::test]
async fn who_writes_an_address_before_the_proxy_does_is_counted_all_the_same() {
    let site = Running::start_behind_a_proxy().await;
    for number in 0..10 {
        let mut liar = site.browser().coming_from(&format!("203.0.113.{number}, 198.51.100.7"));
        assert_eq!(guess(&mut liar, &format!("nobody-{number}")).await.status, 422);
    }
    let mut liar = site.browser().coming_from("203.0.113.200, 198.51.100.7");
    assert_eq!(guess(&mut liar, "nobody").await.status, 429);
    for number in 0..10 {
        let mut ipv6 = site.browser().coming_from(&format!("2001:db8:1:2::{number}"));
        assert_eq!(guess(&mut ipv6, &format!("nobody-{number}")).await.status, 422);
    }
    assert_eq!(guess(&mut site.browser().coming_from("2001:db8:1:2:ffff::1"), "nobody").await.status, 429);
    assert_eq!(guess(&mut site.browser().coming_from("2001:db8:1:3::1"), "nobody").await.status, 422);
}

#[tokio::test]
async fn nothing_that_was_typed_stands_in_the_counts_or_the_log_of_deeds() {
    let site = Running::start().await;
    site.author("ada").await;
    guess(&mut site.browser(), "my-password-by-mistake").await;
    let rows = String::from_utf8_lossy(&site.bytes().await).into_owned();
    assert!(!rows.contains("my-password-by-mistake") && !rows.contains(WRONG));
}

#[tokio::test]
async fn an_author_publishes_as_much_in_an_hour_as_the_operator_allows() {
    let site = Running::start_with(|config| {
        config.author_limits = AuthorLimits { posts: Some(3), bytes: Some(1000) };
    })
    .await;
    let mut ada = site.author("ada").await;
    let mut bob = site.author("bob").await;
    let post = async |client: &mut Client, content: &str| {
        client.submit("/my-posts/new", &[("title", "Title"), ("content", content)]).await
    };
    let long = "x".repeat(600);
    assert_eq!(post(&mut ada, &long).await.status, 303);
    let answer = post(&mut ada, &long).await;
    assert!((3590..=3601).contains(&retry_after(&answer)), "{}", answer.header("retry-after"));
    assert_eq!(answer.page().text("textarea"), long, "the text is kept");
    for _ in 0..2 {
        assert_eq!(post(&mut ada, "short").await.status, 303);
    }
    retry_after(&post(&mut ada, "short").await);
    let token = site.token_of("ada").await;
    let create = r#"mutation { createPost(input: { title: "T", content: "x" }) { id } }"#;
    let refused = site.graphql(&token, create).await;
    assert!(refused.text().contains("Too many attempts"), "{}", refused.text());
    assert_eq!(post(&mut bob, &long).await.status, 303, "everybody has a limit of their own");
    site.tamper("UPDATE posts SET created_at = created_at - 3600000000").await;
    assert_eq!(post(&mut ada, &long).await.status, 303);
    assert_eq!(site.count("SELECT COUNT(*) FROM posts").await, 5);
}
