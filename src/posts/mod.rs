//! Posts: what people write and everyone reads.
//!
//! `api` has the server functions; `editor` and `live` are islands. With `ssr`, `pages`
//! has the screens, `domain` the use cases, the policy and the SQL, and `address` says
//! where all of it is found.

mod cursor;
mod draft_post;
mod drafts;
pub mod found;
mod language;
mod open_drafts;
mod page;
mod post;
mod revision;
mod sent;
mod slug;
mod tag;

pub mod api;
pub mod editor;
pub mod live;

cfg_if::cfg_if! {
    if #[cfg(feature = "ssr")] {
        pub mod address;
        pub mod domain;
        pub mod events;
        pub mod forms;
        pub mod images;
        pub mod pages;
    }
}

pub use cursor::{Cursor, PageRequest};
pub use draft_post::{DraftPost, PostOrDraft};
pub use language::{Language, UnknownLanguage};
pub use page::{Page, Summary};
pub use post::{BYTE_ORDER_MARK, Content, ContentError, Post, PostId, Title, TitleError};
pub use revision::Revision;
pub use slug::Slug;
pub use tag::{Tag, TagError, Tags};
