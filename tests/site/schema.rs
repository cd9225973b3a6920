//! What the schema of the GraphQL API contains.

use std::collections::{BTreeMap, BTreeSet};

use async_graphql::parser::{
    parse_schema,
    types::{TypeKind, TypeSystemDefinition},
};
use byline::{config::ConflictDetection, graphql::schema::sdl};
use serde_json::Value;

use crate::support::{Credential, Running};

/// Every type and its fields, arguments and values: `Post.id: ID!`,
/// `Query.getPost: Post`, `Query.getPost(id: ID!)`.
fn written<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for text in texts {
        for definition in parse_schema(text).expect("a schema").definitions {
            let TypeSystemDefinition::Type(definition) = definition else { panic!("only types") };
            let definition = definition.node;
            let name = definition.name.node;
            match definition.kind {
                TypeKind::Object(object) => {
                    for field in object.fields {
                        let field = field.node;
                        let field_name = field.name.node;
                        all.insert(format!("{name}.{field_name}: {}", field.ty.node));
                        for argument in field.arguments {
                            let argument = argument.node;
                            let default = argument.default_value.map(|value| format!(" = {}", value.node));
                            all.insert(format!(
                                "{name}.{field_name}({}: {}{})",
                                argument.name.node,
                                argument.ty.node,
                                default.unwrap_or_default()
                            ));
                        }
                    }
                }
                TypeKind::InputObject(object) => {
                    let fields = object.fields.into_iter().map(|field| field.node);
                    all.extend(fields.map(|field| format!("{name}.{}: {}", field.name.node, field.ty.node)));
                }
                TypeKind::Enum(values) => {
                    let values = values.values.into_iter().map(|value| value.node.value.node);
                    all.extend(values.map(|value| format!("{name}.{value}")));
                }
                TypeKind::Scalar => drop(all.insert(name.to_string())),
                _ => panic!("{name}"),
            }
        }
    }
    all
}

/// The schema as introspection returns it.
fn told(schema: &Value) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    for of in list(&schema["types"]) {
        let name = of["name"].as_str().expect("a name");
        let builtin = ["Boolean", "Float", "ID", "Int", "String"].contains(&name) || name.starts_with("__");
        if builtin {
            continue;
        }
        let text = |value: &Value| value["name"].as_str().expect("a name").to_owned();
        for field in list(&of["fields"]) {
            all.insert(format!("{name}.{}: {}", text(&field), ty(&field["type"])));
            for argument in list(&field["args"]) {
                let default = argument["defaultValue"].as_str().map(|value| format!(" = {value}"));
                let default = default.unwrap_or_default();
                let argument = format!("{}: {}{default}", text(&argument), ty(&argument["type"]));
                all.insert(format!("{name}.{}({argument})", text(&field)));
            }
        }
        let inputs = list(&of["inputFields"]);
        all.extend(inputs.iter().map(|field| format!("{name}.{}: {}", text(field), ty(&field["type"]))));
        all.extend(list(&of["enumValues"]).iter().map(|value| format!("{name}.{}", text(value))));
        if of["kind"] == "SCALAR" {
            all.insert(name.to_owned());
        }
    }
    all
}

fn ty(told: &Value) -> String {
    match told["kind"].as_str() {
        Some("NON_NULL") => format!("{}!", ty(&told["ofType"])),
        Some("LIST") => format!("[{}]", ty(&told["ofType"])),
        _ => told["name"].as_str().expect("a name").to_owned(),
    }
}

/// What GraphiQL and other tools send.
const INTROSPECTION: &str = "query IntrospectionQuery {
  __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    types { ...FullType }
    directives { name description locations args { ...InputValue } }
  }
}
fragment FullType on __Type {
  kind name description
  fields(includeDeprecated: true) { name description args { ...InputValue } type { ...TypeRef } isDeprecated deprecationReason }
  inputFields { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue }
fragment TypeRef on __Type {
  kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
  ofType { kind name ofType { kind name ofType { kind name } } } } } } }
}";

#[tokio::test]
async fn introspection_returns_the_schema_as_it_is_written() {
    for conflict_detection in [ConflictDetection::Off, ConflictDetection::On] {
        let site = Running::start_with(|config| config.conflict_detection = conflict_detection).await;
        let ada = site.author("ada").await;
        let (token, (key, _)) = (site.token_of("ada").await, site.api_key_of(&ada).await);
        let mut answers = BTreeMap::new();
        for by in [token, key, Credential::session(&ada)] {
            let answer = site.graphql(&by, INTROSPECTION).await.json();
            assert!(answer["errors"].is_null(), "{}", answer["errors"]);
            assert_eq!(told(&answer["data"]["__schema"]), written(sdl(conflict_detection)));
            answers.insert(answer.to_string(), by.name);
        }
        assert_eq!(answers.len(), 1, "the same for every credential");
        assert_eq!(site.graphql(&Credential::none(), INTROSPECTION).await.status, 401);
    }
}

#[tokio::test]
async fn the_schema_contains_what_amplify_generates_unchanged() {
    const CONTRACT: &str = include_str!("contract.graphql");
    const CONFLICT_DETECTION: &str = "# conflict detection";
    let (plain, _) = CONTRACT.split_once(CONFLICT_DETECTION).expect("both parts");
    for (conflict_detection, contract) in [(ConflictDetection::Off, plain), (ConflictDetection::On, CONTRACT)]
    {
        let site = Running::start_with(|config| config.conflict_detection = conflict_detection).await;
        site.author("ada").await;
        let answer = site.graphql(&site.token_of("ada").await, INTROSPECTION).await.json();
        let (contract, told) = (written([contract]), told(&answer["data"]["__schema"]));
        let missing: Vec<_> = contract.difference(&told).collect();
        assert!(missing.is_empty(), "{missing:?}");
        // What Byline adds to what was generated, a client that knows nothing of it can leave out.
        let of = |line: &str| line.split([':', '(']).next().expect("a name").to_owned();
        let generated: BTreeSet<_> = contract.iter().map(|line| of(line)).collect();
        let inputs: BTreeSet<_> =
            contract.iter().filter_map(|line| line.split_once("Input.").map(|(name, _)| name)).collect();
        let demanded: Vec<_> = told
            .difference(&contract)
            .filter(|line| {
                let is_argument = line.contains('(') && generated.contains(&of(line));
                let is_input = line.split_once("Input.").is_some_and(|(name, _)| inputs.contains(name));
                (is_argument || is_input) && line.trim_end_matches(')').ends_with('!')
            })
            .collect();
        assert!(demanded.is_empty(), "{demanded:?}");
    }
}
