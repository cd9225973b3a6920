//! Posts from elsewhere, as whoever runs the site brings them: with their dates, their
//! addresses and the paths at which they were read before.
//!
//! Their ids are made from where they came from, so what is brought once more is found.
//! What its author has changed here, or deleted, is left alone.

use super::{
    Change, ContentChange, DraftText, Filing, Guard, PostText,
    draft_posts::{self, DraftSave},
    draft_store, fold,
    folded::Folded,
    redirects::{self, OldPath},
    rendering::Renderer,
    schedule::PublishTime,
    service::{self, change},
    slugs,
    store::{self, Insertion},
};
use crate::{
    clock,
    credentials::{Actor, User},
    database::{Db, on_engine},
    error::AppError,
    posts::{DraftPost, Post, PostId, address},
    site::Site,
    timestamp::Timestamp,
};

/// A post from elsewhere.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub id: PostId,
    pub text: PostText,
    /// The slug is the one that is wanted; if it is taken, the post gets it with an ending.
    pub filing: Filing,
    pub status: Status,
    pub old_paths: Vec<OldPath>,
}

/// Whether a post from elsewhere is published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Since then, if that is known.
    Published(Option<Timestamp>),
    Draft,
    /// At a time to come.
    Scheduled(Timestamp),
}

/// What became of a post from elsewhere, or would become of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is new; where it is read.
    Published(String),
    Draft,
    Scheduled(Timestamp),
    /// It was brought before, and was changed there since, but not here.
    Updated,
    /// It was brought before.
    Unchanged,
    /// It was brought before, and its author has changed it here.
    ChangedHere,
    /// It was brought before, and its author has deleted it here.
    DeletedHere,
    /// Something of another author has its id.
    IdTaken,
}

/// What there is under the id of a post from elsewhere.
enum Found {
    Nothing,
    Post(Box<Post>),
    Draft(Box<DraftPost>),
    Deleted,
    Another,
}

async fn look(db: &mut Db, user: &User, id: &PostId) -> Result<Found, AppError> {
    if let Some(post) = store::find(db, id).await? {
        let is_own = post.owner == user.username.as_str();
        return Ok(if is_own { Found::Post(Box::new(post)) } else { Found::Another });
    }
    if let Some(draft) = draft_store::find(db, &user.id, id).await? {
        return Ok(Found::Draft(Box::new(draft)));
    }
    let (own, others): (i64, i64) = on_engine!(db => sqlx::query_as(
            "SELECT CAST(COALESCE(SUM(CASE WHEN owner_id = $2 THEN 1 ELSE 0 END), 0) AS BIGINT), COUNT(*) FROM (
                 SELECT owner_id FROM trashed_posts WHERE id = $1 UNION ALL SELECT owner_id FROM deleted_posts WHERE id = $1
                 UNION ALL SELECT owner_id FROM drafts WHERE id = $1) AS known",
        )
        .bind(id.as_str())
        .bind(user.id.as_str())
        .fetch_one(db)
        .await?);
    Ok(match (own, others) {
        (_, 0) => Found::Nothing,
        (0, _) => Found::Another,
        _ => Found::Deleted,
    })
}

impl Found {
    /// What becomes of a post; `None` if it has to be stored.
    fn outcome(&self, incoming: &Incoming) -> Option<Outcome> {
        let Incoming { text, filing, status, .. } = incoming;
        let is_published = matches!(status, Status::Published(_));
        match self {
            Self::Nothing => None,
            Self::Deleted => Some(Outcome::DeletedHere),
            Self::Another => Some(Outcome::IdTaken),
            Self::Post(post) => {
                let is_same = (&post.title, post.text()) == (&text.title, text.text())
                    && (&post.tags, post.language) == (&filing.tags, filing.language);
                Some(match is_same && is_published {
                    true => Outcome::Unchanged,
                    false if post.version == 1 && is_published => Outcome::Updated,
                    false => Outcome::ChangedHere,
                })
            }
            Self::Draft(draft) => {
                let is_same = (draft.title.as_str(), &draft.content) == (text.title.as_str(), text.text())
                    && (&draft.tags, draft.language) == (&filing.tags, filing.language);
                Some(match is_same && !is_published {
                    true => Outcome::Unchanged,
                    false if draft.version == 1 && !is_published => Outcome::Updated,
                    false => Outcome::ChangedHere,
                })
            }
        }
    }
}

/// What would become of a post from elsewhere.
///
/// # Errors
/// [`AppError::Busy`].
pub async fn preview(site: &Site, user: &User, incoming: &Incoming) -> Result<Outcome, AppError> {
    let db = &mut site.database.read().await?;
    if let Some(outcome) = look(db, user, &incoming.id).await?.outcome(incoming) {
        return Ok(outcome);
    }
    Ok(match incoming.status {
        Status::Published(_) => Outcome::Published(path(db, user, incoming).await?),
        Status::Draft => Outcome::Draft,
        Status::Scheduled(at) => Outcome::Scheduled(at),
    })
}

async fn path(db: &mut Db, user: &User, incoming: &Incoming) -> Result<String, AppError> {
    let slug = free_slug(db, user, incoming).await?;
    Ok(address::of_post(user.username.as_str(), slug.slug.as_ref(), &incoming.id))
}

/// The filing with a slug that is free.
async fn free_slug(db: &mut Db, user: &User, incoming: &Incoming) -> Result<Filing, AppError> {
    let Incoming { id, text, filing, .. } = incoming;
    let wanted = filing.slug.clone().unwrap_or_else(|| slugs::from_title(text.title.as_str()));
    Ok(Filing { slug: Some(slugs::free(db, &user.id, &wanted, id).await?), ..filing.clone() })
}

/// Stores a post from elsewhere, in one transaction, as one of `user`'s. It is for whoever
/// runs the site: what an author may publish in an hour does not count.
///
/// # Errors
/// [`AppError::Busy`], [`AppError::WriteConflict`].
pub async fn take(site: &Site, user: &User, incoming: Incoming) -> Result<Outcome, AppError> {
    let found = look(&mut site.database.read().await?, user, &incoming.id).await?;
    match found.outcome(&incoming) {
        Some(Outcome::Updated) => update(site, user, incoming).await,
        Some(outcome) => Ok(outcome),
        None => insert(site, user, incoming).await,
    }
}

async fn insert(site: &Site, user: &User, incoming: Incoming) -> Result<Outcome, AppError> {
    // Before the transaction: writers do not wait for a rendering.
    let rendering = Renderer::render_for(site, &user.id, incoming.text.text()).await?;
    let (incoming, folded) =
        fold::fold_before_write(incoming, |incoming: &Incoming| Some(incoming.text.content.as_ref())).await?;
    let input = (user.clone(), incoming, folded, rendering);
    change(site, input, |db, (user, incoming, folded, rendering)| {
        Box::pin(async move {
            // Another import may have been faster.
            if let Some(outcome) = look(db, &user, &incoming.id).await?.outcome(&incoming) {
                return Ok((outcome, None));
            }
            let stored = match incoming.status {
                Status::Published(date) => {
                    let filing = free_slug(db, &user, &incoming).await?;
                    let text =
                        Folded { post_text: &incoming.text, rendering: Some(&rendering), content: folded };
                    let insertion = Insertion::new(Some(incoming.id.clone()), text, &filing, clock::now());
                    let (post, event) = store::insert(db, &user, insertion.first_published(date)).await?;
                    (Outcome::Published(post.address()), Some(event))
                }
                Status::Draft => {
                    draft_store::insert(db, &user.id, &draft(&incoming, None), None).await?;
                    (Outcome::Draft, None)
                }
                Status::Scheduled(at) => {
                    draft_store::insert(db, &user.id, &draft(&incoming, Some(at)), None).await?;
                    (Outcome::Scheduled(at), None)
                }
            };
            for path in &incoming.old_paths {
                redirects::keep(db, path, &incoming.id).await?;
            }
            Ok(stored)
        })
    })
    .await
}

fn draft(incoming: &Incoming, publish_at: Option<Timestamp>) -> DraftPost {
    let now = clock::now();
    DraftPost {
        id: incoming.id.clone(),
        slug: incoming.filing.slug.clone(),
        tags: incoming.filing.tags.clone(),
        language: incoming.filing.language,
        title: incoming.text.title.to_string(),
        content: incoming.text.text().clone(),
        version: 1,
        created_at: now,
        updated_at: now,
        publish_at,
        utc_offset: 0,
        is_scheduled: publish_at.is_some(),
        waits_since: None,
    }
}

/// Saves what was changed there, if nobody has changed it here meanwhile.
async fn update(site: &Site, user: &User, incoming: Incoming) -> Result<Outcome, AppError> {
    let actor = Actor::User(user.clone());
    let Incoming { id, text, filing, status, .. } = incoming;
    // An address that a post has here stays.
    let filing = Filing { slug: None, ..filing }.into();
    let saved = if let Status::Published(_) = status {
        let content = ContentChange::Set(text.content);
        let change = Change { title: Some(text.title), content, owner: None, filing };
        service::update::<AppError>(site, &actor, Some(id), Ok((Guard::version(1), change))).await.map(drop)
    } else {
        let time = match status {
            Status::Scheduled(at) => Some(Some(PublishTime { at, utc_offset: 0 })),
            _ => None,
        };
        let save = DraftSave { version: Some(1), text: DraftText::from(text), filing, time };
        draft_posts::save(site, &actor, Some(id), Ok(save), Ok(None)).await.map(drop)
    };
    match saved {
        Ok(()) => Ok(Outcome::Updated),
        Err(AppError::Conflict { .. }) => Ok(Outcome::ChangedHere),
        Err(error) => Err(error),
    }
}
