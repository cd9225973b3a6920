//! The columns with sealed values, and what is done to all of them.

use super::{
    keys::KeyId,
    sealer::{SealPurpose, Sealer, key_id},
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
    /// Selects owner and value of every row.
    select: &'static str,
    /// Sets the value to `$1` for owner `$2`, unless it is no longer `$3`.
    replace: &'static str,
}

/// Every column with sealed values. A feature that adds one adds it here, so that
/// `byline secrets rotate` and the start know it.
pub const SEALED_COLUMNS: &[SealedColumn] = &[
    SealedColumn {
        table: "secrets",
        owner: "name",
        value: "value",
        purpose: SealPurpose::SiteSecret,
        forget: "DELETE FROM secrets",
        is_replaceable: true,
        select: "SELECT name, value FROM secrets",
        replace: "UPDATE secrets SET value = $1 WHERE name = $2 AND value = $3",
    },
    SealedColumn {
        table: "signing_keys",
        owner: "kid",
        value: "seed",
        purpose: SealPurpose::SigningKey,
        forget: "DELETE FROM signing_keys",
        is_replaceable: true,
        select: "SELECT kid, seed FROM signing_keys",
        replace: "UPDATE signing_keys SET seed = $1 WHERE kid = $2 AND seed = $3",
    },
    SealedColumn {
        table: "srp_verifiers",
        owner: "user_id",
        value: "verifier",
        purpose: SealPurpose::SrpVerifier,
        forget: "DELETE FROM srp_verifiers",
        is_replaceable: true,
        select: "SELECT user_id, verifier FROM srp_verifiers",
        replace: "UPDATE srp_verifiers SET verifier = $1 WHERE user_id = $2 AND verifier = $3",
    },
    SealedColumn {
        table: "outbox",
        owner: "id",
        value: "letter",
        purpose: SealPurpose::Letter,
        forget: "DELETE FROM outbox WHERE letter IS NOT NULL",
        is_replaceable: true,
        select: "SELECT id, letter FROM outbox WHERE letter IS NOT NULL",
        replace: "UPDATE outbox SET letter = $1 WHERE id = $2 AND letter = $3",
    },
    SealedColumn {
        table: "two_factor",
        owner: "user_id",
        value: "secret",
        purpose: SealPurpose::TotpSecret,
        forget: "UPDATE two_factor SET secret = NULL",
        is_replaceable: false,
        select: "SELECT user_id, secret FROM two_factor WHERE secret IS NOT NULL",
        replace: "UPDATE two_factor SET secret = $1 WHERE user_id = $2 AND secret = $3",
    },
    SealedColumn {
        table: "two_factor",
        owner: "user_id",
        value: "pending",
        purpose: SealPurpose::TotpSecret,
        forget: "UPDATE two_factor SET pending = NULL",
        is_replaceable: true,
        select: "SELECT user_id, pending FROM two_factor WHERE pending IS NOT NULL",
        replace: "UPDATE two_factor SET pending = $1 WHERE user_id = $2 AND pending = $3",
    },
];

type Row = (String, Vec<u8>);

async fn rows(db: &mut Db, column: &'static SealedColumn) -> Result<Vec<Row>, AppError> {
    Ok(on_engine!(db => sqlx::query_as(column.select).fetch_all(db).await?))
}

/// The keys that have sealed something in this database.
pub(super) async fn key_ids(database: &Database) -> Result<Vec<KeyId>, AppError> {
    let mut ids = Vec::new();
    for column in SEALED_COLUMNS {
        let rows = rows(&mut database.read().await?, column).await?;
        ids.extend(rows.iter().filter_map(|(_, value)| key_id(value)));
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(ids)
}

/// Deletes the secrets that can be made again. `false`, and nothing is deleted, if
/// there are sealed ones of another kind.
pub(super) async fn forget_replaceable(database: &Database) -> Result<bool, AppError> {
    for column in SEALED_COLUMNS.iter().filter(|column| !column.is_replaceable) {
        let rows = rows(&mut database.read().await?, column).await?;
        if rows.iter().any(|(_, value)| key_id(value).is_some()) {
            return Ok(false);
        }
    }
    forget_all(database).await.map(|()| true)
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

/// Seals every value that an older Byline stored as it was.
pub(super) async fn seal_what_is_open(sealer: &Sealer, database: &Database) -> Result<(), AppError> {
    for column in SEALED_COLUMNS {
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
