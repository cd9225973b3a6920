//! What whoever runs the site does by the command line, beside a site that is served.

use axum::http::Method;
use serde_json::{Value, json};
use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};

use crate::support::{Answer, Byline, Client, Ended, PASSWORD, until};

async fn cognito(client: &mut Client, operation: &str, input: &Value) -> Answer {
    let request = client
        .request_of_unknown_origin(Method::POST, "/cognito")
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", format!("AWSCognitoIdentityProviderService.{operation}"))
        .body(input.to_string().into());
    client.send(request.expect("a request")).await
}

/// The answer to a program with that credential.
async fn by(client: &Client, method: Method, path: &str, (header, value): (&str, &str)) -> Answer {
    let ask = json!({ "query": "{ listPosts { items { id } } }" });
    let request = client
        .request_of_unknown_origin(method, path)
        .header(header, value)
        .header("content-type", "application/json")
        .body(ask.to_string().into());
    client.as_script().send(request.expect("a request")).await
}

/// A login with the right password.
fn log_in(username: &str) -> Value {
    json!({
        "AuthFlow": "USER_PASSWORD_AUTH", "ClientId": "byline-web",
        "AuthParameters": { "USERNAME": username, "PASSWORD": PASSWORD },
    })
}

#[tokio::test]
async fn a_person_who_is_locked_out_is_signed_out_everywhere_and_logs_in_by_no_door() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    let browser = || Client::browser(served.address, false);
    let (mut ada, mut bob) = (browser(), browser());
    ada.sign_up("ada").await;
    bob.sign_up("bob").await;
    let post = ada.publish("Mine", "Text").await;
    let made = ada.as_script().submit("/api/create_api_key", &[("name", "Reader"), ("days", "1")]).await;
    let key = made.json()["key"].as_str().expect("a key").to_owned();
    let tokens = cognito(&mut browser().as_script(), "InitiateAuth", &log_in("ada")).await.json();
    let token = tokens["AuthenticationResult"]["AccessToken"].as_str().expect("a token").to_owned();
    let refresh = &tokens["AuthenticationResult"]["RefreshToken"];
    let program =
        async || by(&browser(), Method::GET, "/api/my_posts", ("authorization", &token)).await.status;
    assert_eq!(program().await, 200);
    let by_key = async || by(&browser(), Method::POST, "/graphql", ("x-api-key", &key)).await.status;
    assert_eq!(by_key().await, 200);

    byline.run(&["user", "lock", "Ada@example.org"], "").await.succeeded();
    byline.run(&["user", "lock", "ada"], "").await.succeeded();
    until("the program to be signed out", async || program().await == 401).await;
    assert_eq!(ada.get("/my-posts").await.header("location"), "/login?next=/my-posts");
    assert_eq!(by_key().await, 401);
    let page = ada.log_in("ada").await;
    assert!(page.status == 403 && page.text().contains("This account is locked"), "{}", page.text());
    assert_eq!(ada.get("/my-posts").await.header("location"), "/login?next=/my-posts");
    let refused = cognito(&mut browser().as_script(), "InitiateAuth", &log_in("ada")).await.json();
    assert_eq!(
        (&refused["__type"], &refused["message"]),
        (&json!("NotAuthorizedException"), &json!("User is disabled."))
    );
    let again = json!({
        "AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": "byline-web", "AuthParameters": { "REFRESH_TOKEN": refresh },
    });
    assert_eq!(
        cognito(&mut browser().as_script(), "InitiateAuth", &again).await.json()["__type"],
        "NotAuthorizedException"
    );
    let wrong = browser().submit("/login", &[("identifier", "ada"), ("password", "wrong-password-1")]).await;
    assert!(!wrong.text().contains("locked"), "who does not know the password learns nothing");
    assert_eq!(bob.get("/my-posts").await.status, 200, "nobody else notices");
    assert_eq!(bob.get(&format!("/posts/{post}")).await.status, 200, "what was published stays");
    assert!(byline.run(&["user", "list"], "").await.succeeded().contains("\tlocked\t"));

    byline.run(&["user", "unlock", "ada"], "").await.succeeded();
    assert_eq!(ada.log_in("ada").await.status, 303);
    assert_eq!(ada.get("/my-posts").await.status, 200);
    byline.run(&["user", "lock", "nobody"], "").await.failed_with(&["no such account"]);
    let audit = byline.run(&["audit"], "").await.succeeded();
    assert_eq!(audit.matches("\tlocked\t").count(), 1, "locked twice, it was locked once: {audit}");
    served.terminate().await;
}

#[tokio::test]
async fn a_post_that_is_hidden_is_nowhere_and_its_author_reads_why() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    let browser = || Client::browser(served.address, false);
    let (mut ada, mut reader) = (browser(), browser());
    ada.sign_up("ada").await;
    let post = ada.publish("Buy cheap tides", "A *heron* stood there.").await;
    let kept = ada.publish("Another", "Nothing.").await;
    let at = reader.get(&format!("/posts/{post}")).await;
    assert_eq!(at.status, 200);
    let address = "/@ada/buy-cheap-tides";
    let lists = [
        "/",
        "/@ada",
        "/feed.atom",
        "/feed.json",
        "/@ada/feed.atom",
        "/search?q=heron",
        "/api/search_posts?q=heron",
        "/api/list_posts",
    ];
    for list in lists {
        assert!(reader.get(list).await.text().contains("Buy cheap tides"), "{list} has it");
    }

    byline.run(&["post", "hide", &post, "--reason", "It sells <tides>."], "").await.succeeded();
    until("the list without it", async || !reader.get("/").await.text().contains("Buy cheap tides")).await;
    for list in lists {
        assert!(!reader.get(list).await.text().contains("Buy cheap tides"), "{list} has it no more");
    }
    for client in [&mut reader, &mut ada] {
        for path in [address.to_owned(), format!("/posts/{post}"), format!("/api/get_post?id={post}")] {
            assert_eq!(client.get(&path).await.status, 404, "{path}");
        }
    }
    let trash = ada.page("/my-posts/trash").await;
    assert!(trash.text("main").contains("It sells <tides>."), "{}", trash.text("main"));
    trash.assert_harmless("a reason with markup");
    assert_eq!(trash.count("form[action='/my-posts/trash']"), 0, "nothing to restore it by");
    assert_eq!(ada.clone().as_script().submit("/api/restore_post", &[("id", &post)]).await.status, 404);
    assert_eq!(reader.get(&format!("/posts/{kept}")).await.status, 200);
    byline
        .run(&["post", "hide", &post, "--reason", "Once more"], "")
        .await
        .failed_with(&["no post with that id is published, or waits"]);
    byline.run(&["post", "restore", &kept], "").await.failed_with(&["no post with that id is hidden"]);
    byline.run(&["post", "hide", &kept, "--reason", " "], "").await.failed_with(&["reason"]);

    let said = byline.run(&["post", "restore", &post], "").await.succeeded();
    assert!(said.contains(address), "{said}");
    until("the list with it", async || reader.get("/").await.text().contains("Buy cheap tides")).await;
    assert_eq!(reader.get_once(address).await.status, 200);
    for list in lists {
        assert!(reader.get(list).await.text().contains("Buy cheap tides"), "{list} has it again");
    }
    served.terminate().await;
}

#[tokio::test]
async fn an_account_that_the_operator_deletes_is_gone_with_its_posts_or_without() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    let mut reader = Client::browser(served.address, false);
    for (username, keep) in [("ada", false), ("bob", true)] {
        let mut author = Client::browser(served.address, false);
        author.sign_up(username).await;
        let post = author.publish(&format!("Of {username}"), "Text").await;
        assert!(reader.get("/").await.text().contains(&format!("Of {username}")));
        let arguments = ["user", "delete", username, "--keep-posts"];
        byline.run(&arguments[..if keep { 4 } else { 3 }], "").await.succeeded();
        // What the site remembers of each page goes within a moment, and not of all at once.
        until("no page of the author", async || reader.get(&format!("/@{username}")).await.status == 404)
            .await;
        until("what becomes of the post", async || {
            reader.get(&format!("/posts/{post}")).await.status == if keep { 200 } else { 404 }
        })
        .await;
        assert_eq!(author.log_in(username).await.status, 422);
    }
    until("the new author", async || reader.get("/").await.text().contains("deleted-author")).await;
    served.terminate().await;
}

#[tokio::test]
async fn whoever_is_put_in_charge_is_listed_so() {
    let byline = Byline::in_an_empty_folder();
    let said =
        byline.run(&["user", "create", "ada", "ada@example.org", "--admin"], PASSWORD).await.succeeded();
    assert!(said.contains("in charge"), "{said}");
    byline.run(&["user", "create", "bob", "bob@example.org"], PASSWORD).await.succeeded();
    let listed = byline.run(&["user", "list"], "").await.succeeded();
    let lines: Vec<_> = listed.lines().map(|line| line.contains("\tadmin\t")).collect();
    assert_eq!(lines, [true, false], "{listed}");

    // Only when it ends for the last of them, nobody is left.
    let nobody = "Nobody is in charge of the site any more.";
    byline.run(&["user", "put-in-charge", "bob"], "").await.succeeded();
    let said = byline.run(&["user", "put-in-charge", "ada", "--end"], "").await.succeeded();
    assert!(!said.contains(nobody), "{said}");
    let said = byline.run(&["user", "put-in-charge", "bob", "--end"], "").await.succeeded();
    assert!(said.contains("bob is no longer in charge") && said.contains(nobody), "{said}");
    let listed = byline.run(&["user", "list"], "").await.succeeded();
    assert!(!listed.contains("\tadmin\t"), "{listed}");
}

#[tokio::test]
async fn a_person_who_is_renamed_stays_signed_in_and_is_found_by_either_name() {
    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&[]).await;
    let browser = || Client::browser(served.address, false);
    let (mut ada, mut bob, mut reader) = (browser(), browser(), browser());
    ada.sign_up("ada").await;
    bob.sign_up("bob").await;
    let post = ada.publish("On tides", "Text").await;
    let tokens = cognito(&mut browser().as_script(), "InitiateAuth", &log_in("ada")).await.json();
    let token = tokens["AuthenticationResult"]["AccessToken"].as_str().expect("a token").to_owned();
    assert!(reader.page("/").await.text("main").contains("ada"), "kept under the old name");

    byline.run(&["user", "rename", "ada", "bob"], "").await.failed_with(&["taken"]);
    byline.run(&["user", "rename", "ada", "admin"], "").await.failed_with(&["reserved"]);
    byline.run(&["user", "rename", "nobody", "nia"], "").await.failed_with(&["no such account"]);
    let said = byline.run(&["user", "rename", "ada", "Nia"], "").await.succeeded();
    assert!(said.contains("nia"), "{said}");

    until("the list with the new name", async || !reader.get("/").await.text().contains("@ada")).await;
    assert_eq!(ada.signed_in_as().await.as_deref(), Some("nia"));
    assert_eq!(by(&browser(), Method::GET, "/api/my_posts", ("authorization", &token)).await.status, 200);
    for (old, new) in [
        ("/@ada", "/@nia"),
        ("/@ada/on-tides", "/@nia/on-tides"),
        ("/@ada/feed.atom", "/@nia/feed.atom"),
        ("/@ada?before=1&x=%20", "/@nia?before=1&x=%20"),
    ] {
        let moved = reader.get_once(old).await;
        assert_eq!((moved.status, moved.location()), (308, new), "{old}");
    }
    assert_eq!(reader.get_once(&format!("/posts/{post}")).await.location(), "/@nia/on-tides");
    assert_eq!(reader.get("/@ada/never-there").await.status, 404, "what nobody has is nowhere");
    assert_eq!(reader.get("/@eve").await.status, 404);
    let read = by_anyone(&reader, &post).await;
    assert_eq!(read["owner"], "nia", "{read}");

    // The old name is nobody else's, and hers to take again.
    let mut eve = browser();
    let refused = eve.sign_up("ada").await;
    assert!(refused.status == 422 && refused.text().contains("taken"), "{}", refused.text());
    byline.run(&["user", "rename", "bob", "ada"], "").await.failed_with(&["taken"]);
    assert_eq!(browser().log_in("ada").await.status, 422, "nobody logs in by it");
    assert_eq!(browser().log_in("nia").await.status, 303);
    byline.run(&["user", "rename", "nia", "ada"], "").await.succeeded();
    until("the old name", async || reader.get_once("/@ada/on-tides").await.status == 200).await;
    assert_eq!(reader.get_once("/@nia/on-tides").await.location(), "/@ada/on-tides");
    let audit = byline.run(&["audit"], "").await.succeeded();
    assert_eq!(audit.matches("\trenamed\t").count(), 2, "{audit}");

    // With the account its names are free.
    byline.run(&["user", "delete", "ada"], "").await.succeeded();
    assert_eq!(browser().sign_up("nia").await.status, 303);
    served.terminate().await;
}

/// A post as anybody gets it.
async fn by_anyone(client: &Client, post: &str) -> Value {
    client.as_script().get(&format!("/api/get_post?id={post}")).await.json()
}

#[tokio::test]
async fn an_invitation_that_could_not_be_shown_is_not_valid() {
    let byline = Byline::in_an_empty_folder();
    let invite = ["user", "invite"];
    for lost in ["/dev/full", "/dev/null"] {
        let mut command = byline.command(&invite);
        command.stdout(std::fs::File::options().write(true).open(lost).expect("a device"));
        Ended::of(command, "").await.failed_with(&["standard output", "invitation"]);
        let options = SqliteConnectOptions::new().filename(byline.folder().join("byline.db"));
        let mut database = options.connect().await.expect("the database");
        let left: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM invitations")
            .fetch_one(&mut database)
            .await
            .expect("a number");
        assert_eq!(left, 0, "{lost}");
    }
    byline.run(&["site", "set", "sign-up", "invite"], "").await.succeeded();
    let ended = byline.run(&invite, "").await;
    assert_eq!(ended.stderr, "");
    assert!(ended.succeeded().contains("/signup?invite="));

    // Where nobody may sign up, whoever invites somebody reads that.
    byline.run(&["site", "set", "sign-up", "closed"], "").await.succeeded();
    let ended = byline.run(&invite, "").await;
    assert!(ended.stderr.contains("nobody may sign up now"), "{ended:?}");
    assert!(ended.succeeded().contains("/signup?invite="));
}
