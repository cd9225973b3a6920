//! Keys with values, and differences between two texts.

use super::{
    class::Class,
    cursor::Cursor,
    words::{Quote, number},
};

/// A notation of keys and values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Data {
    Json,
    Yaml,
    Toml,
    Ini,
}

/// Values that have a name.
const VALUES: [&str; 14] =
    ["False", "No", "Null", "Off", "On", "True", "Yes", "false", "no", "null", "off", "on", "true", "yes"];

impl Data {
    pub(super) fn read(self, code: &mut Cursor<'_>) {
        if self == Self::Json {
            return read_json(code);
        }
        while code.next().is_some() {
            self.line(code);
        }
    }

    /// Reads a line: what stands before `:` or `=` is a key.
    fn line(self, code: &mut Cursor<'_>) {
        code.take(code.length_of(|c| matches!(c, ' ' | '\t')), None);
        while self == Self::Yaml && code.is_at("- ") {
            code.take(2, None);
        }
        if self != Self::Yaml && code.is_at("[") {
            code.take(code.line(), Class::Type);
        } else if self == Self::Ini && code.is_at(";") {
            code.take(code.line(), Class::Comment);
        } else if self == Self::Yaml && (code.is_at("---") || code.is_at("%")) {
            code.take(code.line(), Class::Keyword);
        } else {
            let line = &code.rest()[..code.line()];
            let sign = if self == Self::Yaml { ':' } else { '=' };
            let end = line.find([sign, '#', '\n']).filter(|at| line[*at..].starts_with(sign));
            let end = end.or_else(|| line.find(':').filter(|_| self == Self::Ini && !line.contains('#')));
            if let Some(end) = end
                .filter(|end| self != Self::Yaml || matches!(line.as_bytes().get(end + 1), None | Some(b' ')))
            {
                code.take(end, Class::Attribute);
                code.take(1, None);
            }
            self.values(code);
        }
        code.take(usize::from(code.is_at("\n")), None);
    }

    /// Reads values up to the end of the line.
    fn values(self, code: &mut Cursor<'_>) {
        while let Some(c) = code.next().filter(|c| *c != '\n') {
            let quote = [Quote::TRIPLE_DOUBLE, Quote::TRIPLE_SINGLE, Quote::DOUBLE, Quote::SINGLE]
                .into_iter()
                .find(|quote| code.is_at(quote.begin()));
            match c {
                '#' if code.before().is_none_or(char::is_whitespace) => {
                    code.take(code.line(), Class::Comment)
                }
                '"' | '\'' => {
                    // A triple one has several lines in TOML alone.
                    let quote = quote.filter(|quote| self == Self::Toml || !quote.is_long());
                    let quote = quote.unwrap_or(if c == '"' { Quote::DOUBLE } else { Quote::SINGLE });
                    code.take(quote.length(code), Class::Text);
                }
                '$' if code.is_at("${") => {
                    let name = code.behind(2);
                    let end = name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len());
                    code.take(2 + end + usize::from(name[end..].starts_with('}')), Class::Variable);
                }
                '&' | '*' | '!' if self == Self::Yaml => {
                    code.take(code.length_of(|c| !c.is_whitespace()), Class::Variable);
                }
                c if c.is_ascii_digit() => number(code),
                c if c.is_alphanumeric() || c == '_' => word(code),
                _ => code.skip(),
            }
        }
    }
}

fn word(code: &mut Cursor<'_>) {
    let length = code.length_of(|c| c.is_alphanumeric() || matches!(c, '_' | '-'));
    let is_value = VALUES.binary_search(&&code.rest()[..length]).is_ok();
    code.take(length, is_value.then_some(Class::Number));
}

fn read_json(code: &mut Cursor<'_>) {
    while let Some(c) = code.next() {
        match c {
            '"' | '\'' => {
                let quote = if c == '"' { Quote::DOUBLE } else { Quote::SINGLE };
                let length = quote.length(code);
                let is_key = code.behind(length).trim_start_matches([' ', '\t']).starts_with(':');
                code.take(length, if is_key { Class::Attribute } else { Class::Text });
            }
            '/' if code.is_at("//") => code.take(code.line(), Class::Comment),
            '/' if code.is_at("/*") => code.take(code.until_behind(2, "*/"), Class::Comment),
            c if c.is_ascii_digit() => number(code),
            c if c.is_alphanumeric() => word(code),
            _ => code.skip(),
        }
    }
}

/// Reads lines that were added and removed.
pub(super) fn read_difference(code: &mut Cursor<'_>) {
    const HEADS: [&str; 8] =
        ["+++ ", "--- ", "@@", "diff ", "index ", "new file ", "deleted file ", "rename "];
    while let Some(c) = code.next() {
        let class = match c {
            _ if HEADS.iter().any(|head| code.is_at(head)) => Some(Class::Attribute),
            '+' | '>' => Some(Class::Inserted),
            '-' | '<' => Some(Class::Deleted),
            _ => None,
        };
        code.take(code.line(), class);
        code.take(1, None);
    }
}
