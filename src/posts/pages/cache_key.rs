//! Which pages of posts are cached.

use std::borrow::Cow;

use axum::http::Uri;
use futures::future::BoxFuture;
use url::form_urlencoded;

use super::PostPath;
use crate::{credentials::Actor, http::page_cache::Key, posts::PageRequest, site::Site};

/// The key of a page that is the same for every reader, after looking up which post is at
/// its address; `None` for all others.
pub fn find<'a>(site: &'a Site, uri: &'a Uri) -> BoxFuture<'a, Option<Key>> {
    Box::pin(async move {
        if let Some(PostPath::Address(username, slug)) = PostPath::parse(uri.path()) {
            // An error comes again, and is shown, when the page is made.
            let _ = site.addresses().post_at(site, &Actor::Anonymous, &username, &slug).await;
        }
        known(site, uri)
    })
}

/// The key of a page that is the same for every reader, as far as it is known; `None` for
/// all others. Parameters that advertisers and social networks append are ignored.
#[must_use]
pub fn known(site: &Site, uri: &Uri) -> Option<Key> {
    let (generation, name) = match uri.path() {
        "/" => {
            let list = match page_request(uri.query().unwrap_or_default())? {
                PageRequest::First => "/".to_owned(),
                PageRequest::OlderThan(cursor) => format!("/?older={cursor}"),
                PageRequest::NewerThan(cursor) => format!("/?newer={cursor}"),
            };
            (site.bus().changes.lists()?, list)
        }
        path => {
            let post = match PostPath::parse(path)? {
                PostPath::Id(id) => id,
                // Strangers can invent the others.
                PostPath::Address(username, slug) => site.addresses().remembered(&username, &slug)?,
            };
            (site.bus().changes.post(&post)?, path.to_owned())
        }
    };
    Some(Key { generation, name })
}

/// The page of the list that a query names by its last `older` and `newer`, as
/// the router reads them; `None` if it is invalid.
fn page_request(query: &str) -> Option<PageRequest> {
    let parameter =
        |wanted| form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == wanted).last();
    let (older, newer) = (parameter("older"), parameter("newer"));
    let cursor = |found: &Option<(_, Cow<'_, str>)>| found.as_ref().map(|(_, value)| value.to_string());
    PageRequest::parse(cursor(&older).as_deref(), cursor(&newer).as_deref()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_named_by_its_own_parameters_alone() {
        let cursor = "1_a".parse().unwrap();
        assert_eq!(page_request("utm_source=x&older=1_a&fbclid"), Some(PageRequest::OlderThan(cursor)));
        for first in ["", "&", "utm_source=x", "Older=1_a", "a&a&a=", "=older"] {
            assert_eq!(page_request(first), Some(PageRequest::First), "{first:?}");
        }
        for none in ["older=", "older=1_a&newer=1_a", "older=x", "older=1_a&older=x"] {
            assert_eq!(page_request(none), None, "{none:?}");
        }
    }
}
