//! Images of words: what other sites show beside a link to a post.
//!
//! [`Card::draw`] makes a PNG. Its time and memory are bounded by its size alone, whatever the
//! texts are. It works on the thread that calls it.

mod canvas;
mod face;
mod lines;

use png::EncodingError;
use sha2::{Digest, Sha256};

use crate::{config::Colour, text::hex};
use canvas::Canvas;
use face::{CAPITALS, EM, Face};
use lines::Room;

/// The width that sites ask for beside a large preview, in pixels.
pub const WIDTH: u32 = 1200;

/// The height, in pixels.
pub const HEIGHT: u32 = 630;

/// It is part of every hash: another number makes every image anew.
const VERSION: u32 = 1;

/// Hexadecimal digits of a hash.
const HASH_DIGITS: usize = 24;

/// The band at the left edge, in pixels.
const BAND: f32 = 28.0;

/// Where every text begins.
const LEFT: f32 = 104.0;

/// The room at the other edges.
const MARGIN: f32 = 76.0;

/// The widest line.
const TEXT_WIDTH: f32 = WIDTH as f32 - LEFT - MARGIN;

/// The middle of the title.
const MIDDLE: f32 = 306.0;

/// The line of the site's name, on which its letters stand.
const TOP_LINE: f32 = 112.0;

/// The thin rule above the author's name.
const RULE: f32 = 506.0;

/// The line of the author's name.
const BOTTOM_LINE: f32 = 564.0;

const TITLE: Room = Room {
    width: TEXT_WIDTH,
    height: 300.0,
    leading: 1.14,
    sizes: &[120.0, 108.0, 98.0, 86.0, 78.0, 70.0, 64.0, 58.0, 52.0, 47.0, 43.0],
};

const SMALL: Room = Room { width: TEXT_WIDTH, height: 40.0, leading: 1.0, sizes: &[36.0, 32.0, 28.0] };

/// What an image says, and its colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    pub title: String,
    /// What stands below; the first of them that can be written.
    pub below: Vec<String>,
    /// The name of the site. It takes the place of a title that cannot be written.
    pub site: String,
    pub accent: Colour,
}

impl Card {
    /// A hash of all that is seen on the image.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(VERSION.to_be_bytes());
        hash.update(self.accent.rgb());
        for text in [&self.title, &self.site].into_iter().chain(&self.below) {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        hex(&hash.finalize()[..HASH_DIGITS / 2])
    }

    /// The image, as a PNG.
    ///
    /// # Errors
    /// None in practice: there is no file that could not be written.
    pub fn draw(&self) -> Result<Vec<u8>, EncodingError> {
        let mut canvas = Canvas::new(WIDTH, HEIGHT, Colour::PAPER);
        canvas.rectangle((0.0, 0.0), (BAND, HEIGHT as f32), self.accent);
        if let Some(face) = Face::load() {
            self.write(&face, &mut canvas);
        }
        canvas.png()
    }

    fn write(&self, face: &Face, canvas: &mut Canvas) {
        let site = face.writable(&self.site);
        let (title, site) = match face.writable(&self.title) {
            Some(title) => (Some(title), site),
            None => (site, None),
        };
        if let Some(title) = title {
            let lines = TITLE.fill(face, &title);
            let step = lines.size * TITLE.leading;
            // The middle between the first line's capitals and the last line.
            let height = step * (lines.lines.len().max(1) - 1) as f32 - CAPITALS * lines.size / EM;
            canvas.write(face, &lines, (LEFT, MIDDLE - height / 2.0), step, Colour::INK);
        }
        let mut line = |text: &str, y, colour| {
            canvas.write(face, &SMALL.fill(face, text), (LEFT, y), 0.0, colour);
        };
        if let Some(site) = site {
            line(&site, TOP_LINE, self.accent);
        }
        if let Some(below) = self.below.iter().find_map(|text| face.writable(text)) {
            line(&below, BOTTOM_LINE, Colour::INK_SOFT);
            canvas.rectangle((LEFT, RULE), (TEXT_WIDTH, 2.0), Colour::LINE);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn card(title: &str) -> Card {
        Card {
            title: title.to_owned(),
            below: vec!["By 艾達".to_owned(), "By ada".to_owned()],
            site: "Marsh notes".to_owned(),
            accent: Colour::ACCENT,
        }
    }

    /// Width, height, colours and bits of the image.
    fn head(png: &[u8]) -> (u32, u32, png::ColorType, png::BitDepth) {
        let reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().expect("a PNG");
        let info = reader.info();
        (info.width, info.height, info.color_type, info.bit_depth)
    }

    #[test]
    fn everything_that_is_seen_is_part_of_the_hash() {
        let first = card("A heron");
        let mut hashes = vec![first.hash()];
        for other in [
            card("A herons"),
            Card { below: vec!["By ada".to_owned()], ..first.clone() },
            Card { site: "Marsh".to_owned(), ..first.clone() },
            Card { accent: Colour::INK, ..first.clone() },
            // The same letters, cut elsewhere.
            Card { title: "A heronMarsh".to_owned(), site: " notes".to_owned(), ..first.clone() },
        ] {
            hashes.push(other.hash());
        }
        let unique: std::collections::BTreeSet<_> = hashes.iter().collect();
        assert_eq!(unique.len(), hashes.len());
        assert_eq!(card("A heron").hash(), first.hash());
    }

    #[test]
    fn an_image_has_few_colours_and_few_bytes() {
        let png = card(&"The heron stands where the river bends. ".repeat(5)).draw().expect("an image");
        assert_eq!(head(&png), (WIDTH, HEIGHT, png::ColorType::Indexed, png::BitDepth::Eight));
        assert!(png.len() < 64 * 1024, "{} bytes", png.len());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn every_title_is_drawn(title in ".{0,200}|[a-zĀ-ɏͰ-ӿ\u{300}-\u{36F}\u{200B}-\u{202E} \\-]{0,250}|(W ?){0,200}") {
            let mut card = card(&title);
            card.site.clone_from(&title);
            let png = card.draw().expect("an image");
            prop_assert_eq!((head(&png).0, head(&png).1), (WIDTH, HEIGHT));
        }
    }
}
