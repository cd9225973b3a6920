//! Objects of which `@skip` and `@include` leave no field. In the answer they are
//! empty objects; async-graphql writes null, as if there were none, and forgets the
//! fields that another selection of the same object asks for. So a selection whose
//! parts may all be left out gets one more field, which is taken out of the answer.

use async_graphql::{
    Name, Pos, Positioned, Value,
    parser::types::{ExecutableDocument, Field, Selection, SelectionSet},
};

use super::document;

/// The name of that field in the answer. No document can have it.
const MARK: &str = "";

/// Whether a directive may leave this out.
pub fn is_conditional(selection: &Selection) -> bool {
    let mut names = selection.directives().iter().map(|directive| directive.node.name.node.as_str());
    names.any(|name| ["skip", "include"].contains(&name))
}

/// Adds that field wherever it is needed; returns whether it is anywhere. What is
/// wrong with a document stays so.
pub fn mark(document: &mut ExecutableDocument) -> bool {
    let operations = document::operations_mut(&mut document.operations).into_iter();
    let of_operations = operations.map(|operation| &mut operation.node.selection_set);
    let of_fragments = document.fragments.values_mut().map(|fragment| &mut fragment.node.selection_set);
    let mut marked = false;
    for set in of_operations.chain(of_fragments) {
        marked |= mark_selections(set);
    }
    marked
}

fn mark_selections(set: &mut Positioned<SelectionSet>) -> bool {
    let mut marked = false;
    for selection in &mut set.node.items {
        marked |= match &mut selection.node {
            Selection::Field(field) => mark_selections(&mut field.node.selection_set),
            Selection::InlineFragment(fragment) => mark_selections(&mut fragment.node.selection_set),
            // The fragment itself has the field, if it needs it.
            Selection::FragmentSpread(_) => false,
        };
    }
    let items = &mut set.node.items;
    if items.is_empty() || !items.iter().all(|selection| is_conditional(&selection.node)) {
        return marked;
    }
    items.push(Positioned::new(Selection::Field(Positioned::new(field(set.pos), set.pos)), set.pos));
    true
}

/// A field that every object has.
fn field(pos: Pos) -> Field {
    Field {
        alias: Some(Positioned::new(Name::new(MARK), pos)),
        name: Positioned::new(Name::new("__typename"), pos),
        arguments: Vec::new(),
        directives: Vec::new(),
        selection_set: Positioned::default(),
    }
}

/// Takes that field out of an answer. Recurses as deep as the answer is nested.
pub fn unmark(data: &mut Value) {
    match data {
        Value::Object(fields) => {
            fields.shift_remove(MARK);
            fields.values_mut().for_each(unmark);
        }
        Value::List(items) => items.iter_mut().for_each(unmark),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use async_graphql::{parser::parse_query, value};

    use super::*;

    #[test]
    fn only_what_may_become_empty_is_marked() {
        for (text, is_needed) in [
            ("{ a { b } }", false),
            ("{ a { b c @skip(if: true) } }", false),
            ("{ a { b @skip(if: true) } }", true),
            ("{ a @include(if: true) { b } }", true),
            ("{ a { b @other } }", false),
            ("{ a { ...F } } fragment F on A { b }", false),
            ("{ a { ...F } } fragment F on A { b @skip(if: true) c @include(if: true) }", true),
            ("{ a { ...F @skip(if: true) } } fragment F on A { b }", true),
            ("{ a { ... { b @skip(if: true) } } }", true),
            ("query A { a { b } } query B { a { b @skip(if: true) } }", true),
        ] {
            let mut document = parse_query(text).expect("a document");
            assert_eq!(mark(&mut document), is_needed, "{text}");
        }
    }

    #[test]
    fn a_mark_is_taken_out_at_every_depth() {
        let mut data = value!({ "a": [{ "b": {}, "c": 1 }, null], "d": 2 });
        let unmarked = data.clone();
        let marked = |value: &mut Value| {
            let Value::Object(fields) = value else { panic!("no object") };
            fields.shift_insert(0, Name::new(MARK), "Type".into());
        };
        marked(&mut data);
        let Value::Object(fields) = &mut data else { panic!("no object") };
        let Some(Value::List(items)) = fields.get_mut("a") else { panic!("no list") };
        marked(&mut items[0]);
        let Value::Object(fields) = &mut items[0] else { panic!("no object") };
        marked(fields.get_mut("b").expect("an object"));
        unmark(&mut data);
        assert_eq!(data.to_string(), unmarked.to_string());
    }
}
