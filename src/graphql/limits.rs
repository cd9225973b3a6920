//! What a document may ask for (security row G1). Counted here, before
//! async-graphql looks at the document: that counts no pages, would not let the
//! schema describe itself within these limits, and spreads every fragment
//! wherever it is named, however often, on the thread that serves.

use std::time::Duration;

use async_graphql::{
    Positioned, Value, Variables,
    parser::types::{ExecutableDocument, Field, Selection, SelectionSet, VariableDefinition},
};

use super::errors::ApiError;

/// Fields inside each other.
pub const DEPTH: usize = 8;
/// Selections and fragments inside each other.
pub const RECURSION: usize = 16;
/// Fields of an operation, aliases and fragments counted each time. A page
/// counts its posts as well, [`CONTENT`] and [`SEARCH`] more.
pub const COMPLEXITY: usize = 200;
/// What a post's content counts: with the megabyte that a page holds at most,
/// it bounds an answer.
pub const CONTENT: usize = 12;
/// What a filter or a search counts, for which posts may have to be looked
/// through.
pub const SEARCH: usize = 20;
/// Bytes of a document.
pub const QUERY_BYTES: usize = 16 * 1024;
/// For an answer.
pub const TIME: Duration = Duration::from_secs(5);
/// Posts on a page at most, and on one of `listPosts` unless it says fewer.
pub const PAGE: usize = 100;
/// Posts on a page of Byline's own lists, unless `first` says otherwise.
pub const FIRST: i64 = 20;
/// `and`, `or` and `not` of a filter inside each other.
pub const FILTER_DEPTH: usize = 16;
/// Tests in a filter, and filters in its lists.
pub const FILTER_TESTS: usize = 100;
/// Characters of a search; each of its words is looked for in every text.
pub const SEARCH_CHARS: usize = 200;
/// Operations of a WebSocket at a time, as AppSync has it.
pub const OPERATIONS: usize = 100;
/// Bytes of a message to a WebSocket: a document and its variables.
pub const MESSAGE_BYTES: usize = 64 * 1024;

/// Selections that are looked at, fragments wherever they are spread: far more
/// than the other limits leave room for.
const VISITS: usize = 4_000;

/// The schema describes itself at no cost to the database, and tools ask for
/// all of it at once: by more fields and deeper than anything else, but not by
/// lists inside lists inside lists (graphql-js, `MaxIntrospectionDepthRule`).
mod introspection {
    pub const FIELDS: usize = 600;
    /// What a list counts.
    pub const LIST: usize = 8;
    pub const LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];
    pub const LISTS_DEPTH: usize = 2;
    pub const DEPTH: usize = 20;
    pub const RECURSION: usize = 30;
}

/// How many posts a page has whose `limit` or `first` is so.
pub fn page(wanted: Option<i64>) -> usize {
    wanted.map_or(PAGE, |wanted| usize::try_from(wanted).unwrap_or(1).clamp(1, PAGE))
}

/// Refuses a document that asks for too much.
///
/// # Errors
/// [`ApiError::too_much`].
pub fn check(document: &ExecutableDocument, variables: &Variables) -> Result<(), ApiError> {
    let mut visits = VISITS;
    for (_, operation) in document.operations.iter() {
        let operation = &operation.node;
        let of = Values { sent: variables, defined: &operation.variable_definitions };
        let mut count = Count { document, of, visits, fields: COMPLEXITY, described: introspection::FIELDS };
        count.selections(&operation.selection_set.node, At::TOP)?;
        visits = count.visits;
    }
    // Validation looks at those, too, that nothing spreads; by how much they are too
    // large is known where they are spread.
    for fragment in document.fragments.values() {
        let of = Values { sent: variables, defined: &[] };
        let mut count = Count { document, of, visits, fields: usize::MAX, described: usize::MAX };
        count.selections(&fragment.node.selection_set.node, At { described: true, ..At::TOP })?;
        visits = count.visits;
    }
    Ok(())
}

struct Count<'a> {
    document: &'a ExecutableDocument,
    of: Values<'a>,
    visits: usize,
    fields: usize,
    /// Fields by which the schema describes itself.
    described: usize,
}

/// How deep a selection stands.
#[derive(Clone, Copy)]
struct At {
    fields: usize,
    sets: usize,
    /// Below `__schema` or `__type`.
    described: bool,
    lists: usize,
}

impl At {
    const TOP: Self = Self { fields: 0, sets: 0, described: false, lists: 0 };

    fn below(self, field: &Field) -> Self {
        let name = field.name.node.as_str();
        let described = self.described || ["__schema", "__type"].contains(&name);
        let list = described && introspection::LISTS.contains(&name);
        Self {
            fields: self.fields + 1,
            sets: self.sets + 1,
            described,
            lists: self.lists + usize::from(list),
        }
    }

    /// Fragments may contain themselves; only validation, later, refuses that.
    fn in_fragment(self) -> Self {
        Self { sets: self.sets + 1, ..self }
    }

    fn is_too_deep(self) -> bool {
        let (fields, sets) = if self.described {
            (introspection::DEPTH, introspection::RECURSION)
        } else {
            (DEPTH, RECURSION)
        };
        self.fields > fields || self.sets > sets || self.lists > introspection::LISTS_DEPTH
    }
}

impl Count<'_> {
    fn selections(&mut self, set: &SelectionSet, at: At) -> Result<(), ApiError> {
        if at.is_too_deep() && !set.items.is_empty() {
            return Err(ApiError::too_much(format!(
                "A document can have {DEPTH} fields inside each other at most."
            )));
        }
        for selection in &set.items {
            self.visits = self.visits.checked_sub(1).ok_or_else(too_much)?;
            match &selection.node {
                Selection::Field(field) => {
                    let below = at.below(&field.node);
                    if below.described {
                        let list = if below.lists > at.lists { introspection::LIST } else { 1 };
                        self.described = self.described.checked_sub(list).ok_or_else(too_much)?;
                    } else {
                        let cost = self.cost(&field.node);
                        self.take(cost)?;
                    }
                    self.selections(&field.node.selection_set.node, below)?;
                }
                Selection::InlineFragment(fragment) => {
                    self.selections(&fragment.node.selection_set.node, at.in_fragment())?;
                }
                Selection::FragmentSpread(spread) => {
                    if !at.described {
                        self.take(1)?;
                    }
                    if let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) {
                        self.selections(&fragment.node.selection_set.node, at.in_fragment())?;
                    }
                }
            }
        }
        Ok(())
    }

    fn take(&mut self, cost: usize) -> Result<(), ApiError> {
        self.fields = self.fields.checked_sub(cost).ok_or_else(too_much)?;
        Ok(())
    }

    /// What a field counts.
    fn cost(&self, field: &Field) -> usize {
        let page = |name, otherwise| match self.of.argument(field, name) {
            Given::Nothing => page(otherwise),
            Given::Number(number) => page(Some(number)),
            Given::Something => PAGE,
        };
        let is_given = |name: &&str| !matches!(self.of.argument(field, name), Given::Nothing);
        let searches = SEARCH * ["filter", "search"].iter().filter(|name| is_given(name)).count();
        1 + match field.name.node.as_str() {
            "listPosts" | "syncPosts" => page("limit", None) + searches,
            "allPosts" | "myPosts" => page("first", Some(FIRST)) + searches,
            "content" => CONTENT,
            _ => 0,
        }
    }
}

fn too_much() -> ApiError {
    ApiError::too_much(format!(
        "The document asks for too much: its fields, the posts of its pages, {CONTENT} for each content and \
         {SEARCH} for each search may count {COMPLEXITY}."
    ))
}

/// What the variables of an operation stand for.
#[derive(Clone, Copy)]
struct Values<'a> {
    sent: &'a Variables,
    defined: &'a [Positioned<VariableDefinition>],
}

/// What an argument is given.
enum Given {
    /// Nothing, or null.
    Nothing,
    Number(i64),
    Something,
}

impl Values<'_> {
    fn argument(self, field: &Field, name: &str) -> Given {
        let Some(value) = field.get_argument(name) else { return Given::Nothing };
        match value.node.clone().into_const_with(|name| self.variable(&name).ok_or(())) {
            Ok(Value::Null) => Given::Nothing,
            Ok(Value::Number(number)) => number.as_i64().map_or(Given::Something, Given::Number),
            _ => Given::Something,
        }
    }

    /// As it was sent, or else its default (GraphQL 6.1.2).
    fn variable(self, name: &str) -> Option<Value> {
        let defined = || {
            let definition = self.defined.iter().find(|definition| definition.node.name.node == name)?;
            definition.node.default_value().cloned()
        };
        self.sent.get(name).cloned().or_else(defined)
    }
}
