//! Whoever is in charge of the site publishes a post that waits ([`super::approval`]).

use super::{
    FilingChange, PostText, Written, approval,
    draft_posts::{self, Occasion},
};
use crate::{
    accounts::domain::running::InCharge,
    error::{AppError, Field},
    posts::{Post, PostId, PostOrDraft},
    site::Site,
};

/// Publishes a post that waits, as it was in the `version` that was read. Later posts of its
/// author do not wait.
///
/// # Errors
/// [`AppError::NotFound`] where no such post waits; [`AppError::Invalid`] when its author has
/// changed it since; [`AppError::Busy`].
pub async fn approve(site: &Site, by: &InCharge, id: &PostId, version: i64) -> Result<Post, AppError> {
    let read = approval::waiting(site, by, id).await?;
    let author = approval::owner(&mut site.database.read().await?, id).await?.ok_or(AppError::NotFound)?;
    if read.version != version {
        return Err(changed());
    }
    let text = PostText::parse(&read.title, &read.content)?;
    let input =
        (author, id.clone(), Some(version), Written { text, filing: FilingChange::default(), date: None });
    match draft_posts::publish_now(site, input, Occasion::Approved(by.clone())).await {
        Ok(PostOrDraft::Published(post)) => Ok(post),
        Err(AppError::Conflict { .. }) => Err(changed()),
        Ok(PostOrDraft::Draft(_)) => Err(AppError::NotFound),
        Err(error) => Err(error),
    }
}

/// What is published is what was read.
fn changed() -> AppError {
    AppError::invalid(Field::Content, "Its author has changed it since you opened it: read it again")
}
