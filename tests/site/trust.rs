//! Verified keys and tokens are trusted from memory until one ends (security row K2):
//! at once in the process that ends it, a moment later in every other, and never while
//! a process could miss it.

use std::time::{Duration, Instant};

use axum::{body::Body, http::Method};
use byline::credentials::token::keys::{self, Rotation};
use serde_json::json;

use crate::support::{
    Byline, Client, Credential, PASSWORD, Probe, Running, Served, Several, TestDatabase, postgres_database,
    until,
};

const LIST: &str = "/graphql?query={listPosts{items{id}}}";

/// A moment: far more than a look or a NOTIFY takes, also on a busy machine, and
/// less than anything else would take that ends what is kept.
const MOMENT: Duration = Duration::from_secs(2);

/// The status of a request with that credential.
async fn status(client: &Client, by: &Credential) -> u16 {
    let mut request = client.without_cookies().as_script().request(Method::GET, LIST);
    for (name, value) in by.headers() {
        request = request.header(name, value);
    }
    client.without_cookies().send(request.body(Body::empty()).expect("a request")).await.status
}

/// Shows it until it is believed from memory, and so that the last look was just now.
async fn is_known(client: &Client, by: &Credential) {
    for _ in 0..3 {
        assert_eq!(status(client, by).await, 200, "{}", by.name);
    }
}

/// What ended is refused a moment later, and never opens anything again.
async fn is_refused_in_a_moment(client: &Client, by: &Credential) {
    let ended = Instant::now();
    until("it to be refused", async || status(client, by).await == 401).await;
    assert!(ended.elapsed() < MOMENT, "{}: {:?}", by.name, ended.elapsed());
    for _ in 0..3 {
        assert_eq!(status(client, by).await, 401, "{}", by.name);
    }
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_in_the_same_process() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let token = site.token_of("ada").await;
    for round in 0..10 {
        let (key, id) = site.api_key_of(&ada).await;
        is_known(&ada, &token).await;
        is_known(&ada, &key).await;
        let answer = match round % 2 {
            0 => ada.clone().submit(&format!("/account/api-keys/{id}/revoke"), &[]).await,
            _ => ada.as_script().submit("/api/revoke_api_key", &[("id", &id)]).await,
        };
        assert!([200, 303].contains(&answer.status), "{}", answer.text());
        assert_eq!(status(&ada, &key).await, 401, "round {round}");
        assert_eq!(status(&ada, &token).await, 200, "what has not ended holds");
    }
    assert_eq!(site.count("SELECT COUNT(*) FROM api_keys").await, 0);
}

#[tokio::test]
async fn a_token_is_refused_at_once_in_the_process_that_ended_it() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    for way in ["revoked", "logged out", "stolen", "a key in wrong hands"] {
        let tokens = site.script().tokens("ada").await;
        let token = Credential::token(&tokens.access);
        is_known(&ada, &token).await;
        let fields = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.as_str())];
        match way {
            "revoked" => {
                let answer = site.script().submit("/api/token/revoke", &[("token", &tokens.refresh)]).await;
                assert_eq!(answer.status, 200);
            }
            "logged out" => {
                let out = site.script().form("/api/log_out", &[]);
                let (mut head, body) = out.into_parts();
                head.headers.insert("authorization", tokens.access.parse().expect("a header"));
                assert_eq!(site.script().send(axum::http::Request::from_parts(head, body)).await.status, 200);
            }
            "stolen" => {
                assert_eq!(site.script().submit("/api/token", &fields).await.status, 200);
                site.tamper("UPDATE refresh_tokens SET used_at = used_at - 11000000 WHERE used_at > 0").await;
                is_known(&ada, &token).await;
                assert_eq!(site.script().submit("/api/token", &fields).await.status, 400);
            }
            _ => drop(keys::rotate(&site.site, Rotation::Now).await.expect("a new key")),
        }
        assert_eq!(status(&ada, &token).await, 401, "{way}");
    }
}

#[tokio::test]
async fn a_credential_that_another_program_changes_is_noticed_in_a_moment() {
    let site = Running::start().await;
    for (number, change) in [
        "DELETE FROM api_keys",
        "UPDATE api_keys SET expires_at = created_at",
        "DELETE FROM users",
        "DELETE FROM token_families",
        "UPDATE token_families SET expires_at = created_at",
        "DELETE FROM signing_keys",
    ]
    .into_iter()
    .enumerate()
    {
        let ada = site.author(&format!("ada{number}")).await;
        let (key, _) = site.api_key_of(&ada).await;
        let token = site.token_of(&format!("ada{number}")).await;
        is_known(&ada, &key).await;
        is_known(&ada, &token).await;
        site.tamper(change).await;
        let ended = match change {
            of_keys if of_keys.contains("api_keys") => vec![&key],
            "DELETE FROM users" => vec![&key, &token],
            _ => vec![&token],
        };
        for by in ended {
            is_refused_in_a_moment(&ada, by).await;
        }
    }
    if let Probe::Postgres(_) = site.probe().await {
        let ada = site.author("ada").await;
        let (key, _) = site.api_key_of(&ada).await;
        is_known(&ada, &key).await;
        site.probe().await.execute("TRUNCATE api_keys").await;
        is_refused_in_a_moment(&ada, &key).await;
    }
}

#[tokio::test]
async fn a_person_whom_another_program_renames_writes_with_the_new_name_a_moment_later() {
    let site = Running::start().await;
    let ada = site.author("ada").await;
    let token = site.token_of("ada").await;
    is_known(&ada, &token).await;
    site.tamper("UPDATE users SET username = 'lovelace'").await;
    let changed = Instant::now();
    until("the new name to stand under a post", async || {
        let input = json!({ "input": { "title": "Post" } });
        let create = "mutation ($input: CreatePostInput!) { createPost(input: $input) { owner } }";
        let answer = site.graphql_with(&token, create, input).await.json();
        answer["data"]["createPost"]["owner"] == "lovelace"
    })
    .await;
    assert!(changed.elapsed() < MOMENT, "{:?}", changed.elapsed());
}

/// Real processes on one database: one that serves, and the command line beside it.
struct Commanded {
    byline: Byline,
    served: Served,
    database: TestDatabase,
}

impl Commanded {
    async fn start() -> Self {
        let (byline, database) = (Byline::in_an_empty_folder(), TestDatabase::fresh().await);
        let served = byline.serve(&["--database-url", database.url_text()]).await;
        Self { byline, served, database }
    }

    fn browser(&self) -> Client {
        Client::browser(self.served.address, false)
    }

    async fn run(&self, arguments: &[&str], input: &str) -> String {
        let arguments = [&["--database-url", self.database.url_text()], arguments].concat();
        self.byline.run(&arguments, input).await.succeeded()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_revoked_by_the_command_line_opens_nothing_a_moment_later() {
    let site = Commanded::start().await;
    let mut ada = site.browser();
    assert_eq!(ada.sign_up("ada").await.status, 303);
    for round in 0..3 {
        let key = site.run(&["api-key", "create", "--user", "ada"], "").await;
        let key = Credential::api_key(key.trim());
        is_known(&ada, &key).await;
        let id = site.database.text("SELECT id FROM api_keys").await;

        // In use all the while, by somebody who never waits.
        let (client, by) = (ada.clone(), key.clone());
        let user = tokio::spawn(async move {
            let mut opened = 0;
            while status(&client, &by).await == 200 {
                opened += 1;
            }
            (opened, Instant::now())
        });
        site.run(&["api-key", "revoke", &id], "").await;
        let revoked = Instant::now();
        let (opened, refused) = user.await.expect("no panic");
        assert!(opened > 0, "round {round}: it was in use");
        assert!(refused < revoked + MOMENT, "round {round}: {:?}", refused - revoked);
        is_refused_in_a_moment(&ada, &key).await;
    }
    assert_eq!(site.database.count("SELECT COUNT(*) FROM api_keys").await, 0);
    site.served.terminate().await;
}

#[tokio::test]
async fn what_the_command_line_ends_opens_nothing_a_moment_later() {
    let site = Commanded::start().await;
    let mut ada = site.browser();
    assert_eq!(ada.sign_up("ada").await.status, 303);
    for ends in [["keys", "rotate", "--now"], ["user", "set-password", "ada"]] {
        let token = Credential::token(&ada.as_script().tokens("ada").await.access);
        is_known(&ada, &token).await;
        site.run(&ends, PASSWORD).await;
        is_refused_in_a_moment(&ada, &token).await;
    }
    site.served.terminate().await;
}

#[tokio::test]
async fn a_key_that_one_process_revokes_opens_nothing_at_the_others_a_moment_later() {
    let site = Several::start(postgres_database().await, 3, &[]).await;
    let ada = site.author("ada").await;
    for round in 0..3 {
        let answer = ada.as_script().submit("/api/create_api_key", &[("name", "Key"), ("days", "1")]).await;
        let made = answer.json();
        let key = Credential::api_key(made["key"].as_str().expect("a key"));
        let processes = site.at_each(&ada);
        for process in &processes {
            is_known(process, &key).await;
        }
        let id = made["id"].as_str().expect("an id");
        let revoked = processes[round].as_script().submit("/api/revoke_api_key", &[("id", id)]).await;
        assert_eq!(revoked.status, 200, "{}", revoked.text());
        assert_eq!(status(&processes[round], &key).await, 401, "at once where it was revoked");
        for process in &processes {
            is_refused_in_a_moment(process, &key).await;
        }
    }
    site.stop().await;
}

/// A way to see whether the database is asked about keys: nobody is answered while
/// somebody has the table alone.
async fn alone_with_the_keys(database: &TestDatabase) -> Probe {
    let mut probe = database.probe().await;
    probe.execute("BEGIN").await;
    probe.execute("LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE").await;
    probe
}

#[tokio::test]
async fn while_the_listening_connection_is_lost_every_credential_is_asked_about() {
    let mut site = Several::start(postgres_database().await, 1, &[]).await;
    let ada = site.at(&site.author("ada").await, 0);
    let mut keys = Vec::new();
    for number in 0..5 {
        let fields = [("name", &*format!("Key {number}")), ("days", "1")];
        let made = ada.as_script().submit("/api/create_api_key", &fields).await.json();
        keys.push((Credential::api_key(made["key"].as_str().expect("a key")), made["id"].clone()));
    }
    for (key, _) in &keys {
        is_known(&ada, key).await;
    }
    let mut alone = alone_with_the_keys(&site.database).await;
    for (key, _) in &keys {
        assert_eq!(status(&ada, key).await, 200, "believed without a question");
    }
    alone.execute("ROLLBACK").await;

    // Nobody connects to it any more, so the connection that breaks stays broken.
    let server = &mut TestDatabase::at(site.database.server()).probe().await;
    let mut beside = site.database.probe().await;
    let name = site.database.url_text().rsplit_once('/').expect("a name").1.to_owned();
    server.execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false")).await;
    let listening = "SELECT COUNT(pg_terminate_backend(pid)) FROM pg_stat_activity
         WHERE datname = current_database() AND (query LIKE 'LISTEN%' OR query = 'SELECT 1')";
    assert_eq!(beside.number(listening).await, 1);
    let mut reader = ada.without_cookies();
    until("the process to notice", async || {
        reader.get("/").await.header("cache-control") != "public, no-cache"
    })
    .await;
    for (key, id) in &keys {
        assert_eq!(status(&ada, key).await, 200, "what holds is let in, after a question");
        let revoke = format!("DELETE FROM api_keys WHERE id = '{}'", id.as_str().expect("an id"));
        assert_eq!(beside.execute(&revoke).await, 1);
        assert_eq!(status(&ada, key).await, 401, "at once, though nobody told of it");
    }

    server.execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true")).await;
    until("the process to hear again", async || {
        reader.get("/").await.header("cache-control") == "public, no-cache"
    })
    .await;
    for (key, _) in &keys {
        assert_eq!(status(&ada, key).await, 401);
    }
    // Its log speaks of the connections that it was refused.
    site.kill(0).await;
}
