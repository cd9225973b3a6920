//! An earlier version becomes the present one.

use super::{
    Change, DraftText, FilingChange, Guard, PostText,
    draft_posts::{self, DraftSave},
    revisions,
    rows::broken,
    service,
};
use crate::{
    credentials::Actor,
    error::AppError,
    posts::{Content, PostId, PostOrDraft, Title},
    site::Site,
};

/// Makes an earlier version the present one, as a new version: of a published post for all
/// readers, of a draft for its author.
///
/// # Errors
/// [`AppError::NotSignedIn`]; [`AppError::EmailNotConfirmed`]; [`AppError::NotFound`];
/// [`AppError::Forbidden`]; [`AppError::Busy`].
pub async fn restore(site: &Site, actor: &Actor, id: &PostId, version: i64) -> Result<PostOrDraft, AppError> {
    let present = draft_posts::own_post_or_draft(site, actor, id).await?;
    let text = revisions::text(site, actor, id, version).await?.ok_or(AppError::NotFound)?;
    let filing = FilingChange { tags: Some(text.tags), ..FilingChange::default() };
    let content = broken(Content::try_from(text.content))?;
    if let PostOrDraft::Draft(_) = present {
        let text = DraftText { title: text.title, content };
        let save = DraftSave { version: None, text, filing, time: None };
        let saved = draft_posts::save(site, actor, Some(id.clone()), Ok(save), Ok(None)).await?;
        return Ok(PostOrDraft::Draft(saved));
    }
    let text = PostText { title: broken(Title::try_from(text.title))?, content: Some(content) };
    let change = Change { filing, ..text.into() };
    let post =
        service::update(site, actor, Some(id.clone()), Ok::<_, AppError>((Guard::NONE, change))).await?;
    Ok(PostOrDraft::Published(post))
}
