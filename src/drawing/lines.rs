//! Lines of a text: where it is broken, and where it is cut.

use super::face::{EM, Face, Glyph, Shaped};

/// The sign for what is left out.
const ELLIPSIS: &str = "…";

/// How much room a text has.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    pub width: f32,
    pub height: f32,
    /// The distance of two lines, as a part of the size.
    pub leading: f32,
    /// The sizes to choose from, the largest first.
    pub sizes: &'static [f32],
}

/// A text, broken into lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    /// Of the letters, in pixels.
    pub size: f32,
    pub lines: Vec<Vec<Piece>>,
}

/// Letters without a break, and where they begin in their line, in units of the typeface.
#[derive(Clone, Debug, PartialEq)]
pub struct Piece {
    pub x: f32,
    pub glyphs: Vec<Glyph>,
}

/// Letters between two places where a line may end.
struct Part {
    shaped: Shaped,
    after_space: bool,
}

impl Room {
    /// The lines that fit here at that size.
    fn lines(&self, size: f32) -> usize {
        ((self.height / (size * self.leading)) as usize).max(1)
    }

    /// Breaks a [writable](Face::writable) text at the largest size at which it fits, into
    /// lines of about the same width. Where it fits at no size it is cut.
    #[must_use]
    pub fn fill(&self, face: &Face, text: &str) -> Lines {
        let space = face.shape(" ").width;
        let parts: Vec<Part> = text
            .split_whitespace()
            .flat_map(|word| {
                let pieces = word.split_inclusive(['-', '‐', '–', '—', '/']);
                pieces.enumerate().map(|(at, piece)| Part { shaped: face.shape(piece), after_space: at == 0 })
            })
            .collect();
        let widest = parts.iter().map(|part| part.shaped.width).fold(0.0, f32::max);
        let smallest = self.sizes.last().copied().unwrap_or(EM);
        // A word is broken only where even the smallest letters leave no choice.
        let is_too_wide = widest > self.width * EM / smallest;
        for size in self.sizes {
            let width = self.width * EM / size;
            let lines = broken(&parts, space, width);
            if lines.len() <= self.lines(*size) && (widest <= width || is_too_wide) {
                let lines =
                    if widest <= width { balanced(&parts, space, widest, width, lines) } else { lines };
                return Lines { size: *size, lines };
            }
        }
        let width = self.width * EM / smallest;
        let mut lines = broken(&parts, space, width);
        lines.truncate(self.lines(smallest));
        if let Some(last) = lines.last_mut() {
            cut(last, width, face.shape(ELLIPSIS));
        }
        Lines { size: smallest, lines }
    }
}

/// Lines of about the same width: the narrowest that are no more of them.
fn balanced(parts: &[Part], space: f32, widest: f32, width: f32, lines: Vec<Vec<Piece>>) -> Vec<Vec<Piece>> {
    let (mut narrow, mut wide, most) = (widest, width, lines.len());
    let mut best = lines;
    while wide - narrow > 1.0 {
        let middle = narrow.midpoint(wide);
        let lines = broken(parts, space, middle);
        if lines.len() <= most {
            (wide, best) = (middle, lines);
        } else {
            narrow = middle;
        }
    }
    best
}

/// Lines that are no wider than that. A part that is wider is broken between two letters.
fn broken(parts: &[Part], space: f32, width: f32) -> Vec<Vec<Piece>> {
    let (mut lines, mut line, mut x) = (Vec::new(), Vec::new(), 0.0);
    for Part { shaped, after_space } in parts {
        let gap = if *after_space && !line.is_empty() { space } else { 0.0 };
        if x + gap + shaped.width <= width {
            line.push(Piece { x: x + gap, glyphs: shaped.glyphs.clone() });
            x += gap + shaped.width;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        x = 0.0;
        let mut piece = Vec::new();
        for letter in letters(&shaped.glyphs) {
            let advance = advance(letter);
            if x + advance > width && !piece.is_empty() {
                lines.push(vec![Piece { x: 0.0, glyphs: std::mem::take(&mut piece) }]);
                x = 0.0;
            }
            piece.extend_from_slice(letter);
            x += advance;
        }
        line.push(Piece { x: 0.0, glyphs: piece });
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Ends a line with the sign for what is left out, and takes from its end what has no room
/// then.
fn cut(line: &mut Vec<Piece>, width: f32, sign: Shaped) {
    while let Some(last) = line.last_mut() {
        let end = last.x + advance(&last.glyphs);
        if !last.glyphs.is_empty() && end + sign.width <= width {
            last.glyphs.extend(sign.glyphs);
            return;
        }
        match last.glyphs.last().map(|glyph| glyph.letter) {
            Some(letter) => last.glyphs.retain(|glyph| glyph.letter != letter),
            None => drop(line.pop()),
        }
    }
}

/// The glyphs of each letter.
fn letters(glyphs: &[Glyph]) -> impl Iterator<Item = &[Glyph]> {
    glyphs.chunk_by(|one, next| one.letter == next.letter)
}

fn advance(glyphs: &[Glyph]) -> f32 {
    glyphs.iter().map(|glyph| glyph.advance).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOM: Room = Room { width: 1000.0, height: 310.0, leading: 1.2, sizes: &[80.0, 60.0, 50.0] };

    fn filled(text: &str) -> Lines {
        let face = Face::load().expect("a typeface");
        ROOM.fill(&face, &face.writable(text).expect("a writable text"))
    }

    fn width(lines: &Lines, line: &[Piece]) -> f32 {
        let end = line.last().map_or(0.0, |last| last.x + advance(&last.glyphs));
        end * lines.size / EM
    }

    #[test]
    fn a_short_text_is_large_and_a_long_one_is_small_and_cut() {
        let short = filled("A heron");
        assert_eq!((short.size, short.lines.len()), (80.0, 1));
        let middle = filled(&"words ".repeat(18));
        assert!(middle.size < 80.0 && middle.lines.len() > 1, "{} px", middle.size);
        let long = filled(&"words ".repeat(66));
        assert_eq!((long.size, long.lines.len()), (50.0, 5));
        let face = Face::load().expect("a typeface");
        let sign = face.shape(ELLIPSIS).glyphs;
        let last = long.lines.last().and_then(|line| line.last()).expect("a piece");
        assert!(last.glyphs.ends_with(&sign), "it ends with the sign for what is left out");
    }

    #[test]
    fn lines_have_about_the_same_width() {
        let lines = filled("It stands where the river bends and waits for us");
        let widths: Vec<_> = lines.lines.iter().map(|line| width(&lines, line)).collect();
        assert_eq!(widths.len(), 2);
        assert!((widths[0] - widths[1]).abs() < 250.0, "{widths:?}");
    }

    #[test]
    fn a_long_word_is_broken_between_letters() {
        let lines = filled(&"e\u{301}\u{323}".repeat(60));
        assert!(lines.lines.len() > 1);
        for line in &lines.lines {
            assert!(width(&lines, line) <= ROOM.width);
        }
    }

    proptest! {
        #[test]
        fn nothing_stands_outside_the_room(text in "[a-zA-ZА-я0-9 \\-/\u{301}]{1,210}|(W{1,40} ?){1,20}") {
            let face = Face::load().expect("a typeface");
            if let Some(text) = face.writable(&text) {
                let lines = ROOM.fill(&face, &text);
                prop_assert!(lines.lines.len() as f32 * lines.size * ROOM.leading <= ROOM.height);
                for line in &lines.lines {
                    prop_assert!(width(&lines, line) <= ROOM.width + 0.5);
                }
            }
        }
    }
}
