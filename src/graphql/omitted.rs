//! Variables that a client did not send. An input field or argument whose value
//! is such a variable counts as absent (GraphQL 3.10, 6.4.1). async-graphql takes
//! it for null (<https://github.com/async-graphql/async-graphql/pull/170>), and in
//! an update a null would clear a field that the client did not mention. It also
//! takes a flag with a default for false in `@skip` and `@include`.

use std::collections::BTreeSet;

use async_graphql::{
    Name, Variables,
    parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet},
};
use async_graphql_value::{ConstValue, Value};

use super::document;

/// The variables of an operation that have no value: neither sent nor by default.
pub fn variables(operation: &OperationDefinition, sent: &Variables) -> BTreeSet<Name> {
    let definitions = operation.variable_definitions.iter().map(|definition| &definition.node);
    definitions
        .filter(|definition| definition.var_type.node.nullable && definition.default_value.is_none())
        .map(|definition| definition.name.node.clone())
        .filter(|name| !sent.contains_key(name))
        .collect()
}

/// The flags of an operation that were not sent, with their defaults.
pub fn flags(operation: &OperationDefinition, sent: &Variables) -> Vec<(Name, ConstValue)> {
    let definitions = operation.variable_definitions.iter().map(|definition| &definition.node);
    definitions
        .filter(|definition| !sent.contains_key(&definition.name.node))
        .filter_map(|definition| match &definition.default_value.as_ref()?.node {
            flag @ ConstValue::Boolean(_) => Some((definition.name.node.clone(), flag.clone())),
            _ => None,
        })
        .collect()
}

/// Removes the uses of omitted variables from a document, and their definitions,
/// because validation would report them as unused. A variable that was never used
/// stays, so that validation reports it.
pub fn remove(document: &mut ExecutableDocument, omitted: &BTreeSet<Name>) {
    if omitted.is_empty() {
        return;
    }
    let mut removal = Removal { omitted, used: BTreeSet::new() };
    let mut operations = document::operations_mut(&mut document.operations);
    for operation in &mut operations {
        removal.of_selections(&mut operation.node.selection_set.node);
    }
    for fragment in document.fragments.values_mut() {
        removal.of_selections(&mut fragment.node.selection_set.node);
    }
    for operation in operations {
        let definitions = &mut operation.node.variable_definitions;
        definitions.retain(|definition| !removal.used.contains(&definition.node.name.node));
    }
}

struct Removal<'a> {
    omitted: &'a BTreeSet<Name>,
    used: BTreeSet<Name>,
}

impl Removal<'_> {
    fn of_selections(&mut self, set: &mut SelectionSet) {
        for selection in &mut set.items {
            match &mut selection.node {
                Selection::Field(field) => {
                    let arguments = &mut field.node.arguments;
                    arguments.retain(|(_, value)| !self.is_omitted(&value.node));
                    for (_, value) in arguments {
                        self.of_value(&mut value.node);
                    }
                    self.of_selections(&mut field.node.selection_set.node);
                }
                Selection::InlineFragment(fragment) => {
                    self.of_selections(&mut fragment.node.selection_set.node);
                }
                Selection::FragmentSpread(_) => {}
            }
        }
    }

    fn of_value(&mut self, value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.retain(|_, value| !self.is_omitted(value));
                fields.values_mut().for_each(|value| self.of_value(value));
            }
            Value::List(items) => {
                for item in items {
                    // A list keeps its length.
                    if self.is_omitted(item) {
                        *item = Value::Null;
                    }
                    self.of_value(item);
                }
            }
            _ => {}
        }
    }

    fn is_omitted(&mut self, value: &Value) -> bool {
        let Value::Variable(name) = value else { return false };
        let omitted = self.omitted.contains(name);
        if omitted {
            self.used.insert(name.clone());
        }
        omitted
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{Variables, parser::parse_query, value};

    use super::*;

    /// The arguments of the first field, once what was not sent is out.
    fn arguments(document: &str, sent: async_graphql::Value) -> String {
        let mut document = parse_query(document).unwrap();
        let (_, operation) = document.operations.iter().next().unwrap();
        let omitted = variables(&operation.node, &Variables::from_value(sent));
        remove(&mut document, &omitted);
        let (_, operation) = document.operations.iter().next().unwrap();
        let Selection::Field(field) = &operation.node.selection_set.node.items[0].node else {
            panic!("no field");
        };
        let defined = operation.node.variable_definitions.len();
        let arguments = field.node.arguments.iter().map(|(name, value)| format!("{name}: {value}"));
        format!("{defined} {}", arguments.collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn what_was_not_sent_is_not_there_and_what_was_sent_as_null_is() {
        let document =
            "query($a: ID, $b: ID, $c: ID) { f(a: $a, i: {b: $b, c: $c, d: {c: $c}}, l: [$b, $c]) }";
        assert_eq!(
            arguments(document, value!({ "a": "1", "b": null })),
            "2 a: $a, i: {b: $b, d: {}}, l: [$b, null]"
        );
        assert_eq!(arguments(document, value!({})), "0 i: {d: {}}, l: [null, null]");
    }

    #[test]
    fn a_variable_that_nothing_uses_stays_for_validation_to_find() {
        assert_eq!(arguments("query($a: ID, $b: ID) { f(a: $a) }", value!({})), "1 ");
    }

    #[test]
    fn what_has_a_default_or_must_be_sent_stays() {
        let document = "query($a: ID = 1, $b: ID!) { f(a: $a, b: $b, c: $undefined) }";
        assert_eq!(arguments(document, value!({})), "2 a: $a, b: $b, c: $undefined");
    }
}
