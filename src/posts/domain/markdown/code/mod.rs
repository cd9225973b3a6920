//! Colours code: finds comments, strings, numbers and words in it, and puts each into an
//! element with a class.
//!
//! The time is linear in the length of the code, for any code, because each character is
//! read once, without going back. The text is never changed: [`Spans`] writes the pieces
//! of the code itself, in their order. What is written is no input of the sanitizer. It
//! takes the place of a mark behind it, so authors cannot type these classes.

mod class;
mod cursor;
mod data;
mod languages;
mod markup;
mod style;
#[cfg(test)]
mod tests;
mod words;

use std::borrow::Cow;

use self::{
    class::{BEGIN, END},
    cursor::Cursor,
    languages::{Grammar, named},
};

/// The most code of a text that is coloured, in bytes. What follows stays plain, because
/// each word can become ten times as long on the page.
const MOST: usize = 64 * 1024;

/// The most blocks that are coloured: as many as marks can name.
const MOST_BLOCKS: usize = 4_096;

/// A block of code whose language is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Code {
    /// As it was typed.
    pub(super) typed: String,
    /// Safe, in colours; `None` if there is too much code in the text.
    pub(super) html: Option<String>,
}

/// The code of a text, in its order.
#[derive(Debug, Default)]
pub(super) struct Codes {
    all: Vec<Code>,
    /// The grammar of the block that is being read.
    open: Option<Grammar>,
    bytes: usize,
}

impl Codes {
    /// Begins a block; `info` is what stands behind its fence.
    pub(super) fn begin(&mut self, info: &str) {
        self.open = grammar(info).filter(|_| self.all.len() < MOST_BLOCKS);
        if self.open.is_some() {
            self.all.push(Code { typed: String::new(), html: None });
        }
    }

    /// Whether a block is being read that may get colours.
    pub(super) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Takes a piece of the block. For its first piece, the answer is the number of the block,
    /// which stands in the text for all of it.
    pub(super) fn take(&mut self, text: &str) -> Option<usize> {
        let number = self.all.len().checked_sub(1)?;
        let code = &mut self.all[number].typed;
        let is_first = code.is_empty() && !text.is_empty();
        code.push_str(text);
        is_first.then_some(number)
    }

    /// Ends a block, and colours it.
    pub(super) fn end(&mut self) {
        let Some(grammar) = self.open.take() else { return };
        let Some(code) = self.all.last_mut() else { return };
        self.bytes += code.typed.len();
        if self.bytes <= MOST {
            code.html = Some(coloured(grammar, &code.typed));
        }
    }

    pub(super) fn written(self) -> Vec<Code> {
        self.all
    }
}

/// The grammar that the words behind a fence name: `rust`, `rust,ignore`, `{.rust}`.
fn grammar(info: &str) -> Option<Grammar> {
    let info = info.trim_start().trim_start_matches('{').trim_start_matches('.');
    let name = info.split([' ', '\t', ',', '{', '}', ':']).next()?;
    (name.len() <= 16).then(|| named(&name.to_ascii_lowercase())).flatten()
}

/// The HTML of code.
fn coloured(grammar: Grammar, code: &str) -> String {
    let mut cursor = Cursor::of(code);
    read(grammar, &mut cursor);
    cursor.finish()
}

fn read(grammar: Grammar, code: &mut Cursor<'_>) {
    match grammar {
        Grammar::Words(words) => words.read(code),
        Grammar::Markup { is_page } => markup::read(code, is_page),
        Grammar::Style { is_nested } => style::read(code, is_nested),
        Grammar::Data(data) => data.read(code),
        Grammar::Difference => data::read_difference(code),
    }
}

/// HTML without the colours of code, for whoever has no style sheet of Byline, or counts
/// words.
pub(super) fn without_colours(html: &str) -> Cow<'_, str> {
    if !html.contains(BEGIN) {
        return Cow::Borrowed(html);
    }
    let mut pieces = html.split(BEGIN);
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        // What is in an element of a colour is text alone.
        let (_, piece) = piece.split_once('>').unwrap_or_default();
        let (text, rest) = piece.split_once(END).unwrap_or((piece, ""));
        plain.push_str(text);
        plain.push_str(rest);
    }
    Cow::Owned(plain)
}
