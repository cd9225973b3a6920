//! Temporary PostgreSQL clusters for tests and measurements. They leave nothing
//! behind.
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
//! A cluster listens on 127.0.0.1 and trusts every connection from there. So use it
//! only on machines whose users trust each other, and for data that is not private.
//!
//! It ends with its [`Cluster`]. If that is never dropped, because the process was
//! killed or the cluster is in a `static`, it ends with the process.

mod binaries;
mod cluster;
mod command;
mod error;
mod pooler;
mod port;
mod user;
mod watchdog;

pub use self::{
    binaries::Binaries,
    cluster::{Cluster, Options},
    error::Error,
    pooler::Pooler,
    port::free_port,
};
