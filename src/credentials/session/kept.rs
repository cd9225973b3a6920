//! Forms that arrived after the session of their author had ended. They wait for
//! the next login. Each is a row, so two that arrive at once are both kept.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    clock,
    credentials::User,
    database::{Database, Db, execute, internal, on_engine},
    error::AppError,
    timestamp::Timestamp,
    ui::Values,
};

/// After this time a form is not given back, because a session that began with
/// it has ended.
const WAITING: Duration = super::store::ABSOLUTE;
/// Forms kept for one browser at most.
const FORMS: i64 = 8;
/// Bytes of the forms of one browser at most: two texts of the longest, in
/// any script, or eight of a usual length.
const BYTES: i64 = 1024 * 1024;
/// The most forms of all browsers together. Each may have its own session.
const FORMS_OF_ALL: i64 = 10_000;
/// The most bytes of the forms of all browsers. People who are not signed in
/// may send forms too, and must not fill the disk.
const BYTES_OF_ALL: i64 = 200 * 1024 * 1024;

/// The kept forms of one browser, by a random name, which its session has. In the
/// database the name is the column `basket`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptForms(String);

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FormToKeep {
    /// The path of the form's page.
    pub page: String,
    /// The person who was signed in when the form was made, as the form says.
    /// Anybody else who logs in with the same browser does not see it.
    pub author: String,
    pub values: Values,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptForm {
    /// Rises with the time of arrival.
    pub id: String,
    /// The path of the form's page.
    pub page: String,
    pub title: String,
    pub at: Timestamp,
    /// Whether its page has been shown with it already.
    pub shown: bool,
}

/// Keeps the forms of a person for them under another username.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn kept_forms_of_renamed(db: &mut Db, before: &User, now: &User) -> Result<(), AppError> {
    execute!(db => sqlx::query("UPDATE kept_forms SET author = $2 WHERE author = $1")
        .bind(before.username.as_str())
        .bind(now.username.as_str()))?;
    Ok(())
}

impl KeptForms {
    /// A random name.
    #[must_use]
    pub fn generate() -> Self {
        Self(uuid::Uuid::new_v4().to_string())
    }

    /// Puts a form in. The same form sent twice waits once. `false` when there
    /// is no room: nothing that waits makes way for something else.
    pub async fn put(&self, database: &Database, form: FormToKeep) -> Result<bool, AppError> {
        let fields = serde_json::to_string(&form.values).map_err(internal)?;
        database
            .write((self.clone(), form, fields), |db, (Self(basket), form, fields)| {
                Box::pin(async move {
                    let alike: i64 = on_engine!(db => sqlx::query_scalar(
                            "SELECT COUNT(*) FROM kept_forms
                             WHERE basket = $1 AND author = $2 AND page = $3 AND fields = $4",
                        )
                        .bind(&basket)
                        .bind(&form.author)
                        .bind(&form.page)
                        .bind(&fields)
                        .fetch_one(db)
                        .await?);
                    if alike > 0 {
                        return Ok(true);
                    }
                    let bytes = i64::try_from(fields.len()).unwrap_or(i64::MAX);
                    if !has_room(db, &basket, bytes).await? {
                        return Ok(false);
                    }
                    let title = form.values.get("title").unwrap_or_default().to_owned();
                    execute!(db => sqlx::query(
                            "INSERT INTO kept_forms (id, basket, author, page, title, fields, bytes, created_at)
                             VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
                        )
                        .bind(uuid::Uuid::now_v7().to_string())
                        .bind(&basket)
                        .bind(&form.author)
                        .bind(&form.page)
                        .bind(title)
                        .bind(fields)
                        .bind(bytes)
                        .bind(clock::now().micros()))?;
                    Ok(true)
                })
            })
            .await
    }

    /// Whether a form of anybody waits here.
    pub async fn has_some(&self, db: &mut Db) -> Result<bool, AppError> {
        Ok(on_engine!(db => sqlx::query_scalar(
                "SELECT EXISTS (SELECT 1 FROM kept_forms WHERE basket = $1 AND created_at > $2)",
            )
            .bind(&self.0)
            .bind(clock::before(WAITING).micros())
            .fetch_one(db)
            .await?))
    }

    /// The forms of a person, oldest first.
    pub async fn of(&self, db: &mut Db, user: &User) -> Result<Vec<KeptForm>, AppError> {
        let rows: Vec<(String, String, String, i64, Option<i64>)> = on_engine!(db => sqlx::query_as(
                "SELECT id, page, title, created_at, shown_at FROM kept_forms
                 WHERE basket = $1 AND author = $2 AND created_at > $3 ORDER BY id",
            )
            .bind(&self.0)
            .bind(user.username.as_str())
            .bind(clock::before(WAITING).micros())
            .fetch_all(db)
            .await?);
        let form = |(id, page, title, at, shown): (String, String, String, i64, Option<i64>)| KeptForm {
            id,
            page,
            title,
            at: Timestamp::from_micros(at),
            shown: shown.is_some(),
        };
        Ok(rows.into_iter().map(form).collect())
    }

    /// What was typed into a form of a person.
    pub async fn values(&self, db: &mut Db, user: &User, id: &str) -> Result<Option<Values>, AppError> {
        let fields: Option<String> = on_engine!(db => sqlx::query_scalar(
                "SELECT fields FROM kept_forms WHERE id = $1 AND basket = $2 AND author = $3",
            )
            .bind(id)
            .bind(&self.0)
            .bind(user.username.as_str())
            .fetch_optional(db)
            .await?);
        fields.map(|fields| serde_json::from_str(&fields).map_err(internal)).transpose()
    }

    /// Notes that the form was shown. From now on it is only in the list, until
    /// it is saved or discarded, because the answer that showed it may be lost.
    pub async fn shown(&self, database: &Database, id: String) -> Result<(), AppError> {
        database
            .write((self.clone(), id), |db, (Self(basket), id)| {
                Box::pin(async move {
                    execute!(db => sqlx::query("UPDATE kept_forms SET shown_at = $1 WHERE id = $2 AND basket = $3")
                        .bind(clock::now().micros())
                        .bind(id)
                        .bind(basket))?;
                    Ok(())
                })
            })
            .await
    }

    /// Lets go of one: it has been saved, or its author gave it up.
    pub async fn forget(&self, database: &Database, user: &User, id: String) -> Result<(), AppError> {
        let author = user.username.to_string();
        database
            .write((self.clone(), author, id), |db, (Self(basket), author, id)| {
                Box::pin(async move {
                    execute!(db => sqlx::query(
                            "DELETE FROM kept_forms WHERE id = $1 AND basket = $2 AND author = $3",
                        )
                        .bind(id)
                        .bind(basket)
                        .bind(author))?;
                    Ok(())
                })
            })
            .await
    }
}

/// Whether there is room for `bytes` more.
async fn has_room(db: &mut Db, basket: &str, bytes: i64) -> Result<bool, AppError> {
    let (forms, taken): (i64, i64) = on_engine!(db => sqlx::query_as(
            "SELECT COUNT(*), CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM kept_forms WHERE basket = $1",
        )
        .bind(basket)
        .fetch_one(db)
        .await?);
    let (forms_of_all, of_all): (i64, i64) = on_engine!(db => sqlx::query_as(
            "SELECT COUNT(*), CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM kept_forms WHERE created_at > $1",
        )
        .bind(clock::before(WAITING).micros())
        .fetch_one(db)
        .await?);
    let fits = |taken: i64, most: i64| taken.saturating_add(bytes) <= most;
    Ok(forms < FORMS && forms_of_all < FORMS_OF_ALL && fits(taken, BYTES) && fits(of_all, BYTES_OF_ALL))
}

/// Removes forms that are too old to be given back.
pub async fn forget_old(db: &mut Db) -> Result<(), AppError> {
    execute!(db => sqlx::query("DELETE FROM kept_forms WHERE created_at <= $1")
        .bind(clock::before(WAITING).micros()))?;
    Ok(())
}
