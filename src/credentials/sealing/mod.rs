//! Seals secrets in the database with a key that the database does not have, so
//! that a copy of the database alone opens nothing.
//!
//! XChaCha20-Poly1305, whose nonce is long enough to be random. What a secret is
//! for and whose it is are bound to it as associated data: a sealed value that is
//! moved to another row does not open. The id of the key is in front, so that a key
//! can be replaced (`byline secrets rotate`).

mod columns;
mod keys;
mod sealer;

pub use columns::{SEALED_COLUMNS, SealedColumn, has_sealed};
pub use keys::can_be_read_by_everybody;
pub use sealer::{SealPurpose, Sealer};

use secrecy::{ExposeSecret, SecretSlice};

use crate::{
    config::{SecretKeyError, SecretKeySource},
    credentials::secret_bits::SecretBits,
    database::{Database, Db, internal},
    error::AppError,
    site::Site,
};

/// The sealer of a site, if it has a key.
#[derive(Clone, Debug)]
pub struct SiteSealer(pub Option<Sealer>);

impl Site {
    /// What seals secrets in the database. `None` on PostgreSQL without a key:
    /// then nothing is offered that needs one.
    #[must_use]
    pub fn sealer(&self) -> Option<&Sealer> {
        let SiteSealer(sealer) = self.part();
        sealer.as_ref()
    }
}

fn failed(error: AppError) -> SecretKeyError {
    SecretKeyError::Database(error.to_string())
}

/// What a command or a server may do about secrets that do not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// A command works beside a server, and leaves them alone.
    ForCommand,
    /// The only process of a file may replace what can be replaced.
    ToServe,
}

/// Reads the keys, or makes the first one, and seals what older versions of Byline
/// stored as it was. `None` where no key is configured.
///
/// Somebody may have moved the file of a database without its key. Then a site is
/// served all the same, with new keys for its tokens, unless it has secrets that
/// nobody can make again.
///
/// # Errors
/// [`SecretKeyError`], also when the database has secrets that were sealed with
/// another key.
pub async fn open(
    source: &SecretKeySource,
    database: &Database,
    opening: Opening,
) -> Result<Option<Sealer>, SecretKeyError> {
    let sealed = {
        let mut db = database.read().await.map_err(failed)?;
        columns::all_sealed_with(&mut db).await.map_err(failed)?
    };
    let is_missing = matches!(source, SecretKeySource::BesideDatabase(path) if !path.exists());
    let found = if is_missing { None } else { Some(keys::load(source)?) };
    let is_known = |id: &keys::KeyId| found.iter().flatten().any(|key| key.id == *id);
    let fit = fit_of(source, &sealed, is_known);
    if fit != KeyFit::Opens {
        match (opening, fit) {
            (Opening::ForCommand, _) => return Ok(None),
            (Opening::ToServe, KeyFit::Replaces) => {
                columns::forget_all(database).await.map_err(failed)?;
                tracing::warn!(
                    "{source} does not open the secrets of this database, so they are made anew: programs have \
                     to log in again. If their key is only misplaced, stop, put it back, and restore the database"
                );
            }
            (Opening::ToServe, _) => return Err(SecretKeyError::Other { place: source.to_string() }),
        }
    }
    let keys = match found {
        Some(keys) => keys,
        None => keys::load(source)?,
    };
    if keys.is_empty() {
        return Ok(None);
    }
    let sealer = Sealer::new(source.clone(), keys);
    columns::seal_what_is_open(&sealer, database, &sealed).await.map_err(failed)?;
    Ok(Some(sealer))
}

/// How the keys of a source go with what is sealed in a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFit {
    /// They open all of it, or nothing is sealed.
    Opens,
    /// They do not open all of it, and a start to serve makes it anew.
    Replaces,
    /// They do not open all of it, and a start to serve fails.
    Refused,
}

fn fit_of(
    source: &SecretKeySource,
    sealed: &[columns::SealedWith],
    is_known: impl Fn(&keys::KeyId) -> bool,
) -> KeyFit {
    if sealed.iter().flat_map(|sealed| &sealed.keys).all(is_known) {
        return KeyFit::Opens;
    }
    match source {
        SecretKeySource::BesideDatabase(_) if columns::are_replaceable(sealed) => KeyFit::Replaces,
        // Another process may serve the same database with the right key.
        _ => KeyFit::Refused,
    }
}

/// What [`open`] would do with a database to serve it. `sealer` has the keys of the source, by
/// [`to_read`]; the schema of the database has to be that of this Byline. Nothing is changed.
///
/// # Errors
/// [`AppError::Busy`]
pub async fn fit(source: &SecretKeySource, sealer: Option<&Sealer>, db: &mut Db) -> Result<KeyFit, AppError> {
    let sealed = columns::all_sealed_with(db).await?;
    Ok(fit_of(source, &sealed, |id| sealer.is_some_and(|sealer| sealer.has_key(id))))
}

/// Whether a stored value is sealed.
#[must_use]
pub fn is_sealed(stored: &[u8]) -> bool {
    sealer::key_id(stored).is_some()
}

/// What opens the secrets of a database that only is read. `None` where there is no
/// key.
///
/// # Errors
/// [`SecretKeyError`]
pub fn to_read(source: &SecretKeySource) -> Result<Option<Sealer>, SecretKeyError> {
    if matches!(source, SecretKeySource::BesideDatabase(path) if !path.exists()) {
        return Ok(None);
    }
    let keys = keys::load(source)?;
    Ok((!keys.is_empty()).then(|| Sealer::new(source.clone(), keys)))
}

/// A secret as it was before it was stored: sealed, or, where the site had no key
/// then, as it was.
///
/// # Errors
/// [`AppError::Internal`] if it is sealed and cannot be opened.
pub fn open_stored(
    sealer: Option<&Sealer>,
    purpose: SealPurpose,
    owner: &str,
    stored: Vec<u8>,
) -> Result<SecretSlice<u8>, AppError> {
    if !is_sealed(&stored) {
        return Ok(stored.into());
    }
    let sealer = sealer.ok_or_else(|| internal("a secret is sealed, and there is no secret key"))?;
    sealer.open_sealed(purpose, owner, &stored)
}

/// Deletes every sealed secret, for a site whose key is lost. Programs have to log in
/// again, and people set up their authenticator apps anew.
///
/// # Errors
/// [`AppError::Busy`]
pub async fn reset(database: &Database) -> Result<(), AppError> {
    columns::forget_all(database).await
}

/// Makes a new key, where the keys are in a file, and seals everything anew with
/// the first key. Returns the number of values.
///
/// # Errors
/// [`SecretKeyError`]. What was sealed before opens all the same.
pub async fn rotate(sealer: &Sealer, database: &Database) -> Result<usize, SecretKeyError> {
    sealer.renew()?;
    columns::seal_anew(sealer, database).await.map_err(failed)
}

impl SecretBits {
    /// As they are stored: sealed, where the site has a key for that.
    pub(in crate::credentials) fn sealed(
        &self,
        sealer: Option<&Sealer>,
        purpose: SealPurpose,
        owner: &str,
    ) -> Result<Vec<u8>, AppError> {
        match sealer {
            Some(sealer) => sealer.seal(purpose, owner, self.expose()),
            None => Ok(self.expose().to_vec()),
        }
    }

    /// From a row: sealed, or as an older Byline stored them.
    ///
    /// # Errors
    /// [`AppError::Internal`] if they cannot be opened, or are not 256.
    pub(in crate::credentials) fn opened(
        sealer: Option<&Sealer>,
        purpose: SealPurpose,
        owner: &str,
        stored: Vec<u8>,
    ) -> Result<Self, AppError> {
        let bits = open_stored(sealer, purpose, owner, stored)?.expose_secret().to_vec();
        Self::from_bytes(bits).ok_or_else(|| internal("a stored secret is not 32 bytes"))
    }
}
