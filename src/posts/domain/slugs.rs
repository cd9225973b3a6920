//! Slugs: how they are made, which one is free, and the post that one leads to.

use deunicode::deunicode;
use moka::sync::Cache;
use sqlx::{AssertSqlSafe, FromRow};

use super::rows::broken;
use crate::{
    clock,
    credentials::{Actor, UserId},
    database::{Database, Db, execute, on_engine},
    error::{AppError, Field},
    posts::{PostId, Slug},
    site::Site,
    username::Username,
};

/// A slug from any text: transliterated to ASCII, the words between hyphens. `None` if
/// nothing of it can be written so.
#[must_use]
pub fn from_text(text: &str) -> Option<Slug> {
    let mut slug = String::new();
    // An apostrophe is within a word.
    let ascii = deunicode(text).replace(['\'', '’'], "");
    for word in ascii.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let room = Slug::MAX_CHARS.saturating_sub(slug.len() + usize::from(!slug.is_empty()));
        if !slug.is_empty() {
            if word.len() > room {
                break;
            }
            slug.push('-');
        }
        slug.push_str(&word[..word.len().min(room)].to_ascii_lowercase());
    }
    Slug::parse(&slug)
}

/// The slug that a title gives.
#[must_use]
pub fn from_title(title: &str) -> Slug {
    from_text(title).or_else(|| Slug::parse("post")).unwrap_or_else(|| unreachable!("“post” is a slug"))
}

/// What an author typed as the address of a post.
///
/// # Errors
/// A sentence for the form.
pub fn typed(raw: &str) -> Result<Slug, &'static str> {
    // People copy the whole address.
    let last = raw.trim().trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    from_text(last).ok_or("Enter letters or digits for the address")
}

/// Slugs with a number that are tried before one with random letters.
const NUMBERED: usize = 9;

#[derive(FromRow)]
struct AddressRow {
    slug: String,
    post_id: String,
}

/// A slug that the owner has for no other post: the wanted one, or that one with an ending.
pub(super) async fn free(
    db: &mut Db,
    owner: &UserId,
    wanted: &Slug,
    post: &PostId,
) -> Result<Slug, AppError> {
    let with_ending = |ending: &str| {
        let room = Slug::MAX_CHARS - ending.len() - 1;
        let start = &wanted.as_str()[..wanted.as_str().len().min(room)];
        format!("{}-{ending}", start.trim_end_matches('-'))
    };
    let mut candidates = vec![wanted.to_string()];
    candidates.extend((2..=NUMBERED).map(|number| with_ending(&number.to_string())));
    let list = (2..candidates.len() + 2).map(|number| format!("${number}")).collect::<Vec<_>>().join(", ");
    let sql = format!("SELECT slug, post_id FROM post_addresses WHERE owner_id = $1 AND slug IN ({list})");
    let taken = on_engine!(db => {
        let mut query = sqlx::query_as::<_, AddressRow>(AssertSqlSafe(sql)).bind(owner.as_str());
        for candidate in &candidates {
            query = query.bind(candidate.clone());
        }
        query.fetch_all(db).await?
    });
    let is_free =
        |candidate: &String| taken.iter().all(|row| row.slug != *candidate || row.post_id == post.as_str());
    let random = || {
        let id = uuid::Uuid::now_v7().simple().to_string();
        with_ending(&id[id.len() - 8..])
    };
    let slug = candidates.into_iter().find(is_free).unwrap_or_else(random);
    broken(Slug::try_from(slug))
}

/// Refuses a slug that its author chose and has for another post.
///
/// # Errors
/// [`AppError::Invalid`].
pub(super) async fn refuse_taken(
    db: &mut Db,
    owner: &UserId,
    wanted: &Slug,
    post: &PostId,
) -> Result<(), AppError> {
    let taken: bool = on_engine!(db => sqlx::query_scalar(
            "SELECT EXISTS (SELECT 1 FROM post_addresses WHERE owner_id = $1 AND slug = $2 AND post_id <> $3)",
        )
        .bind(owner.as_str())
        .bind(wanted.as_str())
        .bind(post.as_str())
        .fetch_one(db)
        .await?);
    if taken {
        return Err(AppError::invalid(
            Field::Address,
            "Another post of yours is or was at this address. Choose another one",
        ));
    }
    Ok(())
}

/// Stores that a slug leads to a post, for as long as that exists.
pub(super) async fn keep(db: &mut Db, owner: &UserId, slug: &Slug, post: &PostId) -> Result<(), AppError> {
    execute!(db => sqlx::query(
            "INSERT INTO post_addresses (owner_id, slug, post_id, created_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT (owner_id, slug) DO NOTHING",
        )
        .bind(owner.as_str())
        .bind(slug.as_str())
        .bind(post.as_str())
        .bind(clock::now().micros()))?;
    Ok(())
}

/// Addresses that are remembered.
const REMEMBERED: u64 = 50_000;

/// Which post is at which address. What is remembered can be out of date once a post is
/// gone for good, so whoever finds no post asks again.
#[derive(Debug)]
pub struct KnownAddresses(Cache<(Username, Slug), PostId>);

impl Default for KnownAddresses {
    fn default() -> Self {
        Self(Cache::new(REMEMBERED))
    }
}

impl KnownAddresses {
    /// The post that was at an address when it was read last.
    #[must_use]
    pub fn remembered(&self, username: &Username, slug: &Slug) -> Option<PostId> {
        self.0.get(&(username.clone(), slug.clone()))
    }

    /// Forgets one address.
    pub fn forget(&self, username: &Username, slug: &Slug) {
        self.0.invalidate(&(username.clone(), slug.clone()));
    }

    /// The post at an address that it has or had. Everyone may ask; whoever reads the post
    /// is asked again.
    ///
    /// # Errors
    /// [`AppError::Busy`].
    pub async fn post_at(
        &self,
        site: &Site,
        actor: &Actor,
        username: &Username,
        slug: &Slug,
    ) -> Result<Option<PostId>, AppError> {
        if let Some(known) = self.remembered(username, slug) {
            return Ok(Some(known));
        }
        let db = &mut site.reader_for(actor).await?;
        let id: Option<String> = on_engine!(db => sqlx::query_scalar(
                "SELECT a.post_id FROM post_addresses a JOIN users u ON u.id = a.owner_id
                 WHERE u.username = $1 AND a.slug = $2",
            )
            .bind(username.as_str())
            .bind(slug.as_str())
            .fetch_optional(db)
            .await?);
        let id = id.map(|id| broken(PostId::try_from(id))).transpose()?;
        if let Some(id) = &id {
            self.0.insert((username.clone(), slug.clone()), id.clone());
        }
        Ok(id)
    }
}

impl Site {
    #[must_use]
    pub fn addresses(&self) -> &KnownAddresses {
        self.part()
    }
}

/// Posts that get a slug in one step.
const STEP: i64 = 500;

#[derive(Clone, FromRow)]
struct Unnamed {
    id: String,
    owner_id: String,
    title: String,
}

/// Gives a slug to posts that have none, because an older Byline stored them, in steps, so
/// that others can write in between. Until then they are read at `/posts/{id}`.
///
/// # Errors
/// After an error, the steps before it stay.
pub async fn backfill(database: &Database) -> Result<(), AppError> {
    loop {
        let posts = unnamed(&mut database.read().await?).await?;
        if posts.is_empty() {
            return Ok(());
        }
        let written = database.write(posts, |db, posts| {
            Box::pin(async move {
                for Unnamed { id, owner_id, title } in posts {
                    name(db, &broken(PostId::try_from(id))?, &UserId::from_stored(owner_id), &title).await?;
                }
                Ok(())
            })
        });
        match written.await {
            // Another process may have been faster.
            Ok(()) | Err(AppError::WriteConflict) => {}
            Err(error) => return Err(error),
        }
    }
}

async fn unnamed(db: &mut Db) -> Result<Vec<Unnamed>, AppError> {
    Ok(on_engine!(db => sqlx::query_as("SELECT id, owner_id, title FROM posts WHERE slug = '' LIMIT $1")
        .bind(STEP)
        .fetch_all(db)
        .await?))
}

async fn name(db: &mut Db, id: &PostId, owner: &UserId, title: &str) -> Result<(), AppError> {
    let slug = free(db, owner, &from_title(title), id).await?;
    keep(db, owner, &slug, id).await?;
    execute!(db => sqlx::query("UPDATE posts SET slug = $1 WHERE id = $2 AND owner_id = $3 AND slug = ''")
        .bind(slug.as_str())
        .bind(id.as_str())
        .bind(owner.as_str()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_title_in_any_script_gives_a_slug_that_people_can_read() {
        for (title, slug) in [
            ("Hello, World!", "hello-world"),
            ("  What's new in 2026?  ", "whats-new-in-2026"),
            ("Привет, мир", "privet-mir"),
            ("Straße nach Überlingen", "strasse-nach-uberlingen"),
            ("Ελληνικά", "ellenika"),
            ("İstanbul'da", "istanbulda"),
            ("北京", "bei-jing"),
            ("C++ & Rust", "c-rust"),
            ("???", "post"),
            ("", "post"),
        ] {
            assert_eq!(from_title(title).as_str(), slug, "{title:?}");
        }
        assert_eq!(
            typed("https://byline.example/@ada/Old Name/").map(String::from),
            Ok("old-name".to_owned())
        );
        assert!(typed("/").is_err());
    }

    proptest! {
        #[test]
        fn every_title_gives_a_slug_which_gives_itself(title in ".{0,200}|\\PC{150,200}") {
            let slug = from_title(&title);
            prop_assert_eq!(Slug::parse(slug.as_str()), Some(slug.clone()));
            prop_assert_eq!(from_title(slug.as_str()), slug);
        }
    }
}
