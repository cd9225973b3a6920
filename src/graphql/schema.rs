//! The schema: the text of `schema.graphql`, with a resolver at every field.

use std::{collections::BTreeMap, fmt};

use async_graphql::{
    ValidationMode,
    dynamic::{
        self, Enum, Field, FieldFuture, InputObject, InputValue, Object, ResolverContext, Scalar, SchemaError,
    },
    parser::{
        parse_schema,
        types::{
            BaseType, FieldDefinition, InputValueDefinition, Type, TypeDefinition, TypeKind,
            TypeSystemDefinition,
        },
    },
};

use super::{
    answer_cache::AnswerCache, call::Call, documents::Documents, mutations, nodes, queries, subscriptions,
};
use crate::{
    config::{ConflictDetection, PageMemory},
    http::shared_answers::CacheCounts,
    site::Site,
};

const SCHEMA: &str = include_str!("schema.graphql");
const CONFLICT_DETECTION: &str = include_str!("conflict_detection.graphql");

pub struct Api {
    pub(super) schema: dynamic::Schema,
    /// The same for documents that are known to be valid: it does not look again.
    pub(super) schema_of_valid: dynamic::Schema,
    pub(super) documents: Documents,
    pub(super) cache: AnswerCache,
    /// Whether a change has to name a version.
    pub conflict_detection: ConflictDetection,
}

impl Api {
    /// What the cache of answers to keys was worth so far.
    #[must_use]
    pub fn cache_counts(&self) -> CacheCounts {
        self.cache.counts()
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("conflict_detection", &self.conflict_detection).finish_non_exhaustive()
    }
}

/// The schema as text: what the server runs and front ends generate code from.
#[must_use]
pub fn sdl(conflict_detection: ConflictDetection) -> Vec<&'static str> {
    match conflict_detection {
        ConflictDetection::Off => vec![SCHEMA],
        ConflictDetection::On => vec![SCHEMA, CONFLICT_DETECTION],
    }
}

impl Site {
    #[must_use]
    pub fn api(&self) -> &Api {
        self.part()
    }
}

impl Api {
    /// Puts the schema together.
    pub fn new(conflict_detection: ConflictDetection, memory: PageMemory) -> Result<Self, SchemaError> {
        Ok(Self {
            schema: schema(conflict_detection, ValidationMode::Strict)?,
            schema_of_valid: schema(conflict_detection, ValidationMode::Fast)?,
            documents: Documents::default(),
            cache: AnswerCache::new(memory),
            conflict_detection,
        })
    }
}

fn schema(
    conflict_detection: ConflictDetection,
    validation: ValidationMode,
) -> Result<dynamic::Schema, SchemaError> {
    let mut builder = dynamic::Schema::build("Query", Some("Mutation"), Some("Subscription"))
        .validation_mode(validation)
        .data(conflict_detection);
    for definition in definitions(conflict_detection)?.into_values() {
        builder = register(builder, &definition)?;
    }
    builder.finish()
}

/// Every type by its name, with what extends it.
pub fn definitions(
    conflict_detection: ConflictDetection,
) -> Result<BTreeMap<String, TypeDefinition>, SchemaError> {
    let mut types = BTreeMap::<String, TypeDefinition>::new();
    for text in sdl(conflict_detection) {
        let document = parse_schema(text).map_err(|error| SchemaError(error.to_string()))?;
        for definition in document.definitions {
            let TypeSystemDefinition::Type(definition) = definition else { continue };
            let definition = definition.node;
            match types.get_mut(definition.name.node.as_str()) {
                Some(known) => extend(known, definition),
                None => drop(types.insert(definition.name.node.to_string(), definition)),
            }
        }
    }
    Ok(types)
}

fn extend(known: &mut TypeDefinition, extension: TypeDefinition) {
    match (&mut known.kind, extension.kind) {
        (TypeKind::Object(known), TypeKind::Object(more)) => known.fields.extend(more.fields),
        (TypeKind::InputObject(known), TypeKind::InputObject(more)) => known.fields.extend(more.fields),
        _ => {}
    }
}

fn register(
    builder: dynamic::SchemaBuilder,
    definition: &TypeDefinition,
) -> Result<dynamic::SchemaBuilder, SchemaError> {
    let name = definition.name.node.as_str();
    // None is not the same as an empty one: introspection tells them apart.
    let words = definition.description.iter().map(|words| words.node.as_str());
    Ok(match &definition.kind {
        TypeKind::Scalar => builder.register(words.fold(Scalar::new(name), Scalar::description)),
        TypeKind::Enum(kind) => {
            let values = kind.values.iter().map(|value| value.node.value.node.as_str());
            builder.register(values.fold(words.fold(Enum::new(name), Enum::description), Enum::item))
        }
        TypeKind::InputObject(kind) => {
            let fields = kind.fields.iter().map(|field| input(&field.node));
            builder.register(fields.fold(InputObject::new(name), InputObject::field))
        }
        TypeKind::Object(kind) if name == "Subscription" => {
            let mut object = dynamic::Subscription::new(name);
            for field in &kind.fields {
                object = object.field(subscription(&field.node)?);
            }
            builder.register(object)
        }
        TypeKind::Object(kind) => {
            let mut object = words.fold(Object::new(name), Object::description);
            for field in &kind.fields {
                object = object.field(self::field(name, &field.node)?);
            }
            builder.register(object)
        }
        TypeKind::Interface(_) | TypeKind::Union(_) => {
            return Err(SchemaError(format!("{name}: there is no resolver for such a type")));
        }
    })
}

type Resolver = for<'a> fn(ResolverContext<'a>) -> FieldFuture<'a>;

/// The resolver of a root field. A field that fails is null, with its error beside
/// the data; async-graphql would omit the field.
macro_rules! root {
    ($object:literal, $resolve:path) => {
        |ctx| {
            FieldFuture::new(async move {
                let outcome = match Call::new(&ctx, $object) {
                    Ok(call) => $resolve(&ctx, &call).await.map_err(|refusal| call.error(refusal)),
                    Err(error) => Err(error),
                };
                Ok(outcome.unwrap_or_else(|error| {
                    ctx.ctx.add_error(error.at(&ctx));
                    None
                }))
            })
        }
    };
}

/// The resolver of a root field. All other fields are resolved by the object itself.
fn resolver(object: &str, field: &str) -> Option<Resolver> {
    Some(match (object, field) {
        ("Query", "getPost") => root!("Query", queries::get_post),
        ("Query", "listPosts") => root!("Query", queries::list_posts),
        ("Query", "syncPosts") => root!("Query", queries::sync_posts),
        ("Query", "allPosts") => root!("Query", queries::all_posts),
        ("Query", "myPosts") => root!("Query", queries::my_posts),
        ("Query", "me") => root!("Query", queries::me),
        ("Mutation", "createPost") => root!("Mutation", mutations::create_post),
        ("Mutation", "updatePost") => root!("Mutation", mutations::update_post),
        ("Mutation", "deletePost") => root!("Mutation", mutations::delete_post),
        ("Query" | "Mutation", _) => return None,
        _ => nodes::resolve,
    })
}

fn field(object: &str, definition: &FieldDefinition) -> Result<Field, SchemaError> {
    let name = definition.name.node.as_str();
    let resolver =
        resolver(object, name).ok_or_else(|| SchemaError(format!("{object}.{name} has no resolver")))?;
    let mut field = Field::new(name, type_ref(&definition.ty.node), resolver);
    if let Some(words) = &definition.description {
        field = field.description(words.node.as_str());
    }
    Ok(definition.arguments.iter().fold(field, |field, argument| field.argument(input(&argument.node))))
}

fn subscription(definition: &FieldDefinition) -> Result<dynamic::SubscriptionField, SchemaError> {
    let name = definition.name.node.as_str();
    let resolver = subscriptions::resolver(name)
        .ok_or_else(|| SchemaError(format!("Subscription.{name} has no resolver")))?;
    let field = dynamic::SubscriptionField::new(name, type_ref(&definition.ty.node), resolver);
    Ok(definition.arguments.iter().fold(field, |field, argument| field.argument(input(&argument.node))))
}

fn input(definition: &InputValueDefinition) -> InputValue {
    let value = InputValue::new(definition.name.node.as_str(), type_ref(&definition.ty.node));
    match &definition.default_value {
        Some(default) => value.default_value(default.node.clone()),
        None => value,
    }
}

fn type_ref(ty: &Type) -> dynamic::TypeRef {
    let base = match &ty.base {
        BaseType::Named(name) => dynamic::TypeRef::named(name.as_str()),
        BaseType::List(inner) => dynamic::TypeRef::List(Box::new(type_ref(inner))),
    };
    if ty.nullable { base } else { dynamic::TypeRef::NonNull(Box::new(base)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_both_schemas_has_a_resolver() {
        for conflict_detection in [ConflictDetection::Off, ConflictDetection::On] {
            let api = Api::new(conflict_detection, PageMemory::default()).unwrap();
            let on = conflict_detection == ConflictDetection::On;
            assert_eq!(api.schema.sdl().contains("syncPosts("), on);
        }
    }
}
