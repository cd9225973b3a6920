//! The id of an API key.

use uuid::Uuid;

/// The id of an API key: a UUID as this site writes it, so that nothing else is
/// ever asked of the database. It is no secret, and opens nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKeyId(String);

impl ApiKeyId {
    /// A new one, later in order than those before.
    pub(crate) fn generate() -> Self {
        Self(Uuid::now_v7().to_string())
    }

    /// Any other text is the id of no key.
    #[must_use]
    pub fn parse(raw: &str) -> Option<Self> {
        let id = Uuid::try_parse(raw).ok()?.to_string();
        (id == raw).then_some(Self(id))
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_form() {
        let id = ApiKeyId::generate();
        assert_eq!(ApiKeyId::parse(id.as_str()), Some(id.clone()));
        let (upper, simple) = (id.as_str().to_uppercase(), id.as_str().replace('-', ""));
        for other in [&upper, &simple, &format!("{{{}}}", id.as_str()), "", "\0", "nothing"] {
            assert_eq!(ApiKeyId::parse(other), None, "{other:?}");
        }
    }
}
