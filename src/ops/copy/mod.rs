//! Copies a site into another database, of the same engine or the other.
//!
//! The source is read in one snapshot and never written, so it may be in use. The
//! target is written in one transaction, so an interrupted copy leaves it empty and
//! can be run again. Before the commit, the target is read back and compared.

mod tables;

use std::fmt;

use futures::TryStreamExt;
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use sqlx::{AssertSqlSafe, QueryBuilder, Row as _};

use crate::{
    config::{SecretKeyError, SecretKeySource},
    credentials::sealing::{self, SEALED_COLUMNS, Sealer},
    database::{
        Access, Database, DatabaseConfig, DatabaseUrl, Db, Engine, OpenError, execute, on_engine,
        schema_steps,
    },
};
use tables::OF_EMPTY_SITE;
pub use tables::{Column, Kind, TABLES, Table};

/// Parameters of one INSERT at most: SQLite takes 32,766, PostgreSQL 65,535.
const BATCH_PARAMETERS: usize = 10_000;
/// Bytes of one INSERT at most, unless a single row is longer.
const BATCH_BYTES: usize = 1 << 20;

/// Why nothing was copied, in one sentence.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The source is a file that is not there.
    #[error("there is no database {0} to copy from")]
    Missing(DatabaseUrl),
    /// The source and the target are one database.
    #[error("{from} and {to} are the same database")]
    Same { from: DatabaseUrl, to: DatabaseUrl },
    /// A table that this binary does not know.
    #[error("the database {0} contains no site of Byline")]
    NoSite(DatabaseUrl),
    /// The source lacks steps of the schema, and is not ours to change.
    #[error(
        "the database {0} was made by an older Byline; use that one, or run `byline migrate` on it first"
    )]
    Older(DatabaseUrl),
    /// The target is in use already.
    #[error("the database {url} already has rows in {table}; copy into one that is empty or not made yet")]
    NotEmpty {
        url: DatabaseUrl,
        /// Its first table that has rows.
        table: &'static str,
    },
    /// Another process writes to the target.
    #[error("the database {url} is in use by another program; stop that first: {cause}")]
    InUse { url: DatabaseUrl, cause: sqlx::Error },
    /// Reading or writing failed.
    #[error("the copy ended early at the database {url}: {cause}")]
    Failed {
        /// The source or the target.
        url: DatabaseUrl,
        cause: sqlx::Error,
    },
    /// The target has other rows than the source.
    #[error("{table} did not arrive in {url} as sent ({arrived} instead of {sent}); nothing was kept")]
    Differs {
        url: DatabaseUrl,
        table: &'static str,
        /// The checksum of the source.
        sent: Checksum,
        /// The checksum of the rows that were read back.
        arrived: Checksum,
    },
    #[error(transparent)]
    Key(#[from] SecretKeyError),
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// The copied rows of a table.
#[derive(Debug)]
pub struct Copied {
    /// Which table.
    pub table: &'static Table,
    /// The same in the source and in the target.
    pub checksum: Checksum,
}

/// The number of rows of a table, and a hash of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// The number of rows.
    pub rows: u64,
    /// SHA-256 of all rows in the order of their keys. The encoding is the same
    /// for both engines.
    pub sha256: [u8; 32],
}

impl fmt::Display for Checksum {
    /// The number of rows and the first 16 hexadecimal digits of the hash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}, SHA-256 ", self.rows, if self.rows == 1 { "row" } else { "rows" })?;
        self.sha256[..8].iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Copies the site in `from` into `to`, which must be empty or a file that does
/// not exist yet. Returns what was copied for every table. `sealer` has the key of the
/// source. A new file gets a copy of that key beside it. Anywhere else the secrets
/// arrive open, because another key may be configured there; it seals them at the
/// first start.
///
/// # Errors
///
/// After an error the target is unchanged; beside a file the key may stay. Only if the connection breaks while
/// PostgreSQL commits, it may have all of the new rows.
pub async fn copy(
    from: &DatabaseUrl,
    to: &DatabaseUrl,
    sealer: Option<&Sealer>,
) -> Result<Vec<Copied>, CopyError> {
    if from.is_missing_file() {
        return Err(CopyError::Missing(from.clone()));
    }
    let mut source = Side::begin(from, Access::Read).await?;
    source.require_current_schema().await?;
    if !to.is_missing_file() {
        // Checked before its schema is migrated, in case the two databases were
        // confused.
        let mut target = Side::begin(to, Access::Read).await?;
        if source.identity().await? == target.identity().await? {
            return Err(CopyError::Same { from: from.clone(), to: to.clone() });
        }
        target.require_empty().await?;
        target.close().await;
    }
    // A process that serves the target would not notice what is copied.
    let _lock = if to.is_missing_file() { None } else { Some(to.lock()?) };
    Database::open(&DatabaseConfig::of(to.clone())).await?.close().await;
    let mut target = Side::begin(to, Access::Write).await?;
    let key_file = to.file().map(|file| SecretKeySource::beside(&file)).filter(|file| !file.exists());
    let secrets = Secrets { sealer, with_key: key_file.is_some() };
    let outcome = match (sealer, key_file) {
        (Some(sealer), Some(key_file)) => sealer.write_keys(&key_file).map_err(CopyError::from),
        _ => Ok(()),
    };
    let outcome = match outcome {
        Ok(()) => transfer(&mut source, &mut target, secrets).await,
        Err(error) => Err(error),
    };
    if outcome.is_err() {
        // The end of the connection would do the same, but not as tidily.
        let _ = target.db.command("ROLLBACK").await;
    }
    target.close().await;
    source.close().await;
    outcome
}

/// The checksum of every table as it is stored: what is sealed stays so.
///
/// # Errors
///
/// [`CopyError`] if the database cannot be read.
pub(super) async fn checksums(url: &DatabaseUrl) -> Result<Vec<Copied>, CopyError> {
    let as_stored = Secrets { sealer: None, with_key: false };
    let mut side = Side::begin(url, Access::Read).await?;
    let mut checksums = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let checksum = side.read(table, as_stored, async |_| Ok(())).await?;
        checksums.push(Copied { table, checksum });
    }
    side.close().await;
    Ok(checksums)
}

async fn transfer(
    source: &mut Side<'_>,
    target: &mut Side<'_>,
    secrets: Secrets<'_>,
) -> Result<Vec<Copied>, CopyError> {
    // Checked again, now that no other process can write.
    target.require_empty().await?;
    // Who was invited to the empty site is not put in charge of this one, and its pictures are
    // made again at its next start.
    for (table, condition) in OF_EMPTY_SITE {
        target.command(format!("DELETE FROM {table} WHERE {condition}")).await?;
    }
    let mut copied = Vec::with_capacity(TABLES.len());
    for table in TABLES {
        let mut batch = Batch::default();
        let checksum = source
            .read(table, secrets, async |row| {
                if !batch.has_room_for(&row) {
                    target.insert(table, &mut batch).await?;
                }
                batch.push(row);
                Ok(())
            })
            .await?;
        target.insert(table, &mut batch).await?;
        copied.push(Copied { table, checksum });
    }
    for &Copied { table, checksum: sent } in &copied {
        let arrived = target.read(table, secrets, async |_| Ok(())).await?;
        if arrived != sent {
            return Err(CopyError::Differs { url: target.url.clone(), table: table.name, sent, arrived });
        }
    }
    target.advance_sequences().await?;
    target.db.command("COMMIT").await.map_err(|cause| target.failed(cause))?;
    Ok(copied)
}

/// One of the two databases, inside a transaction that lasts as long as the copy.
struct Side<'a> {
    url: &'a DatabaseUrl,
    db: Db,
}

impl<'a> Side<'a> {
    /// Reading sees one moment of the database; writing has it alone.
    async fn begin(url: &'a DatabaseUrl, access: Access) -> Result<Self, CopyError> {
        let mut side = Self { url, db: Db::dedicated(url, access).await? };
        match (access, url.engine()) {
            (Access::Read, Engine::Sqlite) => side.command("BEGIN".to_owned()).await,
            (Access::Read, Engine::Postgres) => {
                side.command("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY".to_owned()).await
            }
            (Access::Write, engine) => {
                let begin = match engine {
                    Engine::Sqlite => "BEGIN IMMEDIATE".to_owned(),
                    Engine::Postgres => {
                        let tables = TABLES.iter().map(|table| table.name).collect::<Vec<_>>().join(", ");
                        format!("BEGIN; LOCK TABLE {tables} IN EXCLUSIVE MODE")
                    }
                };
                let begun = side.command(begin).await;
                begun.map_err(|error| match error {
                    CopyError::Failed { url, cause } => CopyError::InUse { url, cause },
                    other => other,
                })
            }
        }?;
        Ok(side)
    }

    fn failed(&self, cause: sqlx::Error) -> CopyError {
        CopyError::Failed { url: self.url.clone(), cause }
    }

    async fn command(&mut self, statements: String) -> Result<(), CopyError> {
        let db = &mut self.db;
        let done = execute!(db => sqlx::raw_sql(AssertSqlSafe(statements))).map(drop);
        done.map_err(|cause| self.failed(cause))
    }

    /// Identifies the database, however its URL is written. A server and its
    /// replica have the same identity.
    async fn identity(&mut self) -> Result<String, CopyError> {
        let query = match self.url.engine() {
            Engine::Sqlite => "SELECT file FROM pragma_database_list WHERE name = 'main'",
            Engine::Postgres => {
                "SELECT concat_ws('/', system_identifier, oid, current_schema())
                 FROM pg_control_system(), pg_database WHERE datname = current_database()"
            }
        };
        let db = &mut self.db;
        let identity = on_engine!(db => sqlx::query_scalar(query).fetch_one(db).await);
        identity.map_err(|cause| self.failed(cause))
    }

    async fn has_table(&mut self, name: &str) -> Result<bool, CopyError> {
        let query = match self.url.engine() {
            Engine::Sqlite => "SELECT COUNT(*) FROM sqlite_schema WHERE type = 'table' AND name = $1",
            Engine::Postgres => "SELECT COUNT(to_regclass($1))",
        };
        let db = &mut self.db;
        let found = on_engine!(db => sqlx::query_scalar::<_, i64>(query).bind(name).fetch_one(db).await);
        found.map(|tables| tables > 0).map_err(|cause| self.failed(cause))
    }

    /// Refuses another schema than the one that this binary works with.
    async fn require_current_schema(&mut self) -> Result<(), CopyError> {
        if !self.has_table("_sqlx_migrations").await? {
            return Err(CopyError::NoSite(self.url.clone()));
        }
        let query = "SELECT version FROM _sqlx_migrations WHERE success";
        let db = &mut self.db;
        let applied = on_engine!(db => sqlx::query_scalar::<_, i64>(query).fetch_all(db).await);
        let applied = applied.map_err(|cause| self.failed(cause))?;
        let known: Vec<i64> = schema_steps(self.url.engine()).collect();
        if let Some(&version) = applied.iter().find(|step| !known.contains(step)) {
            return Err(OpenError::Newer { url: self.url.to_string(), version }.into());
        }
        if known.iter().any(|step| !applied.contains(step)) {
            return Err(CopyError::Older(self.url.clone()));
        }
        Ok(())
    }

    /// Refuses rows in any table but [`OF_EMPTY_SITE`]; the tables themselves may be missing.
    async fn require_empty(&mut self) -> Result<(), CopyError> {
        for Table { name, .. } in TABLES {
            if !self.has_table(name).await? {
                continue;
            }
            let may_be_there = OF_EMPTY_SITE.iter().find(|(table, _)| table == name);
            let content = may_be_there.map(|(_, condition)| format!("WHERE NOT ({condition})"));
            let content = content.unwrap_or_default();
            let query = format!("SELECT COUNT(*) FROM (SELECT 1 FROM {name} {content} LIMIT 1) AS first");
            let db = &mut self.db;
            let rows =
                on_engine!(db => sqlx::query_scalar::<_, i64>(AssertSqlSafe(query)).fetch_one(db).await);
            if rows.map_err(|cause| self.failed(cause))? > 0 {
                return Err(CopyError::NotEmpty { url: self.url.clone(), table: name });
            }
        }
        Ok(())
    }

    /// Hands over row after row, in the order of the key. The checksum is of what is
    /// sealed in them.
    async fn read(
        &mut self,
        table: &Table,
        secrets: Secrets<'_>,
        mut each: impl AsyncFnMut(Vec<Value>) -> Result<(), CopyError>,
    ) -> Result<Checksum, CopyError> {
        let query =
            format!("SELECT {} FROM {} ORDER BY {}", table.column_names(), table.name, table.key.join(", "));
        let failed = |cause| CopyError::Failed { url: self.url.clone(), cause };
        let mut rows = 0;
        let mut sha256 = Sha256::new();
        let stays_sealed = secrets.with_key && SEALED_COLUMNS.iter().any(|column| column.table == table.name);
        let db = &mut self.db;
        on_engine!(db => {
            let mut stream = sqlx::query(AssertSqlSafe(query)).fetch(db);
            while let Some(row) = stream.try_next().await.map_err(failed)? {
                let values = table.columns.iter().enumerate().map(|(index, column)| match column.kind {
                    Kind::Text => row.try_get(index).map(Value::Text),
                    Kind::Integer => row.try_get(index).map(Value::Integer),
                    Kind::Bytes => row.try_get(index).map(Value::Bytes),
                });
                let stored: Vec<Value> = values.collect::<Result<_, _>>().map_err(failed)?;
                let sealed = stays_sealed.then(|| stored.clone());
                let opened = secrets.open(table, stored);
                rows += 1;
                opened.iter().for_each(|value| value.feed(&mut sha256));
                each(sealed.unwrap_or(opened)).await?;
            }
        });
        Ok(Checksum { rows, sha256: sha256.finalize().into() })
    }

    /// Writes the rows of the batch, which then has none.
    async fn insert(&mut self, table: &Table, batch: &mut Batch) -> Result<(), CopyError> {
        let rows = std::mem::take(batch).rows;
        if rows.is_empty() {
            return Ok(());
        }
        let into = format!("INSERT INTO {} ({}) ", table.name, table.column_names());
        let db = &mut self.db;
        let inserted = on_engine!(db => {
            let mut insert = QueryBuilder::new(into);
            insert.push_values(rows, |mut tuple, row| {
                for value in row {
                    match value {
                        Value::Text(text) => tuple.push_bind(text),
                        Value::Integer(integer) => tuple.push_bind(integer),
                        Value::Bytes(bytes) => tuple.push_bind(bytes),
                    };
                }
            });
            // The statement differs for each batch, so it is not kept prepared.
            insert.build().persistent(false).execute(db).await.map(drop)
        });
        inserted.map_err(|cause| self.failed(cause))
    }

    /// Sets the sequences of PostgreSQL to continue after the copied values. They
    /// keep the new value even if the transaction fails; a value that is too large
    /// does no harm.
    async fn advance_sequences(&mut self) -> Result<(), CopyError> {
        if self.url.engine() == Engine::Sqlite {
            return Ok(());
        }
        for table in TABLES {
            let (name, Some(column)) = (table.name, table.identity) else { continue };
            // Without rows there is no MAX, and setval(NULL) sets nothing.
            let advance = format!(
                "SELECT setval(pg_get_serial_sequence('{name}', '{column}'), MAX({column})) FROM {name}"
            );
            self.command(advance).await?;
        }
        Ok(())
    }

    async fn close(self) {
        // Everything is committed. If a log of SQLite remains, the next start
        // reads it.
        let _ = self.db.close().await;
    }
}

/// How sealed values are copied.
#[derive(Clone, Copy)]
struct Secrets<'a> {
    /// Has the key of the source.
    sealer: Option<&'a Sealer>,
    /// Whether the target has that key as well, so that they stay sealed.
    with_key: bool,
}

impl Secrets<'_> {
    /// The row with its sealed values open. Without the key, and if somebody has
    /// changed one, they stay as they are.
    fn open(self, table: &Table, mut row: Vec<Value>) -> Vec<Value> {
        let Some(sealer) = self.sealer else { return row };
        for column in SEALED_COLUMNS.iter().filter(|column| column.table == table.name) {
            let place = |name| table.columns.iter().position(|column| column.name == name);
            let (Some(owner), Some(value)) = (place(column.owner), place(column.value)) else { continue };
            let Value::Text(Some(owner)) = row[owner].clone() else { continue };
            let Value::Bytes(Some(stored)) = &mut row[value] else { continue };
            if sealing::is_sealed(stored) {
                let opened = sealer.open_sealed(column.purpose, &owner, stored);
                if let Ok(opened) = opened {
                    *stored = opened.expose_secret().to_vec();
                }
            }
        }
        row
    }
}

/// A value or NULL.
#[derive(Clone, Debug)]
enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
    Bytes(Option<Vec<u8>>),
}

impl Value {
    /// Feeds one byte for the kind, one that says whether there is a value, the
    /// length in bytes (64 bits, big-endian) and the bytes; integers are
    /// big-endian. Two different rows have different encodings.
    fn feed(&self, hash: &mut Sha256) {
        let integer;
        let (kind, value) = match self {
            Self::Text(text) => (0, text.as_deref().map(str::as_bytes)),
            Self::Integer(number) => {
                integer = number.map(i64::to_be_bytes);
                (1, integer.as_ref().map(<[u8; 8]>::as_slice))
            }
            Self::Bytes(bytes) => (2, bytes.as_deref()),
        };
        hash.update([kind, u8::from(value.is_some())]);
        if let Some(value) = value {
            hash.update((value.len() as u64).to_be_bytes());
            hash.update(value);
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.as_ref().map_or(0, String::len),
            Self::Integer(_) => size_of::<i64>(),
            Self::Bytes(bytes) => bytes.as_ref().map_or(0, Vec::len),
        }
    }
}

/// Rows that are being copied.
#[derive(Default)]
struct Batch {
    rows: Vec<Vec<Value>>,
    parameters: usize,
    bytes: usize,
}

impl Batch {
    fn has_room_for(&self, row: &[Value]) -> bool {
        self.parameters + row.len() <= BATCH_PARAMETERS && self.bytes + bytes_of(row) <= BATCH_BYTES
    }

    fn push(&mut self, row: Vec<Value>) {
        self.parameters += row.len();
        self.bytes += bytes_of(&row);
        self.rows.push(row);
    }
}

fn bytes_of(row: &[Value]) -> usize {
    row.iter().map(Value::len).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(row: &[Value]) -> [u8; 32] {
        let mut hash = Sha256::new();
        row.iter().for_each(|value| value.feed(&mut hash));
        hash.finalize().into()
    }

    #[test]
    fn rows_that_differ_have_different_hashes() {
        let text = |text: &str| Value::Text(Some(text.to_owned()));
        let rows = [
            vec![Value::Text(None)],
            vec![text("")],
            vec![Value::Bytes(None)],
            vec![Value::Bytes(Some(Vec::new()))],
            vec![Value::Bytes(Some(b"a".to_vec()))],
            vec![text("a")],
            vec![text("a"), text("")],
            vec![text(""), text("a")],
            vec![text("a"), text("bc")],
            vec![text("ab"), text("c")],
            // Rows that would be equal without lengths or the mark of a missing value.
            vec![text("a"), text("b")],
            vec![text("a\0\u{1}b")],
            vec![Value::Text(None); 9],
            vec![Value::Integer(None)],
            vec![Value::Integer(Some(0))],
            vec![Value::Integer(Some(-1))],
            vec![Value::Bytes(Some(vec![0; 8]))],
        ];
        for (index, row) in rows.iter().enumerate() {
            assert_eq!(hash(row), hash(&row.clone()));
            for other in &rows[index + 1..] {
                assert_ne!(hash(row), hash(other), "{row:?} and {other:?}");
            }
        }
    }

    #[test]
    fn a_batch_stays_within_what_engines_take() {
        let mut batch = Batch::default();
        let long = vec![Value::Text(Some("x".repeat(BATCH_BYTES + 1)))];
        assert!(!batch.has_room_for(&long));
        batch.push(long);
        assert!(!batch.has_room_for(&[Value::Text(Some("y".to_owned()))]));
        let mut batch = Batch::default();
        while batch.has_room_for(&[Value::Integer(None), Value::Text(None)]) {
            batch.push(vec![Value::Integer(None), Value::Text(None)]);
        }
        assert_eq!(batch.rows.len(), BATCH_PARAMETERS / 2);
    }
}
