//! PostgreSQL behind PgBouncer in transaction mode, as hosted PostgreSQL is: each transaction
//! may have another connection of the server, and sessions are nobody's own.

use byline::database::{DatabaseConfig, Db};
use byline_cluster::{Cluster, Options, Pooler};
use futures::future::join_all;
use tokio::task::block_in_place;

use crate::support::{
    Byline, Running, Several, TestDatabase, cluster,
    load::{Load, assert_all_stored, assert_heard_all, assert_whole, listen_at_each},
};

/// A server with one database, and a pooler with two connections to it.
async fn pooled() -> (Cluster, Pooler, TestDatabase) {
    let cluster = cluster(Options::default()).await;
    let pooler = block_in_place(|| {
        cluster.create_database("byline")?;
        cluster.pooler(2)
    });
    let pooler = pooler.unwrap_or_else(|error| panic!("{error}"));
    let database = TestDatabase::at(&cluster.url("byline")).behind(pooler.url("byline"));
    (cluster, pooler, database)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_share_two_connections_are_one_whole_site() {
    let (cluster, _pooler, database) = pooled().await;
    let site = Several::start(database, 2, &[]).await;
    let mut listeners = listen_at_each(&site).await;
    let ada = site.author("ada").await;
    assert_whole(&site, &ada, &mut listeners).await;
    let through =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE query LIKE '%SET LOCAL%' OR query = 'ROLLBACK'";
    let connections: u32 =
        block_in_place(|| cluster.psql("byline", through)).expect("a count").parse().expect("a number");
    assert!(connections >= 1, "what people do goes through the pooler");
    site.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_many_people_do_at_once_behind_a_pooler_is_stored_and_heard() {
    let (_cluster, _pooler, database) = pooled().await;
    let site = Several::start(database, 2, &[]).await;
    let listeners = listen_at_each(&site).await;
    let mut load = Load::start(&site, None).await;
    let mut acknowledged = load.more(100).await;
    acknowledged.extend(load.end().await);
    assert_heard_all(&site, listeners).await;
    let (database, log) = site.stop_and_read().await;
    assert!(!log.contains("prepared statement"), "{log}");
    assert_all_stored(&database, &acknowledged).await;
}

/// What a connection to read says of itself.
async fn said(db: &mut Db, query: &'static str) -> Result<String, sqlx::Error> {
    let Db::Postgres(db) = db else { panic!("a server") };
    sqlx::query_scalar(query).fetch_one(db.statements()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_behind_a_pooler_has_the_limits_of_any_other_and_can_change_nothing() {
    let (_cluster, _pooler, database) = pooled().await;
    let site = Running::on(database).await;
    // More than there are connections: each is given back clean.
    for _ in 0..5 {
        let mut db = site.site.database.read().await.expect("a connection");
        for (limit, value) in [
            ("SELECT current_setting('statement_timeout')", "5s"),
            ("SELECT current_setting('idle_in_transaction_session_timeout')", "10s"),
            ("SELECT current_setting('jit')", "off"),
        ] {
            assert_eq!(said(&mut db, limit).await.expect(limit), value, "{limit}");
        }
        let refused =
            said(&mut db, "INSERT INTO secrets (name, value) VALUES ('x', 'x') RETURNING name").await;
        let refused = refused.expect_err("it only reads").to_string();
        assert!(refused.contains("read-only transaction"), "{refused}");
    }
    // So many at once that they wait for each other.
    let readers = (0..12).map(async |_| {
        let mut db = site.site.database.read().await.expect("a connection");
        said(&mut db, "SELECT COUNT(*)::text FROM secrets WHERE name = 'x'").await.expect("a count")
    });
    assert!(join_all(readers).await.iter().all(|count| count == "0"), "none of the changes was made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_who_names_only_the_pooler_is_told_what_is_missing() {
    let (cluster, pooler, _database) = pooled().await;
    let byline = Byline::in_an_empty_folder();
    let url = pooler.url("byline");
    let ended = byline.run(&["serve", "--listen", "127.0.0.1:0", "--database-url", &url], "").await;
    ended.failed_with(&["pooler", "database-listen-url"]);
    let listen = ["--database-listen-url", "sqlite://other.db"];
    let ended = byline.run(&[&["user", "list", "--database-url", &url], &listen[..]].concat(), "").await;
    ended.failed_with(&["database-listen-url", "postgres://"]);
    assert_eq!(DatabaseConfig::of(url.parse().expect("a URL")).direct().to_string(), url);
    let server = cluster.url("byline");
    let doctor = async || {
        let both = ["doctor", "--database-url", &url, "--database-listen-url", &server];
        byline.run(&both, "").await.stdout
    };
    let said = doctor().await;
    assert!(said.contains("answers, too"), "the pooler is asked as well: {said}");
    drop(pooler);
    let said = doctor().await;
    assert!(said.contains("start it, or change database-url"), "{said}");
}
