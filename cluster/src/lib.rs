//! PostgreSQL to throw away: a cluster that tests and measurements start for
//! themselves and that leaves nothing behind.
//!
//! ```no_run
//! use byline_cluster::{Binaries, Cluster, Options};
//!
//! # fn main() -> Result<(), byline_cluster::Error> {
//! let cluster = Cluster::start(&Binaries::find()?, Options::default())?;
//! cluster.create_database("posts")?;
//! assert_eq!(cluster.psql("posts", "SELECT 1")?, "1");
//! # Ok(())
//! # }
//! ```
//!
//! A cluster listens on 127.0.0.1 and trusts whoever comes from there, so it
//! is for machines whose users trust each other, and for data that is nobody's.
//!
//! It ends with its [`Cluster`], and where that is never dropped, because the
//! process was killed or the cluster is in a `static`, with the process.

mod binaries;
mod cluster;
mod command;
mod error;
mod user;
mod watchdog;

pub use self::{
    binaries::Binaries,
    cluster::{Cluster, Options},
    error::Error,
};
