//! `nextToken`: where the next page begins. It is sealed, so that it continues
//! only the list that it was made for.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::errors::ApiError;
use crate::{
    credentials::Secret,
    posts::{
        Cursor,
        domain::filter::{Filter, Test},
    },
};

/// Bytes of the seal that are kept; 128 bits are out of reach of guessing.
const SEAL_BYTES: usize = 16;

/// A list that is paged through: which operation, and who asks. Which posts it
/// has is said by its filter.
#[derive(Debug)]
pub struct List<'a> {
    /// The field.
    pub operation: &'a str,
    /// The id of the person who pages through it; empty for an API key.
    pub viewer: &'a str,
    /// The start time of a list of changes.
    pub since: Option<i64>,
}

impl List<'_> {
    /// The token of a place in this list.
    pub fn token(&self, secret: &Secret, filter: &Filter, cursor: &Cursor) -> String {
        let cursor = cursor.to_string();
        let mut token = self.seal(secret, filter, &cursor).to_vec();
        token.extend_from_slice(cursor.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(token)
    }

    /// The place in this list that the token encodes.
    ///
    /// # Errors
    ///
    /// A token of another list or caller, or a forged one.
    pub fn cursor(&self, secret: &Secret, filter: &Filter, token: &str) -> Result<Cursor, ApiError> {
        let wrong = || ApiError::invalid("Invalid pagination token given.");
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token).map_err(|_| wrong())?;
        let (seal, cursor) = bytes.split_at_checked(SEAL_BYTES).ok_or_else(wrong)?;
        let cursor = std::str::from_utf8(cursor).map_err(|_| wrong())?;
        // The data behind it is public, so the time of this comparison reveals
        // nothing important.
        if seal != self.seal(secret, filter, cursor) {
            return Err(wrong());
        }
        cursor.parse().map_err(|_| wrong())
    }

    fn seal(&self, secret: &Secret, filter: &Filter, cursor: &str) -> [u8; SEAL_BYTES] {
        let scope = json!([written(filter), self.since]).to_string();
        let parts = [self.operation, self.viewer, &scope, cursor].map(str::as_bytes);
        let mut seal = [0; SEAL_BYTES];
        seal.copy_from_slice(&secret.seal("page token", &parts)[..SEAL_BYTES]);
        seal
    }
}

/// A stable encoding of a filter. A token outlives the process that made it, so a
/// rename in the source must not change the sealed text.
fn written(filter: &Filter) -> Value {
    match filter {
        Filter::All(filters) => json!(["all", filters.iter().map(written).collect::<Vec<_>>()]),
        Filter::Any(filters) => json!(["any", filters.iter().map(written).collect::<Vec<_>>()]),
        Filter::Not(filter) => json!(["not", written(filter)]),
        Filter::Where(attribute, test) => json!(["where", attribute.name(), written_test(test)]),
        Filter::Mentions(word) => json!(["mentions", word]),
        Filter::Titled(word) => json!(["titled", word]),
        Filter::Deleted => json!(["deleted"]),
    }
}

fn written_test(test: &Test) -> Value {
    match test {
        Test::Exists => json!(["exists"]),
        Test::Null => json!(["null"]),
        Test::Is(comparison, text) => json!([comparison.name(), text]),
        Test::BeginsWith(text) => json!(["begins", text]),
        Test::Contains(text) => json!(["contains", text]),
        Test::Length(comparison, length) => json!(["length", comparison.name(), length]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::posts::domain::filter::{Attribute, Comparison};

    #[test]
    fn a_filter_is_sealed_in_words_that_no_rename_changes() {
        let filter = Filter::All(vec![
            Filter::Any(vec![
                Filter::Where(Attribute::Title, Test::Is(Comparison::Eq, "a\"]".to_owned())),
                Filter::Where(Attribute::CreatedAt, Test::Is(Comparison::Ge, "2026".to_owned())),
                Filter::Where(Attribute::Content, Test::Null),
                Filter::Where(Attribute::Owner, Test::BeginsWith("ad".to_owned())),
                Filter::Where(Attribute::Content, Test::Length(Comparison::Lt, 5)),
            ]),
            Filter::Not(Box::new(Filter::Where(Attribute::Id, Test::Contains("x".to_owned())))),
            Filter::Where(Attribute::UpdatedAt, Test::Exists),
            Filter::Mentions("word".to_owned()),
            Filter::Deleted,
        ]);
        let expected = r#"["all",[["any",[["where","title",["eq","a\"]"]],["where","createdAt",["ge","2026"]],["where","content",["null"]],["where","owner",["begins","ad"]],["where","content",["length","lt",5]]]],["not",["where","id",["contains","x"]]],["where","updatedAt",["exists"]],["mentions","word"],["deleted"]]]"#;
        assert_eq!(written(&filter).to_string(), expected);
    }
}
