//! The columns with sealed values, and what is done to all of them.

use super::{
    keys::KeyId,
    sealer::{KEY_BYTES, MIN_BYTES, SealPurpose, Sealer, key_id, key_of_head},
};
use crate::{
    database::{Database, Db, execute, on_engine},
    error::AppError,
};

/// A column with values that are sealed.
#[derive(Debug)]
pub struct SealedColumn {
    pub table: &'static str,
    /// The column that names the owner of a value.
    pub owner: &'static str,
    pub value: &'static str,
    pub purpose: SealPurpose,
    /// Deletes every value.
    pub forget: &'static str,
    /// Whether Byline can make others, and nobody has to do anything but log in again.
    pub is_replaceable: bool,
    /// Selects owner and value of every row that has one.
    select: &'static str,
    /// Selects how values begin, in `$1` bytes, and whether they have `$2` bytes.
    heads: &'static str,
    /// Sets the value to `$1` for owner `$2`, unless it is no longer `$3`.
    replace: &'static str,
}

macro_rules! sealed_column {
    ($table:literal, $owner:literal, $value:literal, $purpose:ident, $is_replaceable:literal, $forget:literal) => {
        SealedColumn {
            table: $table,
            owner: $owner,
            value: $value,
            purpose: SealPurpose::$purpose,
            forget: $forget,
            is_replaceable: $is_replaceable,
            select: concat!(
                "SELECT ",
                $owner,
                ", ",
                $value,
                " FROM ",
                $table,
                " WHERE ",
                $value,
                " IS NOT NULL"
            ),
            heads: concat!(
                "SELECT DISTINCT substr(",
                $value,
                ", 1, $1), length(",
                $value,
                ") >= $2 FROM ",
                $table,
                " WHERE ",
                $value,
                " IS NOT NULL",
            ),
            replace: concat!(
                "UPDATE ",
                $table,
                " SET ",
                $value,
                " = $1 WHERE ",
                $owner,
                " = $2 AND ",
                $value,
                " = $3",
            ),
        }
    };
}

/// Every column with sealed values. A feature that adds one adds it here, so that
/// `byline secrets rotate` and the start know it.
pub const SEALED_COLUMNS: &[SealedColumn] = &[
    sealed_column!("secrets", "name", "value", SiteSecret, true, "DELETE FROM secrets"),
    sealed_column!("signing_keys", "kid", "seed", SigningKey, true, "DELETE FROM signing_keys"),
    sealed_column!("srp_verifiers", "user_id", "verifier", SrpVerifier, true, "DELETE FROM srp_verifiers"),
    sealed_column!("outbox", "id", "letter", Letter, true, "DELETE FROM outbox WHERE letter IS NOT NULL"),
    sealed_column!(
        "two_factor",
        "user_id",
        "secret",
        TotpSecret,
        false,
        "UPDATE two_factor SET secret = NULL"
    ),
    sealed_column!(
        "two_factor",
        "user_id",
        "pending",
        TotpSecret,
        true,
        "UPDATE two_factor SET pending = NULL"
    ),
];

type Row = (String, Vec<u8>);

async fn rows(db: &mut Db, column: &'static SealedColumn) -> Result<Vec<Row>, AppError> {
    Ok(on_engine!(db => sqlx::query_as(column.select).fetch_all(db).await?))
}

/// What the values of a column were sealed with.
pub(super) struct SealedWith {
    pub(super) column: &'static SealedColumn,
    pub(super) keys: Vec<KeyId>,
    /// Whether an older Byline, or a site without a key, has stored some as they were.
    has_open: bool,
}

/// Looks at how the values begin, not at the values: this is done at every start.
async fn sealed_with(db: &mut Db, column: &'static SealedColumn) -> Result<SealedWith, AppError> {
    let heads: Vec<(Vec<u8>, bool)> = on_engine!(db => sqlx::query_as(column.heads)
        .bind(KEY_BYTES)
        .bind(MIN_BYTES)
        .fetch_all(db)
        .await?);
    let keys: Vec<_> = heads.iter().map(|(head, is_long)| key_of_head(head).filter(|_| *is_long)).collect();
    Ok(SealedWith { column, has_open: keys.contains(&None), keys: keys.into_iter().flatten().collect() })
}

/// Whether a value of any column is sealed.
///
/// # Errors
/// [`AppError::Busy`]
pub async fn has_sealed(db: &mut Db) -> Result<bool, AppError> {
    for column in SEALED_COLUMNS {
        if !sealed_with(db, column).await?.keys.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What the values of every column were sealed with.
pub(super) async fn all_sealed_with(db: &mut Db) -> Result<Vec<SealedWith>, AppError> {
    let mut all = Vec::new();
    for column in SEALED_COLUMNS {
        all.push(sealed_with(db, column).await?);
    }
    Ok(all)
}

/// Whether all that is sealed can be made again.
pub(super) fn are_replaceable(sealed: &[SealedWith]) -> bool {
    sealed.iter().all(|sealed| sealed.column.is_replaceable || sealed.keys.is_empty())
}

/// Deletes all of them.
pub(super) async fn forget_all(database: &Database) -> Result<(), AppError> {
    database
        .write((), |db, ()| {
            Box::pin(async move {
                for column in SEALED_COLUMNS {
                    execute!(db => sqlx::query(column.forget))?;
                }
                Ok(())
            })
        })
        .await
}

/// Seals every value that was stored as it was.
pub(super) async fn seal_what_is_open(
    sealer: &Sealer,
    database: &Database,
    sealed: &[SealedWith],
) -> Result<(), AppError> {
    for column in sealed.iter().filter(|sealed| sealed.has_open).map(|sealed| sealed.column) {
        for (owner, value) in rows(&mut database.read().await?, column).await? {
            if key_id(&value).is_none() {
                let sealed = sealer.seal(column.purpose, &owner, &value)?;
                replace(database, column, owner, value, sealed).await?;
            }
        }
    }
    Ok(())
}

/// Seals every value with the present key; how many there were.
pub(super) async fn seal_anew(sealer: &Sealer, database: &Database) -> Result<usize, AppError> {
    use secrecy::ExposeSecret;

    let mut count = 0;
    for column in SEALED_COLUMNS {
        for (owner, value) in rows(&mut database.read().await?, column).await? {
            let secret = sealer.open_sealed(column.purpose, &owner, &value)?;
            let sealed = sealer.seal(column.purpose, &owner, secret.expose_secret())?;
            replace(database, column, owner, value, sealed).await?;
            count += 1;
        }
    }
    Ok(count)
}

async fn replace(
    database: &Database,
    column: &'static SealedColumn,
    owner: String,
    old: Vec<u8>,
    new: Vec<u8>,
) -> Result<(), AppError> {
    database
        .write((owner, old, new), move |db, (owner, old, new)| {
            Box::pin(async move {
                execute!(db => sqlx::query(column.replace).bind(new).bind(owner).bind(old))?;
                Ok(())
            })
        })
        .await
}
