//! Style sheets.

use super::{
    class::Class,
    cursor::Cursor,
    words::{Quote, number},
};

/// Reads a style sheet; one of nested rules (SCSS, Less) has more comments and variables.
pub(super) fn read(code: &mut Cursor<'_>, is_nested: bool) {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let mut depth = 0_usize;
    while let Some(c) = code.next() {
        match c {
            '/' if code.is_at("/*") => code.take(code.until_behind(2, "*/"), Class::Comment),
            '/' if is_nested && code.is_at("//") => code.take(code.line(), Class::Comment),
            '"' => code.take(Quote::DOUBLE.length(code), Class::Text),
            '\'' => code.take(Quote::SINGLE.length(code), Class::Text),
            '@' | '$' | '#' | '.' | '!' => {
                let name = code.behind(1);
                let length = name.find(|c| !is_part(c)).unwrap_or(name.len());
                let class = match c {
                    _ if length == 0 => None,
                    '@' | '!' => Some(Class::Keyword),
                    '$' => Some(Class::Variable),
                    '#' if depth > 0 && name[..length].bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                        Some(Class::Number)
                    }
                    _ => Some(Class::Attribute),
                };
                code.take(1 + length, class);
            }
            c if c.is_ascii_digit() => {
                number(code);
                if code.is_at("%") {
                    code.take(1, Class::Number);
                }
            }
            c if c.is_alphabetic() || matches!(c, '_' | '-') => {
                let length = code.length_of(is_part);
                let (word, follows) = (&code.rest()[..length], code.behind(length));
                let class = match follows.chars().next() {
                    _ if word.starts_with("--") => Some(Class::Variable),
                    Some('(') => Some(Class::Function),
                    Some(':') if depth > 0 => Some(Class::Attribute),
                    _ if depth == 0 => Some(Class::Keyword),
                    _ => None,
                };
                code.take(length, class);
            }
            _ => {
                depth += usize::from(c == '{');
                depth = depth.saturating_sub(usize::from(c == '}'));
                code.skip();
            }
        }
    }
}
