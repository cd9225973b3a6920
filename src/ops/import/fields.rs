//! What the front matter of a file says, in YAML, TOML or JSON. A key of a table is none of
//! the post: `title` in `[cover]` is the title of a picture.

use crate::posts::domain::front_matter::{self, Value};

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

    pub(super) fn is(&self, name: &str, wanted: &str) -> bool {
        self.text(&[name]).is_some_and(|value| value.eq_ignore_ascii_case(wanted))
    }
}

/// The front matter of a text in YAML, TOML or JSON, and the text after it.
///
/// # Errors
/// Why it cannot be read.
pub(super) fn of(text: &str) -> Result<(Fields, &str), String> {
    if let Some(inner) = text.strip_prefix("+++\n") {
        let (block, rest) = inner
            .split_once("\n+++\n")
            .or_else(|| Some((inner.strip_suffix("\n+++")?, "")))
            .ok_or("its front matter in TOML has no end")?;
        let table: toml::Table = block
            .parse()
            .map_err(|error: toml::de::Error| format!("its front matter is no TOML: {}", error.message()))?;
        let fields = table.into_iter().filter_map(|(key, value)| Some((key.to_lowercase(), of_toml(value)?)));
        return Ok((Fields(fields.collect()), rest.trim_start_matches('\n')));
    }
    if text.starts_with("{\n") {
        let mut values = serde_json::Deserializer::from_str(text)
            .into_iter::<serde_json::Map<String, serde_json::Value>>();
        if let Some(Ok(map)) = values.next() {
            let rest = &text[values.byte_offset()..];
            let fields =
                map.into_iter().filter_map(|(key, value)| Some((key.to_lowercase(), of_json(value)?)));
            return Ok((Fields(fields.collect()), rest.trim_start_matches('\n')));
        }
    }
    if let Some((fields, rest)) = front_matter::fields(text) {
        return Ok((Fields(fields), rest));
    }
    // A line across the page is no front matter; something that ends like one is.
    if text.strip_prefix("---\n").is_some_and(|inner| inner.contains("\n---\n") && inner.contains(':')) {
        return Err("its front matter cannot be read".to_owned());
    }
    Ok((Fields(Vec::new()), text))
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
            assert!(fields.is("draft", "true") && rest == "Text", "{text}");
        }
        for broken in
            ["---\ntitle: A\nnot a key\n---\nText", "+++\ntitle = A\n+++\nText", "+++\ntitle = \"A\"\nText"]
        {
            assert!(of(broken).is_err(), "{broken}");
        }
        assert_eq!(of("---\n\nWords\n").map(|(_, rest)| rest), Ok("---\n\nWords\n"));
    }
}
