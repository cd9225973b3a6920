//! Builds a statement: its text, and the values for it.

use crate::database::Engine;

/// The text and the bound values of a statement. Only constants of the source become
/// text; all input is bound.
#[derive(Debug)]
pub struct Sql {
    engine: Engine,
    of_deleted: bool,
    text: String,
    values: Vec<Value>,
}

/// A bound value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    Text(String),
    Integer(i64),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl Sql {
    #[must_use]
    pub const fn new(engine: Engine) -> Self {
        Self { engine, of_deleted: false, text: String::new(), values: Vec::new() }
    }

    #[must_use]
    pub const fn engine(&self) -> Engine {
        self.engine
    }

    /// Whether what is written now is about deleted posts.
    #[must_use]
    pub const fn of_deleted(&self) -> bool {
        self.of_deleted
    }

    /// Whether what follows is about deleted posts.
    pub const fn set_of_deleted(&mut self, of_deleted: bool) {
        self.of_deleted = of_deleted;
    }

    /// Appends SQL of our own.
    pub fn push(&mut self, words: &'static str) -> &mut Self {
        self.text.push_str(words);
        self
    }

    /// Appends a placeholder and its value.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
        self
    }

    #[must_use]
    pub fn finish(self) -> (String, Vec<Value>) {
        (self.text, self.values)
    }
}
