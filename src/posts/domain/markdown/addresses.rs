//! Decides which addresses of links and pictures are kept, and gives the reason if
//! one is not.

use url::{ParseError, Url};

/// Schemes that links may have.
pub(super) const LINK_SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// What happens to the address of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Picture {
    /// The image is shown, from this address.
    Shown(String),
    /// The image is a link, because the site's policy allows images by https alone
    /// (security row X2).
    Linked(Reason),
    /// The image is dropped.
    Dropped(Reason),
}

/// Why an address is dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// Its scheme, cut where it is long.
    Scheme(String),
    /// It is no address.
    Malformed,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scheme(scheme) => write!(f, "this one begins with {scheme}:"),
            Self::Malformed => f.write_str("this one is malformed"),
        }
    }
}

/// What happens to the address of an image.
pub(super) fn picture(address: &str) -> Picture {
    let trimmed = address.trim_ascii();
    // Relative to the page's scheme; https works on every page.
    if trimmed.starts_with("//") {
        return Picture::Shown(format!("https:{trimmed}"));
    }
    match Url::parse(trimmed) {
        Ok(url) if url.scheme() == "https" => Picture::Shown(address.to_owned()),
        Err(ParseError::RelativeUrlWithoutBase) => Picture::Shown(address.to_owned()),
        Ok(url) if url.scheme() == "http" => Picture::Linked(Reason::Scheme("http".to_owned())),
        Ok(url) => Picture::Dropped(scheme(&url)),
        Err(_) => Picture::Dropped(Reason::Malformed),
    }
}

/// Why the address of a link is dropped; `None` if it is kept.
pub(super) fn refused_link(address: &str) -> Option<Reason> {
    match Url::parse(address) {
        Ok(url) => (!LINK_SCHEMES.contains(&url.scheme())).then(|| scheme(&url)),
        Err(ParseError::RelativeUrlWithoutBase) => None,
        Err(_) => Some(Reason::Malformed),
    }
}

fn scheme(url: &Url) -> Reason {
    Reason::Scheme(url.scheme().chars().take(20).collect())
}
