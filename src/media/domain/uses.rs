//! Which texts show a picture. What texts there are, other modules know: they stand above
//! this one, so [`crate::start`] hands the question over.

use std::collections::HashMap;

use futures::future::BoxFuture;

use crate::{
    credentials::UserId,
    database::Db,
    error::AppError,
    media::{Alt, address::Hash},
    site::Site,
};

/// A text that shows a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Of the text.
    pub title: String,
    /// Where its author finds it.
    pub path: String,
}

/// The texts of an author that show a picture.
#[derive(Clone, Debug, Default)]
pub struct Uses {
    pub texts: Vec<Use>,
    /// How the first of them describes it that does; empty if none does.
    pub alt: Alt,
}

/// The pictures that an author's texts show, and which texts those are.
pub type UsesOfAuthor = HashMap<Hash, Uses>;

/// Finds the pictures in all texts of an author.
#[derive(Clone, Copy, Debug)]
pub struct FindUses(pub for<'a> fn(&'a mut Db, &'a UserId) -> BoxFuture<'a, Result<UsesOfAuthor, AppError>>);

/// The pictures that the texts of an author show.
///
/// # Errors
/// [`AppError::Busy`] when there are too many texts for the time of a statement.
pub async fn of_author(site: &Site, db: &mut Db, author: &UserId) -> Result<UsesOfAuthor, AppError> {
    let FindUses(find) = *site.part();
    db.in_time(async |db| find(db, author).await).await
}
