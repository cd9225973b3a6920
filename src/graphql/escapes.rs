//! Escapes in strings that the grammar of async-graphql-parser lacks: a surrogate
//! pair (`"\uD83D\uDE00"`) and a code point in braces (`"\u{1F600}"`; GraphQL of
//! September 2025, "String Value"). They are replaced by their characters before the
//! parser reads the document.

use std::{iter, ops::RangeInclusive};

/// Code units that are half of a character.
const SURROGATES: RangeInclusive<u16> = 0xD800..=0xDFFF;
/// Bytes of an escape of four digits.
const FOUR_DIGITS: usize = r"\u0000".len();

/// An escape that stands for no character.
#[derive(Debug, PartialEq, Eq)]
pub struct NoCharacter {
    /// Where it begins in the string, in bytes.
    pub at: usize,
    /// What is wrong with it.
    pub message: &'static str,
}

const HALF: &str = "An escape is half of a surrogate pair; write both halves, or one escape with braces";
const NO_CODE_POINT: &str = "An escape with braces is no character; there are 0 to D7FF and E000 to 10FFFF";

/// A string of a document, with its quotation marks, without such escapes; `None`
/// if it has none. Spaces behind it make it as long as it was, in characters, so
/// that everything behind it keeps its column.
///
/// # Errors
/// The first escape that stands for no character. One that is not even an escape is
/// left for the parser.
pub fn replace(string: &str) -> Result<Option<String>, NoCharacter> {
    // Block strings have no such escapes.
    if string.starts_with("\"\"\"") || !string.contains(r"\u") {
        return Ok(None);
    }
    let mut replaced = String::new();
    let (mut at, mut copied, mut spare) = (0, 0, 0);
    while let Some(found) = string[at..].find('\\') {
        at += found;
        let escape = &string[at..];
        let Some((length, character)) = read(escape).map_err(|message| NoCharacter { at, message })? else {
            // The backslash, and what it escapes, which may be another one.
            at += escape.chars().take(2).map(char::len_utf8).sum::<usize>();
            continue;
        };
        replaced.push_str(&string[copied..at]);
        spare += length - push(&mut replaced, character);
        at += length;
        copied = at;
    }
    if copied == 0 {
        return Ok(None);
    }
    replaced.push_str(&string[copied..]);
    replaced.extend(iter::repeat_n(' ', spare));
    Ok(Some(replaced))
}

/// The length and the character of the escape that the text begins with; `None` if
/// the parser knows it, or it is none.
fn read(text: &str) -> Result<Option<(usize, char)>, &'static str> {
    if let Some(braced) = text.strip_prefix(r"\u{") {
        let digits = &braced[..braced.bytes().take_while(u8::is_ascii_hexdigit).count()];
        if digits.is_empty() || !braced[digits.len()..].starts_with('}') {
            return Ok(None);
        }
        let code_point = digits
            .chars()
            .try_fold(0_u32, |value, digit| value.checked_mul(16)?.checked_add(digit.to_digit(16)?));
        let character = code_point.and_then(char::from_u32).ok_or(NO_CODE_POINT)?;
        return Ok(Some((r"\u{}".len() + digits.len(), character)));
    }
    let Some(first) = code_unit(text).filter(|unit| SURROGATES.contains(unit)) else { return Ok(None) };
    let units = [Some(first), code_unit(&text[FOUR_DIGITS..])].into_iter().flatten();
    match char::decode_utf16(units).next() {
        Some(Ok(character)) => Ok(Some((2 * FOUR_DIGITS, character))),
        _ => Err(HALF),
    }
}

/// The code unit of an escape of four digits at the beginning of a text.
fn code_unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix(r"\u")?.get(..4)?;
    // A sign would be read as well.
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

/// Writes a character as it may stand in a string; returns how many that are.
fn push(string: &mut String, character: char) -> usize {
    let escaped = match character {
        '"' => r#"\""#,
        '\\' => r"\\",
        '\n' => r"\n",
        '\r' => r"\r",
        _ => {
            string.push(character);
            return 1;
        }
    };
    string.push_str(escaped);
    escaped.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_escape_becomes_its_character_and_the_string_keeps_its_length() {
        for (string, replaced) in [
            (r#""\uD83D\uDE00""#, "\"😀\""),
            (r#""a\ud83d\ude00b\u{1f600}\u{00000000001F600}c""#, "\"a😀b😀😀c\""),
            (r#""\u{0}\u{41}\u{e9}\u{10FFFF}""#, "\"\u{0}Aé\u{10FFFF}\""),
            (r#""\u{22}\u{5C}\u{A}\u{d}\u{9}""#, "\"\\\"\\\\\\n\\r\t\""),
            (r#""\\\u{41}\u0041\n\\u{41}\é\u{42}""#, "\"\\\\A\\u0041\\n\\\\u{41}\\éB\""),
        ] {
            let found = replace(string).expect("characters").expect("an escape");
            assert_eq!(found.trim_end_matches(' '), replaced, "{string}");
            assert_eq!(found.chars().count(), string.chars().count(), "{string}");
        }
    }

    #[test]
    fn what_the_parser_knows_and_what_is_no_escape_stays() {
        for string in [
            r#""""#,
            r#""text""#,
            r#""\u0041\uD7FF\uE000\n\"""#,
            r#""\\uD83D \\u{1F600}""#,
            r#""\u{}\u{12\u{xy}\u{ 41}\u12\u+123\uD83""#,
            r#""\U{41}\x""#,
            r#""""\u{1F600}\uD83D""""#,
        ] {
            assert_eq!(replace(string), Ok(None), "{string}");
        }
    }

    #[test]
    fn an_escape_of_no_character_is_told_with_its_place() {
        for (string, at, message) in [
            (r#""\uD83D""#, 1, HALF),
            (r#""\uDE00""#, 1, HALF),
            (r#""é\uDE00\uD83D""#, 3, HALF),
            (r#""\uD83D\uD83D\uDE00""#, 1, HALF),
            (r#""\uD83D \uDE00""#, 1, HALF),
            (r#""\uD83D\u{DE00}""#, 1, HALF),
            (r#""\uD83D\uDE00\uD83D\n""#, 13, HALF),
            (r#""\u{41}\u{D83D}""#, 7, NO_CODE_POINT),
            (r#""\u{110000}""#, 1, NO_CODE_POINT),
            (r#""\u{FFFFFFFFFFFFFFFFFFFF}""#, 1, NO_CODE_POINT),
        ] {
            assert_eq!(replace(string), Err(NoCharacter { at, message }), "{string}");
        }
    }
}
