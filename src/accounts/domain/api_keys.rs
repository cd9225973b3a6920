//! The use cases of API keys. Only people who are signed in have keys, and they
//! see only their own.

use crate::{
    accounts::{
        ApiKeyDays, ApiKeyName, ListedApiKey, NewApiKey,
        domain::audit::{self, AuditEvent, AuditKind},
    },
    clock,
    credentials::{
        Actor, Caller, RequestSource, UserId,
        api_key::{
            ApiKey, ApiKeyId, store,
            store::{ApiKeyRow, NewRow},
        },
    },
    database::idempotency::{self, IdempotencyKey, IdempotentOperation},
    error::{AppError, Field, Parsed},
    site::Site,
    timestamp::Timestamp,
};

/// The most keys of one person that are valid at the same time (security row
/// K1).
pub const MAX_ACTIVE: i64 = 20;

#[derive(Clone, Debug)]
pub struct Wanted {
    pub name: ApiKeyName,
    pub days: ApiKeyDays,
}

/// A key for `owner`, as it is stored and as it is shown.
fn make(id: ApiKeyId, owner: Option<&UserId>, wanted: Wanted, key: ApiKey) -> (NewRow, NewApiKey) {
    let created_at = clock::now();
    let row = NewRow {
        id,
        owner: owner.cloned(),
        name: wanted.name.as_str().to_owned(),
        hash: key.hash(),
        hint: key.hint().to_owned(),
        created_at,
        expires_at: wanted.days.after(created_at),
    };
    let listed = ListedApiKey {
        id: row.id.as_str().to_owned(),
        name: row.name.clone(),
        hint: row.hint.clone(),
        created_at,
        expires_at: row.expires_at,
        last_used_at: None,
    };
    (row, NewApiKey { key: key.into(), listed })
}

impl From<ApiKeyRow> for ListedApiKey {
    fn from(row: ApiKeyRow) -> Self {
        Self {
            id: row.id,
            name: row.name,
            hint: row.hint,
            created_at: Timestamp::from_micros(row.created_at),
            expires_at: Timestamp::from_micros(row.expires_at),
            last_used_at: row.last_used_at.map(Timestamp::from_micros),
        }
    }
}

/// Makes a key; once per idempotency key, and then the same is shown again.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::ConfirmIdentity`]; [`AppError::Invalid`] for one too many;
/// [`AppError::NotFound`] when it was made before and is revoked by now;
/// [`AppError::KeyReused`] when the idempotency key has made another.
pub async fn create(
    site: &Site,
    caller: &Caller,
    wanted: Parsed<Wanted>,
    key: Parsed<Option<IdempotencyKey>>,
    source: &RequestSource,
) -> Result<NewApiKey, AppError> {
    let user = caller.confirmed_user()?.clone();
    let credential = caller.credential_kind();
    let (wanted, key) = (wanted?, key?);
    let secret = site.secret().await?.clone();
    let days = wanted.days.to_string();
    let operation = IdempotentOperation::CreateApiKey.under(
        key.unwrap_or_else(IdempotencyKey::generate),
        &[Some(wanted.name.as_str()), Some(days.as_str())],
    );
    let input = (secret, user, wanted, operation, ApiKeyId::generate(), source.clone());
    site.database
        .write(input, move |db, (secret, user, wanted, operation, id, source)| {
            Box::pin(async move {
                let owner = user.id.clone();
                let derive = |id: &ApiKeyId| {
                    ApiKey::derive(&secret, Some(&owner), operation.key().as_str(), id.as_str())
                };
                if let Some(id) = idempotency::remembered(db, owner.as_str(), &operation)
                    .await?
                    .and_then(|id| ApiKeyId::parse(&id))
                {
                    let made = store::find(db, &owner, &id).await?.ok_or(AppError::NotFound)?;
                    return Ok(NewApiKey { key: derive(&id).into(), listed: made.into() });
                }
                if store::count_active(db, &owner).await? >= MAX_ACTIVE {
                    let message = format!(
                        "You have {MAX_ACTIVE} keys, and that is as many as there can be. Revoke one first"
                    );
                    return Err(AppError::invalid(Field::Name, message));
                }
                let key = derive(&id);
                let (row, made) = make(id, Some(&owner), wanted, key);
                store::insert(db, &row).await?;
                idempotency::remember(db, owner.as_str(), &operation, row.id.as_str()).await?;
                let event = AuditEvent {
                    detail: &row.hint,
                    ..AuditEvent::of(AuditKind::ApiKeyMade, &user, credential)
                };
                audit::record(db, event, &source).await?;
                Ok(made)
            })
        })
        .await
}

/// Makes a public key, which belongs to the site. Only the command line calls
/// this.
pub async fn create_public(site: &Site, wanted: Wanted) -> Result<NewApiKey, AppError> {
    let id = ApiKeyId::generate();
    let key = ApiKey::public(site.secret().await?, id.as_str());
    let (row, made) = make(id, None, wanted, key);
    site.database.write(row, |db, row| Box::pin(async move { store::insert(db, &row).await })).await?;
    Ok(made)
}

/// The actor's keys, newest first.
///
/// # Errors
/// [`AppError::NotSignedIn`].
pub async fn list(site: &Site, actor: &Actor) -> Result<Vec<ListedApiKey>, AppError> {
    let owner = &actor.user()?.id;
    let rows = store::list(&mut site.reader_for(actor).await?, owner).await?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// One of the actor's keys.
///
/// # Errors
///
/// [`AppError::NotSignedIn`]; [`AppError::NotFound`], also for another person's
/// key (security row A2).
pub async fn get(site: &Site, actor: &Actor, id: &ApiKeyId) -> Result<ListedApiKey, AppError> {
    let owner = &actor.user()?.id;
    let found = store::find(&mut site.reader_for(actor).await?, owner, id).await?;
    found.map(Into::into).ok_or(AppError::NotFound)
}

/// Revokes one of the actor's keys: from now on it is refused everywhere. With
/// an idempotency key, sent twice is revoked once.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::ConfirmIdentity`]; [`AppError::NotFound`], for another's as well
/// (security row A2); [`AppError::KeyReused`] when the idempotency key has
/// revoked another.
pub async fn revoke(
    site: &Site,
    caller: &Caller,
    id: Option<ApiKeyId>,
    key: Parsed<Option<IdempotencyKey>>,
    source: &RequestSource,
) -> Result<(), AppError> {
    let user = caller.confirmed_user()?.clone();
    let credential = caller.credential_kind();
    let id = id.ok_or(AppError::NotFound)?;
    let operation = key?.map(|key| IdempotentOperation::RevokeApiKey.under(key, &[Some(id.as_str())]));
    site.database
        .write_then(
            (user, id, operation, source.clone()),
            move |db, (user, id, operation, source)| {
                Box::pin(async move {
                    let owner = &user.id;
                    if let Some(operation) = &operation
                        && idempotency::remembered(db, owner.as_str(), operation).await?.as_deref()
                            == Some(id.as_str())
                    {
                        return Ok(());
                    }
                    if !store::delete(db, owner, &id).await? {
                        return Err(AppError::NotFound);
                    }
                    let event = AuditEvent::of(AuditKind::ApiKeyRevoked, &user, credential);
                    audit::record(db, event, &source).await?;
                    match &operation {
                        Some(operation) => {
                            idempotency::remember(db, owner.as_str(), operation, id.as_str()).await
                        }
                        None => Ok(()),
                    }
                })
            },
            site.trust().forgetting(),
        )
        .await
}

/// Revokes any key. Only the command line calls this.
///
/// # Errors
/// [`AppError::NotFound`].
pub async fn revoke_any(site: &Site, id: ApiKeyId) -> Result<(), AppError> {
    site.database
        .write_then(
            id,
            |db, id| {
                Box::pin(
                    async move { store::delete_any(db, &id).await?.then_some(()).ok_or(AppError::NotFound) },
                )
            },
            site.trust().forgetting(),
        )
        .await
}
