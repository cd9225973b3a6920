//! A primary that fails, and a standby that takes its place, as Patroni does it: the address
//! moves, connections break, and for a moment whoever has the address can only read.

use byline_cluster::{Cluster, Options};
use tokio::task::block_in_place;

use crate::support::{
    Moving, Several, TestDatabase, cluster,
    load::{Load, assert_all_stored, assert_heard_all, assert_whole, listen_at_each},
    until,
};

/// A primary whose commits wait until its standby has them too.
async fn pair() -> (Cluster, Cluster) {
    let primary = cluster(Options { durable: true, ..Options::default() }).await;
    let standby = block_in_place(|| {
        primary.create_database("byline")?;
        let standby = primary.replica()?;
        primary.psql("postgres", "ALTER SYSTEM SET synchronous_standby_names = '*'")?;
        primary.psql("postgres", "SELECT pg_reload_conf()")?;
        Ok::<_, byline_cluster::Error>(standby)
    });
    let standby = standby.unwrap_or_else(|error| panic!("{error}"));
    until("the standby to be waited for", async || {
        let state = "SELECT sync_state FROM pg_stat_replication";
        block_in_place(|| primary.psql("postgres", state)).is_ok_and(|state| state == "sync")
    })
    .await;
    (primary, standby)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_site_whose_primary_fails_goes_on_with_the_standby_and_loses_nothing_acknowledged() {
    let (primary, standby) = pair().await;
    let address = Moving::to(primary.port()).await;
    let at_the_address = TestDatabase::at(&format!("postgres://byline@{}/byline", address.address));
    let site = Several::start(at_the_address, 2, &[]).await;
    let mut listeners = listen_at_each(&site).await;
    let ada = site.author("gus").await;
    let mut load = Load::start(&site, None).await;
    let mut acknowledged = load.more(40).await;

    // The primary is gone at once. Whoever has the address then can only read.
    block_in_place(|| primary.stop_immediately()).expect("a stop");
    address.move_to(standby.port());
    let is_standby = "SELECT CAST(pg_is_in_recovery() AS INTEGER)::BIGINT";
    assert_eq!(site.database.count(is_standby).await, 1, "the standby has the address");
    let mut reader = site.at(&site.browser(), 0);
    until("the site to find that it cannot write", async || reader.get("/readyz").await.status == 503).await;
    assert_eq!(reader.get("/livez").await.status, 200, "its process is not to be started anew");
    // What was known of its settings is not: it must not wait for a standby of its own.
    block_in_place(|| {
        standby.psql("postgres", "SELECT pg_promote()")?;
        standby.psql("postgres", "ALTER SYSTEM SET synchronous_standby_names = ''")?;
        standby.psql("postgres", "SELECT pg_reload_conf()")
    })
    .expect("a promotion");

    acknowledged.extend(load.more(40).await);
    acknowledged.extend(load.end().await);
    println!("1 failover, {} acknowledged posts", acknowledged.len());
    assert_all_stored(&TestDatabase::at(&standby.url("byline")), &acknowledged).await;
    let heard = listeners.split_off(1);
    assert_heard_all(&site, heard).await;
    assert_whole(&site, &ada, &mut listeners).await;
    site.stop().await;
}
