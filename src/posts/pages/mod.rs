//! The screens of posts.

mod about;
mod author;
pub mod cache_key;
mod delete;
mod drafts;
mod edit;
mod ending;
pub mod frame;
mod list;
pub mod old_address;
mod parts;
pub mod preview;
mod report;
mod revisions;
mod search;
mod show;
mod tag;
mod trash;
mod writing_room;

pub use about::AboutPage;
pub use author::AuthorPage;
pub use delete::DeletePostPage;
pub use drafts::DraftsPage;
pub use edit::{EditPostPage, NewPostPage};
pub use list::{AllPostsPage, MyPostsPage};
pub use preview::FeedLinks;
pub use report::{ReportPage, ReportedPage};
pub use revisions::RevisionsPage;
pub use search::SearchPage;
pub use show::PostPage;
pub use tag::TagPage;
pub use trash::TrashPage;

use axum::http::{HeaderValue, StatusCode, header::LOCATION};
use leptos::prelude::*;
use leptos_axum::ResponseOptions;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::{
    credentials::Actor,
    error::AppError,
    posts::{PostId, Slug, address},
    site::Site,
    username::Username,
};

/// A path at which a post is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PostPath {
    /// `/posts/{id}`.
    Id(PostId),
    /// `/@{username}/{slug}`.
    Address(Username, Slug),
}

impl PostPath {
    /// `None` for any other path.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        if let Some(id) = path.strip_prefix("/posts/") {
            return PostId::parse(id).map(Self::Id);
        }
        let (username, slug) =
            path.strip_prefix('/')?.strip_prefix(address::BEFORE_USERNAME)?.split_once('/')?;
        Some(Self::Address(Username::parse_known(username).ok()?, Slug::parse(slug)?))
    }

    /// The id of the post that is read there.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Busy`].
    pub async fn post(&self, site: &Site, actor: &Actor) -> Result<PostId, AppError> {
        match self {
            Self::Id(id) => Ok(id.clone()),
            Self::Address(username, slug) => {
                site.addresses().post_at(site, actor, username, slug).await?.ok_or(AppError::NotFound)
            }
        }
    }
}

/// The page has moved to another path of this site, for ever.
fn moved(path: &str) {
    let (response, location) = (expect_context::<ResponseOptions>(), HeaderValue::from_str(path));
    if let Ok(location) = location {
        response.set_status(StatusCode::PERMANENT_REDIRECT);
        response.insert_header(LOCATION, location);
    }
}

/// `:id` of the path.
fn post_id() -> String {
    use_params_map().with_untracked(|params| params.get("id").unwrap_or_default())
}

/// `?older=` and `?newer=`.
fn cursors() -> (Option<String>, Option<String>) {
    use_query_map().with_untracked(|query| (query.get("older"), query.get("newer")))
}
