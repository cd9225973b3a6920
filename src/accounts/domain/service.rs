//! The use cases of accounts.

use super::{
    Authenticated, LogIn, Login, NewAccount, NewPassword, Password, PendingLogIn, RightPassword,
    audit::{self, AuditEvent, AuditKind},
    devices,
    hashing::{Priority, Verified},
    invitations::{self, Invitation},
    logins,
    mails::{self, Deed},
    not_authenticated, passkeys, pending_sign_up,
    rehash::rehash,
    srp, store,
    throttle::{self, Door, Volume},
    two_factor::{self, SecondFactorCode},
};
use crate::{
    clock,
    credentials::{
        HeaderCredential, HeldLogIn, RequestSource, User, UserSession,
        session::KeepSignedIn,
        token::{
            self, Client,
            service::{Begun, Tokens},
        },
    },
    database::idempotency::{self, IdempotencyKey, IdempotentOperation, KeyedOperation},
    error::{AppError, Field, Parsed},
    site::Site,
    username::Username,
};

/// Makes an account. The first to take a username or an address gets it; the
/// database decides. The same call with the same key and the same password
/// returns the account that was made.
///
/// # Errors
/// [`AppError::Invalid`] when one is taken; [`AppError::KeyReused`] when the
/// key was used for another account; [`AppError::Busy`].
pub async fn sign_up(
    site: &Site,
    account: NewAccount,
    key: Option<IdempotencyKey>,
    source: &RequestSource,
) -> Result<User, AppError> {
    Ok(match authenticate_new(site, account, None, key, source).await? {
        LogIn::Done(person) => person.user,
        LogIn::SecondFactor(pending) => pending.user,
    })
}

/// As [`sign_up`], and signs in; `None` where a second factor is still to come,
/// because this very sign-up was sent before and the account has one by now.
///
/// # Errors
///
/// As [`invitations::may_sign_up`] and [`sign_up`]; [`AppError::Invalid`] also when the password was
/// changed meanwhile.
pub async fn sign_up_and_in(
    site: &Site,
    session: &UserSession,
    account: NewAccount,
    invitation: Option<Invitation>,
    key: Option<IdempotencyKey>,
    source: &RequestSource,
) -> Result<Option<User>, AppError> {
    let invitation = invitations::may_sign_up(site, invitation).await?;
    let log_in = authenticate_new(site, account, invitation, key, source).await?;
    enter(site, session, log_in, KeepSignedIn::No, source).await
}

async fn authenticate_new(
    site: &Site,
    account: NewAccount,
    invitation: Option<Invitation>,
    key: Option<IdempotencyKey>,
    source: &RequestSource,
) -> Result<LogIn, AppError> {
    let NewAccount { username, email, password } = account;
    let given = Password::from(password.clone());
    // The password is no part of it: by its fingerprint it could be guessed.
    let operation = key
        .map(|key| IdempotentOperation::SignUp.under(key, &[Some(username.as_str()), Some(email.as_str())]));
    let made = async {
        // Asked before the costly hashing, and once more by the constraints.
        {
            let db = &mut site.database.read().await?;
            if let Some(operation) = &operation {
                idempotency::refuse_reused_sign_up(db, operation).await?;
            }
            store::refuse_taken(db, &username, &email).await?;
        }
        throttle::count(site, Volume::SignUps, "", source).await?;
        let hash = site.hasher().hash(password, Priority::Unknown).await?;
        let user = User::new(username.clone());
        let verifier = srp::make(site, &user, &given, Priority::Unknown).await?;
        let from = (site.secret().await?.clone(), source.clone(), invitation);
        let input = (user, email.clone(), (hash, verifier), operation.clone(), from);
        site.database
            .write(input, |db, (user, email, (hash, verifier), operation, (secret, source, invitation))| {
                Box::pin(async move {
                    if let Some(operation) = &operation {
                        idempotency::refuse_reused_sign_up(db, operation).await?;
                    }
                    store::insert(db, &user, &email, &hash, clock::now()).await?;
                    if let Some(invitation) = &invitation {
                        invitations::take(db, invitation, &user.id).await?;
                        invitations::use_up(db, &user).await?;
                    }
                    srp::store(db, &user.id, &hash, verifier.as_ref()).await?;
                    if let Some(operation) = &operation {
                        idempotency::remember(db, user.id.as_str(), operation, user.id.as_str()).await?;
                    }
                    audit::record(db, AuditEvent::of(AuditKind::SignedUp, &user, "password"), &source)
                        .await?;
                    devices::remember(db, &secret, &user.id, &source).await?;
                    Ok(LogIn::Done(Authenticated::by_password(user, hash)))
                })
            })
            .await
    };
    match made.await {
        // Also if only the invitation has been used since it was asked about.
        Err(error @ (AppError::Invalid { .. } | AppError::InvitationNeeded)) => {
            made_before(site, username, given, operation, source).await?.ok_or(error)
        }
        Ok(made) => {
            // Now, so that a login which is refused finds it and writes nothing.
            if let Err(error) = site.secret().await {
                tracing::warn!(%error, "the site has no secret yet; whoever needs it makes it");
            }
            Ok(made)
        }
        Err(error) => Err(error),
    }
}

/// The account that this very operation has made before, which is why its name
/// is taken. The key only identifies the operation; the password proves who
/// asks.
async fn made_before(
    site: &Site,
    username: Username,
    password: Password,
    operation: Option<KeyedOperation>,
    source: &RequestSource,
) -> Result<Option<LogIn>, AppError> {
    let Some(operation) = operation else { return Ok(None) };
    let login = Login::Username(username);
    if !is_remembered(site, &login, &operation).await? {
        return Ok(None);
    }
    match authenticate(site, login, password, source).await {
        Ok(proven) => Ok(Some(proven.go_on(site).await?)),
        Err(AppError::Invalid { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether that account was made by that very operation.
async fn is_remembered(site: &Site, login: &Login, operation: &KeyedOperation) -> Result<bool, AppError> {
    let db = &mut site.database.read().await?;
    let Some((user, _)) = store::find(db, login).await? else { return Ok(false) };
    Ok(idempotency::remembered(db, user.id.as_str(), operation).await?.is_some())
}

/// Finds who that is. An unknown name and a wrong password cost the same time
/// and get the same answer (security row P5).
///
/// # Errors
/// [`AppError::Invalid`], [`AppError::Busy`]; [`AppError::TooMany`] after too many
/// guesses (security row R1); [`AppError::SignUpNotConfirmed`].
pub async fn authenticate(
    site: &Site,
    login: Login,
    password: Password,
    source: &RequestSource,
) -> Result<RightPassword, AppError> {
    let attempt = throttle::begin(site, Door::Password, login.name(), source).await?;
    match check(site, login, password, attempt.priority()).await {
        Ok(Checked::Right(proven)) => {
            attempt.succeed(site).await?;
            Ok(proven)
        }
        Ok(Checked::NotConfirmed { sign_up }) => {
            attempt.undo(site).await?;
            Err(AppError::SignUpNotConfirmed { sign_up })
        }
        Ok(Checked::Wrong(user)) => {
            audit::refused(site, user, "password", source).await?;
            Err(not_authenticated())
        }
        Err(error) => {
            attempt.undo(site).await?;
            Err(error)
        }
    }
}

enum Checked {
    Right(RightPassword),
    /// A sign-up that waits for its code has that name and that password.
    NotConfirmed {
        sign_up: String,
    },
    /// The person, if somebody has that name.
    Wrong(Option<User>),
}

async fn check(
    site: &Site,
    login: Login,
    password: Password,
    priority: Priority,
) -> Result<Checked, AppError> {
    // For everybody, so that it takes everybody's time.
    let nobodys = site.costs().of_nobody(&site.database, site.secret_made_before().await?, &login).await?;
    let found = store::find(&mut site.database.read().await?, &login).await?;
    let (user, stored) = found.unzip();
    let verified = site.hasher().verify(password.clone(), stored.clone(), nobodys, priority).await?;
    Ok(match (user, stored, verified) {
        (Some(user), Some(hash), Verified::Yes) => {
            srp::keep(site, &user, &password, &hash).await;
            Checked::Right(RightPassword { user, hash })
        }
        (Some(user), Some(old), Verified::YesOutdated) => {
            let hash = rehash(site, &user, password, old).await;
            Checked::Right(RightPassword { user, hash })
        }
        // Looked for whether or not somebody has that name, so that a sign-up of
        // one's own with another's address shows nothing.
        (user, ..) => match pending_sign_up::of_password(site, &login, password, priority).await? {
            Some(sign_up) => Checked::NotConfirmed { sign_up },
            None => Checked::Wrong(user),
        },
    })
}

/// Whether a person can log in by that name: their username in any case, or
/// their address. Clients of aws-amplify 3 to 5 remember a login only as it was
/// typed, and use that as the owner of a post.
pub async fn matches_login(site: &Site, user: &User, name: &str) -> Result<bool, AppError> {
    if name == user.username.as_str() || srp::is_name_of(site, name, &user.id).await? {
        return Ok(true);
    }
    let Ok(login) = Login::parse(name) else { return Ok(false) };
    let found = store::find(&mut site.database.read().await?, &login).await?;
    Ok(found.is_some_and(|(found, _)| found.id == user.id))
}

/// The first step of a login, for every door that takes a password.
///
/// # Errors
/// As [`authenticate`].
pub async fn begin_log_in(
    site: &Site,
    login: Login,
    password: Password,
    source: &RequestSource,
) -> Result<LogIn, AppError> {
    authenticate(site, login, password, source).await?.go_on(site).await
}

/// The second step of a login: a code, after the right password.
///
/// # Errors
/// [`AppError::NotSignedIn`] when the first step was too long ago;
/// [`AppError::Invalid`] for a wrong code, and when the password was changed
/// meanwhile; [`AppError::TooMany`].
pub async fn finish_log_in(
    site: &Site,
    pending: &PendingLogIn,
    code: &SecondFactorCode,
    source: &RequestSource,
) -> Result<Authenticated, AppError> {
    if pending.is_over() {
        return Err(AppError::NotSignedIn);
    }
    let user = &pending.user;
    let attempt = throttle::begin(site, Door::SecondFactor, user.id.as_str(), source).await?;
    if !two_factor::use_code(site, user, code, source).await? {
        audit::refused(site, Some(user.clone()), "code", source).await?;
        return Err(two_factor::wrong_code());
    }
    attempt.succeed(site).await?;
    Authenticated::by_second_factor(site, pending).await
}

/// Signs in the person of `login` and `password`. `None` where a second factor is
/// still to come: then the session holds the pending login for [`log_in_code`].
///
/// # Errors
/// [`AppError::Invalid`], also when the password was changed meanwhile;
/// [`AppError::Busy`].
pub async fn log_in(
    site: &Site,
    session: &UserSession,
    login: Login,
    password: Password,
    keep: KeepSignedIn,
    source: &RequestSource,
) -> Result<Option<User>, AppError> {
    enter(site, session, begin_log_in(site, login, password, source).await?, keep, source).await
}

/// Signs in, or lets the session hold what is still to be finished.
pub(super) async fn enter(
    site: &Site,
    session: &UserSession,
    log_in: LogIn,
    keep: KeepSignedIn,
    source: &RequestSource,
) -> Result<Option<User>, AppError> {
    match log_in {
        LogIn::Done(person) => sign_in(site, session, person, keep, source).await.map(Some),
        LogIn::SecondFactor(pending) => {
            session
                .hold(HeldLogIn { pending: pending.seal(site).await?, keep: keep == KeepSignedIn::Yes })
                .await?;
            Ok(None)
        }
    }
}

/// The pending login that a session holds.
async fn held(site: &Site, session: &UserSession) -> Result<Option<(PendingLogIn, KeepSignedIn)>, AppError> {
    let Some(HeldLogIn { pending, keep }) = session.held().await? else { return Ok(None) };
    let pending = PendingLogIn::open(site, &pending).await?;
    Ok(pending.map(|pending| (pending, keep.into())))
}

/// Finishes the login that the session holds.
///
/// # Errors
/// [`AppError::NotSignedIn`] where it holds none; else as [`finish_log_in`].
pub async fn log_in_code(
    site: &Site,
    session: &UserSession,
    code: Parsed<SecondFactorCode>,
    source: &RequestSource,
) -> Result<User, AppError> {
    let (pending, keep) = held(site, session).await?.ok_or(AppError::NotSignedIn)?;
    let person = finish_log_in(site, &pending, &code?, source).await?;
    sign_in(site, session, person, keep, source).await
}

/// Begins a family of tokens for the person of `login` and `password`, and of
/// `code` where their account has a second factor.
///
/// # Errors
/// [`AppError::Invalid`], also when the password was changed meanwhile;
/// [`AppError::SecondFactorRequired`] where the code is missing;
/// [`AppError::Busy`].
pub async fn log_in_program(
    site: &Site,
    client: Client,
    login: Login,
    password: Password,
    code: Option<Parsed<SecondFactorCode>>,
    source: &RequestSource,
) -> Result<Tokens, AppError> {
    let person = match (begin_log_in(site, login, password, source).await?, code) {
        (LogIn::SecondFactor(pending), Some(code)) => finish_log_in(site, &pending, &code?, source).await?,
        (log_in, _) => log_in.done()?,
    };
    begin_family(site, client, &person, source).await
}

/// Begins a family of tokens, unless the password was changed meanwhile.
///
/// # Errors
///
/// [`AppError::Invalid`] when it was changed; [`AppError::AccountLocked`].
pub async fn begin_family(
    site: &Site,
    client: Client,
    authenticated: &Authenticated,
    source: &RequestSource,
) -> Result<Tokens, AppError> {
    let Begun { family, tokens } = token::service::begin(site, client, &authenticated.user, source).await?;
    if let Err(refused) = authenticated.must_still_hold(site).await {
        token::service::end(site, family).await?;
        return Err(refused);
    }
    note_log_in(site, authenticated, source).await?;
    Ok(tokens)
}

/// Ends the login of a request: the family of the token that a program sent,
/// else the session.
///
/// # Errors
///
/// [`AppError::ReadOnly`] for an API key. After any error the session has not
/// ended.
pub async fn log_out(
    site: &Site,
    session: &UserSession,
    explicit: Option<&HeaderCredential>,
) -> Result<(), AppError> {
    match explicit {
        Some(explicit) => explicit.end(site).await,
        None => session.sign_out(&site.database).await,
    }
}

/// Begins a session, unless the password was changed meanwhile.
///
/// # Errors
/// [`AppError::Invalid`] when it was changed; [`AppError::AccountLocked`].
pub async fn sign_in(
    site: &Site,
    session: &UserSession,
    authenticated: Authenticated,
    keep: KeepSignedIn,
    source: &RequestSource,
) -> Result<User, AppError> {
    session.sign_in(&authenticated.user, keep, source).await?;
    if let Err(refused) = authenticated.must_still_hold(site).await {
        session.sign_out(&site.database).await?;
        return Err(refused);
    }
    source.issue_device()?;
    note_log_in(site, &authenticated, source).await?;
    Ok(authenticated.user)
}

/// Notes a login, and from where it came. An account that waits to be deleted is
/// kept: its owner is back.
async fn note_log_in(
    site: &Site,
    Authenticated { user, factors, .. }: &Authenticated,
    source: &RequestSource,
) -> Result<(), AppError> {
    let (secret, factors) = (site.secret().await?.clone(), *factors);
    site.database
        .write(
            (site.clone(), secret, user.clone(), source.clone()),
            move |db, (site, secret, user, source)| {
                Box::pin(async move {
                    let is_new = devices::remember(db, &secret, &user.id, &source).await?;
                    if is_new {
                        mails::tell(db, &site, &user, Deed::LoggedInFromNewDevice, &source).await?;
                    }
                    let detail = if is_new { "from a new device" } else { "" };
                    let event = AuditEvent { detail, ..AuditEvent::of(AuditKind::LoggedIn, &user, factors) };
                    audit::record(db, event, &source).await?;
                    if store::undo_deletion(db, &user.id).await? {
                        let event = AuditEvent::of(AuditKind::DeletionUndone, &user, factors);
                        audit::record(db, event, &source).await?;
                    }
                    Ok(())
                })
            },
        )
        .await
}

/// Shows once more who is signed in, by their password.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::Invalid`] at the password; [`AppError::Busy`],
/// [`AppError::TooMany`].
pub async fn confirm_identity(
    site: &Site,
    session: &UserSession,
    user: &User,
    password: Password,
    source: &RequestSource,
) -> Result<(), AppError> {
    prove(site, user, password, Field::Password, source).await?;
    confirmed(site, session, user, "password", source).await
}

/// Shows once more who is signed in, by one of their passkeys.
///
/// # Errors
/// [`AppError::Invalid`], the same for every reason.
pub async fn confirm_by_passkey(
    site: &Site,
    session: &UserSession,
    user: &User,
    ceremony: &str,
    signed: &str,
    source: &RequestSource,
) -> Result<(), AppError> {
    passkeys::confirm(site, user, ceremony, signed, source).await?;
    confirmed(site, session, user, "passkey", source).await
}

async fn confirmed(
    site: &Site,
    session: &UserSession,
    user: &User,
    credential: &'static str,
    source: &RequestSource,
) -> Result<(), AppError> {
    session.confirm(user, source).await?;
    site.database
        .write((user.clone(), source.clone()), move |db, (user, source)| {
            Box::pin(async move {
                audit::record(db, AuditEvent::of(AuditKind::IdentityConfirmed, &user, credential), &source)
                    .await
            })
        })
        .await
}

/// Asks a person who is known for their password.
///
/// # Errors
/// [`AppError::Invalid`] at `field`: only the password can be wrong. [`AppError::Busy`],
/// [`AppError::TooMany`].
pub(super) async fn prove(
    site: &Site,
    user: &User,
    password: Password,
    field: Field,
    source: &RequestSource,
) -> Result<RightPassword, AppError> {
    let login = Login::Username(user.username.clone());
    authenticate(site, login, password, source).await.map_err(|error| match error {
        AppError::Invalid { .. } => wrong_password(field),
        other => other,
    })
}

fn wrong_password(field: Field) -> AppError {
    AppError::invalid(field, "That is not your password")
}

/// Gives an account a new password and ends its sessions and its tokens.
///
/// # Errors
/// [`AppError::NotFound`] for an unknown username.
pub async fn set_password(site: &Site, login: &Login, password: NewPassword) -> Result<(), AppError> {
    let (user, _) = store::find(&mut site.database.read().await?, login).await?.ok_or(AppError::NotFound)?;
    let verifier = srp::make(site, &user, &password.clone().into(), Priority::Known).await?;
    let hash = site.hasher().hash(password, Priority::Known).await?;
    site.database
        .write((user.id.clone(), hash, verifier), |db, (id, hash, verifier)| {
            Box::pin(async move {
                store::set_hash(db, &id, &hash).await?;
                srp::store(db, &id, &hash, verifier.as_ref()).await
            })
        })
        .await?;
    // Only now, see [`Authenticated::must_still_hold`].
    logins::sign_out_everywhere(site, user.id).await
}

/// Changes the password of a person who knows the present one, and ends their
/// sessions and tokens, except for the one that asks (security row S5).
///
/// # Errors
/// [`AppError::Invalid`] when `previous` is wrong, or was changed meanwhile;
/// [`AppError::Busy`], [`AppError::TooMany`].
pub async fn change_password(
    site: &Site,
    user: User,
    spared: logins::Spared,
    previous: Password,
    proposed: NewPassword,
    source: &RequestSource,
) -> Result<(), AppError> {
    let RightPassword { user, hash: old } =
        prove(site, &user, previous, Field::CurrentPassword, source).await?;
    let verifier = srp::make(site, &user, &proposed.clone().into(), Priority::Known).await?;
    let new = site.hasher().hash(proposed, Priority::Known).await?;
    let replaced = site
        .database
        .write(
            (site.clone(), user.clone(), (old, new, verifier), source.clone()),
            |db, (site, user, (old, new, verifier), source)| {
                Box::pin(async move {
                    let replaced = store::replace_hash(db, &user.id, &old, &new).await?;
                    if replaced {
                        srp::store(db, &user.id, &new, verifier.as_ref()).await?;
                        let event = AuditEvent::of(AuditKind::PasswordChanged, &user, "password");
                        audit::record(db, event, &source).await?;
                        mails::tell(db, &site, &user, Deed::PasswordChanged, &source).await?;
                    }
                    Ok(replaced)
                })
            },
        )
        .await?;
    if !replaced {
        return Err(wrong_password(Field::CurrentPassword));
    }
    logins::sign_out(site, user.id, spared).await
}
