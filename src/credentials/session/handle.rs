//! The session of a request: typed access to what tower-sessions stores.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use tower_sessions::Session;

use super::{
    kept::{FormToKeep, KeptForm, KeptForms},
    store::{LOGIN, Login, RowStore, USER, cause, handle},
};
use crate::{
    clock,
    credentials::{RequestSource, User},
    database::Database,
    error::AppError,
    site::Site,
    ui::Values,
};

/// The key of a login that waits for its second step.
const HELD: &str = "log_in";

/// A login that waits for its second step, in the session of a browser that is
/// nobody's yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HeldLogIn {
    /// As the use cases of accounts seal it.
    pub pending: String,
    /// Whether the person wants to stay signed in.
    pub keep: bool,
}

const KEPT_FORMS: &str = "basket";
/// The id of a sign-up that waits for its address.
const PENDING_SIGN_UP: &str = "sign_up";
/// The key of the single form that an older Byline stored in the session.
const KEPT: &str = "kept";

/// Whether a person asked to stay signed in after the browser is closed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeepSignedIn {
    Yes,
    #[default]
    No,
}

impl From<bool> for KeepSignedIn {
    fn from(keep: bool) -> Self {
        if keep { Self::Yes } else { Self::No }
    }
}

/// The session of one request. Its keys are private; this is all there is to do with it.
#[derive(Clone)]
pub struct UserSession(Session);

/// Without the id, which is the secret in the cookie.
impl fmt::Debug for UserSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserSession")
    }
}

impl UserSession {
    /// Over the session that the layer put into the request.
    #[must_use]
    pub const fn new(session: Session) -> Self {
        Self(session)
    }

    /// The same session with a cache of its own, so that this check of who is
    /// signed in does not replace a later one.
    #[must_use]
    pub fn apart(&self, site: &Site) -> Self {
        Self(Session::new(self.0.id(), Arc::new(RowStore::new(site)), None))
    }

    /// Who is signed in, read from the database at the first call.
    pub(super) async fn user(&self) -> Result<Option<User>, AppError> {
        self.0.get(USER).await.map_err(|error| cause(&error))
    }

    /// As [`Self::user`], as the database has it now.
    pub(super) async fn user_now(&self) -> Result<Option<User>, AppError> {
        self.0.load().await.map_err(|error| cause(&error))?;
        self.user().await
    }

    /// How the session began, if somebody is signed in.
    pub(super) async fn login(&self) -> Result<Option<Login>, AppError> {
        self.0.get(LOGIN).await.map_err(|error| cause(&error))
    }

    /// Its name in the list of its owner; `None` before it is stored.
    #[must_use]
    pub fn handle(&self) -> Option<String> {
        self.0.id().map(|id| handle(&id))
    }

    /// Signs in under a new id; the old one is dead (security row S2). The
    /// session is stored when this returns.
    pub async fn sign_in(
        &self,
        user: &User,
        keep: KeepSignedIn,
        source: &RequestSource,
    ) -> Result<(), AppError> {
        let now = clock::now();
        let remembered = keep == KeepSignedIn::Yes;
        let login = Login { at: now, confirmed_at: now, remembered, from: source.begun_from() };
        self.renew(user, &login).await
    }

    /// The person has shown once more that it is them. The session gets a new id
    /// (security row S2).
    pub async fn confirm(&self, user: &User, source: &RequestSource) -> Result<(), AppError> {
        let now = clock::now();
        let login = self.login().await?;
        let login = login.map_or_else(
            || Login { at: now, confirmed_at: now, remembered: false, from: source.begun_from() },
            |login| Login { confirmed_at: now, ..login },
        );
        self.renew(user, &login).await
    }

    async fn renew(&self, user: &User, login: &Login) -> Result<(), AppError> {
        self.0.cycle_id().await.map_err(|error| cause(&error))?;
        self.0.remove::<HeldLogIn>(HELD).await.map_err(|error| cause(&error))?;
        self.0.insert(USER, user).await.map_err(|error| cause(&error))?;
        self.0.insert(LOGIN, login).await.map_err(|error| cause(&error))?;
        self.keep_cookie(login);
        self.0.save().await.map_err(|error| cause(&error))
    }

    /// Stores a value. tower-sessions sends the cookie of a changed session again, and
    /// a browser that is to stay signed in has to be told once more for how long.
    async fn insert(&self, key: &str, value: impl Serialize) -> Result<(), AppError> {
        self.0.insert(key, value).await.map_err(|error| cause(&error))?;
        if let Some(login) = self.login().await? {
            self.keep_cookie(&login);
        }
        Ok(())
    }

    /// A browser keeps the cookie beyond its own end only if it is told how long.
    fn keep_cookie(&self, login: &Login) {
        if login.remembered {
            let ends_at = login.at.after(login.lives().1).date_time();
            self.0.set_expiry(Some(tower_sessions::Expiry::AtDateTime(ends_at)));
        }
    }

    /// Holds a login until its second step. Nobody is signed in.
    pub async fn hold(&self, log_in: HeldLogIn) -> Result<(), AppError> {
        self.0.cycle_id().await.map_err(|error| cause(&error))?;
        self.0.remove::<Login>(LOGIN).await.map_err(|error| cause(&error))?;
        self.0.remove::<User>(USER).await.map_err(|error| cause(&error))?;
        self.0.insert(HELD, log_in).await.map_err(|error| cause(&error))?;
        self.0.save().await.map_err(|error| cause(&error))
    }

    /// The login that waits for its second step.
    pub async fn held(&self) -> Result<Option<HeldLogIn>, AppError> {
        self.0.get(HELD).await.map_err(|error| cause(&error))
    }

    /// The id of the sign-up that this browser has begun and not finished.
    pub async fn pending_sign_up(&self) -> Result<Option<String>, AppError> {
        self.0.get(PENDING_SIGN_UP).await.map_err(|error| cause(&error))
    }

    /// Notes the sign-up that this browser has begun.
    pub async fn begin_sign_up(&self, id: &str) -> Result<(), AppError> {
        self.insert(PENDING_SIGN_UP, id).await
    }

    /// Ends the session in the database. Forms that wait in this browser go on waiting for those
    /// who sent them: somebody else may have logged in and out before them.
    ///
    /// # Errors
    ///
    /// After an error the session has not ended.
    pub async fn sign_out(&self, database: &Database) -> Result<(), AppError> {
        let waiting = match self.kept_forms(database).await? {
            Some(kept_forms) if kept_forms.has_some(&mut database.read().await?).await? => Some(kept_forms),
            _ => None,
        };
        self.0.flush().await.map_err(|error| cause(&error))?;
        if let Some(kept_forms) = waiting {
            self.0.insert(KEPT_FORMS, kept_forms).await.map_err(|error| cause(&error))?;
        }
        Ok(())
    }

    /// Keeps a form for when its sender is signed in again; `false` when there
    /// is no room for one more.
    pub async fn keep(&self, database: &Database, form: FormToKeep) -> Result<bool, AppError> {
        let known = self.kept_forms(database).await?;
        let kept_forms = known.clone().unwrap_or_else(KeptForms::generate);
        let kept = kept_forms.put(database, form).await?;
        if kept && known.is_none() {
            self.insert(KEPT_FORMS, kept_forms).await?;
        }
        Ok(kept)
    }

    /// The forms that wait for `user`, first come first.
    pub async fn kept(&self, database: &Database, user: &User) -> Result<Vec<KeptForm>, AppError> {
        match self.kept_forms(database).await? {
            Some(kept_forms) => kept_forms.of(&mut database.read().await?, user).await,
            None => Ok(Vec::new()),
        }
    }

    /// What was typed into one kept form.
    pub async fn kept_values(
        &self,
        database: &Database,
        user: &User,
        id: &str,
    ) -> Result<Option<Values>, AppError> {
        match self.kept_forms(database).await? {
            Some(kept_forms) => kept_forms.values(&mut database.read().await?, user, id).await,
            None => Ok(None),
        }
    }

    /// Notes that a kept form was shown in its editor.
    pub async fn kept_was_shown(&self, database: &Database, id: String) -> Result<(), AppError> {
        match self.kept_forms(database).await? {
            Some(kept_forms) => kept_forms.shown(database, id).await,
            None => Ok(()),
        }
    }

    /// Lets go of one: it has been saved, or `user` gave it up.
    pub async fn forget_kept(&self, database: &Database, user: &User, id: String) -> Result<(), AppError> {
        match self.kept_forms(database).await? {
            Some(kept_forms) => kept_forms.forget(database, user, id).await,
            None => Ok(()),
        }
    }

    async fn kept_forms(&self, database: &Database) -> Result<Option<KeptForms>, AppError> {
        let kept_forms = self.0.get(KEPT_FORMS).await.map_err(|error| cause(&error))?;
        if kept_forms.is_some() {
            return Ok(kept_forms);
        }
        // A session of an older Byline.
        let Some(form) = self.0.get::<FormToKeep>(KEPT).await.map_err(|error| cause(&error))? else {
            return Ok(None);
        };
        let kept_forms = KeptForms::generate();
        kept_forms.put(database, form).await?;
        self.insert(KEPT_FORMS, &kept_forms).await?;
        Ok(Some(kept_forms))
    }
}
