//! What programs read of the site beside its pages: feeds of all posts and of each author,
//! the map of the site (<https://www.sitemaps.org/protocol.html>) and `/robots.txt`.
//!
//! `http` has the paths. A feed is read once as a [`feed::Feed`] and written in either
//! format.

mod absolute;
mod atom;
mod feed;
pub mod http;
mod ids;
mod json;
mod robots;
mod sitemap;
mod xml;
