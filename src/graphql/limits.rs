//! What a document may ask for (security row G1). Counted here: async-graphql
//! counts no pages, and would not let the schema describe itself within these
//! limits.

use std::time::Duration;

use async_graphql::{
    Value, Variables,
    parser::types::{DocumentOperations, ExecutableDocument, Field, Selection, SelectionSet},
};

use super::errors::ApiError;

/// Fields inside each other.
pub const DEPTH: usize = 8;
/// Selections and fragments inside each other.
pub const RECURSION: usize = 16;
/// Fields in all, aliases and fragments counted each time; a page counts its
/// posts as well.
pub const COMPLEXITY: usize = 200;
/// Bytes of a document.
pub const QUERY_BYTES: usize = 16 * 1024;
/// For an answer.
pub const TIME: Duration = Duration::from_secs(5);
/// Posts on a page at most, and on one of `listPosts` unless it says fewer.
pub const PAGE: usize = 100;

/// Posts on a page of Byline's own lists, unless `first` says otherwise.
pub const FIRST: i64 = 20;

/// How many posts a page has whose `limit` or `first` is so.
pub fn page(wanted: Option<i64>) -> usize {
    wanted.map_or(PAGE, |wanted| usize::try_from(wanted).unwrap_or(1).clamp(1, PAGE))
}

/// Refuses a document that asks for too much.
///
/// # Errors
/// [`ApiError::too_much`].
pub fn check(document: &ExecutableDocument, variables: &Variables) -> Result<(), ApiError> {
    let mut count = Count { document, variables, left: COMPLEXITY };
    match &document.operations {
        DocumentOperations::Single(operation) => {
            count.selections(&operation.node.selection_set.node, At::TOP)
        }
        DocumentOperations::Multiple(operations) => operations
            .values()
            .try_for_each(|operation| count.selections(&operation.node.selection_set.node, At::TOP)),
    }
}

struct Count<'a> {
    document: &'a ExecutableDocument,
    variables: &'a Variables,
    left: usize,
}

/// How deep a selection stands.
#[derive(Clone, Copy)]
struct At {
    fields: usize,
    sets: usize,
}

impl At {
    const TOP: Self = Self { fields: 0, sets: 0 };

    /// Fragments may contain themselves; only validation, later, refuses that.
    fn below(self, fields: usize) -> Result<Self, ApiError> {
        let below = Self { fields: self.fields + fields, sets: self.sets + 1 };
        if below.fields > DEPTH || below.sets > RECURSION {
            Err(ApiError::too_much(format!("A document can have {DEPTH} fields inside each other at most.")))
        } else {
            Ok(below)
        }
    }
}

impl Count<'_> {
    fn selections(&mut self, set: &SelectionSet, at: At) -> Result<(), ApiError> {
        for selection in &set.items {
            match &selection.node {
                Selection::Field(field) => {
                    self.take(1 + self.posts(&field.node))?;
                    // The schema describes itself at no cost to the database.
                    if !field.node.name.node.starts_with("__") {
                        self.selections(&field.node.selection_set.node, at.below(1)?)?;
                    }
                }
                Selection::InlineFragment(fragment) => {
                    self.selections(&fragment.node.selection_set.node, at.below(0)?)?;
                }
                Selection::FragmentSpread(spread) => {
                    self.take(1)?;
                    if let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) {
                        self.selections(&fragment.node.selection_set.node, at.below(0)?)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, cost: usize) -> Result<(), ApiError> {
        self.left = self.left.checked_sub(cost).ok_or_else(|| {
            ApiError::too_much(format!(
                "The document asks for too much: its fields and the posts of its pages may count {COMPLEXITY}."
            ))
        })?;
        Ok(())
    }

    /// The posts of a field that is a page.
    fn posts(&self, field: &Field) -> usize {
        match field.name.node.as_str() {
            "listPosts" | "syncPosts" => page(self.number(field, "limit")),
            "allPosts" | "myPosts" => page(self.number(field, "first").or(Some(FIRST))),
            _ => 0,
        }
    }

    fn number(&self, field: &Field, argument: &str) -> Option<i64> {
        let value = field.get_argument(argument)?.node.clone();
        match value.into_const_with(|name| self.variables.get(&name).cloned().ok_or(())) {
            Ok(Value::Number(number)) => number.as_i64(),
            _ => None,
        }
    }
}
