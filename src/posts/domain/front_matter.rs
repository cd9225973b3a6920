//! Front matter: what a text that was written elsewhere says about itself before it begins,
//! between two lines of `---`. Of YAML it reads what such texts have: keys with a value on
//! the same line, in quotes or not, lists, and texts of several lines.

use time::{
    Date, OffsetDateTime, PrimitiveDateTime, Time, format_description::well_known::Rfc3339,
    macros::format_description,
};

use crate::{posts::Language, timestamp::Timestamp};

/// What it says, as far as a post has a place for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrontMatter {
    pub title: Option<String>,
    pub tags: Option<Vec<String>>,
    pub date: Option<Timestamp>,
    pub language: Option<Language>,
}

/// A value of front matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    List(Vec<String>),
    /// Keys of its own, in lower case.
    Map(Vec<(String, Value)>),
}

impl Value {
    /// The text; `None` for an empty one, and for what is no text.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text.as_str()).filter(|text| !text.is_empty()),
            Self::List(_) | Self::Map(_) => None,
        }
    }

    /// The items of a list, or of a text with commas between them.
    #[must_use]
    pub fn items(&self) -> Vec<String> {
        match self {
            Self::Text(text) => list(text),
            Self::List(items) => items.clone(),
            Self::Map(_) => Vec::new(),
        }
    }

    /// What a map has for a key.
    #[must_use]
    pub fn within(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Map(values) => values.iter().find(|(key, _)| key == name).map(|(_, value)| value),
            Self::Text(_) | Self::List(_) => None,
        }
    }
}

/// Every key of the front matter of a text, in lower case, and the text after it. `None` if
/// the text begins with none, or with one that cannot be read.
#[must_use]
pub fn fields(text: &str) -> Option<(Vec<(String, Value)>, &str)> {
    let inner = text.strip_prefix("---\n")?;
    let (block, rest) = inner.split_once("\n---\n").or_else(|| Some((inner.strip_suffix("\n---")?, "")))?;
    Some((keys(block)?, rest.trim_start_matches('\n')))
}

/// The keys of a block of YAML and their values. `None` if it has what cannot be read.
#[must_use]
pub fn keys(block: &str) -> Option<Vec<(String, Value)>> {
    read(block, Level::Top)
}

/// Whether a line has a key of YAML.
#[must_use]
pub fn is_key(line: &str) -> bool {
    key(line).is_some_and(|(_, value)| value.is_empty() || value.starts_with([' ', '\t']))
}

/// The key of a line, and what stands behind it.
fn key(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    let is_key = !key.is_empty() && key.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    is_key.then_some((key, value))
}

/// Where keys stand. Of a map, only its own keys are read: nothing that a post needs lies
/// deeper.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Level {
    Top,
    Map,
}

fn read(block: &str, level: Level) -> Option<Vec<(String, Value)>> {
    let (mut found, mut lines) = (Vec::new(), block.lines().peekable());
    while let Some(line) = lines.next() {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = key(line)?;
        let mut below = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with([' ', '\t', '-', ']'])) {
            below.push(line);
        }
        found.push((key.to_ascii_lowercase(), value_of(value, &below, level)?));
    }
    Some(found)
}

/// A value of what stands behind a key and in the lines below it.
fn value_of(value: &str, below: &[&str], level: Level) -> Option<Value> {
    // Items of a list, and further lines of a text.
    let (mut items, mut further) = (Vec::new(), Vec::new());
    for line in below {
        match line.trim_start().strip_prefix('-') {
            Some(item) => items.push(scalar(item)),
            None => further.push(line.trim()),
        }
    }
    let value = without_anchor(value.trim());
    // A comment, and the value below it.
    let value = if value.starts_with('#') && !below.is_empty() { "" } else { value };
    let whole = format!("{value} {}", further.join(" "));
    let map = match value.chars().next() {
        None if level == Level::Top => map_below(below),
        Some('{') => map_in_braces(&whole),
        _ => None,
    };
    if let Some(map) = map {
        return Some(Value::Map(map));
    }
    Some(match value.chars().next() {
        None if items.is_empty() => Value::Text(scalar(&further.join(" "))),
        None => Value::List(items),
        Some('>') => Value::Text(further.join(" ")),
        Some('|') => Value::Text(further.join("\n")),
        Some('[') if whole.trim_end().ends_with(']') => Value::List(list(whole.trim_end())),
        // A list without an end.
        Some('[') if !whole.contains(']') => return None,
        Some(_) if further.is_empty() => Value::Text(scalar(value)),
        Some(_) => Value::Text(scalar(&whole)),
    })
}

/// The map that the lines below a key are, if they are one.
fn map_below(below: &[&str]) -> Option<Vec<(String, Value)>> {
    let first = below.first()?;
    let indent = first.len() - first.trim_start().len();
    let mut block = String::new();
    for line in below {
        let is_indented = line.get(..indent).is_some_and(|before| before.trim_start().is_empty());
        block.push_str(if is_indented { &line[indent..] } else { line.trim_start() });
        block.push('\n');
    }
    read(&block, Level::Map).filter(|map| !map.is_empty())
}

/// `{key: value, key: value}`
fn map_in_braces(value: &str) -> Option<Vec<(String, Value)>> {
    let inner = scalar(value);
    let inner = inner.strip_prefix('{')?.strip_suffix('}')?;
    let entry = |entry: &str| {
        let (key, value) = entry.split_once(':')?;
        let value = value.trim();
        let value =
            if value.starts_with('[') { Value::List(list(value)) } else { Value::Text(scalar(value)) };
        Some((scalar(key).to_ascii_lowercase(), value))
    };
    entries(inner).into_iter().filter(|one| !one.trim().is_empty()).map(entry).collect()
}

impl FrontMatter {
    /// The front matter of a text, and the text after it; `None` if it begins with none. A
    /// line and words below it are no front matter: one key that is known has to be there.
    #[must_use]
    pub fn of(text: &str) -> Option<(Self, &str)> {
        let (fields, rest) = fields(text)?;
        let mut found = Self::default();
        for (key, value) in fields {
            match key.as_str() {
                "title" => found.title = value.text().map(ToOwned::to_owned),
                "tags" => found.tags = Some(value.items()),
                "date" => found.date = value.text().and_then(date),
                "lang" | "language" => {
                    found.language = value.text().and_then(|tag| Language::parse(tag).ok());
                }
                _ => {}
            }
        }
        (found != Self::default()).then_some((found, rest))
    }
}

/// A value without the name that YAML lets it have, to be repeated elsewhere: `&name value`.
fn without_anchor(value: &str) -> &str {
    let Some((name, named)) = value.strip_prefix('&').and_then(|named| named.split_once(' ')) else {
        return value;
    };
    let is_name = !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    if is_name { named.trim_start() } else { value }
}

/// A value without its quotes and without a comment behind it.
fn scalar(raw: &str) -> String {
    let raw = raw.trim();
    for quote in ['"', '\''] {
        if let Some((quoted, _)) = raw.strip_prefix(quote).and_then(|inner| inner.rsplit_once(quote)) {
            return match quote {
                '"' => unescaped(quoted),
                _ => quoted.replace("''", "'"),
            };
        }
    }
    raw.split(" #").next().unwrap_or_default().trim_end().to_owned()
}

/// The text of a value in double quotes. An escape that is unknown or wrong stays as typed.
fn unescaped(quoted: &str) -> String {
    let mut text = String::with_capacity(quoted.len());
    let mut rest = quoted;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let (c, length) = escape(&rest[1..]).unwrap_or(('\\', 0));
        text.push(c);
        rest = &rest[1 + length..];
    }
    text.push_str(rest);
    text
}

/// The character that stands behind the backslash of an escape (YAML 5.7), and the length of
/// what makes it there. No text has a NUL, so none is made.
fn escape(behind: &str) -> Option<(char, usize)> {
    let sign = behind.chars().next()?;
    let digits = match sign {
        '"' | '\\' | '/' => return Some((sign, 1)),
        'n' => return Some(('\n', 1)),
        't' => return Some(('\t', 1)),
        'x' => 2,
        'u' => 4,
        'U' => 8,
        _ => return None,
    };
    let number = behind.get(1..=digits).filter(|number| number.bytes().all(|b| b.is_ascii_hexdigit()))?;
    let c = u32::from_str_radix(number, 16).ok().and_then(char::from_u32)?;
    (c != '\0').then_some((c, 1 + digits))
}

/// `[a, b]`, or `a, b`.
fn list(value: &str) -> Vec<String> {
    let inner = value.strip_prefix('[').and_then(|value| value.strip_suffix(']')).unwrap_or(value);
    entries(inner).into_iter().map(scalar).filter(|item| !item.is_empty()).collect()
}

/// What stands between the commas. A comma within quotes or brackets separates nothing.
fn entries(inner: &str) -> Vec<&str> {
    let (mut found, mut start, mut depth, mut quote) = (Vec::new(), 0, 0_usize, None);
    let mut chars = inner.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            // What is escaped ends no quotation.
            (Some('"'), '\\') => {
                chars.next();
            }
            (Some('\''), '\'') if chars.peek().is_some_and(|(_, next)| *next == '\'') => {
                chars.next();
            }
            (Some(open), _) if open == c => quote = None,
            (Some(_), _) => {}
            // An apostrophe within a word begins none.
            (None, '"' | '\'') => {
                let before = inner[start..at].trim_end().chars().next_back();
                quote = before.is_none_or(|before| ":,[{".contains(before)).then_some(c);
            }
            (None, '[' | '{') => depth += 1,
            (None, ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                found.push(&inner[start..at]);
                start = at + 1;
            }
            (None, _) => {}
        }
    }
    // What has no end is a sign like any other.
    if quote.is_some() || depth > 0 {
        return inner.split(',').collect();
    }
    found.push(&inner[start..]);
    found
}

/// A day, or a day and a time; in UTC unless it says otherwise.
#[must_use]
pub fn date(raw: &str) -> Option<Timestamp> {
    let raw = raw.trim().replacen(' ', "T", 1).replace(' ', "");
    let raw = raw.strip_suffix("UTC").map_or_else(|| raw.clone(), |local| format!("{local}Z"));
    let local = |at: PrimitiveDateTime| at.assume_utc();
    let with_offset = format_description!(
        "[year]-[month]-[day]T[hour]:[minute]:[second][offset_hour sign:mandatory][offset_minute]"
    );
    let seconds = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");
    let minutes = format_description!("[year]-[month]-[day]T[hour]:[minute]");
    let day = format_description!("[year]-[month]-[day]");
    let at = OffsetDateTime::parse(&raw, &Rfc3339)
        .or_else(|_| OffsetDateTime::parse(&raw, with_offset))
        .or_else(|_| PrimitiveDateTime::parse(&raw, seconds).map(local))
        .or_else(|_| PrimitiveDateTime::parse(&raw, minutes).map(local))
        .or_else(|_| Date::parse(&raw, day).map(|day| local(PrimitiveDateTime::new(day, Time::MIDNIGHT))))
        .ok()?;
    Timestamp::try_from(at).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_text_from_elsewhere_says_its_title_its_tags_and_its_date() {
        let text = "---\nlayout: post\ntitle: \"Say \\\"hi\\\": twice\" # a comment\ndate: 2019-05-04 10:30:00 +0200\ntags:\n  - Rust\n- 'web''s'\nimage:\n  path: /x.png\n---\n\nText\n---\nmore";
        let (found, rest) = FrontMatter::of(text).expect("front matter");
        assert_eq!(found.title.as_deref(), Some("Say \"hi\": twice"));
        assert_eq!(found.tags, Some(vec!["Rust".to_owned(), "web's".to_owned()]));
        assert_eq!(rest, "Text\n---\nmore");
        for (date, expected) in [
            ("2019-05-04", "2019-05-04T00:00:00Z"),
            ("2019-05-04T10:30:00+02:00", "2019-05-04T08:30:00Z"),
            ("2019-05-04 10:30", "2019-05-04T10:30:00Z"),
            ("2019-05-04 10:30:00 +0200", "2019-05-04T08:30:00Z"),
            ("2019-05-04 10:30:00 UTC", "2019-05-04T10:30:00Z"),
        ] {
            let text = format!("---\ndate: {date}\n---\nx");
            let (found, _) = FrontMatter::of(&text).expect("front matter");
            assert_eq!(found.date.map(Timestamp::rfc3339).as_deref(), Some(expected));
        }
        let (found, rest) = FrontMatter::of("---\ntags: [a, \"b c\", ]\n---").expect("front matter");
        assert_eq!((found.tags, rest), (Some(vec!["a".to_owned(), "b c".to_owned()]), ""));
    }

    #[test]
    fn a_comma_within_quotes_separates_no_items_and_a_name_is_no_part_of_a_value() {
        for (raw, expected) in [
            ("[rust, \"hello, world\"]", vec!["rust", "hello, world"]),
            ("['it''s, me', b]", vec!["it's, me", "b"]),
            ("[rock 'n' roll, b]", vec!["rock 'n' roll", "b"]),
            ("['n roll, b]", vec!["'n roll", "b"]),
            ("&t [a, b]", vec!["a", "b"]),
        ] {
            let text = format!("---\ntags: {raw}\n---\nx");
            let (found, _) = FrontMatter::of(&text).expect("front matter");
            assert_eq!(found.tags, Some(expected.into_iter().map(ToOwned::to_owned).collect()), "{raw}");
        }
        for (raw, expected) in [("&t Anchored", "Anchored"), ("& Sons", "& Sons"), ("&c", "&c")] {
            let text = format!("---\ntitle: {raw}\n---\nx");
            let (found, _) = FrontMatter::of(&text).expect("front matter");
            assert_eq!(found.title.as_deref(), Some(expected), "{raw}");
        }
    }

    #[test]
    fn a_value_may_go_on_for_several_lines() {
        let text = "---\ntitle: >-\n  One\n  title\ntags: [\n  a,\n  b\n]\nsummary: begins\n  and ends\nempty:\n---\nText";
        let (fields, rest) = fields(text).expect("front matter");
        let of = |key: &str| fields.iter().find(|(name, _)| name == key).map(|(_, value)| value.clone());
        assert_eq!(of("title"), Some(Value::Text("One title".to_owned())));
        assert_eq!(of("tags"), Some(Value::List(vec!["a".to_owned(), "b".to_owned()])));
        assert_eq!(of("summary"), Some(Value::Text("begins and ends".to_owned())));
        assert_eq!((of("empty"), rest), (Some(Value::Text(String::new())), "Text"));
    }

    #[test]
    fn escapes_in_double_quotes_are_read_and_others_stay_as_typed() {
        for (typed, expected) in [
            (r#""Caf\u00e9""#, "Café"),
            (r#""\U0001F600 \xe9\/\"\\""#, "😀 é/\"\\"),
            (r#""a\tb\nc""#, "a\tb\nc"),
            (r#""a\\nb \\u00e9""#, r"a\nb \u00e9"),
            (r#""\q \u00g9 \ud800 \x+1 \u0000 \xé""#, r"\q \u00g9 \ud800 \x+1 \u0000 \xé"),
            (r"'Caf\u00e9'", r"Caf\u00e9"),
            (r"Caf\u00e9", r"Caf\u00e9"),
        ] {
            assert_eq!(scalar(typed), expected, "{typed}");
        }
        let (found, _) = FrontMatter::of("---\ntitle: \"Caf\\u00e9\"\n---\nx").expect("front matter");
        assert_eq!(found.title.as_deref(), Some("Café"));
    }

    #[test]
    fn keys_of_a_map_are_none_of_the_text() {
        let text = "---\nbuild:\n  # why\n  render: never\n  tags:\n  - a\nother: {render: \"a, b\", tags: [c, d]}\ntitle:\n  Below\n---\n";
        let (fields, _) = fields(text).expect("front matter");
        for (map, render, tags) in [(0, "never", vec!["a"]), (1, "a, b", vec!["c", "d"])] {
            assert_eq!(fields[map].1.within("render").and_then(Value::text), Some(render));
            assert_eq!(
                fields[map].1.within("tags").map(Value::items),
                Some(tags.into_iter().map(ToOwned::to_owned).collect())
            );
        }
        assert_eq!((fields.len(), fields[2].1.text()), (3, Some("Below")));
    }

    #[test]
    fn a_line_and_words_below_it_are_no_front_matter() {
        for text in [
            "",
            "---",
            "---\n---\nx",
            "---\nWords, words.\n---\nx",
            "---\nNote: this is prose about\nmany lines\n---\n",
            "---\nauthor: ada\n---\nx",
            " ---\ntitle: x\n---\n",
            "---\ntitle: x\nwithout an end",
            "---\n\n> title: x\n---\n",
        ] {
            assert_eq!(FrontMatter::of(text), None, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_follows_is_the_end_of_the_text(text in "(---\n)?(title: [a-z\"' :#]{0,10}\n|[a-z]{1,5}:( [a-z]{0,5})?\n|- [a-z]{0,4}\n){0,4}(---\n)?[a-z\n]{0,12}") {
            if let Some((_, rest)) = FrontMatter::of(&text) {
                prop_assert!(text.ends_with(rest));
            }
        }
    }
}
