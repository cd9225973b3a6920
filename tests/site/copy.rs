//! `byline copy`: a site moves into another database.

use std::{collections::BTreeSet, path::Path};

use byline::{
    config::{Config, SecretKeySource},
    credentials::token::keys::{self, Rotation},
    ops::copy::{Kind, TABLES},
};
use tokio::process::{Child, Command};

use crate::support::{
    Byline, Client, Ended, PASSWORD, Probe, Running, TestDatabase, picture, postgres_database, until,
};

/// Texts that a copy could damage.
const DELICATE: &[&str] = &[
    "quotes ' '' \" \\' \\\" ` $1 $$ ?1 :name % _ %s",
    "back\\slashes \\\\ \\n \\x41 \\u0041 E'\\\\' \\. \\N NULL",
    "👩🏽‍🚀 🇨🇭 \u{10FFFD} \u{FFFD} e\u{301} ﬁ \u{200B}",
    "שלום \u{202E}עולם\u{202C} مرحبا",
    "tab\tand\n\nlines\n  of   spaces ",
    "<script>alert(1)</script> &amp; [x](javascript:alert(1))",
];

/// More than fit into one INSERT of either engine.
const KEYS: &str =
    "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 14000)
    INSERT INTO idempotency_keys (user_id, wish, key, result_id, created_at)
    SELECT (SELECT MIN(id) FROM users), 'create post', 'key ' || n, 'x', n FROM numbers";

async fn copy(from: &TestDatabase, to: &TestDatabase) -> Ended {
    Byline::in_an_empty_folder().run(&arguments(from, to), "").await
}

fn arguments<'a>(from: &'a TestDatabase, to: &'a TestDatabase) -> [&'a str; 5] {
    ["copy", "--from", from.url_text(), "--to", to.url_text()]
}

/// Every row of the site itself; sqlx notes for each database when it was made.
pub(super) async fn rows(database: &TestDatabase) -> String {
    let dump = database.dump().await;
    let (_, rows) = dump.split_once("\napi_keys:\n").expect("the first of our tables");
    rows.to_owned()
}

/// A database with the schema and without rows.
async fn migrated(database: TestDatabase) -> TestDatabase {
    let byline = Byline::in_an_empty_folder();
    byline.run(&["migrate", "--database-url", database.url_text()], "").await.succeeded();
    database
}

async fn is_empty(database: &TestDatabase) -> bool {
    let mut rows = 0;
    for table in TABLES {
        rows += database.count(&format!("SELECT COUNT(*) FROM {}", table.name)).await;
    }
    rows == 0
}

/// Secrets are copied as they are.
fn without_key(config: &mut Config) {
    config.secret_key = SecretKeySource::Nowhere;
}

/// A site with two authors, one of them signed in, and posts that are easily
/// damaged on the way.
pub(super) async fn lively_site() -> (Running, Client) {
    lively_site_with(|_| ()).await
}

async fn lively_site_with(set: impl FnOnce(&mut Config)) -> (Running, Client) {
    let site = Running::start_with(set).await;
    site.author("bob").await.publish("Bob's", "a post of his own").await;
    let mut ada = site.author("ada").await;
    for (number, content) in DELICATE.iter().enumerate() {
        ada.publish(&format!("{number} ' \\ \" 🦉 עברית"), content).await;
    }
    ada.publish("Long", &"é🦉x\\'".repeat(20_000)).await;
    let gone = ada.publish("Gone", "soon").await;
    assert_eq!(ada.submit(&format!("/posts/{gone}/delete"), &[]).await.status, 303);
    for (width, alt) in [(600, DELICATE[2]), (6, "")] {
        let answer = ada.as_script().upload("/api/upload_media", &picture::png(width, 2), alt).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }
    for name in ["one", DELICATE[2]] {
        site.public_key_called(name).await;
    }
    for username in ["ada", "bob"] {
        site.script().tokens(username).await;
    }
    keys::rotate(&site.site, Rotation::InTurn).await.expect("a key");
    (site, ada)
}

/// What no visitor can make but a database can hold, and keys that only their
/// bytes put into one order everywhere.
async fn add_what_nobody_makes(site: &TestDatabase) {
    for id in ["A", "Z", "a", "é", "z", "ÿ", "\u{FFFD}", "🦉", "a b", "a_b", "aB", "_", ""] {
        let user = format!(
            "INSERT INTO users (id, username, email, password_hash, created_at) VALUES ('{id}', '{id}', '{id}', '', -9223372036854775808)"
        );
        site.tamper(&user).await;
    }
    site.tamper(
        "INSERT INTO posts (id, owner_id, version, created_at, updated_at, title, excerpt, content)
         VALUES ('empty', 'Z', 9223372036854775807, 0, -1, '', '', '')",
    )
    .await;
    site.tamper(
        "INSERT INTO posts (id, owner_id, version, created_at, updated_at, title, title_folded, excerpt, content_folded)
         VALUES ('none', 'Z', 1, 0, -1, '', '', '', 'x')",
    )
    .await;
    for (id, time) in [("draft", "NULL"), ("draft too", "-1")] {
        site.tamper(&format!(
            "INSERT INTO drafts VALUES ('{id}', 'Z', 1, 0, -1, {time}, {time}, -210, 1, 's', 'a,b', '', '', 'de', {time})"
        ))
        .await;
    }
    site.tamper("UPDATE posts SET language = 'de' WHERE id = 'none'").await;
    site.tamper("UPDATE users SET plain_punctuation = 1, approved_at = -1 WHERE id = 'Z'").await;
    site.tamper("INSERT INTO site_settings VALUES ('about', 'é', -1), ('of a newer Byline', '', 0)").await;
    site.tamper(
        "INSERT INTO site_pictures SELECT name, 'é-1x1', 'é', value, -1
         FROM (SELECT 'é' AS name UNION ALL SELECT 'Z') AS names, (SELECT value FROM secrets LIMIT 1) AS any_one",
    )
    .await;
    site.tamper("INSERT INTO post_addresses VALUES ('Z', 's', 'gone', -1)").await;
    site.tamper("INSERT INTO former_usernames VALUES ('é', 'Z', -1), ('old', 'a', 0)").await;
    site.tamper("INSERT INTO redirects VALUES ('/old/ü x', 'gone', -1), ('/Z', 'empty', 0)").await;
    site.tamper("INSERT INTO post_tags VALUES ('empty', 'ü', -1), ('none', 'a', 0)").await;
    site.tamper("UPDATE api_keys SET user_id = 'Z', last_used_at = -1 WHERE name = 'one'").await;
    site.tamper("INSERT INTO secrets SELECT 'another', value, 0 FROM secrets").await;
    for (id, content) in [("gone", "''"), ("gone too", "NULL")] {
        site.tamper(&format!("INSERT INTO deleted_posts VALUES ('{id}', 'Z', 1, 0, -1, '', {content})"))
            .await;
        site.tamper(&format!(
            "INSERT INTO trashed_posts VALUES ('{id}', 'Z', 1, 0, -1, '', {content}, 's', 'a,b', 1, 'de', {content})"
        ))
        .await;
        site.tamper(&format!("INSERT INTO revisions VALUES ('{id}', -1, 'Z', 0, 'a,b', '', {content})"))
            .await;
    }
    for (id, shown) in [("kept", "NULL"), ("kept too", "-1")] {
        site.tamper(&format!(
            "INSERT INTO kept_forms VALUES ('{id}', '', 'Z', '', '', '{{}}', 2, 0, {shown})"
        ))
        .await;
    }
    for values in ["SELECT 'A', hash, 1, -1, NULL, NULL", "SELECT 'Z', NULL, NULL, 0, hash, 9"] {
        site.tamper(&format!("INSERT INTO two_factor {values} FROM api_keys WHERE name = 'one'")).await;
    }
    for rows in [
        "recovery_codes SELECT 'A', hash, last_used_at",
        "passkeys SELECT id, 'Z', name, hash, '{}', -1, last_used_at, created_at",
        "passkey_ceremonies SELECT hash, 'add', NULL, '', '{}', 0",
        "srp_verifiers SELECT id, hash, hash, hash",
        "srp_used SELECT hash, -1",
    ] {
        site.tamper(&format!("INSERT INTO {rows} FROM api_keys")).await;
    }
    site.tamper("INSERT INTO attempts SELECT hash, 1, -1, 0, 9223372036854775807 FROM api_keys").await;
    for number in 0..2 {
        for row in [
            "INSERT INTO media_objects VALUES ('{n}', 'é', 's3://pictures/{n}')",
            "INSERT INTO outbox VALUES ('{n}', '', 'é', NULL, -1, 0, 0, 0, 0, NULL, NULL)",
            "INSERT INTO one_time_tokens SELECT hash, '', NULL, '', NULL, 0, -1 FROM api_keys WHERE id = '{key}'",
            "INSERT INTO pending_sign_ups SELECT '{n}', '', '', '', NULL, hash, hash, 0, -1 FROM api_keys WHERE id = '{key}'",
        ] {
            let key =
                site.text(&format!("SELECT id FROM api_keys ORDER BY id LIMIT 1 OFFSET {number}")).await;
            site.tamper(&row.replace("{n}", &number.to_string()).replace("{key}", &key)).await;
        }
    }
    site.tamper(
        "INSERT INTO invitations SELECT hash, 0, -1, CASE name WHEN 'one' THEN 'é' END, 1 FROM api_keys",
    )
    .await;
    for (id, time) in [("é", "NULL"), ("z", "-1")] {
        site.tamper(&format!(
            "INSERT INTO reports VALUES ('{id}', 'empty', 'spam', 'a''b', '::1{id}', 0, {time})"
        ))
        .await;
        site.tamper(&format!("INSERT INTO sweeps VALUES ('{id}', 0, 'é', '::/64', -1, 'Spam', {time})"))
            .await;
        site.tamper(&format!("INSERT INTO sweep_items VALUES ('{id}', 'post', 'empty', 'done')")).await;
    }
    site.tamper("INSERT INTO known_devices SELECT 'Z', hash, 0, -1 FROM api_keys WHERE name = 'one'").await;
    site.tamper(KEYS).await;
}

#[tokio::test]
async fn a_copied_site_is_the_same_site() {
    let (site, _) = lively_site_with(without_key).await;
    add_what_nobody_makes(&site).await;
    let (file, server) = (TestDatabase::in_a_file(), postgres_database().await);
    let (other_server, other_file) = (postgres_database().await, TestDatabase::in_a_file());
    let end = TestDatabase::fresh().await;

    let way = [&*site, &file, &server, &other_server, &other_file, &end];
    let mut said = BTreeSet::new();
    for step in way.windows(2) {
        // PostgreSQL puts a changed row behind the others.
        step[0].tamper("UPDATE users SET email = email WHERE id = 'A'").await;
        let out = copy(step[0], step[1]).await.succeeded();
        let (tables, last) = out.trim_end().rsplit_once('\n').expect("several lines");
        assert!(last.contains(step[0].url_text()) && last.contains(step[1].url_text()), "{last}");
        said.insert(tables.to_owned());
    }
    assert_eq!(rows(&site).await, rows(&end).await);
    assert_eq!(rows(&file).await, rows(&other_file).await);
    assert_eq!(rows(&server).await, rows(&other_server).await);

    assert_eq!(said.len(), 1, "every table has the same hash on every engine: {said:#?}");
    let said = said.pop_first().expect("what was said");
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), TABLES.len(), "{said}");
    for (line, table) in lines.iter().zip(TABLES) {
        let rows = end.count(&format!("SELECT COUNT(*) FROM {}", table.name)).await;
        let hash = line.strip_prefix(&format!("{}: {rows} rows, SHA-256 ", table.name)).expect(line);
        assert!(rows > 1 && hash.len() == 16 && hash.bytes().all(|b| b.is_ascii_hexdigit()), "{line}");
    }
}

#[tokio::test]
async fn sessions_continue_on_the_copy() {
    let (site, ada) = lively_site().await;
    let newest = site.count("SELECT MAX(id) FROM events").await;
    for target in [TestDatabase::in_a_file(), postgres_database().await] {
        copy(&site, &target).await.succeeded();
        let byline = Byline::in_an_empty_folder();
        let served = byline.serve(&["--database-url", target.url_text()]).await;
        let mut browser = Client::browser(served.address, false).with_sid(ada.sid().expect("a session"));
        assert_eq!(browser.signed_in_as().await.as_deref(), Some("ada"));
        let post = browser.publish("After the move", "It works.").await;
        browser.page(&format!("/posts/{post}")).await;
        assert_eq!(target.count("SELECT MAX(id) FROM events").await, newest + 1, "events go on");

        let mut bob = Client::browser(served.address, false);
        let login = bob.submit("/login", &[("identifier", "bob"), ("password", PASSWORD)]).await;
        assert_eq!(login.status, 303, "passwords moved along");
        served.terminate().await;
    }
    assert_eq!(ada.clone().signed_in_as().await.as_deref(), Some("ada"), "the old site lives on");
}

/// The key that opens them goes along with a file, and into a server they arrive open.
#[tokio::test]
async fn the_keys_of_tokens_arrive_although_they_are_sealed() {
    let (site, _) = lively_site().await;
    site.script().tokens("ada").await;
    let kids = async |url: &str| {
        let byline = Byline::in_an_empty_folder();
        byline.run(&["keys", "list", "--database-url", url], "").await.succeeded()
    };
    let before = kids(site.url_text()).await;
    assert_eq!(before.lines().count(), 2, "{before}");
    for target in [TestDatabase::in_a_file(), postgres_database().await] {
        copy(&site, &target).await.succeeded();
        assert_eq!(kids(target.url_text()).await, before);
    }
}

#[tokio::test]
async fn a_site_without_anything_is_copied_too() {
    let site = Running::start().await;
    for target in [TestDatabase::in_a_file(), postgres_database().await] {
        copy(&site, &target).await.succeeded();
        let byline = Byline::in_an_empty_folder();
        let served = byline.serve(&["--database-url", target.url_text()]).await;
        let mut browser = Client::browser(served.address, false);
        assert_eq!(browser.sign_up("ada").await.status, 303);
        browser.publish("First", "of all").await;
        assert_eq!(target.count("SELECT MAX(id) FROM events").await, 1);
        served.terminate().await;
    }
}

/// A site that takes a while to copy.
pub(super) async fn large_site() -> (Running, Client) {
    let site = Running::start_with(without_key).await;
    let ada = site.author("ada").await;
    let text = "All work and no play makes Jack a dull boy. ".repeat(22);
    let fill = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 20000)
         INSERT INTO posts (id, owner_id, version, created_at, updated_at, title, excerpt, content)
         SELECT 'large-' || n, (SELECT MIN(id) FROM users), 1, n, n, 'Large', '', '{text}' || n
         FROM numbers"
    );
    site.tamper(&fill).await;
    (site, ada)
}

/// Starts a copy and waits until a part of the posts has been written.
async fn copy_half(byline: &Byline, from: &TestDatabase, to: &TestDatabase) -> Child {
    let copy = byline.command(&arguments(from, to)).spawn().expect("byline starts");
    let mut probe = match to.url_text().starts_with("sqlite:") {
        true => None,
        false => Some(to.probe().await),
    };
    until("the copy to be under way", async || {
        let written = match &mut probe {
            // More than its cache takes, less than the whole.
            None => std::fs::metadata(to.file().with_extension("db-wal")).map_or(0, |log| log.len() as i64),
            Some(probe) => probe.number("SELECT COALESCE(pg_relation_size(to_regclass('posts')), 0)").await,
        };
        written > 4_000_000
    })
    .await;
    copy
}

async fn signal(process: &Child, name: &str) {
    let pid = process.id().expect("it still runs").to_string();
    let kill = Command::new("kill").args([name, &pid]).status().await.expect("kill runs");
    assert!(kill.success(), "{name} is sent");
}

/// A copy that stands still in the middle, having committed nothing. One that
/// was done before it could be stopped is tried again, on another target.
async fn copy_standing_still<T: AsyncFn() -> TestDatabase>(
    byline: &Byline,
    from: &TestDatabase,
    target: T,
) -> (Child, TestDatabase) {
    for _ in 0..20 {
        let to = target().await;
        let mut copy = copy_half(byline, from, &to).await;
        signal(&copy, "-STOP").await;
        if copy.try_wait().expect("a child").is_none() && is_empty(&to).await {
            return (copy, to);
        }
        signal(&copy, "-CONT").await;
        copy.wait().await.expect("it ends");
    }
    panic!("twenty copies were too quick");
}

#[tokio::test]
async fn a_copy_of_a_running_site_is_one_moment_of_it() {
    let (site, mut ada) = large_site().await;
    let before = rows(&site).await;
    let byline = Byline::in_an_empty_folder();
    let (mut copy, target) = copy_standing_still(&byline, &site, TestDatabase::fresh).await;
    ada.publish("While it was copied", "is not in the copy").await;
    site.tamper("UPDATE posts SET title = 'Later' WHERE id = 'large-20000'").await;
    site.tamper("DELETE FROM posts WHERE id = 'large-9999'").await;
    signal(&copy, "-CONT").await;
    let status = copy.wait().await.expect("it ends");
    assert_eq!(status.code(), Some(0));
    assert!(rows(&target).await == before, "the copy has something of later, or lacks something");
}

#[tokio::test]
async fn an_interrupted_copy_leaves_nothing_behind_and_can_be_run_again() {
    let (site, _) = large_site().await;
    let byline = Byline::in_an_empty_folder();
    // INT would be ignored by what a shell has put in the background.
    for signal_name in ["-KILL", "-TERM"] {
        for in_a_file in [true, false] {
            let target =
                async || if in_a_file { TestDatabase::in_a_file() } else { postgres_database().await };
            let (mut interrupted, target) = copy_standing_still(&byline, &site, target).await;
            signal(&interrupted, signal_name).await;
            if signal_name != "-KILL" {
                signal(&interrupted, "-CONT").await;
            }
            let status = interrupted.wait().await.expect("it ends");
            assert_eq!(status.code(), None, "{signal_name} came in the middle");
            assert!(is_empty(&target).await, "{signal_name} left something behind");
            copy(&site, &target).await.succeeded();
            assert_eq!(target.count("SELECT COUNT(*) FROM posts").await, 20_000);
            assert!(target.probe().await.is_sound().await);
        }
    }
}

#[tokio::test]
async fn a_database_that_has_rows_is_refused_and_left_alone() {
    let site = Running::start().await;
    site.author("ada").await;
    let session = "INSERT INTO sessions (id_hash, data, created_at, last_seen_at) VALUES ($bytes$, '', 0, 0)";
    let event = "INSERT INTO events (kind, post_id, owner) VALUES ('created', 'x', 'ada')";
    let user =
        "INSERT INTO users (id, username, email, password_hash, created_at) VALUES ('x', 'x', 'x', 'x', 0)";
    for (row, table) in [(event, "events"), (session, "sessions"), (user, "users")] {
        for (target, bytes) in [(TestDatabase::in_a_file(), "x'00'"), (postgres_database().await, "'\\x00'")]
        {
            let target = migrated(target).await;
            target.tamper(&row.replace("$bytes$", bytes)).await;
            let before = target.dump().await;
            copy(&site, &target).await.failed_with(&[target.url_text(), table, "empty"]);
            assert_eq!(target.dump().await, before);
        }
    }
}

#[tokio::test]
async fn a_site_that_is_taken_for_the_target_keeps_its_schema() {
    let site = Running::start().await;
    let old = TestDatabase::fresh().await;
    at_an_older_step(&old).await;
    old.tamper(
        "INSERT INTO users (id, username, email, password_hash, created_at) VALUES ('x', 'x', 'x', 'x', 0)",
    )
    .await;
    let before = old.dump().await;
    copy(&site, &old).await.failed_with(&["users", "empty"]);
    assert_eq!(old.dump().await, before, "no step was added");
}

#[tokio::test]
async fn a_missing_source_is_named_and_not_made() {
    let byline = Byline::in_an_empty_folder();
    for missing in ["sqlite://missing.db", "sqlite://missing/byline.db"] {
        let arguments = ["copy", "--from", missing, "--to", "sqlite://new.db"];
        byline.run(&arguments, "").await.failed_with(&["no database", missing]);
    }
    let server = postgres_database().await;
    let missing = format!("{}_missing", server.url_text());
    let arguments = ["copy", "--from", &missing, "--to", "sqlite://new.db"];
    byline.run(&arguments, "").await.failed_with(&[&missing, "does not exist"]);
    let files = std::fs::read_dir(byline.folder()).expect("a folder").count();
    assert_eq!(files, 0, "nothing is made on the way");
}

/// Reverts the last step of the schema.
async fn at_an_older_step(database: &TestDatabase) {
    let byline = Byline::in_an_empty_folder();
    byline.run(&["migrate", "--database-url", database.url_text()], "").await.succeeded();
    database.probe().await.execute("DROP TABLE events").await;
    database
        .tamper("DELETE FROM _sqlx_migrations WHERE version = (SELECT MAX(version) FROM _sqlx_migrations)")
        .await;
}

#[tokio::test]
async fn a_source_at_another_step_of_the_schema_is_refused_and_left_alone() {
    let target = TestDatabase::in_a_file();
    let source = TestDatabase::fresh().await;
    at_an_older_step(&source).await;
    let before = source.dump().await;
    copy(&source, &target).await.failed_with(&[source.url_text(), "older Byline", "byline migrate"]);
    assert_eq!(source.dump().await, before);

    let newer = migrated(TestDatabase::fresh().await).await;
    newer
        .tamper(
            "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
             SELECT 9999, 'from the future', TRUE, checksum, 0 FROM _sqlx_migrations WHERE version = 1",
        )
        .await;
    copy(&newer, &target).await.failed_with(&[newer.url_text(), "newer Byline", "9999"]);

    let other = TestDatabase::fresh().await;
    if other.url_text().starts_with("sqlite:") {
        std::fs::write(other.file(), "").expect("a file");
    }
    copy(&other, &target).await.failed_with(&[other.url_text(), "no site"]);
    std::fs::write(target.file(), "a letter, not a database").expect("a file");
    copy(&target, &source).await.failed_with(&[target.url_text(), "not a database"]);
    assert_eq!(std::fs::read(target.file()).expect("the letter"), b"a letter, not a database");
}

#[tokio::test]
async fn a_site_is_not_copied_onto_itself() {
    let site = Running::start().await;
    let other_way = match site.probe().await {
        Probe::Sqlite(_) => {
            let file = site.file();
            let link = file.with_file_name("link.db");
            std::os::unix::fs::symlink(&file, &link).expect("a link");
            format!("sqlite://{}", link.display())
        }
        Probe::Postgres(_) => format!("{}?application_name=other", site.url_text()),
    };
    for to in [site.url_text(), &other_way] {
        let byline = Byline::in_an_empty_folder();
        let arguments = ["copy", "--from", site.url_text(), "--to", to];
        byline.run(&arguments, "").await.failed_with(&[to, "the same database"]);
    }
}

#[tokio::test]
async fn a_copy_that_differs_from_its_source_is_not_committed() {
    let site = Running::start().await;
    site.author("ada").await.publish("Title", "content").await;
    for target in [TestDatabase::in_a_file(), postgres_database().await] {
        let target = migrated(target).await;
        let mut probe = target.probe().await;
        let meddle: &[&str] = match probe {
            Probe::Sqlite(_) => &["CREATE TRIGGER meddle AFTER INSERT ON posts BEGIN
                 UPDATE posts SET title = title || ' ' WHERE id = NEW.id; END"],
            Probe::Postgres(_) => &[
                "CREATE FUNCTION meddle() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN NEW.title := NEW.title || ' '; RETURN NEW; END $$",
                "CREATE TRIGGER meddle BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION meddle()",
            ],
        };
        for statement in meddle {
            probe.execute(statement).await;
        }
        copy(&site, &target).await.failed_with(&["posts", target.url_text(), "1 row", "nothing was kept"]);
        assert!(is_empty(&target).await);
    }
}

#[tokio::test]
async fn a_backup_is_copied_and_stays_as_it_is() {
    let (site, _) = lively_site().await;
    let file = TestDatabase::in_a_file();
    copy(&site, &file).await.succeeded();
    let backup = TestDatabase::in_a_file();
    file.probe().await.execute(&format!("VACUUM INTO '{}'", backup.file().display())).await;
    let before = backup.bytes().await;
    let restored = TestDatabase::in_a_file();
    copy(&backup, &restored).await.succeeded();
    assert!(backup.bytes().await == before, "no byte has changed, no file appeared beside it");
    assert_eq!(rows(&restored).await, rows(&file).await);
    assert_eq!(files_beside(&restored.file()), 1, "the copy is whole in its one file");
}

fn files_beside(file: &Path) -> usize {
    std::fs::read_dir(file.parent().expect("a folder")).expect("a folder").count()
}

#[tokio::test]
async fn a_copy_needs_no_settings_and_shows_no_password() {
    let site = Running::start().await;
    let target = TestDatabase::in_a_file();
    let byline = Byline::in_an_empty_folder();
    std::fs::write(byline.folder().join("byline.toml"), "database-url = \"nowhere\"").expect("a file");
    let mut command = byline.command(&arguments(&site, &target));
    command.env("BYLINE_DATABASE_URL", "sqlite://missing/byline.db");
    Ended::of(command, "").await.succeeded();
    assert_eq!(std::fs::read_dir(byline.folder()).expect("a folder").count(), 1, "nothing else is made");

    let server = postgres_database().await;
    let (_, host) = server.url_text().split_once('@').expect("a user");
    for (url, words) in [
        (format!("postgres://nobody:s3cret@{host}"), "cannot be opened"),
        (format!("postgres://nobody@{host}?password=s3cret"), "cannot be opened"),
        ("mysql://nobody:s3cret@localhost/byline".to_owned(), "no database Byline can use"),
    ] {
        for (from, to) in [(site.url_text(), &*url), (&*url, "sqlite://new.db")] {
            let ended = byline.run(&["copy", "--from", from, "--to", to], "").await;
            assert!(!format!("{ended:?}").contains("s3cret"), "{ended:?}");
            ended.failed_with(&[words]);
        }
    }
}

#[tokio::test]
async fn every_table_and_column_of_the_schema_is_copied() {
    let described: Vec<String> = TABLES
        .iter()
        .flat_map(|table| {
            table.columns.iter().map(|column| {
                let kind = match column.kind {
                    Kind::Text => "text",
                    Kind::Integer => "integer",
                    Kind::Bytes => "bytes",
                };
                let null = if column.nullable { " or null" } else { "" };
                let key = table.key.iter().position(|name| *name == column.name);
                let key = key.map_or_else(String::new, |index| format!(", key {}", index + 1));
                format!("{}.{} {kind}{null}{key}", table.name, column.name)
            })
        })
        .collect();
    let described: BTreeSet<_> = described.into_iter().collect();

    // The count of changes to credentials is for whoever serves the file. The index of
    // searches is made of the posts, in every database anew. Objects that an upload is
    // writing are that site's to remove, and so are the backups that it has made.
    const OF_FILE: &str = r#"
        SELECT t.name || '.' || c.name || ' '
            || CASE c.type WHEN 'TEXT' THEN 'text' WHEN 'INTEGER' THEN 'integer' WHEN 'BLOB' THEN 'bytes' ELSE c.type END
            || CASE c."notnull" WHEN 1 THEN '' ELSE ' or null' END
            || CASE c.pk WHEN 0 THEN '' ELSE ', key ' || c.pk END
        FROM sqlite_schema t, pragma_table_info(t.name) c
        WHERE t.type = 'table' AND t.name NOT IN ('_sqlx_migrations', 'credential_changes', 'searched_posts', 'media_leftovers', 'backup_runs')
        AND t.name NOT LIKE 'post\_grams%' ESCAPE '\'"#;
    const OF_SERVER: &str = r#"
        SELECT c.table_name || '.' || c.column_name || ' '
            || CASE c.data_type WHEN 'bigint' THEN 'integer' WHEN 'bytea' THEN 'bytes' ELSE c.data_type END
            || CASE c.is_nullable WHEN 'NO' THEN '' ELSE ' or null' END
            || CASE WHEN k.ordinal_position IS NULL THEN '' ELSE ', key ' || k.ordinal_position END
            || CASE WHEN k.ordinal_position IS NOT NULL AND c.data_type = 'text'
                    AND c.collation_name IS DISTINCT FROM 'C' THEN ', not ordered by bytes' ELSE '' END
        FROM information_schema.columns c
        JOIN information_schema.tables t
            ON t.table_schema = c.table_schema AND t.table_name = c.table_name AND t.table_type = 'BASE TABLE'
        LEFT JOIN information_schema.table_constraints p
            ON p.table_schema = c.table_schema AND p.table_name = c.table_name AND p.constraint_type = 'PRIMARY KEY'
        LEFT JOIN information_schema.key_column_usage k
            ON k.constraint_name = p.constraint_name AND k.table_name = c.table_name AND k.column_name = c.column_name
        WHERE c.table_schema = 'public' AND c.table_name NOT IN ('_sqlx_migrations', 'searched_posts', 'media_leftovers', 'backup_runs')"#;
    let server = migrated(postgres_database().await).await;
    for (database, query) in [(&migrated(TestDatabase::in_a_file()).await, OF_FILE), (&server, OF_SERVER)] {
        let there: BTreeSet<_> = database.probe().await.texts(query).await.into_iter().collect();
        assert_eq!(described, there, "{}", database.url_text());
    }

    const COUNTED: &str = "SELECT table_name || '.' || column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND (is_identity = 'YES' OR column_default LIKE 'nextval%') ORDER BY 1";
    let described = TABLES.iter().filter_map(|table| Some(format!("{}.{}", table.name, table.identity?)));
    assert_eq!(described.collect::<Vec<_>>(), server.probe().await.texts(COUNTED).await);
}

#[tokio::test]
async fn a_target_that_somebody_writes_to_is_refused() {
    let site = Running::start().await;
    let target = migrated(postgres_database().await).await;
    let mut writer = target.probe().await;
    writer.execute("BEGIN").await;
    writer.execute("LOCK TABLE sessions IN ROW EXCLUSIVE MODE").await;
    copy(&site, &target).await.failed_with(&[target.url_text(), "in use by another program"]);
}

#[tokio::test]
async fn a_copy_has_no_time_limit() {
    let site = migrated(postgres_database().await).await;
    site.tamper(
        "INSERT INTO users (id, username, email, password_hash, created_at) VALUES ('x', 'x', 'x', 'x', 0)",
    )
    .await;
    let target = migrated(postgres_database().await).await;
    let mut probe = target.probe().await;
    // Longer than a request may take, and longer than its transaction may wait.
    let slowly = "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(10.5); RETURN NULL; END $$";
    probe.execute(slowly).await;
    probe.execute("CREATE TRIGGER slowly AFTER INSERT ON users EXECUTE FUNCTION slowly()").await;
    copy(&site, &target).await.succeeded();
    assert_eq!(target.text("SELECT username FROM users").await, "x");
}

#[tokio::test]
async fn a_source_that_somebody_writes_to_is_copied_without_what_is_not_committed() {
    let site = Running::start().await;
    site.author("ada").await;
    let mut writer = site.probe().await;
    let begin = match writer {
        Probe::Sqlite(_) => "BEGIN IMMEDIATE",
        Probe::Postgres(_) => "BEGIN",
    };
    writer.execute(begin).await;
    writer.execute("INSERT INTO users (id, username, email, password_hash, created_at) VALUES ('x', 'x', 'x', 'x', 0)").await;
    let target = TestDatabase::in_a_file();
    copy(&site, &target).await.succeeded();
    assert_eq!(target.text("SELECT username FROM users").await, "ada");
}
