//! Databases of an older Byline, and their rows after the migration.

use byline::{
    database::{Database, DatabaseConfig},
    posts::domain::fold,
};
use sqlx::{
    AssertSqlSafe,
    migrate::{Migration, Migrator},
};

use crate::support::{Byline, Client, Probe, Running, TestDatabase};

/// The steps before the one of that number.
fn steps_before(number: i64, all: &Migrator) -> Migrator {
    let steps: Vec<Migration> = all.iter().filter(|step| step.version < number).cloned().collect();
    assert!(!steps.is_empty(), "before {number}");
    Migrator::with_migrations(steps)
}

/// A database as a Byline before the step of that number left it, with rows.
async fn older(number: i64, rows: &str) -> TestDatabase {
    let database = TestDatabase::fresh().await;
    if database.url_text().starts_with("sqlite:") {
        std::fs::write(database.file(), "").expect("a file");
    }
    match &mut database.probe().await {
        Probe::Sqlite(db) => {
            sqlx::raw_sql("PRAGMA journal_mode = WAL").execute(&mut *db).await.expect("a mode");
            let steps = steps_before(number, &sqlx::migrate!("migrations/sqlite"));
            steps.run_direct(None, &mut *db, false).await.expect("a schema");
            sqlx::raw_sql(AssertSqlSafe(rows.to_owned())).execute(db).await.map(drop)
        }
        Probe::Postgres(db) => {
            let steps = steps_before(number, &sqlx::migrate!("migrations/postgres"));
            steps.run_direct(None, &mut *db, false).await.expect("a schema");
            sqlx::raw_sql(AssertSqlSafe(rows.to_owned())).execute(db).await.map(drop)
        }
    }
    .expect("rows");
    database
}

async fn bring_up_to_date(database: &TestDatabase) {
    let opened = Database::open(&DatabaseConfig::of(database.url())).await;
    opened.expect("it opens").close().await;
}

const ROWS: &str = "
    INSERT INTO users VALUES ('u1', 'ada', 'ada@example.org', '', 1), ('u2', 'bob', 'bob@example.org', '', 2);
    INSERT INTO sessions VALUES ('x', 'u1', '{}', 1, 2);
    INSERT INTO idempotency_keys VALUES ('u1', 'create post', 'k', 'b', 1);
    INSERT INTO posts VALUES
        ('b', 'u1', 3, 10, 20, 'Ä title', 'excerpt', 'a text with '' and é 🦉'),
        ('a', 'u2', 1, 10, 10, 'B', '', ''),
        ('c', 'u1', 1, 9, 9, 'C', 'x', 'x');
    INSERT INTO deleted_posts VALUES ('d', 'u1', 2, 3, 4, 'D', 'gone'), ('e', 'u2', 2, 3, 4, '', '');
    INSERT INTO events VALUES (1, 'created', 'a', 'bob'), (2, 'deleted', 'd', 'ada');
    INSERT INTO secrets VALUES ('seal', 'x', 1);
    INSERT INTO token_families VALUES ('f', 'u1', 'c', 1, 2);";

/// The rows of a table, as far as both schemas know its columns.
async fn rows_of(database: &TestDatabase, table: &str, columns: &str) -> Vec<String> {
    let columns = columns.replace(", ", " || '|' || ");
    database.probe().await.texts(&format!("SELECT {columns} FROM {table} ORDER BY id")).await
}

const POSTS: &str = "id, owner_id, version, created_at, updated_at, title, excerpt, content";
const DELETED: &str = "id, owner_id, version, created_at, updated_at, title, content";

#[tokio::test]
async fn posts_of_an_older_site_keep_their_texts_and_may_be_without_one_from_then_on() {
    // Bytes are written in two ways.
    let database = match std::env::var("SITE_TEST_POSTGRES") {
        Ok(_) => older(6, ROWS).await,
        Err(_) => {
            older(
                6,
                &ROWS
                    .replace("('x', 'u1', '{}'", "(x'78', 'u1', '{}'")
                    .replace("'seal', 'x'", "'seal', x'78'"),
            )
            .await
        }
    };
    let (posts, deleted) =
        (rows_of(&database, "posts", POSTS).await, rows_of(&database, "deleted_posts", DELETED).await);
    let mut counted = Vec::new();
    for table in ["users", "sessions", "idempotency_keys", "events", "secrets", "token_families"] {
        counted.push((table, database.count(&format!("SELECT COUNT(*) FROM {table}")).await));
    }
    assert_eq!((posts.len(), deleted.len()), (3, 2));

    bring_up_to_date(&database).await;
    assert_eq!(rows_of(&database, "posts", POSTS).await, posts);
    assert_eq!(rows_of(&database, "deleted_posts", DELETED).await, deleted);
    for (table, rows) in counted {
        assert_eq!(database.count(&format!("SELECT COUNT(*) FROM {table}")).await, rows, "{table}");
    }
    database.tamper("UPDATE posts SET content = NULL WHERE id = 'a'").await;
    database.tamper("UPDATE deleted_posts SET content = NULL WHERE id = 'd'").await;

    let mut probe = database.probe().await;
    assert!(probe.is_sound().await);
    if let Probe::Sqlite(_) = probe {
        let strict =
            "SELECT COUNT(*) FROM pragma_table_list WHERE strict AND name IN ('posts', 'deleted_posts')";
        assert_eq!(probe.number(strict).await, 2);
        assert_eq!(probe.number("SELECT COUNT(*) FROM pragma_foreign_key_check").await, 0);
        assert_eq!(probe.texts("PRAGMA journal_mode").await, ["wal"]);
    }
    let indexes = match probe {
        Probe::Sqlite(_) => {
            "SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL AND tbl_name LIKE '%posts'
               AND name <> 'searched_posts_by_time' -- PostgreSQL sorts what it finds itself.
             UNION SELECT 'searched_posts_grams' FROM sqlite_schema WHERE name = 'post_grams' ORDER BY name"
        }
        Probe::Postgres(_) => {
            "SELECT indexname::text FROM pg_indexes WHERE tablename LIKE '%posts' AND indexname NOT LIKE '%pkey' ORDER BY 1"
        }
    };
    assert_eq!(
        probe.texts(indexes).await,
        [
            "deleted_posts_changed",
            "posts_changed",
            "posts_newest",
            "posts_newest_of_owner",
            "posts_to_fold",
            "posts_without_slug",
            "rendered_posts_renderer",
            // Of the server alone: in a file, the grams are a table of their own.
            "searched_posts_grams",
            "searched_posts_to_index",
            "trashed_posts_age",
            "trashed_posts_of_owner"
        ]
    );
    // Every post is to be indexed for searches.
    assert_eq!(database.count("SELECT COUNT(*) FROM searched_posts").await, 3);
    // What is an author's goes with the author, and a taken id is refused.
    assert_eq!(probe.execute("DELETE FROM users WHERE id = 'u1'").await, 1);
    assert_eq!(rows_of(&database, "posts", POSTS.rsplit_once(", ").expect("columns").0).await.len(), 1);
    assert_eq!(database.count("SELECT COUNT(*) FROM deleted_posts").await, 1);
    assert_eq!(database.count("SELECT COUNT(*) FROM searched_posts").await, 1);
}

/// Rows that fit the schema after each of its steps.
const ALWAYS: &str = "
    INSERT INTO users (id, username, email, password_hash, created_at)
        VALUES ('u1', 'ada', 'ada@example.org', '', 1), ('u2', 'bob', 'bob@example.org', '', 2);
    INSERT INTO posts (id, owner_id, version, created_at, updated_at, title, excerpt, content)
        VALUES ('p1', 'u1', 3, 10, 20, 'On tides', 'A heron', 'A *heron* stood there.'),
               ('p2', 'u2', 1, 30, 30, 'é 🦉', '', '');";

#[tokio::test]
async fn a_site_of_any_earlier_schema_is_served_as_it_was() {
    // The step that is to come: from the second to the one after the last.
    let steps = sqlx::migrate!("migrations/sqlite").iter().map(|step| step.version + 1).collect::<Vec<_>>();
    assert!(steps.len() >= 23, "{steps:?}");
    for step in steps {
        let site = Running::on(older(step, ALWAYS).await).await;
        let mut reader = site.browser();
        assert_eq!(reader.page("/").await.texts("article h2"), ["é 🦉", "On tides"], "before step {step}");
        let post = reader.page("/posts/p1").await;
        assert_eq!((post.text("h1"), post.text(".prose em")), ("On tides".to_owned(), "heron".to_owned()));
        let found = site.script().get("/api/get_post?id=p1").await.json();
        assert_eq!((&found["version"], &found["owner"]), (&3.into(), &"ada".into()), "before step {step}");
        // And goes on from there.
        let mut eve = site.author("eve").await;
        eve.publish("Today", "Text").await;
        assert_eq!(reader.page("/").await.texts("article h2").len(), 3, "before step {step}");
        assert!(site.probe().await.is_sound().await, "before step {step}");
    }
}

#[tokio::test]
async fn what_was_folded_with_its_quotation_marks_is_folded_anew_and_nothing_else() {
    let rows = "
        INSERT INTO users (id, username, email, password_hash, created_at) VALUES ('u1', 'ada', 'ada@example.org', '', 1);
        INSERT INTO posts (id, owner_id, version, created_at, updated_at, title, title_folded, excerpt, content, content_folded)
        VALUES ('a', 'u1', 1, 1, 1, 'Don’t', 'don’t', '', 'Größe', 'as it was'),
               ('b', 'u1', 1, 1, 1, 'Größe', 'as it was', '', '“Größe”', '“grosse”'),
               ('c', 'u1', 1, 1, 1, 'Plain''s', NULL, '', 'Größe', 'as it was');";
    let site = Running::on(older(29, rows).await).await;
    let folds = "SELECT id || COALESCE(title_folded, '-') || '|' || COALESCE(content_folded, '-') FROM posts ORDER BY id";
    fold::backfill(&site.site.database).await.expect("it is done");
    let found = site.probe().await.texts(folds).await;
    assert_eq!(found, ["adon't|grosse", "bgrosse|\"grosse\"", "c-|as it was"]);
    assert!(site.probe().await.is_sound().await);
}

/// 100,000 posts, written by the database itself.
fn many_posts() -> String {
    let (numbers, rows) = match std::env::var("SITE_TEST_POSTGRES") {
        Ok(_) => ("", "generate_series(1, 100000) AS numbers (n)"),
        Err(_) => (
            "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100000)",
            "numbers",
        ),
    };
    format!(
        "INSERT INTO users (id, username, email, password_hash, created_at)
         VALUES ('u1', 'ada', 'ada@example.org', '', 1);
         {numbers}
         INSERT INTO posts (id, owner_id, version, created_at, updated_at, title, excerpt, content)
         SELECT 'p' || n, 'u1', 1, n, n, 'Über ' || n, 'about ' || n, 'about **' || n || '** and größer'
         FROM {rows};"
    )
}

#[tokio::test]
async fn readers_of_a_site_with_100_000_posts_find_all_of_them_as_soon_as_it_is_brought_up_to_date() {
    let database = older(14, &many_posts()).await;
    let sum = "SELECT CAST(SUM(version + created_at + updated_at + LENGTH(title || excerpt || content)) AS BIGINT) FROM posts";
    let before = database.count(sum).await;

    let byline = Byline::in_an_empty_folder();
    let served = byline.serve(&["--database-url", database.url_text()]).await;
    let mut reader = Client::browser(served.address, false);
    // The first, the last, and one in between; the text has its own number.
    for number in [1, 50_000, 100_000] {
        let post = reader.get(&format!("/posts/p{number}")).await;
        assert_eq!(post.status, 200, "{number}");
        assert!(post.text().contains(&format!("about <strong>{number}</strong>")), "{number}");
    }
    let newest = reader.get("/").await;
    assert!(newest.text().contains("Über 100000") && newest.text().contains("Über 99999"));
    let found = reader.get("/search?q=Über+50000").await;
    assert_eq!(found.status, 200);
    assert!(found.text().contains("href=\"/posts/p50000\"") || found.text().contains("/@ada/uber-50000"));

    assert_eq!(database.count("SELECT COUNT(*) FROM posts").await, 100_000);
    assert_eq!(database.count("SELECT COUNT(*) FROM searched_posts").await, 100_000);
    assert_eq!(database.count(sum).await, before);
    served.terminate().await;
}
