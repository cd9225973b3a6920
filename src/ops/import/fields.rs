//! What the front matter of a file says, in YAML, TOML or JSON. A key of a table is none of
//! the post: `title` in `[cover]` is the title of a picture.

use crate::{
    posts::domain::front_matter::{self, Value},
    timestamp::Timestamp,
};

/// What a text says about itself.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(String, Value)>);

impl Fields {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, names: &[&str]) -> Option<&Value> {
        names.iter().find_map(|name| Some(&self.0.iter().find(|(key, _)| key == name)?.1))
    }

    pub(super) fn text(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(&[name])?.text())
    }

    pub(super) fn items(&self, names: &[&str]) -> Vec<String> {
        self.get(names).map(Value::items).unwrap_or_default()
    }

    /// Whether a key says yes, or no if that is `wanted`, in one of the words of YAML.
    ///
    /// # Errors
    /// It says neither: so it may be private, and what says so was not understood.
    pub(super) fn says(&self, name: &str, wanted: bool) -> Result<bool, String> {
        let mut is_said = false;
        // One that stands there twice counts twice.
        for (_, value) in self.0.iter().filter(|(key, _)| key == name) {
            let raw = match value {
                Value::Text(raw) if is_null(raw) => continue,
                Value::Text(raw) => raw.as_str(),
                Value::List(_) | Value::Map(_) => "",
            };
            // Of `published`, the day is a yes.
            let is_day = || (!wanted && front_matter::date(raw).is_some()).then_some(true);
            let said = truth(raw).or_else(is_day);
            is_said |= said.ok_or_else(|| format!("its {name} says neither yes nor no"))? == wanted;
        }
        Ok(is_said)
    }

    /// The day that a key names.
    ///
    /// # Errors
    /// It cannot be read.
    pub(super) fn day(&self, name: &str) -> Result<Option<Timestamp>, String> {
        let raw = self.text(&[&name.to_lowercase()]).filter(|raw| !is_null(raw));
        raw.map(|raw| front_matter::date(raw).ok_or_else(|| format!("its {name} cannot be read: {raw}")))
            .transpose()
    }
}

/// No value, in YAML.
fn is_null(raw: &str) -> bool {
    raw.is_empty() || raw == "~" || raw.eq_ignore_ascii_case("null")
}

/// Yes or no, in one of the words of YAML 1.1.
pub(super) fn truth(raw: &str) -> Option<bool> {
    match raw.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" | "1" => Some(true),
        "false" | "no" | "off" | "n" | "0" => Some(false),
        _ => None,
    }
}

/// The front matter of a text in YAML, TOML or JSON, and the text after it. Empty lines
/// before it and blanks behind its marks are let through, as by the programs that wrote it.
///
/// # Errors
/// Why it cannot be read. What it says may be that nobody is to read the text.
pub(super) fn of(text: &str) -> Result<(Fields, &str), String> {
    let begun = text.trim_start();
    let (first, inner) = begun.split_once('\n').unwrap_or((begun, ""));
    match first.trim_end() {
        "+++" => toml(inner),
        "---" => Ok(yaml(inner)?.unwrap_or((Fields::default(), text))),
        "{" => json(begun),
        _ if begun.strip_prefix('{').is_some_and(|inner| inner.trim_start().starts_with('"')) => json(begun),
        _ => Ok((Fields::default(), text)),
    }
}

/// Whether a text has front matter, or something that was meant to be some.
pub(super) fn are_in(text: &str) -> bool {
    !of(text).is_ok_and(|(fields, _)| fields.is_empty())
}

/// What stands before the first line that is an end, and the text after it.
fn until<'a>(text: &'a str, ends: &[&str]) -> Option<(&'a str, &'a str)> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let next = at + line.len();
        if ends.contains(&line.trim_end()) {
            return Some((&text[..at], text[next..].trim_start_matches('\n')));
        }
        at = next;
    }
    None
}

/// `None` if there is a line across the page, and no front matter.
fn yaml(inner: &str) -> Result<Option<(Fields, &str)>, String> {
    let Some((block, rest)) = until(inner, &["---", "..."]) else {
        // A line across the page has no key right below it.
        return match inner.lines().next().is_some_and(front_matter::is_key) {
            true => Err("its front matter has no end".to_owned()),
            false => Ok(None),
        };
    };
    match front_matter::keys(block) {
        Some(fields) if !fields.is_empty() || block.trim().is_empty() => Ok(Some((Fields(fields), rest))),
        // Something with keys is front matter, or was meant to be.
        _ if block.contains(':') => Err("its front matter cannot be read".to_owned()),
        _ => Ok(None),
    }
}

fn toml(inner: &str) -> Result<(Fields, &str), String> {
    let (block, rest) = until(inner, &["+++"]).ok_or("its front matter in TOML has no end")?;
    let table: toml::Table = block
        .parse()
        .map_err(|error: toml::de::Error| format!("its front matter is no TOML: {}", error.message()))?;
    let fields = table.into_iter().filter_map(|(key, value)| Some((key.to_lowercase(), of_toml(value)?)));
    Ok((Fields(fields.collect()), rest))
}

fn json(text: &str) -> Result<(Fields, &str), String> {
    let mut values =
        serde_json::Deserializer::from_str(text).into_iter::<serde_json::Map<String, serde_json::Value>>();
    let map = values
        .next()
        .ok_or("its front matter has no end")?
        .map_err(|error| format!("its front matter is no JSON: {error}"))?;
    let rest = &text[values.byte_offset()..];
    let fields = map.into_iter().filter_map(|(key, value)| Some((key.to_lowercase(), of_json(value)?)));
    Ok((Fields(fields.collect()), rest.trim_start_matches('\n')))
}

fn of_toml(value: toml::Value) -> Option<Value> {
    Some(match value {
        toml::Value::String(text) => Value::Text(text),
        toml::Value::Boolean(value) => Value::Text(value.to_string()),
        toml::Value::Datetime(value) => Value::Text(value.to_string()),
        toml::Value::Integer(value) => Value::Text(value.to_string()),
        toml::Value::Array(items) => Value::List(
            items.into_iter().filter_map(|item| of_toml(item)?.text().map(ToOwned::to_owned)).collect(),
        ),
        toml::Value::Table(values) => Value::Map(
            values
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_lowercase(), of_toml(value)?)))
                .collect(),
        ),
        toml::Value::Float(_) => return None,
    })
}

fn of_json(value: serde_json::Value) -> Option<Value> {
    Some(match value {
        serde_json::Value::String(text) => Value::Text(text),
        serde_json::Value::Bool(value) => Value::Text(value.to_string()),
        serde_json::Value::Number(value) => Value::Text(value.to_string()),
        serde_json::Value::Array(items) => Value::List(
            items.into_iter().filter_map(|item| of_json(item)?.text().map(ToOwned::to_owned)).collect(),
        ),
        serde_json::Value::Object(values) => Value::Map(
            values
                .into_iter()
                .filter_map(|(key, value)| Some((key.to_lowercase(), of_json(value)?)))
                .collect(),
        ),
        serde_json::Value::Null => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn front_matter_is_read_in_three_languages() {
        for text in [
            "---\ntitle: A\ntags: [x, y]\ndraft: true\n---\nText",
            "+++\ntitle = \"A\"\ndraft = true\n[taxonomies]\ntags = [\"x\", \"y\"]\n+++\n\nText",
            "{\n \"title\": \"A\", \"tags\": [\"x\", \"y\"], \"draft\": true\n}\n\nText",
        ] {
            let (fields, rest) = of(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!(fields.text(&["title"]), Some("A"), "{text}");
            let tags = fields.get(&["tags"]).or_else(|| fields.get(&["taxonomies"])?.within("tags"));
            assert_eq!(tags.map(Value::items), Some(vec!["x".to_owned(), "y".to_owned()]), "{text}");
            assert!(fields.says("draft", true) == Ok(true) && rest == "Text", "{text}");
        }
        for broken in [
            "---\ntitle: A\nnot a key\n---\nText",
            "---\ntitle: A\ndraft: true\n\nText",
            "---\n# draft: true\n---\nText",
            "+++\ntitle = A\n+++\nText",
            "+++\ntitle = \"A\"\nText",
            "{ \"title\": \"A\", \"draft\": tru }\nText",
            "{\n  title: \"A\"\n}\nText",
        ] {
            assert!(of(broken).is_err(), "{broken}");
        }
        assert_eq!(of("---\n\nWords\n").map(|(_, rest)| rest), Ok("---\n\nWords\n"));
        for text in ["---\n# A heading\n\n---\nText", "{{< note >}}\nText", "---\nWords\n...\n"] {
            assert_eq!(of(text).map(|(fields, rest)| (fields.is_empty(), rest)), Ok((true, text)));
        }
    }

    #[test]
    fn front_matter_is_found_as_the_programs_of_its_kind_find_it() {
        for text in [
            "---\ndraft: yes\n--- \nText",
            "---\ndraft: yes\n---\t\n\nText",
            "---\ndraft: yes\n...\nText",
            "--- \ndraft: ON\n---\nText",
            "\n \n---\ndraft: y\n---\nText",
            "\n+++ \ndraft = true\n+++ \nText",
            "{ \"title\": \"x\", \"draft\": true }\nText",
            "{\"draft\": true,\n\"title\": \"x\"}\n\nText",
            "\n{\n\"draft\": true}\nText",
        ] {
            let (fields, rest) = of(text).unwrap_or_else(|why| panic!("{text}: {why}"));
            assert_eq!((fields.says("draft", true), rest), (Ok(true), "Text"), "{text}");
        }
        for (said, expected) in [("no", Some(true)), ("2020-01-01", Some(false)), ("perhaps", None)] {
            let text = format!("---\npublished: {said}\n---\nText");
            let (fields, _) = of(&text).expect("front matter");
            assert_eq!(fields.says("published", false).ok(), expected, "{said}");
        }
    }
}
