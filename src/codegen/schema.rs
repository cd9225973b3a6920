//! The schema as the generators read it.

use std::collections::BTreeMap;

use async_graphql::parser::{
    self, parse_schema,
    types::{BaseType, FieldDefinition, Type, TypeDefinition, TypeKind, TypeSystemDefinition},
};

const SCHEMA: &str = include_str!("../graphql/schema.graphql");
const CONFLICT_DETECTION: &str = include_str!("../graphql/conflict_detection.graphql");

/// One of the types whose fields are operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// Reads.
    Query,
    /// Writes.
    Mutation,
    /// Listens.
    Subscription,
}

/// The types of the schema, each with what extends it.
#[derive(Debug)]
pub struct Schema {
    texts: Vec<&'static str>,
    types: BTreeMap<String, TypeDefinition>,
}

impl Root {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Query, Self::Mutation, Self::Subscription];

    /// The name of the type.
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
    /// The schema that the server runs.
    ///
    /// # Errors
    /// Those of the parser.
    pub fn parse(conflict_detection: bool) -> parser::Result<Self> {
        let texts = if conflict_detection { vec![SCHEMA, CONFLICT_DETECTION] } else { vec![SCHEMA] };
        let mut types = BTreeMap::<String, TypeDefinition>::new();
        for text in &texts {
            for definition in parse_schema(text)?.definitions {
                let TypeSystemDefinition::Type(definition) = definition else { continue };
                let definition = definition.node;
                match types.get_mut(definition.name.node.as_str()) {
                    Some(known) => extend(&mut known.kind, definition.kind),
                    None => {
                        types.insert(definition.name.node.to_string(), definition);
                    }
                }
            }
        }
        Ok(Self { texts, types })
    }

    /// The text that was parsed.
    #[must_use]
    pub fn text(&self) -> String {
        self.texts.join("\n")
    }

    /// The operations of a kind.
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

fn extend(known: &mut TypeKind, more: TypeKind) {
    match (known, more) {
        (TypeKind::Object(known), TypeKind::Object(more)) => known.fields.extend(more.fields),
        (TypeKind::InputObject(known), TypeKind::InputObject(more)) => known.fields.extend(more.fields),
        (TypeKind::Enum(known), TypeKind::Enum(more)) => known.values.extend(more.values),
        _ => {}
    }
}
