//! PostgreSQL, the second engine that the tests run on.

use std::{fs, io::Write, path::Path};

use anyhow::{Context, Result, ensure};
use byline_cluster::{Binaries, Cluster, Options};

use crate::{
    apt,
    sh::{self, Outcome},
};

/// Read by Debian's packages while they are installed.
const DEBIAN_SETTINGS: &str = "/etc/postgresql-common/createcluster.conf";

/// Makes sure that server and client are installed, and returns their paths.
pub(crate) fn set_up() -> Result<Binaries> {
    sh::step("PostgreSQL", || {
        let mut outcome = Outcome::Unchanged;
        let mut found = Binaries::find();
        if found.is_err() && apt::is_debian() {
            prevent_service();
            outcome = apt::install(&["postgresql"])?;
            found = Binaries::find();
        }
        let binaries = found.context("install the PostgreSQL server from your system's packages")?;
        Ok((outcome, binaries))
    })
}

/// Makes sure that PgBouncer is installed too, for the tests.
pub(crate) fn set_up_pooler() -> Result<()> {
    sh::step("PgBouncer", || {
        let is_there = |folder: &&str| Path::new(folder).join("pgbouncer").is_file();
        if ["/usr/sbin", "/usr/bin", "/usr/local/bin", "/usr/local/sbin"].iter().any(is_there) {
            return Ok((Outcome::Unchanged, ()));
        }
        ensure!(apt::is_debian(), "install PgBouncer from your system's packages");
        Ok((apt::install(&["pgbouncer"])?, ()))
    })
}

/// A cluster for one run of tests. It ends when it is dropped, or with us.
pub(crate) fn start() -> Result<Cluster> {
    let binaries = set_up()?;
    sh::step("Cluster", || Ok((Outcome::Done, Cluster::start(&binaries, Options::default())?)))
}

/// Asks Debian's packages not to start a server of their own: the programs are
/// all we want. What somebody has set before stays.
fn prevent_service() {
    let written = fs::create_dir_all("/etc/postgresql-common")
        .and_then(|()| fs::File::create_new(DEBIAN_SETTINGS))
        .and_then(|mut file| writeln!(file, "create_main_cluster = false"));
    // Without it there is one idle server more, which is no reason to stop.
    drop(written);
}
