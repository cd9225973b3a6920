//! The order of an answer's fields: that of the document (GraphQL 7.2.2).
//! async-graphql 7 writes the fields of a query in the order in which their
//! resolvers end (<https://github.com/async-graphql/async-graphql/issues/612>).
//! Fields below them need no wait, so they are in order already.

use std::collections::HashMap;

use async_graphql::{
    Name, Value,
    parser::types::{ExecutableDocument, OperationDefinition},
};

use super::roots;

/// The names of an operation's fields in its answer, in the order of the document.
pub fn of(document: &ExecutableDocument, operation: &OperationDefinition) -> Vec<Name> {
    roots::fields(document, operation).map(|field| field.response_key().node.clone()).collect()
}

/// Puts the fields of an answer into that order.
pub fn restore(data: &mut Value, order: &[Name]) {
    let Value::Object(fields) = data else { return };
    let mut places = HashMap::with_capacity(order.len());
    for (place, name) in order.iter().enumerate() {
        places.entry(name).or_insert(place);
    }
    fields.sort_by(|one, _, other, _| places.get(one).cmp(&places.get(other)));
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;
    use async_graphql::parser::types::DocumentOperations;

    use super::*;

    /// The names of an answer after they have been put in the order of a document.
    fn restored(document: &str, answered: &[&str]) -> Vec<String> {
        let document = parse_query(document).expect("a document");
        let DocumentOperations::Single(operation) = &document.operations else {
            panic!("one operation without a name")
        };
        let names = of(&document, &operation.node);
        let mut data = Value::Object(
            answered.iter().map(|name| (Name::new(name), Value::String((*name).to_owned()))).collect(),
        );
        restore(&mut data, &names);
        let Value::Object(fields) = data else { panic!("{data}") };
        for (name, value) in &fields {
            assert_eq!(*value, Value::String(name.to_string()), "each keeps its own value");
        }
        fields.keys().map(Name::to_string).collect()
    }

    // In real use, resolvers mostly end in the order of their fields; here they
    // certainly do not.
    #[test]
    fn fields_that_were_done_in_any_order_stand_in_the_order_of_the_document() {
        let document = "
            { z: me { id } ...Some getPost(id: 1) { id title } ... on Query { b: me { id } a: me { id } } me { id } }
            fragment Some on Query { y: me { id } ... { listPosts { nextToken } } ...More }
            fragment More on Query { c: me { id } }";
        let right = ["z", "y", "listPosts", "c", "getPost", "b", "a", "me"];
        let mut shuffled = right;
        for _ in 0..right.len() {
            shuffled.rotate_left(1);
            assert_eq!(restored(document, &shuffled), right, "{shuffled:?}");
        }
        shuffled.reverse();
        assert_eq!(restored(document, &shuffled), right);
        shuffled.sort_unstable();
        assert_eq!(restored(document, &shuffled), right);
    }

    #[test]
    fn a_field_that_is_there_twice_stands_where_it_stands_first() {
        let document = "{ b: me { id } ...Again a: me { id } b: me { username } }
            fragment Again on Query { c: me { id } b: me { id } a: me { id } }";
        for answered in [["a", "b", "c"], ["c", "a", "b"], ["a", "c", "b"]] {
            assert_eq!(restored(document, &answered), ["b", "c", "a"]);
        }
    }

    #[test]
    fn a_field_that_was_left_out_moves_no_other() {
        let document = "query ($no: Boolean!) { c: me { id } b: me @include(if: $no) { id } a: me { id } }";
        assert_eq!(restored(document, &["a", "c"]), ["c", "a"]);
    }
}
