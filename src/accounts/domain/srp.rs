//! Logins by SRP as Amazon Cognito has it: the password is proven and not sent.
//!
//! A verifier is made wherever a password passes by, over its normal form, and sealed:
//! whoever has a verifier in the clear guesses far faster than with the hash of the
//! password. It counts while the stored hash is the one that it was made with.
//!
//! The state of a login that is under way goes to the client and back, sealed, so any
//! process can finish it. It is used once, within five minutes. For an unknown name
//! everything looks and costs the same.

use std::time::Duration;

use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use super::{
    Login, Password, RightPassword, audit,
    hashing::{Priority, fingerprint},
    not_authenticated, same_time,
    throttle::{self, Door},
};
use crate::{
    clock,
    config::Srp,
    credentials::{
        RequestSource, Secret, User, UserId,
        sealing::{SealPurpose, Sealer},
        srp::{self, Exchange, Number},
    },
    database::{Db, execute, internal, on_engine},
    error::AppError,
    site::Site,
    text::hex,
    timestamp::Timestamp,
    username::Username,
};

/// How long a client may take for its proof.
const TIME: Duration = Duration::from_secs(5 * 60);
/// A proof names no other owner of its sealed state.
const OWNER: &str = "login";

/// What is stored of a password, beside its hash. One verifier is for who names
/// themselves by their username, the other for who uses their address.
#[derive(Clone, Debug)]
pub struct Verifier {
    salt: Vec<u8>,
    sealed: Vec<u8>,
}

/// What a client is asked to prove that it knows the password for.
#[derive(Debug)]
pub struct Challenge {
    /// The name that the client hashes with the password.
    pub name: String,
    /// In hexadecimal.
    pub salt: String,
    /// In hexadecimal.
    pub public: String,
    /// Comes back with the proof.
    pub block: Vec<u8>,
}

/// The state of a login, sealed.
#[derive(Serialize, Deserialize)]
struct State {
    /// In hexadecimal: all blocks for names of one length have one length.
    id: String,
    /// The canonical name that was typed; guesses are counted for it.
    login: String,
    name: String,
    is_by_email: bool,
    /// As long for a person as for nobody.
    user: String,
    own: String,
    client_public: String,
    public: String,
    /// In microseconds since 1970 UTC.
    begun_at: i64,
}

#[derive(FromRow)]
struct Row {
    id: String,
    username: String,
    password_hash: String,
    salt: Vec<u8>,
    verifier: Vec<u8>,
    password: Vec<u8>,
    is_confirmed: bool,
}

/// A person whose verifier counts.
struct Known {
    user: User,
    /// Else it is a sign-up that waits for the code from its mail.
    is_confirmed: bool,
    hash: String,
    salt: Vec<u8>,
    by_username: Number,
    by_email: Number,
}

// One statement for people and for sign-ups that wait for their code, so that the time
// does not show which of them has a name.

const OF_USERNAME: &str = "
    SELECT u.id, u.username, u.password_hash, s.salt, s.verifier, s.password, u.created_at, TRUE AS is_confirmed
    FROM users u JOIN srp_verifiers s ON s.user_id = u.id
    WHERE u.username = $1
    UNION ALL
    SELECT p.id, p.username, p.password_hash, s.salt, s.verifier, s.password, p.created_at, FALSE AS is_confirmed
    FROM pending_sign_ups p JOIN srp_verifiers s ON s.user_id = p.id
    WHERE p.username = $1 AND p.expires_at > $2
    ORDER BY is_confirmed DESC, created_at DESC LIMIT 1";

const OF_ID: &str = "
    SELECT u.id, u.username, u.password_hash, s.salt, s.verifier, s.password, TRUE AS is_confirmed
    FROM users u JOIN srp_verifiers s ON s.user_id = u.id
    WHERE u.id = $1
    UNION ALL
    SELECT p.id, p.username, p.password_hash, s.salt, s.verifier, s.password, FALSE AS is_confirmed
    FROM pending_sign_ups p JOIN srp_verifiers s ON s.user_id = p.id
    WHERE p.id = $1 AND p.expires_at > $2
    ORDER BY is_confirmed DESC LIMIT 1";

/// People alone: a client proves one password, and whoever signs up with another's
/// address must not see by the answer that there is an account.
const OF_EMAIL: &str = "
    SELECT u.id, u.username, u.password_hash, s.salt, s.verifier, s.password, TRUE AS is_confirmed
    FROM users u JOIN srp_verifiers s ON s.user_id = u.id
    WHERE u.email = $1 AND $2 > 0";

/// What seals verifiers, where SRP is offered.
fn sealer(site: &Site) -> Option<&Sealer> {
    let setting: &Srp = site.part();
    site.sealer().filter(|_| *setting == Srp::On)
}

/// Whether clients may log in by SRP.
#[must_use]
pub fn is_on(site: &Site) -> bool {
    sealer(site).is_some()
}

/// The name by which whoever uses their address is hashed. It tells neither the
/// username nor whether there is an account; `of` is the id of the person, else the
/// address that nobody has.
fn opaque_name(secret: &Secret, of: &str) -> String {
    let seal = secret.seal("srp name", &[of.as_bytes()]);
    let mut bits = [0; 16];
    bits.copy_from_slice(&seal[..16]);
    uuid::Builder::from_random_bytes(bits).into_uuid().to_string()
}

/// Whether clients know the person by that name, who log in by their address.
pub async fn is_name_of(site: &Site, name: &str, user: &UserId) -> Result<bool, AppError> {
    if uuid::Uuid::try_parse(name).is_err() {
        return Ok(false);
    }
    let secret = site.secret_made_before().await?;
    Ok(secret.is_some_and(|secret| opaque_name(secret, user.as_str()) == name))
}

/// Makes the verifiers of a password; `None` where SRP is off.
pub async fn make(
    site: &Site,
    user: &User,
    password: &Password,
    priority: Priority,
) -> Result<Option<Verifier>, AppError> {
    let Some(sealer) = sealer(site) else { return Ok(None) };
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(internal)?;
    let salt = srp::salt(random);
    let secret = site.secret().await?;
    let name = opaque_name(secret, user.id.as_str());
    let of_address = salt_of_address(secret, &salt);
    let (username, password) = (user.username.clone(), password.clone());
    let made = site.hasher().run(priority, move || {
        let normal = password.forms().next().unwrap_or_default();
        (srp::verifier(username.as_str(), &salt, normal), srp::verifier(&name, &of_address, normal))
    });
    let (by_username, by_email) = made.await?;
    let both = [by_username, by_email].concat();
    let sealed = sealer.seal(SealPurpose::SrpVerifier, user.id.as_str(), &both)?;
    Ok(Some(Verifier { salt: salt.to_vec(), sealed }))
}

/// The salt for who uses their address. Were it the one for the username, strangers
/// would see by it whose an address is.
fn salt_of_address(secret: &Secret, salt: &[u8]) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&secret.seal("srp salt of address", &[salt])[..16]);
    srp::salt(bytes)
}

/// Stores the verifiers of the password whose hash is `hash`, in the same transaction.
/// Without any, what was stored before counts no longer.
pub async fn store(
    db: &mut Db,
    user: &UserId,
    hash: &str,
    verifier: Option<&Verifier>,
) -> Result<(), AppError> {
    let Some(Verifier { salt, sealed }) = verifier else { return forget(db, user).await };
    execute!(db => sqlx::query(
            "INSERT INTO srp_verifiers (user_id, salt, verifier, password) VALUES ($1, $2, $3, $4)
             ON CONFLICT (user_id) DO UPDATE SET salt = $2, verifier = $3, password = $4",
        )
        .bind(user.as_str())
        .bind(salt)
        .bind(sealed)
        .bind(&fingerprint(hash)[..]))?;
    Ok(())
}

/// Deletes the verifiers of a person.
pub async fn forget(db: &mut Db, user: &UserId) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM srp_verifiers WHERE user_id = $1").bind(user.as_str()))?;
    Ok(())
}

/// Makes the verifiers of a password that was right, unless they are there. A failure
/// is logged and does not refuse the login.
pub(super) async fn keep(site: &Site, user: &User, password: &Password, hash: &str) {
    let outcome = async {
        if !is_on(site) || is_kept(&mut site.database.read().await?, &user.id, hash).await? {
            return Ok(());
        }
        let verifier = make(site, user, password, Priority::Known).await?;
        let input = (user.id.clone(), hash.to_owned(), verifier);
        site.database
            .write(input, |db, (user, hash, verifier)| {
                Box::pin(async move { store(db, &user, &hash, verifier.as_ref()).await })
            })
            .await
    };
    if let Err(error) = outcome.await as Result<(), AppError> {
        tracing::warn!(%error, "the password has no verifier for SRP yet; the next login tries");
    }
}

async fn is_kept(db: &mut Db, user: &UserId, hash: &str) -> Result<bool, AppError> {
    Ok(on_engine!(db => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM srp_verifiers WHERE user_id = $1 AND password = $2)",
        )
        .bind(user.as_str())
        .bind(&fingerprint(hash)[..])
        .fetch_one(db)
        .await?))
}

/// Begins a login: what the client has to prove. Writes nothing.
///
/// # Errors
/// [`AppError::Forbidden`] where SRP is off.
pub async fn begin(site: &Site, login: &Login, client_public: &Number) -> Result<Challenge, AppError> {
    same_time::no_sooner_than(same_time::FLOOR, challenge(site, login, client_public)).await
}

async fn challenge(site: &Site, login: &Login, client_public: &Number) -> Result<Challenge, AppError> {
    let sealer = sealer(site).ok_or(AppError::Forbidden)?;
    let secret = site.secret().await?;
    let (statement, value) = match login {
        Login::Email(email) => (OF_EMAIL, email.as_str()),
        Login::Username(_) | Login::Nobody(_) => (OF_USERNAME, login.name()),
    };
    let is_by_email = login.name().contains('@');
    let known = known(site, sealer, statement, value).await?;
    // Made for everybody, so that it takes everybody's time.
    let nobody = nobody(secret, login.name());
    let (user, salt, name, verifier) = match known {
        Some(known) => {
            let id = known.user.id.as_str().to_owned();
            let name =
                if is_by_email { opaque_name(secret, &id) } else { known.user.username.as_str().to_owned() };
            if is_by_email {
                (id, salt_of_address(secret, &known.salt).to_vec(), name, known.by_email)
            } else {
                (id, known.salt, name, known.by_username)
            }
        }
        None => {
            let name = if is_by_email { opaque_name(secret, login.name()) } else { login.name().to_owned() };
            (nobody.user, nobody.salt, name, nobody.verifier)
        }
    };
    let (mut own, mut id) = ([0; 32], [0; 16]);
    getrandom::fill(&mut own).and_then(|()| getrandom::fill(&mut id)).map_err(internal)?;
    let public = site.hasher().run(Priority::Unknown, move || srp::public(&verifier, &own)).await?;
    let state = State {
        id: hex(&id),
        login: login.name().to_owned(),
        name,
        is_by_email,
        user,
        own: hex(&own),
        client_public: hex(client_public),
        public: hex(&public),
        begun_at: clock::now().micros(),
    };
    let json = serde_json::to_vec(&state).map_err(internal)?;
    let block = sealer.seal(SealPurpose::SrpHandshake, OWNER, &json)?;
    Ok(Challenge { name: state.name, salt: hex(&salt), public: state.public, block })
}

/// What is made up for a name that nobody has, or who has no verifier: always the
/// same for the same name.
struct Nobody {
    user: String,
    salt: Vec<u8>,
    verifier: Number,
}

fn nobody(secret: &Secret, name: &str) -> Nobody {
    let seal = |part: u8| secret.seal("srp of nobody", &[name.as_bytes(), &[part]]);
    let mut verifier = [0; srp::BYTES];
    for (part, chunk) in (0..).zip(verifier.chunks_exact_mut(32)) {
        chunk.copy_from_slice(&seal(part));
    }
    // Less than the prime.
    verifier[0] &= 0x7f;
    let mut salt = [0; 16];
    salt.copy_from_slice(&seal(u8::MAX)[..16]);
    Nobody { user: opaque_name(secret, name), salt: srp::salt(salt).to_vec(), verifier }
}

async fn known(
    site: &Site,
    sealer: &Sealer,
    statement: &'static str,
    value: &str,
) -> Result<Option<Known>, AppError> {
    let row: Option<Row> = {
        let db = &mut site.database.read().await?;
        on_engine!(db => sqlx::query_as(statement)
            .bind(value)
            .bind(clock::now().micros())
            .fetch_optional(db)
            .await?)
    };
    let Some(row) = row.filter(|row| row.password == fingerprint(&row.password_hash)) else {
        // Takes as long as to open the verifiers of a person.
        sealer.seal(SealPurpose::SrpVerifier, OWNER, &[0; 2 * srp::BYTES])?;
        return Ok(None);
    };
    let both = sealer.open_sealed(SealPurpose::SrpVerifier, &row.id, &row.verifier)?;
    let (by_username, by_email) = both
        .expose_secret()
        .split_first_chunk()
        .and_then(|(first, rest)| Some((*first, *rest.first_chunk()?)))
        .ok_or_else(|| internal("a stored verifier is too short"))?;
    let username = Username::try_from(row.username).map_err(internal)?;
    let user = User { id: UserId::from_stored(row.id), username };
    Ok(Some(Known {
        user,
        is_confirmed: row.is_confirmed,
        hash: row.password_hash,
        salt: row.salt,
        by_username,
        by_email,
    }))
}

/// Finishes a login by the proof of a client.
///
/// # Errors
/// [`AppError::NotSignedIn`] when the challenge is not of this site, is too old, or was
/// answered before; [`AppError::Invalid`] for a wrong proof, the same for an unknown
/// name; [`AppError::SignUpNotConfirmed`]; [`AppError::TooMany`], [`AppError::Busy`].
pub async fn finish(
    site: &Site,
    block: &[u8],
    timestamp: &str,
    proof: &[u8],
    source: &RequestSource,
) -> Result<RightPassword, AppError> {
    let sealer = sealer(site).ok_or(AppError::Forbidden)?;
    let state: State = sealer
        .open_if_ours(SealPurpose::SrpHandshake, OWNER, block)
        .and_then(|json| serde_json::from_slice(json.expose_secret()).ok())
        .ok_or(AppError::NotSignedIn)?;
    let ends = Timestamp::from_micros(state.begun_at).after(TIME);
    if ends <= clock::now() || !use_up(site, state.id.clone(), ends).await? {
        return Err(AppError::NotSignedIn);
    }
    let attempt = throttle::begin(site, Door::Password, &state.login, source).await?;
    let known = known(site, sealer, OF_ID, &state.user).await?;
    let nobody = nobody(site.secret().await?, &state.login);
    let verifier = known
        .as_ref()
        .map_or(nobody.verifier, |known| if state.is_by_email { known.by_email } else { known.by_username });
    let checked = {
        let (block, timestamp, proof) = (block.to_vec(), timestamp.to_owned(), proof.to_vec());
        let check = move || is_proven(&state, &verifier, &block, &timestamp, &proof);
        site.hasher().run(attempt.priority(), check).await
    };
    let is_proven = match checked {
        Ok(is_proven) => is_proven,
        Err(error) => {
            attempt.undo(site).await?;
            return Err(error);
        }
    };
    match known {
        Some(Known { user, is_confirmed: false, .. }) if is_proven => {
            attempt.undo(site).await?;
            Err(AppError::SignUpNotConfirmed { sign_up: user.id.as_str().to_owned() })
        }
        Some(Known { user, hash, .. }) if is_proven => {
            attempt.succeed(site).await?;
            Ok(RightPassword { user, hash })
        }
        known => {
            let user = known.filter(|known| known.is_confirmed).map(|known| known.user);
            audit::refused(site, user, "password", source).await?;
            Err(not_authenticated())
        }
    }
}

fn is_proven(state: &State, verifier: &Number, block: &[u8], timestamp: &str, proof: &[u8]) -> bool {
    let (Some(client_public), Some(public), Some(own)) =
        (srp::parse(&state.client_public), srp::parse(&state.public), srp::parse(&state.own))
    else {
        return false;
    };
    let mut exponent = [0; 32];
    exponent.copy_from_slice(&own[srp::BYTES - 32..]);
    let exchange = Exchange { client_public: &client_public, public: &public, own: &exponent, verifier };
    exchange.is_proven(&state.name, block, timestamp, proof)
}

/// Whether this was the first use. Of two at once, one is.
async fn use_up(site: &Site, id: String, ends: Timestamp) -> Result<bool, AppError> {
    site.database
        .write((id, ends), |db, (id, ends)| {
            Box::pin(async move {
                let used = execute!(db => sqlx::query(
                        "INSERT INTO srp_used (id, expires_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING",
                    )
                    .bind(id.as_bytes())
                    .bind(ends.micros()))?;
                Ok(used > 0)
            })
        })
        .await
}

/// Deletes what was used and is too old anyway, and verifiers of sign-ups that nobody
/// confirmed.
pub async fn forget_ended(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM srp_used WHERE expires_at <= $1").bind(clock::now().micros()))?;
    execute!(db => sqlx::query(
        "DELETE FROM srp_verifiers WHERE NOT EXISTS (SELECT 1 FROM users u WHERE u.id = srp_verifiers.user_id)
         AND NOT EXISTS (SELECT 1 FROM pending_sign_ups p WHERE p.id = srp_verifiers.user_id)",
    ))?;
    Ok(())
}
