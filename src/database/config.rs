//! Which database, and how it is reached.

use super::url::DatabaseUrl;

#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    pub url: DatabaseUrl,
    /// PostgreSQL only: the server itself, where `url` leads to it through a pooler that gives
    /// a connection for a transaction at a time. For what belongs to a session: LISTEN, the
    /// lock that orders changes, the steps of the schema, and backups.
    pub listen: Option<DatabaseUrl>,
    /// A read replica of it; PostgreSQL only.
    pub replica: Option<DatabaseUrl>,
    /// Connections at most, to each server; SQLite has its own number.
    pub connections: u32,
}

impl DatabaseConfig {
    /// The default number of connections to a server. Five processes fit into
    /// PostgreSQL's default of 100 connections.
    pub const CONNECTIONS: u32 = 16;
    /// The maximum of PostgreSQL (`MAX_BACKENDS` in its source).
    pub const MAX_CONNECTIONS: u32 = 262_143;

    #[must_use]
    pub const fn of(url: DatabaseUrl) -> Self {
        Self { url, listen: None, replica: None, connections: Self::CONNECTIONS }
    }

    /// The database without a pooler between.
    #[must_use]
    pub fn direct(&self) -> &DatabaseUrl {
        self.listen.as_ref().unwrap_or(&self.url)
    }
}
