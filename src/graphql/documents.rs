//! Valid documents, by their text: each is parsed and validated once, whoever
//! sends it.
//!
//! The validity of a document depends on its text, on the chosen operation, on the
//! variables that are sent, and on their values. The first three are the key here.
//! [`fit`] says whether the values certainly have the declared types; if it is not
//! sure, async-graphql validates again and reports what is wrong.
//!
//! The costs (`limits`) are counted for each request, because they depend on the
//! values too.

use std::{fmt, sync::Arc};

use async_graphql::{
    Name, Value, Variables,
    dynamic::Schema,
    parser::types::{ExecutableDocument, OperationDefinition},
    registry::{MetaType, MetaTypeName, Registry},
};
use moka::future::Cache;
use sha2::{Digest, Sha256};

use super::{emptied, order};

/// The most bytes of all documents. A text that is sent once does not displace one
/// that is sent often (TinyLFU).
const CAPACITY: u64 = 4 * 1024 * 1024;
/// Bytes of the longest text that is kept.
const LONGEST: usize = 4 * 1024;
/// The most bytes of a word in the parsed document: a selection or an argument,
/// with its name.
const WORD_BYTES: usize = 512;

/// A hash of a text, the name of the chosen operation and the names of the
/// variables that are sent.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// `None` for texts that are too long to be kept.
    pub fn of(text: &str, operation: Option<&str>, variables: &Variables) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        // The map is sorted by name. The lengths separate the parts.
        let mut hash = Sha256::new();
        let names = variables.keys().map(Name::as_str);
        for part in [text, operation.unwrap_or_default()].into_iter().chain(names) {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        }
        Some(Self(hash.finalize().into()))
    }
}

pub struct ValidDocument {
    /// As it is written in the text.
    pub written: ExecutableDocument,
    /// As async-graphql has to run it, where that is another.
    adapted: Option<ExecutableDocument>,
    /// How the answer is arranged.
    pub layout: Layout,
    bytes: usize,
}

/// What an answer of async-graphql lacks to be the one that the document asks for.
#[derive(Clone, Debug, Default)]
pub struct Layout {
    /// The names of the fields, in the order of the answer.
    pub order: Arc<[Name]>,
    /// Whether the answer may have marks (`emptied`).
    pub is_marked: bool,
}

impl Layout {
    /// Arranges the data of an answer.
    pub fn apply(&self, data: &mut Value) {
        if self.is_marked {
            emptied::unmark(data);
        }
        order::restore(data, &self.order);
    }
}

impl ValidDocument {
    pub fn new(
        text: &str,
        written: ExecutableDocument,
        adapted: Option<ExecutableDocument>,
        layout: Layout,
    ) -> Self {
        let words =
            text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let copies = 1 + usize::from(adapted.is_some());
        let bytes = WORD_BYTES + copies * (text.len() + WORD_BYTES * words.count());
        Self { written, adapted, layout, bytes }
    }

    /// The document to run.
    pub const fn run(&self) -> &ExecutableDocument {
        match &self.adapted {
            Some(document) => document,
            None => &self.written,
        }
    }
}

pub struct Documents(Cache<Fingerprint, Arc<ValidDocument>>);

impl Default for Documents {
    fn default() -> Self {
        let weight = |_: &Fingerprint, document: &Arc<ValidDocument>| {
            u32::try_from(document.bytes).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().max_capacity(CAPACITY).weigher(weight).build())
    }
}

impl Documents {
    /// The document, if it was found valid before.
    pub async fn get(&self, fingerprint: Fingerprint) -> Option<Arc<ValidDocument>> {
        self.0.get(&fingerprint).await
    }

    pub async fn keep(&self, fingerprint: Fingerprint, document: Arc<ValidDocument>) {
        self.0.insert(fingerprint, document).await;
    }
}

impl fmt::Debug for Documents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Documents").finish_non_exhaustive()
    }
}

/// Whether all values certainly have the types that an operation declares.
/// Validation has already checked the places where a variable is used, except
/// for a null beside a default that depends on the place.
pub fn fit(schema: &Schema, operation: &OperationDefinition, variables: &Variables) -> bool {
    operation.variable_definitions.iter().all(|definition| {
        let definition = &definition.node;
        match variables.get(&definition.name.node) {
            None => true,
            Some(Value::Null) => definition.var_type.node.nullable && definition.default_value.is_none(),
            Some(value) => fits(schema.registry(), &definition.var_type.node.to_string(), value),
        }
    })
}

/// Recurses as deep as JSON is nested.
fn fits(registry: &Registry, ty: &str, value: &Value) -> bool {
    match (MetaTypeName::create(ty), value) {
        (MetaTypeName::NonNull(_), Value::Null) => false,
        (MetaTypeName::NonNull(ty), value) => fits(registry, ty, value),
        (MetaTypeName::Named(_) | MetaTypeName::List(_), Value::Null) => true,
        (MetaTypeName::List(ty), Value::List(items)) => items.iter().all(|item| fits(registry, ty, item)),
        // One item may be given in place of a list.
        (MetaTypeName::List(_), _) => false,
        (MetaTypeName::Named(ty), value) => match (registry.types.get(ty), value) {
            (Some(MetaType::Scalar { is_valid: Some(is_valid), .. }), value) => is_valid(value),
            (Some(MetaType::Scalar { is_valid: None, .. }), Value::List(_) | Value::Object(_)) => false,
            (Some(MetaType::Scalar { is_valid: None, .. }), _) => true,
            (Some(MetaType::Enum { enum_values, .. }), Value::String(name)) => enum_values.contains_key(name),
            (Some(MetaType::InputObject { input_fields, oneof: false, .. }), Value::Object(values)) => {
                values.keys().all(|name| input_fields.contains_key(name.as_str()))
                    && input_fields.values().all(|field| match values.get(field.name.as_str()) {
                        Some(value) => fits(registry, &field.ty, value),
                        None => !field.ty.ends_with('!') || field.default_value.is_some(),
                    })
            }
            _ => false,
        },
    }
}
