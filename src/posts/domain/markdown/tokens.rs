//! Splits HTML into tokens, in time that is linear in its length.
//!
//! Follows the HTML standard's tokenizer (13.2.5) with one difference: markup that is
//! never closed (`<!--`, `<script>`, `<a href="`) is text. In the standard it would
//! hide the whole rest.

use std::borrow::Cow;

use super::{elements, marks};

/// A piece of HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Text with its character references; a `<` in it begins nothing.
    Text(&'a str),
    /// Text without character references.
    Raw(&'a str),
    /// `<name …>`
    Start(&'a str, Vec<Attribute<'a>>),
    /// `</name>`
    End(&'a str),
}

/// An attribute that may be kept: its name in lower case, and its value as written,
/// with character references.
pub(super) type Attribute<'a> = (&'static str, &'a str);

/// After a tag that is never closed, the longest length of a tag. So at most this much
/// is read in vain for each further `<`.
const UNCLOSED_TAG_BYTES: usize = 1024;

/// The longest name of a character reference: `&CounterClockwiseContourIntegral;`.
const LONGEST_REFERENCE: usize = 33;

/// Replaces character references. html_escape searches the whole rest of a text for the
/// end of each `&`, so it gets one reference at a time.
pub(super) fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut decoded = String::with_capacity(text.len());
    let mut pieces = text.split('&');
    decoded.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        match piece.bytes().take(LONGEST_REFERENCE).position(|byte| byte == b';') {
            Some(end) => {
                let (reference, rest) = piece.split_at(end + 1);
                let reference = format!("&{reference}");
                let made = html_escape::decode_html_entities(&reference);
                // A mark that a reference makes is none of ours.
                decoded.push_str(if made.contains(marks::is_mark) { "\u{FFFD}" } else { &made });
                decoded.push_str(rest);
            }
            None => {
                decoded.push('&');
                decoded.push_str(piece);
            }
        }
    }
    Cow::Owned(decoded)
}

/// The tokens of a text. Comments, declarations, and the content of scripts and style
/// sheets are skipped.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    html: &'a str,
    at: usize,
    longest_tag: usize,
    /// End tags that never come.
    missing: Vec<&'static str>,
}

impl<'a> Tokens<'a> {
    pub(super) fn of(html: &'a str) -> Self {
        Self { html, at: 0, longest_tag: usize::MAX, missing: Vec::new() }
    }

    /// The token that begins at a `<`: `None` if the `<` is text, `Some(None)` if the
    /// markup is skipped.
    fn markup(&mut self) -> Option<Option<Token<'a>>> {
        let rest = &self.html[self.at..];
        let bytes = rest.as_bytes();
        match bytes.get(1)? {
            b'!' if rest.starts_with("<!--") => {
                let length = match &rest[4..] {
                    body if body.starts_with('>') => 5,
                    body if body.starts_with("->") => 6,
                    _ => 4 + self.end_of(4, "-->")?,
                };
                self.at += length;
                Some(None)
            }
            b'!' | b'?' => {
                self.at += 1 + self.end_of(1, ">")?;
                Some(None)
            }
            b'/' if bytes.get(2).is_some_and(u8::is_ascii_alphabetic) => {
                let (name, _, length) = self.tag(rest, 2)?;
                self.at += length;
                Some(Some(Token::End(name)))
            }
            b'/' => {
                self.at += 1 + self.end_of(1, ">")?;
                Some(None)
            }
            first if first.is_ascii_alphabetic() => {
                let (name, attributes, length) = self.tag(rest, 1)?;
                let Some(kind) = elements::raw_text(name) else {
                    self.at += length;
                    return Some(Some(Token::Start(name, attributes)));
                };
                let Some((inner, whole)) = self.until_closed(length, kind.name) else {
                    if kind.is_shown() {
                        self.at += length;
                        return Some(None);
                    }
                    return None;
                };
                self.at += whole;
                Some(match kind.content {
                    elements::Inner::Nothing => None,
                    elements::Inner::Text => Some(Token::Text(inner)),
                    elements::Inner::Raw => Some(Token::Raw(inner)),
                })
            }
            _ => None,
        }
    }

    /// After the next `end` that follows `from` bytes.
    fn end_of(&mut self, from: usize, end: &'static str) -> Option<usize> {
        if self.missing.contains(&end) {
            return None;
        }
        let found = self.html[self.at + from..].find(end);
        if found.is_none() {
            self.missing.push(end);
        }
        Some(found? + end.len())
    }

    /// The text before the end tag, and the length of both.
    fn until_closed(&mut self, from: usize, name: &'static str) -> Option<(&'a str, usize)> {
        if self.missing.contains(&name) {
            return None;
        }
        let rest = &self.html[self.at..];
        for (found, _) in rest[from..].match_indices("</") {
            let after = from + found + 2 + name.len();
            let named =
                rest.get(from + found + 2..after).is_some_and(|found| found.eq_ignore_ascii_case(name));
            let ended = matches!(rest.as_bytes().get(after), Some(b'>' | b'/' | b' ' | b'\t' | b'\n'));
            if named && ended {
                let tail = rest[after..].find('>')?;
                return Some((&rest[from..from + found], after + tail + 1));
            }
        }
        self.missing.push(name);
        None
    }

    /// Name, attributes and length of a tag whose name begins at `from`.
    fn tag(&mut self, rest: &'a str, from: usize) -> Option<(&'a str, Vec<Attribute<'a>>, usize)> {
        let limit = self.longest_tag.min(rest.len());
        let tag = read_tag(rest, from, limit);
        if tag.is_none() {
            self.longest_tag = UNCLOSED_TAG_BYTES;
        }
        tag
    }
}

fn read_tag(rest: &str, from: usize, limit: usize) -> Option<(&str, Vec<Attribute<'_>>, usize)> {
    let bytes = &rest.as_bytes()[..limit];
    let until = |start: usize, ends: &[u8]| {
        let length = bytes[start..].iter().position(|byte| byte.is_ascii_whitespace() || ends.contains(byte));
        length.map(|length| start + length)
    };
    let after_space = |start: usize| {
        let length = bytes[start..].iter().position(|byte| !byte.is_ascii_whitespace());
        length.map(|length| start + length)
    };
    let mut at = until(from, b"/>")?;
    let name = &rest[from..at];
    let mut attributes = Vec::new();
    loop {
        at = after_space(at)?;
        match bytes[at] {
            b'>' => return Some((name, attributes, at + 1)),
            b'/' => {
                at += 1;
                continue;
            }
            _ => {}
        }
        // A name may begin with `=`.
        let start = at;
        at = until(at + 1, b"/>=")?;
        let attribute = &rest[start..at];
        at = after_space(at)?;
        let mut value = "";
        if bytes[at] == b'=' {
            at = after_space(at + 1)?;
            match bytes[at] {
                quote @ (b'"' | b'\'') => {
                    let length = bytes[at + 1..].iter().position(|byte| *byte == quote)?;
                    value = &rest[at + 1..at + 1 + length];
                    at += length + 2;
                }
                b'>' => {}
                _ => {
                    let end = until(at, b">")?;
                    value = &rest[at..end];
                    at = end;
                }
            }
        }
        if let Some(known) = elements::attribute(attribute)
            && !attributes.iter().any(|(other, _)| *other == known)
        {
            attributes.push((known, value));
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let rest = self.html.get(self.at..).filter(|rest| !rest.is_empty())?;
            if rest.starts_with('<') {
                match self.markup() {
                    Some(Some(token)) => return Some(token),
                    Some(None) => continue,
                    None => {}
                }
            }
            // The first character may be a `<` that begins nothing.
            let length = rest.bytes().skip(1).position(|byte| byte == b'<');
            let length = length.map_or(rest.len(), |length| length + 1);
            self.at += length;
            return Some(Token::Text(&rest[..length]));
        }
    }
}
