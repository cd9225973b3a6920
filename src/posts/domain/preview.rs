//! The use case of a preview: what a text becomes when it is published.

use crate::{
    accounts::domain::account,
    credentials::Actor,
    error::{AppError, Field},
    posts::Content,
    site::Site,
};

/// The HTML of a text. Only for people who are signed in, because rendering costs
/// time and its places are limited for each author.
///
/// # Errors
/// [`AppError::NotSignedIn`], [`AppError::ReadOnly`]; [`AppError::Invalid`] for
/// a text over the limit; [`AppError::Busy`].
pub async fn preview(site: &Site, actor: &Actor, content: &str) -> Result<String, AppError> {
    let author = &actor.user()?.id;
    let content = Content::parse(content).map_err(|error| AppError::invalid(Field::Content, error))?;
    let punctuation = account::punctuation(&mut site.reader_for(actor).await?, author).await?;
    site.renderer().preview(author, content, punctuation).await
}
