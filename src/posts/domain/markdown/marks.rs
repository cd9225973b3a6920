//! Marks: noncharacters that pass through the Markdown parser unchanged.
//!
//! Unicode reserves U+FDD0 to U+FDEF for internal use, so they have no meaning in a
//! text. Here they encode what Markdown cannot express to the parser. None is left in
//! the result.

use std::{borrow::Cow, ops::Range};

/// The most containers (quotes, list items and footnotes) that one line may open. Further
/// markers are shown as text.
pub(super) const MAX_MARKERS: usize = 32;

/// Before a marker that opens no container any more.
pub(super) const STOP: char = '\u{FDD0}';

/// Typographic punctuation that the parser makes: its mark, its character, and the
/// typed text, which is shown inside code.
const TYPOGRAPHIC: [(char, char, &str); 7] = [
    ('\u{FDD1}', '‘', "'"),
    ('\u{FDD2}', '’', "'"),
    ('\u{FDD3}', '“', "\""),
    ('\u{FDD4}', '”', "\""),
    ('\u{FDD5}', '–', "--"),
    ('\u{FDD6}', '—', "---"),
    ('\u{FDD7}', '…', "..."),
];

/// Characters with HTML references. The sanitizer needs microseconds for each
/// reference, so they pass it as marks.
const ESCAPED: [(char, char, &str); 3] =
    [('\u{FDD8}', '&', "&amp;"), ('\u{FDD9}', '<', "&lt;"), ('\u{FDDA}', '>', "&gt;")];

/// What stands at a place of the text and is written only behind the parser.
/// Authors cannot type marks, so nobody else can make one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    /// A formula, by its number.
    Formula(usize),
    /// A block of code in colours, by its number.
    Code(usize),
    /// A reference to a footnote, by its number among the references.
    Reference(usize),
    /// The beginning of a footnote, by its number among the footnotes.
    Note(usize),
    /// The end of a footnote, where the links back to its references are.
    NoteEnd(usize),
    /// The end of the text: what is still open is closed, and the footnotes follow.
    TextEnd,
}

/// The marks of [`Stand`], each before the [`DIGITS`] of a number.
const FORMULA: char = '\u{FDDB}';
const REFERENCE: char = '\u{FDDC}';
const NOTE: char = '\u{FDDD}';
const NOTE_END: char = '\u{FDDE}';
const TEXT_END: char = '\u{FDDF}';

/// The number behind a mark has four hexadecimal digits, which are marks as well.
/// More than 65,536 of one thing do not fit into a text.
const FIRST_DIGIT: char = '\u{FDE0}';
const DIGITS: usize = 4;

/// Formulas and code share a mark, because no other is left: numbers from here on are those
/// of code. A text has far fewer formulas.
const FIRST_CODE: usize = 0x8000;

/// The marks of what stands at a place.
pub(super) fn stand(stand: Stand) -> String {
    let (mark, number) = match stand {
        Stand::Formula(number) => (FORMULA, number),
        Stand::Code(number) => (FORMULA, FIRST_CODE + number),
        Stand::Reference(number) => (REFERENCE, number),
        Stand::Note(number) => (NOTE, number),
        Stand::NoteEnd(number) => (NOTE_END, number),
        Stand::TextEnd => (TEXT_END, 0),
    };
    let digit = |place: usize| {
        let value = (number >> (4 * (DIGITS - 1 - place))) & 0xF;
        char::from_u32(FIRST_DIGIT as u32 + value as u32).unwrap_or(FIRST_DIGIT)
    };
    std::iter::once(mark).chain((0..DIGITS).map(digit)).collect()
}

/// What the marks at the start of the text stand for, and their length.
pub(super) fn standing(text: &str) -> Option<(Stand, usize)> {
    let mut chars = text.chars();
    let mark = chars.next().filter(|c| matches!(*c, FORMULA..=TEXT_END))?;
    let mut number = 0;
    for _ in 0..DIGITS {
        let digit = chars.next().filter(|c| matches!(*c, FIRST_DIGIT..='\u{FDEF}'))?;
        number = number << 4 | (digit as usize - FIRST_DIGIT as usize);
    }
    let stand = match mark {
        FORMULA if number >= FIRST_CODE => Stand::Code(number - FIRST_CODE),
        FORMULA => Stand::Formula(number),
        REFERENCE => Stand::Reference(number),
        NOTE => Stand::Note(number),
        NOTE_END => Stand::NoteEnd(number),
        _ => Stand::TextEnd,
    };
    Some((stand, text.len() - chars.as_str().len()))
}

/// Whether it is one of Byline's marks.
pub(super) const fn is_mark(c: char) -> bool {
    matches!(c, '\u{FDD0}'..='\u{FDEF}')
}

/// The mark of `&`, `<` or `>`.
pub(super) fn escaped(c: char) -> Option<char> {
    ESCAPED.iter().find(|(_, own, _)| *own == c).map(|(mark, ..)| *mark)
}

/// The mark of the character reference at the start of the text, and the length of
/// the reference.
pub(super) fn reference(text: &str) -> Option<(char, usize)> {
    let (mark, _, reference) = ESCAPED.iter().find(|(.., reference)| text.starts_with(reference))?;
    Some((*mark, reference.len()))
}

/// The length of a numeric reference to a mark at the start of the text: a browser
/// would make the mark of it.
pub(super) fn reference_to_a_mark(text: &str) -> Option<usize> {
    let number = text.strip_prefix("&#")?;
    let digits = number.strip_prefix(['x', 'X']);
    let (radix, digits) = digits.map_or((10, number), |digits| (16, digits));
    let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
    let significant = digits[..end].trim_start_matches('0');
    // No mark has more digits.
    let value = Some(significant).filter(|digits| digits.len() <= 5)?;
    let value = u32::from_str_radix(value, radix).ok().and_then(char::from_u32)?;
    let length = text.len() - digits.len() + end;
    is_mark(value).then(|| length + usize::from(text[length..].starts_with(';')))
}

/// Replaces the marks of characters by their references, and others by what `made` makes
/// of what they stand for. A mark of a character always becomes text.
pub(super) fn replaced<'a>(html: String, made: impl Fn(Stand) -> Option<&'a str>) -> String {
    if !html.contains(is_mark) {
        return html;
    }
    let mut whole = String::with_capacity(html.len());
    let mut rest = html.as_str();
    while let Some(at) = rest.find(is_mark) {
        whole.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some((stand, length)) = standing(rest) {
            whole.push_str(made(stand).unwrap_or_default());
            rest = &rest[length..];
            continue;
        }
        let Some(c) = rest.chars().next() else { break };
        if let Some((.., reference)) = ESCAPED.iter().find(|(mark, ..)| *mark == c) {
            whole.push_str(reference);
        }
        rest = &rest[c.len_utf8()..];
    }
    whole.push_str(rest);
    whole
}

/// The character of one of the marks of `&`, `<` and `>`.
pub(super) fn unescaped(mark: char) -> Option<char> {
    ESCAPED.iter().find(|(own, ..)| *own == mark).map(|(_, c, _)| *c)
}

/// The character of a mark: as set in prose, and as typed.
pub(super) fn typographic(mark: char) -> Option<(char, &'static str)> {
    TYPOGRAPHIC.iter().find(|(own, ..)| *own == mark).map(|(_, shown, typed)| (*shown, *typed))
}

/// Replaces typographic punctuation by marks, if the parser made it. `text` is a piece
/// of the parser's output, and `range` its place in `source`.
pub(super) fn marked<'a>(text: &'a str, source: &str, range: Range<usize>) -> Cow<'a, str> {
    let mark = |c| TYPOGRAPHIC.iter().find(|(_, shown, _)| *shown == c).map(|(mark, ..)| *mark);
    // Punctuation that was typed itself, or as a reference (`&ndash;`), stays.
    let made = source.get(range).is_some_and(|typed| typed.starts_with(['\'', '"', '-', '.']));
    if made && let Some(marks) = text.chars().map(mark).collect::<Option<String>>() {
        return Cow::Owned(marks);
    }
    Cow::Borrowed(text)
}

/// Prepares Markdown for the parser. Removes marks that were typed, and byte order
/// marks, which hide the beginning of a line. Inserts a [`STOP`] where a line would
/// open too many containers, because the parser's time is containers times lines.
pub(super) fn prepare(markdown: &str) -> Cow<'_, str> {
    let mut text = Cow::Borrowed(markdown);
    if text.contains(is_mark) {
        text = text.replace(is_mark, "\u{FFFD}").into();
    }
    if text.contains('\u{FEFF}') {
        let lines = text.split_inclusive('\n').map(|line| line.trim_start_matches('\u{FEFF}'));
        text = lines.collect::<String>().into();
    }
    let mut stops = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        stops.extend(one_too_many(line.as_bytes()).map(|at| start + at));
        start += line.len();
    }
    if stops.is_empty() {
        return text;
    }
    let mut stopped = String::with_capacity(text.len() + stops.len() * STOP.len_utf8());
    let mut copied = 0;
    for at in stops {
        stopped.push_str(&text[copied..at]);
        stopped.push(STOP);
        copied = at;
    }
    stopped.push_str(&text[copied..]);
    stopped.into()
}

/// The position of the first marker beyond [`MAX_MARKERS`]. This function does not know
/// whether a marker really opens a container; in code none does. There the [`STOP`] is
/// removed again, so nothing changes.
fn one_too_many(line: &[u8]) -> Option<usize> {
    let rule = rule_start(line);
    let mut at = 0;
    let mut markers = 0;
    loop {
        at += line[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let length = marker(&line[at..])?;
        // `* * *` is one line across the page, not three lists.
        if at >= rule && line[at] != b'>' {
            return None;
        }
        markers += 1;
        if markers > MAX_MARKERS {
            return Some(at);
        }
        at += length;
    }
}

/// The length of the marker at the start of the line.
fn marker(line: &[u8]) -> Option<usize> {
    let length = match line.first()? {
        b'>' => return Some(1),
        b'-' | b'+' | b'*' => 1,
        b'0'..=b'9' => {
            let digits = line.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
            line.get(digits).filter(|byte| matches!(byte, b'.' | b')'))?;
            digits + 1
        }
        b'[' if line.get(1) == Some(&b'^') => {
            let label = line.iter().position(|byte| *byte == b']')?;
            return (line.get(label + 1) == Some(&b':')).then_some(label + 2);
        }
        _ => return None,
    };
    matches!(line.get(length), None | Some(b' ' | b'\t' | b'\n')).then_some(length)
}

/// Where a thematic break begins: at least three of `-` or `*` up to the end of the
/// line, with white space between.
fn rule_start(line: &[u8]) -> usize {
    let line = line.trim_ascii_end();
    let Some(mark @ (b'-' | b'*')) = line.last().copied() else { return usize::MAX };
    let tail = line.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t') || **byte == mark);
    let (length, marks) =
        tail.fold((0, 0), |(length, marks), byte| (length + 1, marks + usize::from(*byte == mark)));
    if marks >= 3 { line.len() - length } else { usize::MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_a_bounded_number_of_containers() {
        let most = "> ".repeat(MAX_MARKERS);
        assert_eq!(prepare(&format!("{most}a")), format!("{most}a"));
        assert_eq!(prepare(&format!("{most}> a\n> b")), format!("{most}{STOP}> a\n> b"));
        assert_eq!(prepare(&format!("{most}12) a")), format!("{most}{STOP}12) a"));
        assert_eq!(prepare(&format!("{most}[^1]: a")), format!("{most}{STOP}[^1]: a"));
        for untouched in ["- ".repeat(100), "*\t".repeat(100), format!("{most}{}", "- - -"), "-".repeat(100)]
        {
            assert_eq!(prepare(&untouched), untouched);
        }
    }

    #[test]
    fn nobody_else_sets_a_mark() {
        assert_eq!(prepare("a\u{FDD0}b\u{FDD5}"), "a\u{FFFD}b\u{FFFD}");
        let formula = stand(Stand::Formula(0));
        assert_eq!(prepare(&formula), "\u{FFFD}".repeat(5));
    }

    #[test]
    fn what_stands_somewhere_is_found_there() {
        for expected in [
            Stand::Formula(0),
            Stand::Code(4_095),
            Stand::Reference(0xABCD),
            Stand::Note(7),
            Stand::NoteEnd(65_535),
        ] {
            let marks = stand(expected);
            assert_eq!(standing(&format!("{marks}a")), Some((expected, marks.len())));
            assert_eq!(standing(&marks[..marks.len() - 3]), None, "a digit is missing");
        }
    }
}
