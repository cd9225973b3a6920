//! Which characters of a text are visible, and bytes and numbers as text.

use std::fmt;

/// Whether the whole text is invisible: a link with such a text is no link.
#[must_use]
pub fn is_blank(text: &str) -> bool {
    text.chars().all(is_invisible)
}

fn is_invisible(c: char) -> bool {
    c.is_whitespace() || is_default_ignorable(c)
}

/// The default ignorable characters of Unicode (DerivedCoreProperties.txt) that
/// occur in practice: nothing is drawn for them.
#[must_use]
pub fn is_default_ignorable(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{FEFF}' | '\u{FFA0}' | '\u{E0000}'..='\u{E0FFF}')
}

/// Of scripts that have no spaces between words: Chinese, Japanese, Thai, Lao, Khmer and Burmese.
#[must_use]
pub fn is_written_without_spaces(c: char) -> bool {
    matches!(c,
        '\u{0E00}'..='\u{0EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}'
        | '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}'
        | '\u{20000}'..='\u{3FFFF}')
}

/// How many there are of something that takes an "s" where it is more than one: "1 post",
/// "2 posts".
#[must_use]
pub fn counted<N: fmt::Display + From<u8> + PartialEq>(count: N, one: &str) -> String {
    if count == N::from(1_u8) { format!("{count} {one}") } else { format!("{count} {one}s") }
}

/// Two hexadecimal digits, in lower case, for each byte.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thing_is_not_written_as_many() {
        assert_eq!(counted(1_usize, "author"), "1 author");
        assert_eq!(counted(0_i64, "post"), "0 posts");
        assert_eq!(counted(2_i64, "post"), "2 posts");
    }
}
