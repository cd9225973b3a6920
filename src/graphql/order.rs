//! The order of an answer's fields: that of the document (GraphQL 7.2.2).
//! async-graphql 7 puts the fields of a query down as each is done. Those
//! below them are done at once, and stand as they should.

use async_graphql::{
    Name, Value,
    parser::types::{ExecutableDocument, OperationDefinition, Selection, SelectionSet},
};

/// The names of an operation's fields in its answer, in the order of the document.
pub fn of(document: &ExecutableDocument, operation: &OperationDefinition) -> Vec<Name> {
    let mut names = Vec::new();
    collect(document, &operation.selection_set.node, &mut names);
    names
}

/// Ends, because `limits` lets no fragment pass that contains itself.
fn collect(document: &ExecutableDocument, set: &SelectionSet, names: &mut Vec<Name>) {
    for selection in &set.items {
        match &selection.node {
            Selection::Field(field) => names.push(field.node.response_key().node.clone()),
            Selection::InlineFragment(fragment) => {
                collect(document, &fragment.node.selection_set.node, names);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = document.fragments.get(&spread.node.fragment_name.node) {
                    collect(document, &fragment.node.selection_set.node, names);
                }
            }
        }
    }
}

/// Puts the fields of an answer into that order.
pub fn restore(data: &mut Value, order: &[Name]) {
    let place = |name: &Name| order.iter().position(|other| other == name);
    if let Value::Object(fields) = data {
        fields.sort_by(|one, _, other, _| place(one).cmp(&place(other)));
    }
}
