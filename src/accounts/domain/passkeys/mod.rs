//! Passkeys (Web Authentication 3, by `webauthn-rs`): a key pair in a device, which
//! signs for this site alone and asks its owner before it does. So a passkey counts
//! as both factors (security row F2).
//!
//! Every passkey here is discoverable: the device knows whose it is, so nobody has
//! to type a name, and an account can do without a password.

mod ceremonies;
mod relying_party;
mod store;

pub use ceremonies::{Kind, forget_ended};
pub use relying_party::{NoPasskeys, origin};

use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use uuid::Uuid;
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, WebauthnError,
};

use super::{
    Authenticated, Login, NewPassword,
    audit::{self, AuditEvent, AuditKind},
    contact,
    hashing::Priority,
    mails::{self, Deed},
    srp, store as accounts,
};
use crate::{
    accounts::{ListedPasskey, PasskeyCeremony, PasskeyName, Passkeys},
    clock,
    credentials::{RequestSource, User, UserId},
    database::internal,
    error::{AppError, Field, Parsed},
    site::Site,
    timestamp::Timestamp,
};
use relying_party::relying_party;

/// The most passkeys of one person.
pub const MAX: i64 = 20;

/// Without a password, an account has this many at least: one may be lost.
pub const WITHOUT_PASSWORD: i64 = 2;

impl From<store::Row> for ListedPasskey {
    fn from(row: store::Row) -> Self {
        Self {
            id: row.id,
            name: row.name,
            created_at: Timestamp::from_micros(row.created_at),
            last_used_at: row.last_used_at.map(Timestamp::from_micros),
            is_refused: row.refused_at.is_some(),
        }
    }
}

fn refused(message: impl ToString) -> AppError {
    AppError::invalid(Field::Passkey, message)
}

/// The same for a passkey of nobody, a wrong signature and a ceremony that ended.
fn not_accepted() -> AppError {
    refused("That passkey was not accepted. Try again, or log in in another way")
}

fn nothing_sent() -> AppError {
    refused("Passkeys need JavaScript, and your browser has not run this page's script")
}

/// A person's passkeys.
pub async fn list(site: &Site, user: &User) -> Result<Passkeys, AppError> {
    let db = &mut site.database.read().await?;
    let passkeys = store::list(db, &user.id).await?.into_iter().map(Into::into).collect();
    Ok(Passkeys { passkeys, has_password: !store::is_password_dropped(db, &user.id).await? })
}

/// As authenticators know the person: the bytes of their id.
fn handle(user: &UserId) -> Result<Uuid, AppError> {
    Uuid::parse_str(user.as_str()).map_err(internal)
}

/// The stored credential of a row.
fn credential(row: &store::Row) -> Result<Passkey, AppError> {
    serde_json::from_str(&row.credential).map_err(internal)
}

/// Begins to add a passkey.
///
/// # Errors
/// [`AppError::BadRequest`] where the site has no passkeys.
pub async fn begin_adding(
    site: &Site,
    user: &User,
    source: &RequestSource,
) -> Result<PasskeyCeremony, AppError> {
    let party = relying_party(site)?;
    let rows = store::list(&mut site.database.read().await?, &user.id).await?;
    // A device that has one already says so instead of making another.
    let known = rows.iter().map(|row| Ok(credential(row)?.cred_id().clone()));
    let known = known.collect::<Result<Vec<_>, AppError>>()?;
    let name = user.username.as_str();
    let (asked, state) =
        party.start_passkey_registration(handle(&user.id)?, name, name, Some(known)).map_err(internal)?;
    let mut options = serde_json::to_value(asked).map_err(internal)?["publicKey"].take();
    let selection = &mut options["authenticatorSelection"];
    selection["residentKey"] = "required".into();
    selection["requireResidentKey"] = true.into();
    let ceremony = ceremonies::begin(site, Kind::Add, Some(&user.id), &state, source).await?;
    Ok(PasskeyCeremony { ceremony, options })
}

/// Adds the passkey that a device has made. The same call again gets the same
/// passkey.
///
/// # Errors
/// [`AppError::Invalid`] for a wrong name, one passkey too many, and whatever is not
/// what [`begin_adding`] asked for.
pub async fn add(
    site: &Site,
    user: &User,
    name: Parsed<PasskeyName>,
    ceremony: &str,
    made: &str,
    credential: &'static str,
    source: &RequestSource,
) -> Result<ListedPasskey, AppError> {
    let name = name?;
    if made.is_empty() {
        return Err(nothing_sent());
    }
    let made: RegisterPublicKeyCredential = serde_json::from_str(made).map_err(|_| not_accepted())?;
    let Some(state) =
        ceremonies::take::<PasskeyRegistration>(site, Kind::Add, Some(&user.id), ceremony).await?
    else {
        // The form may have been sent twice.
        let db = &mut site.database.read().await?;
        let added = store::find(db, &user.id, &made.raw_id).await?;
        return added.map(Into::into).ok_or_else(not_accepted);
    };
    let passkey = relying_party(site)?.finish_passkey_registration(&made, &state).map_err(|error| {
        tracing::info!(%error, "a passkey was not added");
        not_accepted()
    })?;
    let row = store::Row {
        id: Uuid::now_v7().to_string(),
        name: name.as_str().to_owned(),
        credential: serde_json::to_string(&passkey).map_err(internal)?,
        created_at: clock::now().micros(),
        last_used_at: None,
        refused_at: None,
    };
    let given = (site.clone(), user.clone(), passkey.cred_id().clone(), row, source.clone());
    site.database
        .write(given, move |db, (site, user, credential_id, row, source)| {
            Box::pin(async move {
                if store::count(db, &user.id).await? >= MAX {
                    return Err(refused(format!(
                        "You have {MAX} passkeys, and that is as many as there can be"
                    )));
                }
                if !store::insert(db, &user.id, &credential_id, &row).await? {
                    return Err(refused("That passkey belongs to an account already"));
                }
                audit::record(db, AuditEvent::of(AuditKind::PasskeyAdded, &user, credential), &source)
                    .await?;
                mails::tell(db, &site, &user, Deed::PasskeyAdded(&row.name), &source).await?;
                Ok(row.into())
            })
        })
        .await
}

/// Asks for any passkey of this site: the device finds out whose.
///
/// # Errors
/// [`AppError::BadRequest`] where the site has no passkeys.
pub async fn begin_log_in(site: &Site, source: &RequestSource) -> Result<PasskeyCeremony, AppError> {
    begin(site, Kind::LogIn, None, source).await
}

/// Asks somebody who is signed in for one of their passkeys.
///
/// # Errors
/// [`AppError::BadRequest`] where the site has no passkeys.
pub async fn begin_confirmation(
    site: &Site,
    user: &User,
    source: &RequestSource,
) -> Result<PasskeyCeremony, AppError> {
    begin(site, Kind::Confirm, Some(&user.id), source).await
}

async fn begin(
    site: &Site,
    kind: Kind,
    user: Option<&UserId>,
    source: &RequestSource,
) -> Result<PasskeyCeremony, AppError> {
    let (asked, state) = relying_party(site)?.start_discoverable_authentication().map_err(internal)?;
    let options: Value = serde_json::to_value(asked).map_err(internal)?["publicKey"].take();
    let ceremony = ceremonies::begin(site, kind, user, &state, source).await?;
    Ok(PasskeyCeremony { ceremony, options })
}

/// Finds out who logs in by a passkey. It is both factors: the device has verified
/// its owner.
///
/// # Errors
/// [`AppError::Invalid`], the same for every reason.
pub async fn authenticate(
    site: &Site,
    ceremony: &str,
    signed: &str,
    source: &RequestSource,
) -> Result<Authenticated, AppError> {
    let user = verify(site, Kind::LogIn, None, ceremony, signed, source).await?;
    let login = Login::Username(user.username.clone());
    let found = accounts::find(&mut site.database.read().await?, &login).await?;
    found.map(|(user, hash)| Authenticated::by_passkey(user, hash)).ok_or_else(not_accepted)
}

/// Checks that somebody who is signed in has one of their passkeys at hand.
///
/// # Errors
/// [`AppError::Invalid`], the same for every reason.
pub async fn confirm(
    site: &Site,
    user: &User,
    ceremony: &str,
    signed: &str,
    source: &RequestSource,
) -> Result<(), AppError> {
    verify(site, Kind::Confirm, Some(user), ceremony, signed, source).await.map(drop)
}

async fn verify(
    site: &Site,
    kind: Kind,
    asked: Option<&User>,
    ceremony: &str,
    signed: &str,
    source: &RequestSource,
) -> Result<User, AppError> {
    if signed.is_empty() {
        return Err(nothing_sent());
    }
    let signed: PublicKeyCredential = serde_json::from_str(signed).map_err(|_| not_accepted())?;
    let id = asked.map(|user| &user.id);
    let state = ceremonies::take::<DiscoverableAuthentication>(site, kind, id, ceremony).await?;
    let state = state.filter(|_| !is_cross_origin(&signed)).ok_or_else(not_accepted)?;
    let party = relying_party(site)?;
    let (handle, credential_id) =
        party.identify_discoverable_authentication(&signed).map_err(|_| not_accepted())?;
    let user = UserId::from_stored(handle.to_string());
    if asked.is_some_and(|asked| asked.id != user) {
        return Err(not_accepted());
    }
    let (user, row) = {
        let db = &mut site.database.read().await?;
        let user = accounts::find_by_id(db, &user).await?.ok_or_else(not_accepted)?;
        let row = store::find(db, &user.id, credential_id).await?;
        let row = row.filter(|row| row.refused_at.is_none()).ok_or_else(not_accepted)?;
        (user, row)
    };
    let mut passkey = credential(&row)?;
    let outcome = party.finish_discoverable_authentication_v2(&signed, state, &passkey);
    let used = match outcome {
        Ok(used) => used,
        Err(error) => {
            tracing::info!(%error, "a passkey was not accepted");
            if matches!(error, WebauthnError::CredentialPossibleCompromise) {
                refuse_copied(site, &user, row.id, source).await?;
            }
            return Err(not_accepted());
        }
    };
    passkey.update_credential(&used);
    let new = serde_json::to_string(&passkey).map_err(internal)?;
    let noted = site
        .database
        .write((row, new), |db, (row, new)| {
            Box::pin(async move { store::note_use(db, &row.id, &row.credential, &new, clock::now()).await })
        })
        .await?;
    // It was removed meanwhile, or used elsewhere with the same counter.
    if noted { Ok(user) } else { Err(not_accepted()) }
}

/// Whether it was signed on a page within a page of another site, which webauthn-rs
/// asks of new passkeys alone (Web Authentication 3, 7.2, step 13).
fn is_cross_origin(signed: &PublicKeyCredential) -> bool {
    let data: Option<Value> = serde_json::from_slice(signed.response.client_data_json.as_ref()).ok();
    data.is_none_or(|data| data["crossOrigin"] == true || !data["topOrigin"].is_null())
}

/// A counter that does not rise belongs to a copy, or to whoever was copied: the site
/// cannot tell, and a copy would catch up by trying again. So neither opens the
/// account from now on.
async fn refuse_copied(site: &Site, user: &User, id: String, source: &RequestSource) -> Result<(), AppError> {
    site.database
        .write((user.clone(), id, source.clone()), |db, (user, id, source)| {
            Box::pin(async move {
                store::refuse(db, &id, clock::now()).await?;
                audit::record(db, AuditEvent::of(AuditKind::PasskeyRefused, &user, "passkey"), &source).await
            })
        })
        .await
}

/// Removes a passkey. Twice is once.
///
/// # Errors
/// [`AppError::Invalid`] if the account has no password, and would have fewer than
/// two passkeys.
pub async fn remove(
    site: &Site,
    user: &User,
    id: String,
    credential: &'static str,
    source: &RequestSource,
) -> Result<(), AppError> {
    site.database
        .write((site.clone(), user.clone(), id, source.clone()), move |db, (site, user, id, source)| {
            Box::pin(async move {
                let rows = store::list(db, &user.id).await?;
                let Some(row) = rows.into_iter().find(|row| row.id == id) else { return Ok(()) };
                store::delete(db, &user.id, &id).await?;
                if store::is_password_dropped(db, &user.id).await?
                    && store::count_accepted(db, &user.id).await? < WITHOUT_PASSWORD
                {
                    return Err(refused(
                        "You have no password, so you need two passkeys. Add another one first, or set a password",
                    ));
                }
                audit::record(db, AuditEvent::of(AuditKind::PasskeyRemoved, &user, credential), &source).await?;
                mails::tell(db, &site, &user, Deed::PasskeyRemoved(&row.name), &source).await
            })
        })
        .await
}

/// Lets an account do without a password: the one it has becomes one that nobody
/// knows. A new one can be set at any time, and then counts again.
///
/// # Errors
/// [`AppError::Invalid`] with fewer than two passkeys; [`AppError::Busy`].
pub async fn drop_password(
    site: &Site,
    user: &User,
    credential: &'static str,
    source: &RequestSource,
) -> Result<(), AppError> {
    let few = || refused("You need two passkeys before you can do without a password");
    if store::count_accepted(&mut site.database.read().await?, &user.id).await? < WITHOUT_PASSWORD {
        return Err(few());
    }
    let hash = site.hasher().hash(NewPassword::random()?, Priority::Known).await?;
    site.database
        .write((user.clone(), hash, source.clone()), move |db, (user, hash, source)| {
            Box::pin(async move {
                if store::count_accepted(db, &user.id).await? < WITHOUT_PASSWORD {
                    return Err(few());
                }
                if store::is_password_dropped(db, &user.id).await? {
                    return Ok(());
                }
                store::drop_password(db, &user.id, &hash, clock::now()).await?;
                audit::record(db, AuditEvent::of(AuditKind::PasswordRemoved, &user, credential), &source)
                    .await
            })
        })
        .await
}

/// Gives an account a password again that does without one. Twice is once.
///
/// # Errors
/// [`AppError::Invalid`] at the password; [`AppError::Forbidden`] for an account that
/// has a password, which is changed by whoever knows it; [`AppError::Busy`].
pub async fn set_password(
    site: &Site,
    user: &User,
    proposed: &SecretString,
    credential: &'static str,
    source: &RequestSource,
) -> Result<(), AppError> {
    let contact = contact::of(&mut site.database.read().await?, &user.id).await?;
    let email = contact.ok_or(AppError::NotSignedIn)?.email;
    let proposed = NewPassword::parse(proposed.expose_secret(), &[user.username.as_str(), &email])
        .map_err(|error| AppError::invalid(Field::NewPassword, error))?;
    let verifier = srp::make(site, user, &proposed.clone().into(), Priority::Known).await?;
    let hash = site.hasher().hash(proposed, Priority::Known).await?;
    let input = (site.clone(), user.clone(), (hash, verifier), source.clone());
    site.database
        .write(input, move |db, (site, user, (hash, verifier), source)| {
            Box::pin(async move {
                if !store::is_password_dropped(db, &user.id).await? {
                    return Err(AppError::Forbidden);
                }
                accounts::set_hash(db, &user.id, &hash).await?;
                srp::store(db, &user.id, &hash, verifier.as_ref()).await?;
                audit::record(db, AuditEvent::of(AuditKind::PasswordChanged, &user, credential), &source)
                    .await?;
                mails::tell(db, &site, &user, Deed::PasswordChanged, &source).await
            })
        })
        .await
}
