//! A place in code, and the HTML of the code before it.

use super::class::{BEGIN, Class, END};

/// Reads code from its beginning to its end, once.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    text: &'a str,
    /// What is read next.
    at: usize,
    /// Where the reading ends, for a language within another one.
    end: usize,
    /// Where the piece begins that is not written yet, and its class.
    from: usize,
    class: Option<Class>,
    html: String,
}

impl<'a> Cursor<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let html = String::with_capacity(text.len() * 3);
        Self { text, at: 0, end: text.len(), from: 0, class: None, html }
    }

    /// What is not read yet.
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..self.end]
    }

    pub(super) fn is_at(&self, start: &str) -> bool {
        self.rest().starts_with(start)
    }

    pub(super) fn next(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// What follows the next `length` bytes.
    pub(super) fn behind(&self, length: usize) -> &'a str {
        self.rest().get(length..).unwrap_or_default()
    }

    /// The character before the next one.
    pub(super) fn before(&self) -> Option<char> {
        self.text[..self.at].chars().next_back()
    }

    /// Whether nothing but white space is before this place in its line.
    pub(super) fn begins_line(&self) -> bool {
        // Byte by byte from here back, and no further than white space goes.
        let before = self.text[..self.at].bytes().rev();
        before.take(64).find(|byte| !matches!(byte, b' ' | b'\t')).is_none_or(|byte| byte == b'\n')
    }

    /// Reads `length` bytes, which are of that class.
    pub(super) fn take(&mut self, length: usize, class: impl Into<Option<Class>>) {
        let class = class.into();
        if class != self.class {
            self.write();
            self.class = class;
        }
        self.at = self.end.min(self.at + length);
    }

    /// Reads one character that is nothing in particular.
    pub(super) fn skip(&mut self) {
        self.take(self.next().map_or(0, char::len_utf8), None);
    }

    /// The length of the next characters of which that is true.
    pub(super) fn length_of(&self, is_part: impl Fn(char) -> bool) -> usize {
        let rest = self.rest();
        rest.find(|c| !is_part(c)).unwrap_or(rest.len())
    }

    /// The length of the rest of the line, without its end.
    pub(super) fn line(&self) -> usize {
        self.length_of(|c| c != '\n')
    }

    /// The length up to behind the next `end` that follows `from` bytes, or of all that is left.
    pub(super) fn until_behind(&self, from: usize, end: &str) -> usize {
        let found = self.behind(from).find(end);
        found.map_or(self.rest().len(), |found| from + found + end.len())
    }

    /// Lets `read` read the next `length` bytes alone.
    pub(super) fn within(&mut self, length: usize, read: impl FnOnce(&mut Self)) {
        let end = self.end;
        self.end = end.min(self.at + length);
        read(self);
        let left = self.rest().len();
        self.take(left, None);
        self.end = end;
    }

    /// The HTML of all code; what was not read is nothing in particular.
    pub(super) fn finish(mut self) -> String {
        let left = self.rest().len();
        self.take(left, None);
        self.write();
        self.html
    }

    fn write(&mut self) {
        let piece = &self.text[self.from..self.at];
        self.from = self.at;
        // White space has no colour.
        let class = self.class.filter(|_| !piece.trim_ascii().is_empty());
        if let Some(class) = class {
            self.html.push_str(BEGIN);
            self.html.push(class.letter());
            self.html.push_str("\">");
        }
        for c in piece.chars() {
            match c {
                '&' => self.html.push_str("&amp;"),
                '<' => self.html.push_str("&lt;"),
                '>' => self.html.push_str("&gt;"),
                // As the sanitizer writes it.
                '\u{A0}' => self.html.push_str("&nbsp;"),
                c => self.html.push(c),
            }
        }
        if class.is_some() {
            self.html.push_str(END);
        }
    }
}
