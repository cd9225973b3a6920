//! Signing up where mail is sent: the account is made once its address is confirmed.
//!
//! Until then there is a row in `pending_sign_ups`, whether or not the address
//! already has an account: in the one case a mail brings the code, in the other it
//! tells the owner. Everything else is the same, the time too, so nobody learns from
//! a sign-up who has an account. The username is reserved in both cases.

use sha2::{Digest, Sha256};
use sqlx::FromRow;

use super::{
    Email, Login, NewAccount, Password,
    audit::{self, AuditEvent, AuditKind},
    contact,
    hashing::{Priority, Verified},
    invitations::{self, Invitation},
    letters,
    log_in::Authenticated,
    one_time::{Code, Token, VALID_FOR},
    srp, store,
    throttle::{self, Volume},
};
use crate::{
    clock,
    credentials::{RequestSource, User, UserId},
    database::{Db, execute, idempotency::IdempotencyKey, internal, on_engine, violates},
    error::{AppError, Field},
    mail::{self, Envelope},
    site::Site,
    username::Username,
};

/// Sign-ups with one address whose mail can be used at a time. Of more, none is
/// mailed, and the answer does not say so.
const MAILS: i64 = 5;

/// A sign-up that waits for its address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The id of the account that it becomes.
    pub id: String,
    pub username: Username,
    pub email: String,
    password_hash: String,
}

#[derive(FromRow)]
struct Row {
    id: String,
    username: String,
    email: String,
    password_hash: String,
}

impl TryFrom<Row> for Pending {
    type Error = AppError;

    fn try_from(row: Row) -> Result<Self, AppError> {
        let username = Username::try_from(row.username)
            .map_err(|error| internal(format_args!("a stored username breaks the rules: {error}")))?;
        Ok(Self { id: row.id, username, email: row.email, password_hash: row.password_hash })
    }
}

/// What is mailed, and stored as hashes.
#[derive(Clone)]
struct Proof {
    token: Token,
    code: Code,
    sealed: Vec<u8>,
}

impl Proof {
    async fn random(site: &Site, id: &str) -> Result<Self, AppError> {
        let (token, code) = (Token::random()?, Code::random()?);
        let sealed = code.seal(site.secret().await?, id);
        Ok(Self { token, code, sealed })
    }
}

/// Begins a sign-up; the id by which it can be confirmed with the code from the
/// mail. The same call with the same key is done once.
///
/// # Errors
/// As [`invitations::may_sign_up`]; [`AppError::Invalid`] when the username is taken, never when
/// the address is; [`AppError::Busy`].
pub async fn begin(
    site: &Site,
    account: NewAccount,
    invitation: Option<Invitation>,
    key: Option<IdempotencyKey>,
    source: &RequestSource,
) -> Result<String, AppError> {
    site.mailer().must_be_on()?;
    let NewAccount { username, email, password } = account;
    let operation = key.map(|key| fingerprint(&key, &username, &email));
    {
        // Asked before the costly hashing, and once more in the transaction.
        let db = &mut site.database.read().await?;
        if let Some(id) = made_before(db, operation.as_deref()).await? {
            return Ok(id);
        }
        refuse_taken(db, &username, &email).await?;
    }
    let invitation = invitations::may_sign_up(site, invitation).await?;
    throttle::count(site, Volume::SignUps, "", source).await?;
    let user = User::new(username.clone());
    let verifier = srp::make(site, &user, &password.clone().into(), Priority::Unknown).await?;
    let hash = site.hasher().hash(password, Priority::Unknown).await?;
    let id = user.id.as_str().to_owned();
    let proof = Proof::random(site, &id).await?;
    let pending = Pending { id, username, email: email.as_str().to_owned(), password_hash: hash };
    site.database
        .write(
            (site.clone(), (pending, verifier, invitation), email, operation, proof),
            |db, (site, (pending, verifier, invitation), email, operation, proof)| {
                Box::pin(async move {
                    if let Some(id) = made_before(db, operation.as_deref()).await? {
                        return Ok(id);
                    }
                    refuse_taken(db, &pending.username, &email).await?;
                    insert(db, &pending, operation.as_deref(), &proof).await?;
                    let id = UserId::from_stored(pending.id.clone());
                    if let Some(invitation) = &invitation {
                        invitations::take(db, invitation, &id).await?;
                    }
                    srp::store(db, &id, &pending.password_hash, verifier.as_ref()).await?;
                    tell(db, &site, &pending, &email, &proof).await?;
                    Ok(pending.id)
                })
            },
        )
        .await
}

/// Mails the code of a sign-up again: another one, which replaces the first.
///
/// # Errors
/// [`AppError::NotFound`] if it is over.
pub async fn send_again(site: &Site, id: &str) -> Result<(), AppError> {
    site.mailer().must_be_on()?;
    let proof = Proof::random(site, id).await?;
    site.database
        .write((site.clone(), id.to_owned(), proof), |db, (site, id, proof)| {
            Box::pin(async move {
                let pending = find(db, &id).await?.ok_or(AppError::NotFound)?;
                let email = Email::parse(&pending.email).map_err(internal)?;
                let until = clock::now().after(VALID_FOR);
                execute!(db => sqlx::query(
                        "UPDATE pending_sign_ups SET hash = $1, code = $2, expires_at = $3 WHERE id = $4",
                    )
                    .bind(proof.token.hash())
                    .bind(&proof.sealed)
                    .bind(until.micros())
                    .bind(&id))?;
                tell(db, &site, &pending, &email, &proof).await
            })
        })
        .await
}

/// To the address: the code, or where it has an account, that somebody tried.
async fn tell(
    db: &mut Db,
    site: &Site,
    pending: &Pending,
    email: &Email,
    proof: &Proof,
) -> Result<(), AppError> {
    let until = clock::now().after(VALID_FOR);
    let is_taken = contact::is_taken(db, email).await?;
    let waiting: i64 = on_engine!(db => sqlx::query_scalar(
            "SELECT COUNT(*) FROM pending_sign_ups WHERE email = $1 AND expires_at > $2",
        )
        .bind(email.as_str())
        .bind(clock::now().micros())
        .fetch_one(db)
        .await?);
    let to = (waiting <= MAILS).then(|| email.as_str().to_owned());
    let letter = if is_taken {
        letters::sign_up_with_known_address(site)
    } else {
        letters::confirm_sign_up(site, pending.username.as_str(), &proof.token, &proof.code)
    };
    mail::enqueue(db, site, &Envelope { to, letter, useful_until: Some(until) }).await
}

/// A sign-up that is not over.
pub async fn find(db: &mut Db, id: &str) -> Result<Option<Pending>, AppError> {
    let row: Option<Row> = on_engine!(db => sqlx::query_as(
            "SELECT id, username, email, password_hash FROM pending_sign_ups WHERE id = $1 AND expires_at > $2",
        )
        .bind(id)
        .bind(clock::now().micros())
        .fetch_optional(db)
        .await?);
    row.map(Pending::try_from).transpose()
}

/// The newest sign-up by that username or address; for programs, which name no other id.
pub async fn newest_of(db: &mut Db, login: &Login) -> Result<Option<Pending>, AppError> {
    let statement = match login {
        Login::Email(_) => {
            "SELECT id, username, email, password_hash FROM pending_sign_ups
             WHERE email = $1 AND expires_at > $2 ORDER BY created_at DESC, id DESC LIMIT 1"
        }
        Login::Username(_) | Login::Nobody(_) => {
            "SELECT id, username, email, password_hash FROM pending_sign_ups
             WHERE username = $1 AND expires_at > $2 ORDER BY created_at DESC, id DESC LIMIT 1"
        }
    };
    let row: Option<Row> = on_engine!(db => sqlx::query_as(statement)
        .bind(login.name())
        .bind(clock::now().micros())
        .fetch_optional(db)
        .await?);
    row.map(Pending::try_from).transpose()
}

/// The id of the newest sign-up of that name, if it has that password.
///
/// # Errors
/// [`AppError::Busy`].
pub(super) async fn of_password(
    site: &Site,
    login: &Login,
    password: Password,
    priority: Priority,
) -> Result<Option<String>, AppError> {
    let pending = newest_of(&mut site.database.read().await?, login).await?;
    let Some(Pending { id, password_hash, .. }) = pending else { return Ok(None) };
    let verified = site.hasher().verify(password, Some(password_hash), None, priority).await?;
    Ok((verified != Verified::No).then_some(id))
}

/// The sign-up whose link has that token. Uses nothing up.
pub async fn of_token(db: &mut Db, token: &Token) -> Result<Option<Pending>, AppError> {
    let row: Option<Row> = on_engine!(db => sqlx::query_as(
            "SELECT id, username, email, password_hash FROM pending_sign_ups WHERE hash = $1 AND expires_at > $2",
        )
        .bind(token.hash())
        .bind(clock::now().micros())
        .fetch_optional(db)
        .await?);
    row.map(Pending::try_from).transpose()
}

/// Makes the account of a sign-up whose link has that token; `None` if there is none.
///
/// # Errors
/// [`AppError::Invalid`] when username or address were taken meanwhile.
pub async fn confirm_by_token(
    site: &Site,
    token: &Token,
    source: &RequestSource,
) -> Result<Option<Authenticated>, AppError> {
    site.database
        .write((token.clone(), source.clone()), |db, (token, source)| {
            Box::pin(async move {
                let pending = of_token(db, &token).await?;
                complete(db, pending, &source).await
            })
        })
        .await
}

/// Makes the account of a sign-up by its code; `None` for a wrong one. How often it
/// may be tried, the caller has to say.
///
/// # Errors
/// As [`confirm_by_token`].
pub async fn confirm_by_code(
    site: &Site,
    id: &str,
    code: &Code,
    source: &RequestSource,
) -> Result<Option<Authenticated>, AppError> {
    let sealed = code.seal(site.secret().await?, id);
    site.database
        .write((id.to_owned(), sealed, source.clone()), |db, (id, sealed, source)| {
            Box::pin(async move {
                let row: Option<Row> = on_engine!(db => sqlx::query_as(
                        "SELECT id, username, email, password_hash FROM pending_sign_ups
                         WHERE id = $1 AND code = $2 AND expires_at > $3",
                    )
                    .bind(&id)
                    .bind(&sealed)
                    .bind(clock::now().micros())
                    .fetch_optional(db)
                    .await?);
                complete(db, row.map(Pending::try_from).transpose()?, &source).await
            })
        })
        .await
}

/// Makes the account, and ends every other sign-up with its name or its address.
async fn complete(
    db: &mut Db,
    pending: Option<Pending>,
    source: &RequestSource,
) -> Result<Option<Authenticated>, AppError> {
    let Some(Pending { id, username, email, password_hash }) = pending else { return Ok(None) };
    let user = User { id: UserId::from_stored(id), username };
    let address = Email::parse(&email).map_err(internal)?;
    store::insert(db, &user, &address, &password_hash, clock::now()).await?;
    contact::verify(db, &user.id, &email).await?;
    invitations::use_up(db, &user).await?;
    execute!(db => sqlx::query("DELETE FROM pending_sign_ups WHERE username = $1 OR email = $2")
        .bind(user.username.as_str())
        .bind(&email))?;
    audit::record(db, AuditEvent::of(AuditKind::SignedUp, &user, "mail"), source).await?;
    Ok(Some(Authenticated::by_password(user, password_hash)))
}

/// Whether a username is taken: by an account, or by a sign-up with another address.
async fn refuse_taken(db: &mut Db, username: &Username, email: &Email) -> Result<(), AppError> {
    let is_taken: bool = on_engine!(db => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM taken_usernames WHERE username = $1)
                 OR EXISTS (SELECT 1 FROM pending_sign_ups WHERE username = $1 AND email <> $2 AND expires_at > $3)",
        )
        .bind(username.as_str())
        .bind(email.as_str())
        .bind(clock::now().micros())
        .fetch_one(db)
        .await?);
    if is_taken {
        return Err(AppError::invalid(Field::Username, "That username is taken. Choose another"));
    }
    Ok(())
}

async fn insert(
    db: &mut Db,
    pending: &Pending,
    operation: Option<&[u8]>,
    proof: &Proof,
) -> Result<(), AppError> {
    let now = clock::now();
    // The same form, sent again after its time, is another sign-up.
    execute!(db => sqlx::query("DELETE FROM pending_sign_ups WHERE operation = $1 AND expires_at <= $2")
        .bind(operation)
        .bind(now.micros()))?;
    let done = execute!(db => sqlx::query(
            "INSERT INTO pending_sign_ups
                 (id, username, email, password_hash, operation, hash, code, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&pending.id)
        .bind(pending.username.as_str())
        .bind(&pending.email)
        .bind(&pending.password_hash)
        .bind(operation)
        .bind(proof.token.hash())
        .bind(&proof.sealed)
        .bind(now.micros())
        .bind(now.after(VALID_FOR).micros()))
    .map(drop);
    done.map_err(|error| {
        let is_twice = violates(&error, "pending_sign_ups_operation_key");
        // If the transaction runs again, it finds the other's.
        if is_twice { AppError::WriteConflict } else { error.into() }
    })
}

async fn made_before(db: &mut Db, operation: Option<&[u8]>) -> Result<Option<String>, AppError> {
    let Some(operation) = operation else { return Ok(None) };
    Ok(on_engine!(db => sqlx::query_scalar(
            "SELECT id FROM pending_sign_ups WHERE operation = $1 AND expires_at > $2",
        )
        .bind(operation)
        .bind(clock::now().micros())
        .fetch_optional(db)
        .await?))
}

/// Of a key and what it was used for. The password is no part of it: by its hash it
/// could be guessed.
fn fingerprint(key: &IdempotencyKey, username: &Username, email: &Email) -> Vec<u8> {
    let mut hash = Sha256::new();
    for part in [key.as_str(), username.as_str(), email.as_str()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().to_vec()
}
