//! A form that comes back to its sender.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::error::{AppError, Field, FieldError};

/// What was typed, by the name of the control, in the order of arrival; a name
/// may have several values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "BTreeMap<String, Typed>", into = "BTreeMap<String, Typed>")]
pub struct Values(BTreeMap<String, Vec<String>>);

/// As values are stored: a text, or a list where there are more or fewer.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Typed {
    One(String),
    Many(Vec<String>),
}

impl From<BTreeMap<String, Typed>> for Values {
    fn from(stored: BTreeMap<String, Typed>) -> Self {
        let values = stored.into_iter().map(|(name, typed)| match typed {
            Typed::One(value) => (name, vec![value]),
            Typed::Many(values) => (name, values),
        });
        Self(values.collect())
    }
}

impl From<Values> for BTreeMap<String, Typed> {
    fn from(Values(values): Values) -> Self {
        let one_or_many = |mut values: Vec<String>| match values.pop() {
            Some(value) if values.is_empty() => Typed::One(value),
            last => Typed::Many(values.into_iter().chain(last).collect()),
        };
        values.into_iter().map(|(name, values)| (name, one_or_many(values))).collect()
    }
}

impl Extend<(String, String)> for Values {
    fn extend<T: IntoIterator<Item = (String, String)>>(&mut self, pairs: T) {
        for (name, value) in pairs {
            self.0.entry(name).or_default().push(value);
        }
    }
}

impl FromIterator<(String, String)> for Values {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(pairs: T) -> Self {
        let mut values = Self::default();
        values.extend(pairs);
        values
    }
}

impl Values {
    /// The value of a control; the last one if there are several.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.all(name).last().map(String::as_str)
    }

    /// Every value of a control.
    #[must_use]
    pub fn all(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// Gives a control this value alone.
    pub fn set(&mut self, name: &str, value: String) {
        self.0.insert(name.to_owned(), vec![value]);
    }

    /// Whether nothing was typed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes a control out; its last value, if it was there.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).and_then(|mut values| values.pop())
    }
}

#[derive(Clone, Debug, Default)]
pub struct FormState {
    pub values: Values,
    /// Why it came back; absent when only the text was kept.
    pub error: Option<AppError>,
}

impl FormState {
    /// What was typed into a control.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<String> {
        self.values.get(name).map(str::to_owned)
    }

    /// The message at a field.
    #[must_use]
    pub fn error_at(&self, field: Field) -> Option<String> {
        self.field_errors().iter().find(|error| error.field == field).map(|error| error.message.clone())
    }

    /// What is wrong at fields, in the order of the form.
    #[must_use]
    pub fn field_errors(&self) -> &[FieldError] {
        match &self.error {
            Some(AppError::Invalid { errors }) => errors,
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_that_is_there_several_times_keeps_every_value_wherever_it_waits() {
        let pairs = [("title", "One"), ("tags[]", "a"), ("tags[]", "b")];
        let typed: Values =
            pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
        assert_eq!(typed.all("tags[]"), ["a", "b"]);
        assert_eq!(typed.get("tags[]"), Some("b"));
        let stored = serde_json::to_string(&typed).unwrap();
        assert_eq!(stored, r#"{"tags[]":["a","b"],"title":"One"}"#);
        assert_eq!(serde_json::from_str::<Values>(&stored).unwrap(), typed);
    }
}
