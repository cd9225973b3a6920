//! Where pictures are found: `/media/{hash}-{width}x{height}.{extension}`, and forms of
//! `width` pixels at `/media/{hash}-{width}x{height}-{width}w.webp`.
//!
//! The size stands in the address, so that Markdown is rendered without a question to the
//! database. An address with an invented size is 404.

use std::fmt;

/// What the path of every picture begins with.
pub const FOLDER: &str = "/media/";

/// Hexadecimal digits of a hash in an address.
const HASH_DIGITS: usize = 40;

/// The longest side of a picture: WebP can have no longer one.
pub const MAX_SIDE: u32 = 16_383;

/// The widths in which pictures are offered, beside their own. None is enlarged.
const WIDTHS: [u32; 3] = [480, 960, 1920];

/// The format in which a picture is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Jpeg,
    Png,
    Gif,
    WebP,
}

impl Format {
    const ALL: [Self; 4] = [Self::Jpeg, Self::Png, Self::Gif, Self::WebP];

    /// Of the name of a file.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::Gif => "gif",
            Self::WebP => "webp",
        }
    }

    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::WebP => "image/webp",
        }
    }

    /// The format with that extension.
    #[must_use]
    pub fn of_extension(extension: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.extension() == extension)
    }
}

/// The hash of a file as it was uploaded: 160 bits of SHA-256.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash(String);

impl Hash {
    /// Of an uploaded file.
    #[must_use]
    pub fn of(file: &[u8]) -> Self {
        use sha2::{Digest, Sha256};
        Self(crate::text::hex(&Sha256::digest(file)[..HASH_DIGITS / 2]))
    }

    /// Of a part of an address.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let is_hash = raw.len() == HASH_DIGITS && raw.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        is_hash.then(|| Self(raw.to_owned()))
    }

    /// The hashes of all addresses in a text, each with the place where its address begins.
    pub fn in_text(text: &str) -> impl Iterator<Item = (usize, Self)> {
        text.match_indices(FOLDER).filter_map(|(at, _)| {
            let start = at + FOLDER.len();
            Some((at, Self::parse(text.get(start..start + HASH_DIGITS)?)?))
        })
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The address of a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub hash: Hash,
    pub width: u32,
    pub height: u32,
    pub format: Format,
}

impl Address {
    /// The picture at that path.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let (address, width) = parse_name(path.strip_prefix(FOLDER)?)?;
        width.is_none().then_some(address)
    }

    /// The widths of its forms in WebP: none is wider than the picture.
    #[must_use]
    pub fn widths(&self) -> Vec<u32> {
        let mut widths: Vec<u32> = WIDTHS.map(|width| width.min(self.width)).into();
        widths.dedup();
        // Frames that move have no other form; the first one is for lists.
        if self.format == Format::Gif {
            widths.truncate(1);
        }
        widths
    }

    /// The name of its form of that width.
    #[must_use]
    pub fn form(&self, width: u32) -> String {
        let Self { hash, width: full, height, .. } = self;
        format!("{}-{full}x{height}-{width}w.webp", hash.as_str())
    }

    /// The name of the file with the whole picture.
    #[must_use]
    pub fn name(&self) -> String {
        let Self { hash, width, height, format } = self;
        format!("{}-{width}x{height}.{}", hash.as_str(), format.extension())
    }

    /// Its smallest form, for lists.
    #[must_use]
    pub fn thumbnail(&self) -> String {
        format!("{FOLDER}{}", self.form(WIDTHS[0].min(self.width)))
    }

    /// Its forms, as browsers choose among them (HTML 4.8.4.2.1). None where it may move.
    #[must_use]
    pub fn srcset(&self) -> Option<String> {
        let form = |width: u32| format!("{FOLDER}{} {width}w", self.form(width));
        let forms = || self.widths().into_iter().map(form).collect::<Vec<_>>().join(", ");
        (self.format != Format::Gif).then(forms)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{FOLDER}{}", self.name())
    }
}

/// The media type of a file of that name, if there can be one.
#[must_use]
pub fn media_type(name: &str) -> Option<&'static str> {
    let (address, width) = parse_name(name)?;
    Some(width.map_or(address.format, |_| Format::WebP).media_type())
}

/// The hash in the name of a file.
#[must_use]
pub fn hash_of(name: &str) -> Option<Hash> {
    Some(parse_name(name)?.0.hash)
}

/// The picture and, of another form, the width.
fn parse_name(name: &str) -> Option<(Address, Option<u32>)> {
    let (stem, extension) = name.split_once('.')?;
    let format = Format::of_extension(extension)?;
    let mut parts = stem.split('-');
    let hash = Hash::parse(parts.next()?)?;
    let (width, height) = parts.next()?.split_once('x')?;
    let address = Address { hash, width: side(width)?, height: side(height)?, format };
    let form = match parts.next() {
        None => None,
        Some(width) => Some(side(width.strip_suffix('w')?)?),
    };
    parts.next().is_none().then_some((address, form))
}

/// A number of pixels, written as this module writes it.
fn side(raw: &str) -> Option<u32> {
    let number: u32 = raw.parse().ok()?;
    ((1..=MAX_SIDE).contains(&number) && number.to_string() == raw).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written_and_nothing_else_is_one() {
        let hash = Hash::of(b"a picture");
        let address = Address { hash: hash.clone(), width: 1200, height: 800, format: Format::Jpeg };
        let path = address.to_string();
        assert_eq!(path, format!("/media/{}-1200x800.jpg", hash.as_str()));
        assert_eq!(Address::parse(&path), Some(address.clone()));
        assert_eq!(media_type(&address.form(480)), Some("image/webp"));
        assert_eq!(media_type(&address.name()), Some("image/jpeg"));
        for wrong in [
            format!("/media/{}-1200x800.svg", hash.as_str()),
            format!("/media/{}-01200x800.jpg", hash.as_str()),
            format!("/media/{}-0x800.jpg", hash.as_str()),
            format!("/media/{}-+1x800.jpg", hash.as_str()),
            format!("/media/{}-1200x99999.jpg", hash.as_str()),
            format!("/media/{}-1200x800-1w-2w.jpg", hash.as_str()),
            format!("/media/{}-1200x800.jpg?x", hash.as_str()),
            format!("/media/{}-1200x800.jpg\" onerror=\"x", hash.as_str()),
            format!("https://a.example/media/{}-1200x800.jpg", hash.as_str()),
            format!("/media/{}-1200x800.jpg", hash.as_str().to_uppercase()),
            "/media/".to_owned(),
            String::new(),
        ] {
            assert_eq!(Address::parse(&wrong), None, "{wrong}");
        }
        assert_eq!(Address::parse(&format!("/media/{}", address.form(480))), None);
    }

    #[test]
    fn no_form_is_wider_than_the_picture() {
        let of = |width, format| Address { hash: Hash::of(b""), width, height: 10, format }.widths();
        assert_eq!(of(4000, Format::Jpeg), [480, 960, 1920]);
        assert_eq!(of(1200, Format::Png), [480, 960, 1200]);
        assert_eq!(of(480, Format::WebP), [480]);
        assert_eq!(of(10, Format::Jpeg), [10]);
        assert_eq!(of(4000, Format::Gif), [480]);
    }

    #[test]
    fn the_pictures_of_a_text_are_found_wherever_they_stand() {
        let (a, b) = (Hash::of(b"a"), Hash::of(b"b"));
        let text = format!(
            "![x](/media/{}-1x1.png) <img src=\"https://x.example/media/{}-1x1.png\"> /media/short /media/é",
            a.as_str(),
            b.as_str()
        );
        let found: Vec<_> = Hash::in_text(&text).collect();
        assert_eq!(found.iter().map(|(at, _)| &text[at - 1..*at]).collect::<Vec<_>>(), ["(", "e"]);
        assert_eq!(found.into_iter().map(|(_, hash)| hash).collect::<Vec<_>>(), [a, b]);
    }
}
