//! Several `byline serve` on one PostgreSQL are one site: each knows what the others
//! do.

use std::collections::HashSet;

use axum::http::Method;
use byline::ops::copy::TABLES;
use futures::{StreamExt, future::join_all, stream::FuturesUnordered};
use serde_json::json;

use crate::support::{
    Byline, Client, Listener, PASSWORD, Several, TestDatabase, Told, postgres_database, until,
};

const CANARY: &str = "canary-in-a-text";

async fn three() -> Several {
    Several::start(postgres_database().await, 3, &[]).await
}

async fn is_on_the_list(reader: &mut Client, title: &str) -> bool {
    reader.page("/").await.texts("article h2").iter().any(|found| found == title)
}

fn facts(told: &[Told]) -> Vec<(i64, (String, String, String))> {
    told.iter().map(|told| (told.id, told.fact())).collect()
}

#[tokio::test]
async fn a_session_holds_at_every_process_until_it_is_ended_at_one() {
    let site = three().await;
    let mut reader = site.at(&site.browser(), 2);
    assert_eq!(reader.page("/").await.count("article"), 0, "kept at the third, without the post");

    let mut ada = site.at(&site.browser(), 0);
    assert_eq!(ada.sign_up("ada").await.status, 303);
    let post = site.at(&ada, 1).publish("Everywhere", "Text").await;
    let mut at_the_third = site.at(&ada, 2);
    assert_eq!(at_the_third.signed_in_as().await.as_deref(), Some("ada"));
    assert!(is_on_the_list(&mut at_the_third, "Everywhere").await, "its author sees it at once");
    assert_eq!(at_the_third.page("/my-posts").await.count("article"), 1);
    until("a reader at the third to see it", async || is_on_the_list(&mut reader, "Everywhere").await).await;

    // Nobody notices which process answers.
    let mut anywhere = ada.at(site.browser().address());
    for _ in 0..3 {
        let edit = anywhere.page(&format!("/my-posts/{post}/edit")).await;
        let version = edit.value("version");
        let fields = [("version", version.as_str()), ("title", &format!("After {version}")), ("content", "")];
        assert_eq!(anywhere.submit(&format!("/my-posts/{post}/edit"), &fields).await.status, 303);
        assert!(is_on_the_list(&mut anywhere, &format!("After {version}")).await);
    }

    let stolen = ada.clone();
    assert_eq!(ada.submit("/logout", &[]).await.status, 303);
    for mut thief in site.at_each(&stolen) {
        assert_eq!(thief.as_script().get("/api/my_posts").await.status, 401);
        let answer = thief.get("/my-posts").await;
        assert_eq!((answer.status, answer.location()), (303, "/login?next=/my-posts"));
        let answer = thief.as_script().submit("/api/delete_post", &[("id", &post)]).await;
        assert_eq!(answer.status, 401);
    }
    let database = site.stop().await;
    assert_eq!(database.count("SELECT COUNT(*) FROM sessions").await, 0);
    assert_eq!(database.count("SELECT version FROM posts").await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn listeners_at_every_process_hear_every_event_once_and_in_one_order() {
    const ROUNDS: usize = 8;
    let site = three().await;
    let mut listeners = Vec::new();
    for reader in site.at_each(&site.browser()) {
        listeners.push(Listener::open(&reader).await);
    }

    let authors = join_all(["ada", "bob"].map(|name| site.author(name))).await;
    let work = authors.iter().map(async |author| {
        for round in 0..ROUNDS {
            let [mut creates, mut edits, mut deletes] =
                [0, 1, 2].map(|step| site.at(author, (round + step) % 3).as_script());
            let text = [("title", CANARY), ("content", CANARY)];
            let created = creates.submit("/api/create_post", &text).await;
            assert_eq!(created.status, 200, "{}", created.text());
            let id = created.json()["id"].as_str().expect("an id").to_owned();
            let edit = [("id", id.as_str()), ("version", "1"), ("title", "New"), ("content", CANARY)];
            let edited = edits.submit("/api/update_post", &edit).await;
            assert_eq!(edited.status, 200, "{}", edited.text());
            let deleted = deletes.submit("/api/delete_post", &[("id", &id)]).await;
            assert_eq!(deleted.status, 200, "{}", deleted.text());
        }
    });
    join_all(work).await;
    // Told after all others; had one come twice, it would come instead of this.
    site.at(&authors[0], 1).publish("Last", "").await;

    let events = site.events().await;
    assert_eq!(events.len(), 2 * 3 * ROUNDS + 1);
    for listener in &mut listeners {
        let told = listener.take(events.len()).await;
        assert_eq!(facts(&told), events, "as the table has them");
        assert!(told.is_sorted_by(|a, b| a.id < b.id), "ids rise");
        assert!(told.iter().all(|told| !told.raw.contains(CANARY)), "no listener is told a text");
    }
    for (_, fact) in &events[..events.len() - 1] {
        let of_post: Vec<_> =
            events.iter().filter(|(_, other)| other.1 == fact.1).map(|(_, (kind, ..))| kind).collect();
        assert_eq!(of_post, ["created", "changed", "deleted"]);
    }
    drop(listeners);
    site.stop().await;
}

#[tokio::test]
async fn a_listener_that_comes_back_at_another_process_hears_exactly_what_it_missed() {
    let site = three().await;
    let mut ada = site.author("ada").await;
    let [one, two, three] = [0, 1, 2].map(|process| site.at(&site.browser(), process));
    let mut listener = Listener::open(&one).await;
    ada.publish("Heard", "").await;
    let heard = listener.next().await.id;
    drop(listener);
    for title in ["Missed 1", "Missed 2", "Missed 3", "Missed 4"] {
        ada.publish(title, "").await;
    }

    let page = two.as_script().get("/api/list_posts").await.json();
    let missed = site.events().await.split_off(1);
    let as_of = page["as_of"].as_i64().expect("an id").to_string();
    let mut back = Listener::resume(&two, "/events", Some(&heard.to_string())).await;
    let mut by_address = Listener::resume(&three, &format!("/events?after={heard}"), None).await;
    let nothing_missed = format!("/events?after={as_of}");
    let mut up_to_date = Listener::resume(&three, &nothing_missed, None).await;
    let mut by_both = Listener::resume(&three, &nothing_missed, Some(&heard.to_string())).await;
    ada.publish("New", "").await;
    let new = site.events().await.split_off(5);
    let all = [missed, new.clone()].concat();

    assert_eq!(facts(&back.take(5).await), all);
    assert_eq!(facts(&by_address.take(5).await), all);
    assert_eq!(facts(&by_both.take(5).await), all, "what the browser remembers counts more");
    assert_eq!(facts(&up_to_date.take(1).await), new);
    drop((back, by_address, up_to_date, by_both));
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operation_sent_to_every_process_at_once_is_done_once() {
    let site = three().await;
    let ada = site.author("ada").await;
    for round in 0..5 {
        let title = format!("IdempotentOperation {round}");
        let wish = [("title", title.as_str()), ("content", ""), ("idempotency_key", title.as_str())]
            .map(|(name, value)| (name, value.replace(' ', "-")));
        let wish = wish.each_ref().map(|(name, value)| (*name, value.as_str()));
        let sent = site.at_each(&ada.as_script()).into_iter().map(async |mut client| {
            let answer = client.submit("/api/create_post", &wish).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
            answer.json()["id"].as_str().expect("an id").to_owned()
        });
        let ids: HashSet<_> = join_all(sent).await.into_iter().collect();
        assert_eq!(ids.len(), 1, "everybody is told of the same post");
    }
    let facts: HashSet<_> = site.events().await.into_iter().map(|(_, fact)| fact).collect();
    let database = site.stop().await;
    assert_eq!(database.count("SELECT COUNT(*) FROM posts").await, 5);
    assert_eq!(facts.len(), 5, "and so are listeners");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_wanted_at_every_process_at_once_is_one_account() {
    let site = three().await;
    for name in ["ada", "bob"] {
        let wanted =
            site.at_each(&site.browser()).into_iter().enumerate().map(async |(number, mut browser)| {
                let email = format!("{name}-{number}@example.org");
                let fields = [("username", name), ("email", &email), ("password", PASSWORD)];
                (browser.submit("/signup", &fields).await, browser)
            });
        let mut answers = join_all(wanted).await;
        answers.sort_by_key(|(answer, _)| answer.status);
        let statuses: Vec<_> = answers.iter().map(|(answer, _)| answer.status).collect();
        assert_eq!(statuses, [303, 422, 422]);
        for (answer, browser) in &answers[1..] {
            answer.page().assert_problem("username", "That username is taken. Choose another");
            assert_eq!(browser.sid(), None, "nobody is signed in as somebody else");
        }
        assert_eq!(answers[0].1.signed_in_as().await.as_deref(), Some(name));
    }
    let database = site.stop().await;
    assert_eq!(database.count("SELECT COUNT(*) FROM users").await, 2);
    assert_eq!(database.count("SELECT COUNT(*) FROM sessions").await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_edits_through_every_process_one_wins_and_every_other_learns_of_it() {
    const EDITS: usize = 24;
    let site = three().await;
    let mut ada = site.author("ada").await;
    let post = ada.publish("Title", "Text").await;
    let edits = (0..EDITS).map(|number| {
        let mut script = site.at(&ada, number % 3).as_script();
        let edit = json!({ "id": post, "version": 1, "title": format!("Edit {number}"), "content": "" });
        async move { (edit["title"].clone(), script.submit_json("/api/update_post", &edit).await) }
    });
    let answers = join_all(edits).await;
    let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(|(_, answer)| answer.status == 200);
    assert_eq!(won.len(), 1);
    for (title, answer) in lost {
        assert_eq!(answer.status, 409, "{title}: {}", answer.text());
        let current = &answer.json()["current"];
        assert_eq!((&current["title"], &current["version"]), (&won[0].0, &json!(2)), "{title}");
    }
    assert_eq!(site.events().await.len(), 2, "created and changed once");
    let database = site.stop().await;
    assert_eq!(database.text("SELECT title FROM posts").await, won[0].0.as_str().expect("a text"));
    assert_eq!(database.count("SELECT version FROM posts").await, 2);
}

#[tokio::test]
async fn a_change_at_one_process_invalidates_cached_pages_at_the_others() {
    let site = three().await;
    let mut ada = site.at(&site.browser(), 0);
    ada.sign_up("ada").await;
    let post = ada.publish("Edit 1", "").await;
    let path = format!("/posts/{post}");
    let mut readers = site.at_each(&site.browser());
    for reader in &mut readers {
        until("the post to be there", async || is_on_the_list(reader, "Edit 1").await).await;
        for path in ["/", &path] {
            assert_eq!(reader.get(path).await.header("cache-control"), "public, no-cache", "{path} is kept");
        }
    }
    for version in 1..4 {
        let title = format!("Edit {}", version + 1);
        let fields = [("version", &version.to_string()), ("title", &title)];
        let fields = fields.map(|(name, value)| (name, value.as_str()));
        let mut author = site.at(&ada, version % 3);
        assert_eq!(author.submit(&format!("/my-posts/{post}/edit"), &fields).await.status, 303);
        for reader in &mut readers {
            until("the list to have it", async || is_on_the_list(reader, &title).await).await;
            until("its page to have it", async || reader.page(&path).await.texts("h1") == [title.as_str()])
                .await;
        }
    }
    assert_eq!(site.at(&ada, 1).submit(&format!("{path}/delete"), &[]).await.status, 303);
    for reader in &mut readers {
        until("the post to be gone", async || reader.get(&path).await.status == 404).await;
        until("the list to be empty", async || reader.page("/").await.count("article") == 0).await;
    }
    let database = site.stop().await;
    assert_eq!(database.count("SELECT COUNT(*) FROM posts").await, 0);
}

/// The titles that a program with that key is answered.
async fn listed(program: &Client, key: &str) -> Vec<String> {
    let query = json!({ "query": "{ listPosts { items { title } } }" }).to_string();
    let request = program.request(Method::POST, "/graphql").header("x-api-key", key);
    let request = request.header("content-type", "application/json").body(query.into());
    let answer = program.clone().send(request.expect("a request")).await.json();
    let items = answer["data"]["listPosts"]["items"].as_array().cloned();
    let items = items.unwrap_or_else(|| panic!("{answer}"));
    items.iter().map(|post| post["title"].as_str().expect("a title").to_owned()).collect()
}

#[tokio::test]
async fn a_change_at_one_process_invalidates_cached_answers_at_the_others() {
    let site = three().await;
    let mut ada = site.at(&site.browser(), 0);
    ada.sign_up("ada").await;
    let made =
        ada.as_script().submit("/api/create_api_key", &[("name", "Reader"), ("days", "1")]).await.json();
    let key = made["key"].as_str().expect("a key").to_owned();
    let post = ada.publish("Edit 1", "").await;
    let programs = site.at_each(&site.browser());
    for version in 1..4 {
        let title = format!("Edit {version}");
        for program in &programs {
            until("the list to have it", async || listed(program, &key).await == [title.as_str()]).await;
        }
        let next = format!("Edit {}", version + 1);
        let fields = [("version", version.to_string()), ("title", next)];
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        let mut author = site.at(&ada, version % 3);
        assert_eq!(author.submit(&format!("/my-posts/{post}/edit"), &fields).await.status, 303);
    }
    assert_eq!(site.at(&ada, 1).submit(&format!("/posts/{post}/delete"), &[]).await.status, 303);
    for program in &programs {
        until("the list to be empty", async || listed(program, &key).await.is_empty()).await;
    }
    site.stop().await;
}

#[tokio::test]
async fn migrations_of_a_server_started_at_once_all_succeed() {
    let byline = Byline::in_an_empty_folder();
    for _ in 0..3 {
        let database = postgres_database().await;
        let migrate = ["migrate", "--database-url", database.url_text()];
        let mut started: FuturesUnordered<_> = (0..3).map(|_| byline.run(&migrate, "")).collect();
        while let Some(ended) = started.next().await {
            assert!(ended.succeeded().contains("is up to date"));
        }
        let tables = database.probe().await.tables().await;
        let not_copied = ["_sqlx_migrations", "backup_runs", "media_leftovers", "searched_posts"];
        let mut expected: Vec<_> = TABLES.iter().map(|table| table.name).chain(not_copied).collect();
        expected.sort_unstable();
        assert_eq!(tables, expected);
        let steps = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/postgres"));
        let steps = steps.expect("the steps").count();
        assert_eq!(database.count("SELECT COUNT(*) FROM _sqlx_migrations").await, steps as i64, "each once");
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_used_is_named_without_its_password() {
    const SECRET: &str = "s3cret-of-the-database";
    let byline = Byline::in_an_empty_folder();
    let database = postgres_database().await;
    let with_password = |database: &TestDatabase| {
        let (who, place) = database.url_text().rsplit_once('@').expect("a user");
        format!("{who}:{SECRET}@{place}")
    };
    let url = with_password(&database);
    let up_to_date = byline.run(&["migrate", "--database-url", &url], "").await.succeeded();
    assert!(!up_to_date.contains(SECRET), "{up_to_date}");
    database
        .tamper(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             VALUES (9999, 'from the future', TRUE, '', 0)",
        )
        .await;
    let before = database.dump().await;
    let missing = format!("{url}_missing");
    let nobody_there = format!("postgres://byline:{SECRET}@127.0.0.1:1/byline");
    let servers = [
        (url.as_str(), &["newer Byline", "9999", "***@127.0.0.1"][..]),
        (&missing, &["cannot be opened", "does not exist"]),
        (&nobody_there, &["cannot be opened", "***@127.0.0.1:1/byline"]),
    ];
    let commands = [&["serve", "--listen", "127.0.0.1:0"][..], &["migrate"], &["user", "list"]];
    let refused = servers.iter().flat_map(|server| commands.map(|command| (server, command))).map(
        async |((url, words), command)| {
            let ended = byline.run(&[command, &["--database-url", url]].concat(), "").await;
            let said = format!("{}{}", ended.stdout, ended.stderr);
            assert!(!said.contains(SECRET), "{said}");
            ended.failed_with(words);
        },
    );
    join_all(refused).await;
    assert_eq!(database.dump().await, before);
}

#[tokio::test]
async fn a_person_who_is_renamed_by_a_command_has_the_new_name_at_every_process() {
    let site = three().await;
    let mut ada = site.at(&site.browser(), 0);
    ada.sign_up("ada").await;
    ada.publish("On tides", "Text").await;
    let mut readers = site.at_each(&site.browser());
    for reader in &mut readers {
        until("the post to be listed", async || reader.get("/").await.text().contains("/@ada/on-tides"))
            .await;
    }
    let byline = Byline::in_an_empty_folder();
    let rename = ["user", "rename", "ada", "nia", "--database-url", site.database.url_text()];
    byline.run(&rename, "").await.succeeded();
    for reader in &mut readers {
        until("the new name", async || reader.get("/").await.text().contains("/@nia/on-tides")).await;
        assert_eq!(reader.get_once("/@ada/on-tides").await.location(), "/@nia/on-tides");
    }
    for mut ada in site.at_each(&ada) {
        assert_eq!(ada.signed_in_as().await.as_deref(), Some("nia"));
    }
    let refused = site.browser().sign_up("ada").await;
    assert!(refused.status == 422 && refused.text().contains("taken"), "{}", refused.text());
    site.stop().await;
}
