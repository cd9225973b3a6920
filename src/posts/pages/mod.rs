//! The screens of posts.

mod author;
pub mod cache_key;
mod delete;
mod edit;
mod ending;
pub mod frame;
mod list;
mod parts;
pub mod preview;
mod show;
mod trash;

pub use author::AuthorPage;
pub use delete::DeletePostPage;
pub use edit::{EditPostPage, NewPostPage};
pub use list::{AllPostsPage, MyPostsPage};
pub use preview::FeedLinks;
pub use show::PostPage;
pub use trash::TrashPage;

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

/// `:id` of the path.
fn post_id() -> String {
    use_params_map().with_untracked(|params| params.get("id").unwrap_or_default())
}

/// `?older=` and `?newer=`.
fn cursors() -> (Option<String>, Option<String>) {
    use_query_map().with_untracked(|query| (query.get("older"), query.get("newer")))
}
