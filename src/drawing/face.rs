//! The typeface of images, and which texts it can write.

use std::sync::LazyLock;

use harfrust::{
    Buffer, Direction, Font, GlyphId, ShapeOptions, ShaperFont,
    font::glyph::outline::{DrawMemory, DrawOptions, PathSink},
    shape,
};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};
use unicode_segmentation::UnicodeSegmentation;

use crate::text::is_default_ignorable;

/// Source Serif 4, semibold; docs/typeface.md says how it is cut.
static FILE: &[u8] = include_bytes!("serif-600.ttf");

static FONT: LazyLock<Option<Font>> = LazyLock::new(|| Font::new(FILE, 0));

/// Units of a typeface in its size.
pub const EM: f32 = 1000.0;

/// The height of its capital letters.
pub const CAPITALS: f32 = 670.0;

/// Characters of a text that are looked at. More are never seen on an image.
const LOOKED_AT: usize = 400;

/// Marks above and below one letter that are drawn. More would run into other lines.
const MARKS: usize = 2;

/// Letters as they are drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shaped {
    pub glyphs: Vec<Glyph>,
    /// In units of the typeface.
    pub width: f32,
}

/// One outline of the typeface, and where it stands from the point that the glyphs before it
/// have reached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Glyph {
    id: u32,
    /// Where its letter begins in the text. Glyphs with the same place belong together.
    pub letter: u32,
    pub advance: f32,
    x: f32,
    y: f32,
}

/// The typeface, ready to write.
pub struct Face {
    font: &'static Font,
    shaper: ShaperFont<'static, 'static>,
}

impl Face {
    /// `None` if the file is no typeface, which a test excludes.
    #[must_use]
    pub fn load() -> Option<Self> {
        let font = FONT.as_ref()?;
        Some(Self { font, shaper: ShaperFont::new(font) })
    }

    /// The text as it can be written: `None` if it has a letter that the typeface has not, or
    /// if nothing is left to be seen. Emoji are left out. So are marks that only change the
    /// direction: every script that the typeface has runs from left to right.
    #[must_use]
    pub fn writable(&self, text: &str) -> Option<String> {
        let composed: String = text.chars().take(LOOKED_AT).nfc().collect();
        let mut written = String::with_capacity(composed.len());
        let mut was_emoji = false;
        for letter in composed.graphemes(true) {
            let (mut marks, follows_emoji) = (0, std::mem::take(&mut was_emoji));
            for c in letter.chars().filter(|c| !is_default_ignorable(*c)) {
                if c.is_whitespace() {
                    was_emoji = follows_emoji;
                    if !written.is_empty() && !written.ends_with(' ') {
                        written.push(' ');
                    }
                } else if is_combining_mark(c) {
                    let has_letter = written.chars().next_back().is_some_and(|last| last != ' ');
                    if has_letter && marks < MARKS && self.has(c) {
                        written.push(c);
                        marks += 1;
                    }
                } else if self.has(c) {
                    if follows_emoji && ends_words(c) {
                        written.truncate(written.trim_end().len());
                    }
                    written.push(c);
                } else if is_emoji(c) {
                    was_emoji = true;
                    // The rest of this one belongs to it.
                    break;
                } else {
                    let parts: Vec<char> = std::iter::once(c).nfkd().collect();
                    if !parts.iter().all(|part| self.has(*part)) {
                        return None;
                    }
                    written.extend(parts);
                }
            }
        }
        written.truncate(written.trim_end().len());
        (!written.is_empty()).then_some(written)
    }

    fn has(&self, c: char) -> bool {
        self.shaper.nominal_glyph(u32::from(c)).is_some_and(|glyph| glyph != GlyphId::NOTDEF)
    }

    /// The letters of a [writable](Self::writable) text.
    #[must_use]
    pub fn shape(&self, text: &str) -> Shaped {
        let mut buffer = Buffer::new();
        buffer.push_str(text);
        buffer.guess_segment_properties();
        buffer.set_direction(Direction::LeftToRight);
        if shape(&self.shaper, &mut buffer, ShapeOptions::new()).is_err() {
            return Shaped::default();
        }
        let glyphs: Vec<_> = buffer
            .glyph_infos()
            .iter()
            .zip(buffer.glyph_positions())
            .map(|(info, at)| Glyph {
                id: info.glyph_id,
                letter: info.cluster,
                advance: at.x_advance as f32,
                x: at.x_offset as f32,
                y: at.y_offset as f32,
            })
            .collect();
        Shaped { width: glyphs.iter().map(|glyph| glyph.advance).sum(), glyphs }
    }

    /// Draws the outline of a glyph at a point of an image, where `y` grows downwards; `scale`
    /// is the length of a unit.
    pub fn outline(&self, glyph: &Glyph, at: (f32, f32), scale: f32, sink: &mut dyn PathSink) {
        let Some(outline) = self.font.outline_glyphs().get(GlyphId::new(glyph.id)) else { return };
        let (x, y) = (at.0 + glyph.x * scale, at.1 - glyph.y * scale);
        let mut placed = Placed { sink, x, y, scale };
        // An outline that cannot be read is not drawn.
        let _ = outline.draw(&DrawOptions::new(), DrawMemory::Scratch, &mut placed);
    }
}

/// Signs that follow a word without a space.
fn ends_words(c: char) -> bool {
    matches!(c, '.' | ',' | ':' | ';' | '!' | '?' | '…' | ')' | ']' | '”' | '’' | '»')
}

/// Pictures that stand in a text beside its letters, and the parts of such pictures.
fn is_emoji(c: char) -> bool {
    // Sharps and flats are part of what is said.
    let is_music = matches!(c, '\u{266D}'..='\u{266F}');
    !is_music
        && matches!(c,
            '\u{2300}'..='\u{23FF}' | '\u{25A0}'..='\u{27BF}' | '\u{2B00}'..='\u{2BFF}'
            | '\u{1F000}'..='\u{1FAFF}')
}

/// An outline at its place on the image.
struct Placed<'a> {
    sink: &'a mut dyn PathSink,
    x: f32,
    y: f32,
    scale: f32,
}

impl Placed<'_> {
    fn at(&self, x: f32, y: f32) -> (f32, f32) {
        (self.x + x * self.scale, self.y - y * self.scale)
    }
}

impl PathSink for Placed<'_> {
    fn move_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.sink.move_to(x, y);
    }

    fn line_to(&mut self, x: f32, y: f32) {
        let (x, y) = self.at(x, y);
        self.sink.line_to(x, y);
    }

    fn quad_to(&mut self, control_x: f32, control_y: f32, x: f32, y: f32) {
        let ((control_x, control_y), (x, y)) = (self.at(control_x, control_y), self.at(x, y));
        self.sink.quad_to(control_x, control_y, x, y);
    }

    fn curve_to(&mut self, x0: f32, y0: f32, x1: f32, y1: f32, x: f32, y: f32) {
        let ((x0, y0), (x1, y1), (x, y)) = (self.at(x0, y0), self.at(x1, y1), self.at(x, y));
        self.sink.curve_to(x0, y0, x1, y1, x, y);
    }

    fn close(&mut self) {
        self.sink.close();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn face() -> Face {
        Face::load().expect("a typeface")
    }

    #[test]
    fn what_can_be_written_is_written_and_emoji_are_left_out() {
        for (text, written) in [
            ("The heron", Some("The heron")),
            (" Two\u{2003} spaces ", Some("Two spaces")),
            ("Ich weiß: Größe & Ähre", Some("Ich weiß: Größe & Ähre")),
            ("Η ζωή εν τάφω", Some("Η ζωή εν τάφω")),
            ("Ґанок, ё, Қазақстан", Some("Ґанок, ё, Қазақстан")),
            ("Tiếng Việt", Some("Tiếng Việt")),
            ("Tie\u{302}\u{301}ng", Some("Tiếng")),
            ("To the moon 🚀 and 👩‍🚀 back 🇦🇹", Some("To the moon and back")),
            ("I ♥️ it", Some("I it")),
            ("To the moon 🚀: a year, ah 🚀 !", Some("To the moon: a year, ah!")),
            ("Bon 🎉 jour !", Some("Bon jour !")),
            ("1️⃣ first", Some("1 first")),
            ("𝐁𝐨𝐥𝐝 ﬁn Ａ", Some("Bold fin A")),
            ("q\u{301}", Some("q\u{301}")),
            ("Ĭ", Some("I\u{306}")),
            ("x\u{336}", Some("x")),
            ("ab\u{202E}cd\u{200F}", Some("abcd")),
            ("C♯", None),
            ("標題", None),
            ("עברית", None),
            ("العربية", None),
            ("नमस्ते", None),
            ("ไทย", None),
            ("half 漢", None),
            ("🚀", None),
            ("\u{200B}\u{301}", None),
            ("", None),
        ] {
            assert_eq!(face().writable(text).as_deref(), written, "{text}");
        }
    }

    #[test]
    fn letters_are_kerned_and_marks_stand_above_their_letter() {
        let width = |text: &str| face().shape(text).width;
        assert!(width("AV") < width("A") + width("V"));
        assert_eq!(width("q\u{301}"), width("q"));
        let shaped = face().shape("q\u{301}");
        assert_eq!(shaped.glyphs.len(), 2);
        assert_eq!(shaped.glyphs[0].letter, shaped.glyphs[1].letter);
    }

    #[test]
    fn of_many_marks_on_a_letter_few_are_drawn() {
        let zalgo = format!("a{}b", "\u{301}\u{323}".repeat(150));
        assert!(face().writable(&zalgo).expect("a text").chars().count() <= 2 + MARKS);
    }

    proptest! {
        #[test]
        fn nothing_is_written_as_an_empty_box(text in "\\PC{0,60}|[a-zà-ỹα-ω0-9 \u{300}-\u{330}☀-⛿🌀-🧿]{0,60}") {
            let face = face();
            if let Some(written) = face.writable(&text) {
                for glyph in face.shape(&written).glyphs {
                    prop_assert_ne!(glyph.id, 0, "{} of {}", &written, &text);
                }
            }
        }
    }
}
