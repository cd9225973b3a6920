//! The schema, parsed for the generators.

use std::collections::BTreeMap;

use async_graphql::{
    dynamic::SchemaError,
    parser::types::{BaseType, FieldDefinition, Type, TypeDefinition, TypeKind},
};

use crate::{
    config::ConflictDetection,
    graphql::schema::{definitions, sdl},
};

/// One of the types whose fields are operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    Query,
    Mutation,
    Subscription,
}

#[derive(Debug)]
pub struct Schema {
    text: String,
    types: BTreeMap<String, TypeDefinition>,
}

impl Root {
    pub const ALL: [Self; 3] = [Self::Query, Self::Mutation, Self::Subscription];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "Query",
            Self::Mutation => "Mutation",
            Self::Subscription => "Subscription",
        }
    }
}

impl Schema {
    /// With or without what conflict detection adds.
    pub fn new(conflict_detection: ConflictDetection) -> Result<Self, SchemaError> {
        let text = without_scalars_of_aws(&sdl(conflict_detection).join("\n"));
        Ok(Self { text, types: definitions(conflict_detection)? })
    }

    /// As Amplify writes it: without the scalars of AWS, which its generators define
    /// themselves.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    pub fn operations(&self, root: Root) -> impl Iterator<Item = &FieldDefinition> {
        self.fields(root.name()).into_iter().flatten()
    }

    /// Every type that is no root, by name.
    pub fn types(&self) -> impl Iterator<Item = (&str, &TypeKind)> {
        self.types
            .iter()
            .filter(|(name, _)| Root::ALL.iter().all(|root| root.name() != name.as_str()))
            .map(|(name, definition)| (name.as_str(), &definition.kind))
    }

    /// The fields of an object type; `None` for what has none.
    pub fn fields(&self, name: &str) -> Option<impl Iterator<Item = &FieldDefinition>> {
        match &self.types.get(name)?.kind {
            TypeKind::Object(object) => Some(object.fields.iter().map(|field| &field.node)),
            _ => None,
        }
    }
}

fn without_scalars_of_aws(schema: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for line in schema.lines() {
        if line.starts_with("scalar AWS") {
            // Its description stands before it.
            kept.pop_if(|line| line.starts_with('"'));
        } else {
            kept.push(line);
        }
    }
    kept.join("\n") + "\n"
}

/// The name of a type, without `[]` and `!`.
pub fn named(ty: &Type) -> &str {
    match &ty.base {
        BaseType::Named(name) => name.as_str(),
        BaseType::List(inner) => named(inner),
    }
}

/// `getPost` becomes `GetPost`.
pub fn capitalized(name: &str) -> String {
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}
