//! Elements with attributes, as HTML and XML have them.

use super::{class::Class, cursor::Cursor, languages::JAVASCRIPT, style, words::Quote};

/// Reads elements; in a page, scripts and style sheets too.
pub(super) fn read(code: &mut Cursor<'_>, is_page: bool) {
    while let Some(c) = code.next() {
        match c {
            '<' if code.is_at("<!--") => code.take(code.until_behind(4, "-->"), Class::Comment),
            '<' if code.is_at("<![CDATA[") => code.take(code.until_behind(9, "]]>"), Class::Text),
            '<' if code.is_at("<!") || code.is_at("<?") => {
                code.take(code.until_behind(2, ">"), Class::Attribute)
            }
            '<' => {
                let begin = if code.is_at("</") { 2 } else { 1 };
                let name = name_length(code.behind(begin));
                if name == 0 {
                    code.skip();
                    continue;
                }
                let raw = match &code.behind(begin)[..name] {
                    "script" if is_page && begin == 1 => Some("</script"),
                    "style" if is_page && begin == 1 => Some("</style"),
                    _ => None,
                };
                code.take(begin, None);
                code.take(name, Class::Keyword);
                let is_open = tag(code);
                if let Some(end) = raw.filter(|_| is_open) {
                    let inner = code.rest().find(end).unwrap_or(code.rest().len());
                    code.within(inner, |code| match end {
                        "</script" => JAVASCRIPT.read(code),
                        _ => style::read(code, false),
                    });
                }
            }
            '&' => {
                let name = code.behind(1);
                let length =
                    name.find(|c: char| !c.is_ascii_alphanumeric() && c != '#').unwrap_or(name.len());
                let is_reference = length > 0 && name[length..].starts_with(';');
                code.take(if is_reference { length + 2 } else { 1 }, is_reference.then_some(Class::Number));
            }
            _ => code.take(code.length_of(|c| !matches!(c, '<' | '&')), None),
        }
    }
}

/// Reads a tag behind its name. Whether its element is open behind it.
fn tag(code: &mut Cursor<'_>) -> bool {
    while let Some(c) = code.next() {
        match c {
            '>' => {
                let is_open = code.before() != Some('/');
                code.skip();
                return is_open;
            }
            // The one before has no end.
            '<' => return false,
            '"' | '\'' => {
                let quote = if c == '"' { Quote::DOUBLE_PLAIN } else { Quote::SINGLE_PLAIN };
                code.take(quote.length(code), Class::Text);
            }
            _ => match name_length(code.rest()) {
                0 => code.skip(),
                length => code.take(length, Class::Attribute),
            },
        }
    }
    false
}

/// The length of the name that the text begins with.
fn name_length(text: &str) -> usize {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '.' | '@' | '#');
    text.find(|c| !is_part(c)).unwrap_or(text.len())
}
