//! The image by which other sites show a link to a page: the first picture of a post where
//! that is large enough, else one that is drawn of its title.

mod drawn;
pub mod http;

use html_escape::decode_html_entities;

pub use drawn::DrawnImages;

use super::{PostId, Summary};
use crate::{
    config::Identity,
    drawing::{self, Card},
    media::address::Address,
    text::is_blank,
};

/// What the paths of drawn images begin with.
const FOLDER: &str = "/previews";

/// The smallest picture that other sites show large.
const LARGE: (u32, u32) = (600, 315);

/// Characters of a description that other sites show.
const ALT_CHARS: usize = 400;

/// The image of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageImage {
    /// Where it is found on this site.
    pub path: String,
    /// In pixels.
    pub width: String,
    /// In pixels.
    pub height: String,
    /// For people who do not see it.
    pub alt: String,
}

impl PageImage {
    /// Of a post and its HTML.
    #[must_use]
    pub fn of_post(identity: &Identity, post: &Summary, html: &str) -> Self {
        let words = format!("{}, by {}", post.title, post.author);
        match first_picture(html) {
            Some(image) if is_blank(&image.alt) => Self { alt: words, ..image },
            Some(image) => image,
            None => Self::drawn(path_of_post(&post.id, &card_of_post(identity, post)), words),
        }
    }

    /// Of the site itself.
    #[must_use]
    pub fn of_site(identity: &Identity) -> Self {
        Self::drawn(path_of_site(&card_of_site(identity)), identity.name.to_string())
    }

    fn drawn(path: String, alt: String) -> Self {
        Self { path, width: drawing::WIDTH.to_string(), height: drawing::HEIGHT.to_string(), alt }
    }
}

/// What the image of a post says. A name that cannot be written is replaced by the username,
/// which can.
fn card_of_post(identity: &Identity, post: &Summary) -> Card {
    Card {
        title: post.title.to_string(),
        below: [&post.author, &post.owner].map(|name| format!("By {name}")).into(),
        site: identity.name.to_string(),
        accent: identity.accent_on_paper(),
    }
}

fn card_of_site(identity: &Identity) -> Card {
    Card {
        title: identity.name.to_string(),
        below: vec![identity.description.as_str().to_owned()],
        site: String::new(),
        accent: identity.accent_on_paper(),
    }
}

fn path_of_post(id: &PostId, card: &Card) -> String {
    format!("{FOLDER}/posts/{id}/{}", file(card))
}

fn path_of_site(card: &Card) -> String {
    format!("{FOLDER}/site/{}", file(card))
}

/// Another image has another name, so one that was fetched is never out of date.
fn file(card: &Card) -> String {
    format!("{}.png", card.hash())
}

/// The first picture of a text, if it is of this site and large. The sanitizer has written the
/// HTML, so every `<` begins a tag and every value stands between double quotes.
fn first_picture(html: &str) -> Option<PageImage> {
    let (_, tag) = html.split_once("<img ")?;
    let value = |name: &str| {
        let mut pieces = tag.split('"');
        loop {
            let (before, value) = (pieces.next()?, pieces.next()?);
            if before.contains('>') {
                return None;
            }
            if before.trim_start().strip_suffix('=') == Some(name) {
                return Some(value);
            }
        }
    };
    let address = Address::parse(value("src")?)?;
    let is_large = address.width >= LARGE.0 && address.height >= LARGE.1;
    is_large.then(|| PageImage {
        path: address.to_string(),
        width: address.width.to_string(),
        height: address.height.to_string(),
        alt: decode_html_entities(value("alt").unwrap_or_default()).chars().take(ALT_CHARS).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::address::{Format, Hash};

    fn picture(width: u32, height: u32) -> String {
        Address { hash: Hash::of(b"x"), width, height, format: Format::Jpeg }.to_string()
    }

    #[test]
    fn the_first_picture_counts_if_it_is_of_this_site_and_large() {
        let (large, small) = (picture(1200, 800), picture(599, 800));
        let html = format!("<p>a</p><img alt=\"&quot;A&quot; &amp; B > C\" src=\"{large}\" width=\"1200\">");
        let found = first_picture(&html).expect("a picture");
        let PageImage { path, width, height, alt } = &found;
        assert_eq!((path.as_str(), width.as_str(), height.as_str()), (large.as_str(), "1200", "800"));
        assert_eq!(alt, "\"A\" & B > C");
        let undescribed = first_picture(&format!("<img src=\"{large}\">")).expect("a picture");
        assert_eq!(undescribed.alt, "");
        let long = first_picture(&format!("<img alt=\"{}\" src=\"{large}\">", "é&amp;".repeat(50_000)));
        assert_eq!(long.expect("a picture").alt.chars().count(), ALT_CHARS);
        for none in [
            String::new(),
            "<p>img src=\"x\"</p>".to_owned(),
            format!("<img src=\"{small}\"><img src=\"{large}\">"),
            format!("<img src=\"https://other.example{large}\"><img src=\"{large}\">"),
            format!("<img alt=\"x\"> <a src=\"{large}\">"),
            format!("<img alt=\"{large}"),
        ] {
            assert_eq!(first_picture(&none), None, "{none}");
        }
    }
}
