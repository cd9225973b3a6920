//! The lists of what an author has not published, and drafts as programs see them.

use super::{
    draft_store,
    rows::broken,
    select::{Listing, Selection},
};
use crate::{
    accounts::domain::account,
    credentials::{Actor, User},
    error::{AppError, Parsed},
    posts::{Cursor, DraftPost, Page, Post, PostOrDraft, Summary, Title},
    site::Site,
};

/// The most drafts of a list.
pub const LISTED: i64 = 200;
/// The most drafts that a program can look through.
const MOST: i64 = 1000;

/// The actor's own drafts, the last saved first, at most `limit`.
///
/// # Errors
/// [`AppError::NotSignedIn`].
pub async fn list(site: &Site, actor: &Actor, limit: i64) -> Result<Vec<DraftPost>, AppError> {
    let owner = &actor.user()?.id;
    draft_store::list(&mut site.reader_for(actor).await?, owner, limit).await
}

/// Of a selection, the actor's own drafts, the last begun first.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::ReadOnly`].
pub async fn select_own<E: From<AppError>>(
    site: &Site,
    actor: &Actor,
    selection: Parsed<Selection, E>,
) -> Result<Listing<Post>, E> {
    let user = actor.user()?;
    let Selection { tag, slug, filter, after, limit, .. } = selection?;
    let drafts = list(site, actor, MOST).await?;
    let mut posts = drafts.into_iter().map(|draft| draft.as_post(user)).collect::<Result<Vec<_>, _>>()?;
    posts.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
    posts.retain(|post| {
        tag.as_ref().is_none_or(|tag| post.tags.iter().any(|one| one == tag))
            && slug.as_ref().is_none_or(|slug| post.slug.as_ref() == Some(slug))
            && after.as_ref().is_none_or(|after| (post.created_at, &post.id) < (after.created_at, &after.id))
            && filter.matches(post.into())
    });
    let is_cut = posts.len() > limit;
    posts.truncate(limit);
    let last = posts.last().map(|post| Cursor { created_at: post.created_at, id: post.id.clone() });
    Ok(Listing { next: last.filter(|_| is_cut), posts })
}

/// The actor's own drafts as a page of a list.
///
/// # Errors
/// [`AppError::NotSignedIn`].
pub async fn page(site: &Site, actor: &Actor) -> Result<Page, AppError> {
    let user = actor.user()?;
    let as_of = site.bus().newest();
    let drafts = list(site, actor, LISTED).await?;
    let found = account::author(&mut site.reader_for(actor).await?, &user.username).await?;
    let (_, profile) = found.ok_or(AppError::NotFound)?;
    let author = profile.display_name.or(user.username.as_str()).to_owned();
    let posts = drafts.into_iter().map(|draft| {
        let Post { id, slug, tags, language, title, owner, version, created_at, updated_at, .. } =
            draft.as_post(user)?;
        let (excerpt, author) = (String::new(), author.clone());
        Ok(Summary {
            id,
            slug,
            tags,
            language,
            title,
            excerpt,
            owner,
            author,
            version,
            created_at,
            updated_at,
        })
    });
    Ok(Page { posts: posts.collect::<Result<_, AppError>>()?, older: None, newer: None, as_of })
}

impl DraftPost {
    /// As programs see it in a list of posts. Without a title it is called "Untitled".
    fn as_post(&self, owner: &User) -> Result<Post, AppError> {
        Ok(Post {
            id: self.id.clone(),
            slug: self.slug.clone(),
            tags: self.tags.clone(),
            language: self.language,
            title: broken(Title::parse(self.shown_title()))?,
            content: Some(self.content.clone()),
            owner: owner.username.to_string(),
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// What was made, as a program of its author sees it: a post that waits looks like one that is
/// published.
///
/// # Errors
/// [`AppError::NotSignedIn`].
pub fn seen_by_author(made: PostOrDraft, actor: &Actor) -> Result<Post, AppError> {
    match made {
        PostOrDraft::Published(post) => Ok(post),
        PostOrDraft::Draft(draft) => draft.as_post(actor.user()?),
    }
}
