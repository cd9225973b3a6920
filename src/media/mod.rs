//! Pictures that authors upload and show in their texts.
//!
//! `api` has the server functions. With `ssr`, `address` says where a picture is found and
//! in which sizes, `objects` reads and writes an object store, `http` takes uploads and serves files, `site_http` serves the logo and the icon of the site, `pages` has the screens, and
//! `domain` the use cases, the reading of pictures and the SQL.

mod picture;

pub mod api;

cfg_if::cfg_if! {
    if #[cfg(feature = "ssr")] {
        pub mod address;
        pub mod domain;
        pub mod forms;
        pub mod http;
        pub mod objects;
        pub mod pages;
        pub mod site_http;
    }
}

pub use picture::{Alt, AltError, Picture};
