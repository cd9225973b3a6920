//! PostgreSQL for the tests that need it, whatever the engine of the run.

use std::sync::OnceLock;

use byline_cluster::{Binaries, Cluster, Options};

use super::TestDatabase;

/// Starts a cluster. Only displayed does the error of a missing PostgreSQL say
/// in one sentence what to do.
pub async fn cluster(options: Options) -> Cluster {
    let started = tokio::task::spawn_blocking(|| start(options));
    started.await.expect("no panic").unwrap_or_else(|error| panic!("{error}"))
}

fn start(options: Options) -> Result<Cluster, byline_cluster::Error> {
    Cluster::start(&Binaries::find()?, options)
}

/// An empty database on the server that this run has been given, else on one
/// that all tests share and that ends with them.
pub async fn postgres_database() -> TestDatabase {
    static SHARED: OnceLock<Cluster> = OnceLock::new();

    let server = match std::env::var("SITE_TEST_POSTGRES") {
        Ok(server) => server,
        Err(_) => tokio::task::spawn_blocking(|| {
            let shared = || start(Options::default()).unwrap_or_else(|error| panic!("{error}"));
            SHARED.get_or_init(shared).url("postgres")
        })
        .await
        .expect("a server"),
    };
    TestDatabase::on_server(&server).await
}
