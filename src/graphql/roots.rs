//! The root fields of an operation, around which there may be fragments.
//!
//! A subscription has one, without `@skip` and `@include` (GraphQL of September
//! 2025, "Single Root Field"). async-graphql does not check that, does not find a
//! field inside a fragment, and subscribes once for each time that a field is named.
//! A subscription without a field would look like one that has ended.

use std::collections::{BTreeSet, HashMap};

use async_graphql::{
    Name, Positioned, ServerError,
    parser::types::{
        ExecutableDocument, Field, FragmentDefinition, OperationDefinition, OperationType, Selection,
        SelectionSet, TypeCondition,
    },
};

use super::{document, emptied};

/// By their names.
type Fragments = HashMap<Name, Positioned<FragmentDefinition>>;

const CONDITIONAL: &str = "The root field of a subscription cannot have @skip or @include";
const SEVERAL: &str = "A subscription can have one root field only";

/// The root fields, in the order of the document, including those that a directive
/// skips.
pub fn fields<'a>(
    document: &'a ExecutableDocument,
    operation: &'a OperationDefinition,
) -> impl Iterator<Item = &'a Field> {
    let selections = selections(&document.fragments, &operation.selection_set.node);
    selections.into_iter().filter_map(|selection| match &selection.node {
        Selection::Field(field) => Some(&field.node),
        _ => None,
    })
}

/// The root fields, and the fragments around them.
fn selections<'a>(fragments: &'a Fragments, set: &'a SelectionSet) -> Vec<&'a Positioned<Selection>> {
    let mut found = Vec::new();
    collect(fragments, set, &mut found);
    found
}

/// Ends, because `limits` lets no fragment pass that contains itself.
fn collect<'a>(fragments: &'a Fragments, set: &'a SelectionSet, found: &mut Vec<&'a Positioned<Selection>>) {
    for selection in &set.items {
        found.push(selection);
        match &selection.node {
            Selection::Field(_) => {}
            Selection::InlineFragment(fragment) => {
                collect(fragments, &fragment.node.selection_set.node, found);
            }
            Selection::FragmentSpread(spread) => {
                if let Some(fragment) = fragments.get(&spread.node.fragment_name.node) {
                    collect(fragments, &fragment.node.selection_set.node, found);
                }
            }
        }
    }
}

/// Refuses subscriptions that have not exactly one root field in every case.
///
/// # Errors
/// The mistake, and where it is.
pub fn check(document: &ExecutableDocument) -> Result<(), ServerError> {
    for (_, operation) in document.operations.iter() {
        if operation.node.ty != OperationType::Subscription {
            continue;
        }
        let all = selections(&document.fragments, &operation.node.selection_set.node);
        if let Some(conditional) = all.iter().find(|selection| emptied::is_conditional(&selection.node)) {
            return Err(ServerError::new(CONDITIONAL, Some(conditional.pos)));
        }
        // Fields of one name in the answer are one field.
        let names: BTreeSet<_> =
            fields(document, &operation.node).map(|field| &field.response_key().node).collect();
        if names.len() > 1 {
            return Err(ServerError::new(SEVERAL, Some(operation.pos)));
        }
    }
    Ok(())
}

/// Puts the root field of each subscription in the place of the fragments around it,
/// once. Returns whether that changed anything.
pub fn lift(document: &mut ExecutableDocument) -> bool {
    let mut dissolved = BTreeSet::new();
    let mut lifted = false;
    for operation in document::operations_mut(&mut document.operations) {
        let set = &mut operation.node.selection_set.node;
        let is_plain = matches!(set.items.as_slice(), [only] if matches!(only.node, Selection::Field(_)));
        if operation.node.ty != OperationType::Subscription || is_plain {
            continue;
        }
        if let Some(fields) = fields_alone(&document.fragments, set, &mut dissolved) {
            let selection = |field: Positioned<Field>| {
                let pos = field.pos;
                Positioned::new(Selection::Field(field), pos)
            };
            set.items = fields.into_iter().map(selection).collect();
            lifted = true;
        }
    }
    // Validation would report them as unused.
    document.fragments.retain(|name, _| !dissolved.contains(name));
    lifted
}

/// The root fields of a subscription, where nothing is wrong with the fragments
/// around them; else validation has to see these. Adds their names to `dissolved`.
fn fields_alone(
    fragments: &Fragments,
    set: &SelectionSet,
    dissolved: &mut BTreeSet<Name>,
) -> Option<Vec<Positioned<Field>>> {
    let all = selections(fragments, set);
    if !all.iter().all(|selection| is_right(fragments, &selection.node)) {
        return None;
    }
    let mut alone: Vec<Positioned<Field>> = Vec::new();
    for selection in all {
        match &selection.node {
            Selection::Field(field) => match alone.iter_mut().find(|first| is_same(&first.node, &field.node))
            {
                Some(first) => {
                    let more = field.node.selection_set.node.items.iter().cloned();
                    first.node.selection_set.node.items.extend(more);
                }
                None => alone.push(field.clone()),
            },
            Selection::InlineFragment(_) => {}
            Selection::FragmentSpread(spread) => {
                dissolved.insert(spread.node.fragment_name.node.clone());
            }
        }
    }
    Some(alone)
}

fn is_right(fragments: &Fragments, selection: &Selection) -> bool {
    let of_subscription = |condition: &TypeCondition| condition.on.node == "Subscription";
    selection.directives().is_empty()
        && match selection {
            Selection::Field(_) => true,
            Selection::InlineFragment(fragment) => {
                let condition = fragment.node.type_condition.as_ref();
                condition.is_none_or(|condition| of_subscription(&condition.node))
            }
            Selection::FragmentSpread(spread) => {
                fragments.get(&spread.node.fragment_name.node).is_some_and(|fragment| {
                    let fragment = &fragment.node;
                    fragment.directives.is_empty() && of_subscription(&fragment.type_condition.node)
                })
            }
        }
}

/// Whether two fields are the same, but for what is selected below them.
fn is_same(one: &Field, other: &Field) -> bool {
    let selects = |field: &Field| !field.selection_set.node.items.is_empty();
    one.response_key().node == other.response_key().node
        && one.name.node == other.name.node
        && one.arguments.len() == other.arguments.len()
        && one.arguments.iter().all(|(name, value)| other.get_argument(&name.node) == Some(value))
        && selects(one)
        && selects(other)
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::parse_query;

    use super::*;

    #[test]
    fn a_subscription_has_one_root_field_in_every_case() {
        for (text, message) in [
            ("subscription { a { b } }", None),
            ("subscription { a { b @skip(if: true) } }", None),
            ("subscription { a { b } a { c } }", None),
            ("subscription { ...F } fragment F on Subscription { a { b } ... { a { c } } }", None),
            ("subscription { ...Nowhere }", None),
            ("{ a @skip(if: true) { b } c }", None),
            ("subscription { a @skip(if: false) { b } }", Some(CONDITIONAL)),
            ("subscription { ... @include(if: true) { a { b } } }", Some(CONDITIONAL)),
            ("subscription { ...F @skip(if: true) } fragment F on Subscription { a }", Some(CONDITIONAL)),
            ("subscription { ...F } fragment F on Subscription { a @skip(if: $b) }", Some(CONDITIONAL)),
            ("subscription { a { b } c { b } }", Some(SEVERAL)),
            ("subscription { a { b } c: a { b } }", Some(SEVERAL)),
            ("subscription { a ...F } fragment F on Subscription { c }", Some(SEVERAL)),
            ("query A { a } subscription B { a c }", Some(SEVERAL)),
        ] {
            let document = parse_query(text).expect("a document");
            let mistake = check(&document).err().map(|error| error.message);
            assert_eq!(mistake.as_deref(), message, "{text}");
        }
    }

    /// The root selections, how much each selects, and how many fragments are left.
    fn lifted(text: &str) -> (bool, Vec<Option<usize>>, usize) {
        let mut document = parse_query(text).expect("a document");
        let changed = lift(&mut document);
        let (_, operation) = document.operations.iter().next().expect("an operation");
        let roots = operation.node.selection_set.node.items.iter().map(|selection| match &selection.node {
            Selection::Field(field) => Some(field.node.selection_set.node.items.len()),
            _ => None,
        });
        (changed, roots.collect(), document.fragments.len())
    }

    #[test]
    fn the_root_field_of_a_subscription_comes_out_of_its_fragments() {
        let on_subscription = "fragment F on Subscription { a(x: 1 y: $z) { b } ...G } \
                               fragment G on Subscription { ... on Subscription { a(y: $z x: 1) { c d } } }";
        for (text, expected) in [
            ("subscription { a { b } }".to_owned(), (false, vec![Some(1)], 0)),
            ("{ ...F } fragment F on Query { a }".to_owned(), (false, vec![None], 1)),
            (
                "subscription { a { b } a { c ...H } } fragment H on A { d }".to_owned(),
                (true, vec![Some(3)], 1),
            ),
            (format!("subscription {{ ...F }} {on_subscription}"), (true, vec![Some(3)], 0)),
            (format!("subscription {{ ...F ...G }} {on_subscription}"), (true, vec![Some(5)], 0)),
        ] {
            assert_eq!(lifted(&text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_fragment_stays_for_validation_to_find() {
        for text in [
            "subscription { ...F } fragment F on Post { a { b } }",
            "subscription { ...F } fragment F on Subscription @other { a { b } }",
            "subscription { ...F @other } fragment F on Subscription { a { b } }",
            "subscription { ... on Post { a { b } } }",
            "subscription { ...Nowhere }",
        ] {
            assert!(!lifted(text).0, "{text}");
        }
        for text in [
            "subscription { a(x: 1) { b } ... { a(x: 2) { b } } }",
            "subscription { a { b } ... { a } }",
            "subscription { a: c { b } ... { a { b } } }",
        ] {
            assert_eq!(lifted(text).1.len(), 2, "{text}");
        }
    }
}
