//! Two-factor authentication: after the password, a code of an app (RFC 6238), or a
//! recovery code (security row F1). Who asks has confirmed who they are; the
//! callers see to that.

mod recovery;
mod store;
mod totp;

pub use recovery::RecoveryCode;
pub use store::is_on;
pub use totp::TotpSecret;

use secrecy::{ExposeSecret, SecretString};

use super::{
    audit::{self, AuditEvent, AuditKind},
    mails::{self, Deed},
};
use crate::{
    accounts::TwoFactor,
    clock,
    credentials::{
        RequestSource, User,
        sealing::{SealPurpose, Sealer},
    },
    database::{
        Db,
        idempotency::{self, IdempotencyKey, IdempotentOperation},
    },
    error::{AppError, Field},
    site::Site,
};

/// How many recovery codes an account has.
const CODES: u8 = 10;

/// What is typed as the second factor.
#[derive(Clone, Debug)]
pub enum SecondFactorCode {
    /// Six digits of an app, or what somebody takes for them.
    Totp(SecretString),
    Recovery(RecoveryCode),
}

/// Nothing was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Enter the six digits that your app shows, or a recovery code")]
pub struct SecondFactorCodeError;

impl SecondFactorCode {
    /// Spaces do not count: apps show some.
    ///
    /// # Errors
    /// [`SecondFactorCodeError`] for what is too short or too long to be either.
    pub fn parse(raw: &str) -> Result<Self, SecondFactorCodeError> {
        if raw.len() > 64 {
            return Err(SecondFactorCodeError);
        }
        if let Some(code) = RecoveryCode::parse(raw) {
            return Ok(Self::Recovery(code));
        }
        let digits: String = raw.chars().filter(|c| !c.is_whitespace()).collect();
        if digits.is_empty() { Err(SecondFactorCodeError) } else { Ok(Self::Totp(digits.into())) }
    }
}

/// The same for every code that does not count.
#[must_use]
pub fn wrong_code() -> AppError {
    AppError::invalid(
        Field::Code,
        "That code is wrong, or it was used before. Enter the one that your app shows now",
    )
}

/// A site without a secret key stores no secret of an app.
fn sealer(site: &Site) -> Result<&Sealer, AppError> {
    site.sealer().ok_or_else(|| {
        AppError::invalid(
            Field::Code,
            "This site has no secret key, so it cannot keep the secret of an app. Its operator has to set one",
        )
    })
}

/// How it stands with an account.
pub async fn state(site: &Site, user: &User) -> Result<TwoFactor, AppError> {
    let Some(sealer) = site.sealer() else { return Ok(TwoFactor::Unavailable) };
    let db = &mut site.database.read().await?;
    let row = store::find(db, &user.id).await?;
    Ok(match row {
        Some(store::Row { secret: Some(_), .. }) => {
            TwoFactor::On { recovery_codes: store::count_codes(db, &user.id).await? }
        }
        Some(store::Row { pending: Some(pending), .. }) => {
            let secret = open(sealer, user, &pending)?;
            TwoFactor::Pending {
                secret: secret.base32().expose_secret().to_owned(),
                uri: secret.uri(&site.settings().identity.name, &user.username).expose_secret().to_owned(),
            }
        }
        _ => TwoFactor::Off,
    })
}

fn open(sealer: &Sealer, user: &User, sealed: &[u8]) -> Result<TotpSecret, AppError> {
    let opened = sealer.open_sealed(SealPurpose::TotpSecret, user.id.as_str(), sealed)?;
    Ok(TotpSecret::from_stored(opened))
}

/// Makes a secret for an app of the person. It counts once [`turn_on`] has seen a
/// code of it; until then, and if that never happens, everything stays as it is.
///
/// # Errors
/// [`AppError::Invalid`] where the site has no secret key.
pub async fn begin_set_up(site: &Site, user: &User) -> Result<TotpSecret, AppError> {
    let secret = TotpSecret::random()?;
    let sealed = sealer(site)?.seal(SealPurpose::TotpSecret, user.id.as_str(), secret.expose())?;
    site.database
        .write((user.id.clone(), sealed), |db, (id, sealed)| {
            Box::pin(async move { store::set_pending(db, &id, &sealed, clock::now()).await })
        })
        .await?;
    Ok(secret)
}

/// Turns it on: the code shows that the app has the secret. Returns the recovery
/// codes, the same ones again for the same idempotency key.
///
/// # Errors
/// [`AppError::Invalid`] for a wrong code, and where nothing was set up.
pub async fn turn_on(
    site: &Site,
    user: &User,
    code: &SecondFactorCode,
    key: Option<IdempotencyKey>,
    credential: &'static str,
    source: &RequestSource,
) -> Result<Vec<RecoveryCode>, AppError> {
    let operation =
        IdempotentOperation::TurnOnTwoFactor.under(key.unwrap_or_else(IdempotencyKey::generate), &[]);
    let SecondFactorCode::Totp(code) = code else { return Err(wrong_code()) };
    let codes = codes(site, user, operation.key()).await?;
    let given = (site.clone(), user.clone(), code.clone(), codes.clone(), operation, source.clone());
    site.database
        .write(given, move |db, (site, user, code, codes, operation, source)| {
            Box::pin(async move {
                let sealer = sealer(&site)?;
                if idempotency::remembered(db, user.id.as_str(), &operation).await?.is_some() {
                    return Ok(());
                }
                let Some(store::Row { pending: Some(pending), .. }) = store::find(db, &user.id).await? else {
                    return Err(AppError::invalid(Field::Code, "Begin with “Set up”"));
                };
                let now = clock::now();
                let step = open(sealer, &user, &pending)?.check(code.expose_secret(), now, 0)?;
                let step = step.ok_or_else(wrong_code)?;
                if !store::turn_on(db, &user.id, &pending, step, now).await? {
                    return Err(AppError::WriteConflict);
                }
                store::replace_codes(db, &user.id, &codes).await?;
                audit::record(db, AuditEvent::of(AuditKind::TwoFactorTurnedOn, &user, credential), &source)
                    .await?;
                mails::tell(db, &site, &user, Deed::TwoFactorTurnedOn, &source).await?;
                idempotency::remember(db, user.id.as_str(), &operation, user.id.as_str()).await
            })
        })
        .await?;
    Ok(codes)
}

/// The codes that a request with that key makes.
async fn codes(site: &Site, user: &User, key: &IdempotencyKey) -> Result<Vec<RecoveryCode>, AppError> {
    let secret = site.secret().await?;
    Ok((0..CODES).map(|number| RecoveryCode::derive(secret, &user.id, key.as_str(), number)).collect())
}

/// Makes new recovery codes; the old ones no longer count. The same ones again
/// for the same idempotency key.
///
/// # Errors
/// [`AppError::NotFound`] where two-factor authentication is off.
pub async fn renew_codes(
    site: &Site,
    user: &User,
    key: Option<IdempotencyKey>,
    credential: &'static str,
    source: &RequestSource,
) -> Result<Vec<RecoveryCode>, AppError> {
    let operation =
        IdempotentOperation::RenewRecoveryCodes.under(key.unwrap_or_else(IdempotencyKey::generate), &[]);
    let codes = codes(site, user, operation.key()).await?;
    site.database
        .write(
            (user.clone(), codes.clone(), operation, source.clone()),
            move |db, (user, codes, operation, source)| {
                Box::pin(async move {
                    if idempotency::remembered(db, user.id.as_str(), &operation).await?.is_some() {
                        return Ok(());
                    }
                    if !store::is_on(db, &user.id).await? {
                        return Err(AppError::NotFound);
                    }
                    store::replace_codes(db, &user.id, &codes).await?;
                    audit::record(
                        db,
                        AuditEvent::of(AuditKind::RecoveryCodesMade, &user, credential),
                        &source,
                    )
                    .await?;
                    idempotency::remember(db, user.id.as_str(), &operation, user.id.as_str()).await
                })
            },
        )
        .await?;
    Ok(codes)
}

/// Turns it off, and forgets the secret and the codes. Twice is once.
pub async fn turn_off(
    site: &Site,
    user: &User,
    credential: &'static str,
    source: &RequestSource,
) -> Result<(), AppError> {
    site.database
        .write((site.clone(), user.clone(), source.clone()), move |db, (site, user, source)| {
            Box::pin(async move {
                if store::turn_off(db, &user.id).await? {
                    audit::record(
                        db,
                        AuditEvent::of(AuditKind::TwoFactorTurnedOff, &user, credential),
                        &source,
                    )
                    .await?;
                    mails::tell(db, &site, &user, Deed::TwoFactorTurnedOff, &source).await?;
                }
                Ok(())
            })
        })
        .await
}

/// Uses a code up; whether it counts. Each counts once, however many come with it
/// at the same time.
pub(super) async fn use_code(
    site: &Site,
    user: &User,
    code: &SecondFactorCode,
    source: &RequestSource,
) -> Result<bool, AppError> {
    site.database
        .write(
            (site.clone(), user.clone(), code.clone(), source.clone()),
            |db, (site, user, code, source)| {
                Box::pin(async move {
                    match code {
                        SecondFactorCode::Totp(code) => {
                            let Some(sealer) = site.sealer() else { return Ok(false) };
                            use_totp(db, sealer, &user, &code).await
                        }
                        SecondFactorCode::Recovery(code) => {
                            let used = store::use_code(db, &user.id, &code, clock::now()).await?;
                            if used {
                                audit::record(
                                    db,
                                    AuditEvent::of(AuditKind::RecoveryCodeUsed, &user, "recovery code"),
                                    &source,
                                )
                                .await?;
                                let left = store::count_codes(db, &user.id).await?;
                                let left = usize::try_from(left).unwrap_or_default();
                                let deed = Deed::RecoveryCodeUsed(left);
                                mails::tell(db, &site, &user, deed, &source).await?;
                            }
                            Ok(used)
                        }
                    }
                })
            },
        )
        .await
}

async fn use_totp(db: &mut Db, sealer: &Sealer, user: &User, code: &SecretString) -> Result<bool, AppError> {
    let Some(store::Row { secret: Some(secret), last_step, .. }) = store::find(db, &user.id).await? else {
        return Ok(false);
    };
    match open(sealer, user, &secret)?.check(code.expose_secret(), clock::now(), last_step)? {
        Some(step) => store::use_step(db, &user.id, step).await,
        None => Ok(false),
    }
}
