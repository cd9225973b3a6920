//! What a document may ask for (security row G1). This is counted before
//! async-graphql sees the document. async-graphql's own limits do not count the
//! posts of a page and would not allow introspection beside limits as low as
//! these. It also expands every fragment at each spread, on the thread that
//! serves, and compares and copies at a cost that exceeds the document's length.

use std::{collections::BTreeMap, time::Duration};

use async_graphql::{
    Positioned, Value, Variables,
    parser::types::{Directive, ExecutableDocument, Field, Selection, SelectionSet, VariableDefinition},
};
use async_graphql_value::Value as Written;

use super::errors::ApiError;

/// Fields inside each other.
pub const DEPTH: usize = 8;
/// Selections and fragments inside each other.
pub const RECURSION: usize = 16;
/// Fields of an operation, aliases and fragments counted each time. A page
/// counts its posts as well, [`CONTENT`] and [`SEARCH`] more.
pub const COMPLEXITY: usize = 200;
/// The cost of a post's content. With the limit of a megabyte of text in a
/// page, it bounds an answer.
pub const CONTENT: usize = 12;
/// What a filter or a search counts, for which posts may have to be looked
/// through.
pub const SEARCH: usize = 20;
/// Bytes of a document.
pub const QUERY_BYTES: usize = 16 * 1024;
/// For the whole answer.
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

/// Mistakes that are reported for one document.
pub const MISTAKES: usize = 50;
/// Variables of an operation: one for each of the most fields that can have
/// something below them.
const VARIABLES: usize = 100;
/// Arguments of a field. The schema has five at most; validation compares those
/// of repeated fields, each with each.
const ARGUMENTS: usize = 8;
/// Bytes of the values of variables, counted at each use, because async-graphql
/// copies a value there.
const SUBSTITUTED_BYTES: usize = 8 << 20;
/// The size of a value that is no text, and of a text beside its characters.
const VALUE_BYTES: usize = 64;

/// Selections, directives and values of arguments that are visited, with
/// fragments at every spread: far more than the other limits allow. Those of
/// fragments count once more for each fragment around them, because validation
/// visits them from each (`OverlappingFieldsCanBeMerged`).
const VISITS: usize = 4_000;

/// The schema describes itself at no cost to the database, and tools ask for
/// all of it at once: by more fields and deeper than anything else, but not by
/// lists inside lists inside lists (graphql-js, `MaxIntrospectionDepthRule`).
mod introspection {
    pub const FIELDS: usize = 600;
    /// By how much a list multiplies what is in it.
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
pub fn check(document: &ExecutableDocument, variables: &Variables) -> Result<(), ApiError> {
    let sent = variables.iter().map(|(name, value)| (name.as_str(), Variable::of(value))).collect();
    let mut left = Left { visits: VISITS, bytes: SUBSTITUTED_BYTES };
    for (_, operation) in document.operations.iter() {
        let operation = &operation.node;
        let defined = &operation.variable_definitions;
        if defined.len() > VARIABLES {
            return Err(ApiError::too_much(format!("An operation can have {VARIABLES} variables at most.")));
        }
        let values = Values::of(&sent, defined);
        let mut count =
            Count { document, values: &values, left, fields: COMPLEXITY, described: introspection::FIELDS };
        for definition in defined {
            let default = definition.node.default_value().map_or(0, nodes);
            count.look(1 + default)?;
            count.directives(&definition.node.directives, 1)?;
        }
        count.directives(&operation.directives, 1)?;
        count.selections(&operation.selection_set.node, At::TOP)?;
        left = count.left;
    }
    // Validation looks at those, too, that nothing spreads. One that is larger than the
    // larger of the two budgets could not be spread anywhere.
    let values = Values::of(&sent, &[]);
    for fragment in document.fragments.values() {
        let fragment = &fragment.node;
        let described = introspection::FIELDS;
        let mut count = Count { document, values: &values, left, fields: usize::MAX, described };
        count.directives(&fragment.directives, 1)?;
        count.selections(&fragment.selection_set.node, At { described: true, ..At::TOP })?;
        left = count.left;
    }
    Ok(())
}

/// What the rest of the document may still use.
#[derive(Clone, Copy)]
struct Left {
    visits: usize,
    bytes: usize,
}

struct Count<'a> {
    document: &'a ExecutableDocument,
    values: &'a Values<'a>,
    left: Left,
    fields: usize,
    /// Fields by which the schema describes itself.
    described: usize,
}

/// The position of a selection.
#[derive(Clone, Copy)]
struct At {
    fields: usize,
    sets: usize,
    /// Fragments around it, as far as the next field.
    fragments: usize,
    /// Below `__schema` or `__type`.
    described: bool,
    lists: usize,
}

impl At {
    const TOP: Self = Self { fields: 0, sets: 0, fragments: 0, described: false, lists: 0 };

    fn below(self, field: &Field) -> Self {
        let name = field.name.node.as_str();
        let described = self.described || ["__schema", "__type"].contains(&name);
        let list = described && introspection::LISTS.contains(&name);
        Self {
            fields: self.fields + 1,
            sets: self.sets + 1,
            fragments: 0,
            described,
            lists: self.lists + usize::from(list),
        }
    }

    /// Fragments may contain themselves; only validation, later, refuses that.
    fn in_fragment(self) -> Self {
        Self { sets: self.sets + 1, fragments: self.fragments + 1, ..self }
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
        let times = at.fragments + 1;
        for selection in &set.items {
            self.look(times)?;
            self.directives(selection.node.directives(), times)?;
            match &selection.node {
                Selection::Field(field) => {
                    self.arguments(&field.node, times)?;
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

    fn look(&mut self, places: usize) -> Result<(), ApiError> {
        self.left.visits = self.left.visits.checked_sub(places).ok_or_else(too_much)?;
        Ok(())
    }

    fn arguments(&mut self, field: &Field, times: usize) -> Result<(), ApiError> {
        if field.arguments.len() > ARGUMENTS {
            return Err(ApiError::too_much(format!("A field can have {ARGUMENTS} arguments at most.")));
        }
        field.arguments.iter().try_for_each(|(_, value)| self.value(&value.node, times))
    }

    fn directives(&mut self, directives: &[Positioned<Directive>], times: usize) -> Result<(), ApiError> {
        for directive in directives {
            self.look(times)?;
            directive.node.arguments.iter().try_for_each(|(_, value)| self.value(&value.node, times))?;
        }
        Ok(())
    }

    /// Recurses as deep as brackets are nested in a document
    /// (`document::NESTING`).
    fn value(&mut self, value: &Written, times: usize) -> Result<(), ApiError> {
        self.look(times)?;
        match value {
            Written::Variable(name) => {
                let bytes = self.values.named(name).map_or(0, |variable| variable.bytes);
                self.left.bytes = self.left.bytes.checked_sub(bytes).ok_or_else(|| {
                    ApiError::too_much(
                        "The values of the variables are too large for as often as they are named.",
                    )
                })?;
                Ok(())
            }
            Written::List(items) => items.iter().try_for_each(|item| self.value(item, times)),
            Written::Object(fields) => fields.values().try_for_each(|field| self.value(field, times)),
            _ => Ok(()),
        }
    }

    /// What a field costs.
    fn cost(&self, field: &Field) -> usize {
        let page = |name, otherwise| match self.values.argument(field, name) {
            Given::Nothing => page(otherwise),
            Given::Number(number) => page(Some(number)),
            Given::Something => PAGE,
        };
        let is_given = |name: &&str| !matches!(self.values.argument(field, name), Given::Nothing);
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

/// The value of an argument.
#[derive(Clone, Copy)]
enum Given {
    /// It is absent or null.
    Nothing,
    Number(i64),
    Something,
}

/// A variable that has a value.
#[derive(Clone, Copy)]
struct Variable {
    given: Given,
    /// In bytes.
    bytes: usize,
}

impl Variable {
    fn of(value: &Value) -> Self {
        let given = match value {
            Value::Null => Given::Nothing,
            Value::Number(number) => number.as_i64().map_or(Given::Something, Given::Number),
            _ => Given::Something,
        };
        Self { given, bytes: bytes(value) }
    }
}

/// The values of an operation's variables: sent, or else their defaults
/// (GraphQL 6.1.2).
struct Values<'a> {
    sent: &'a BTreeMap<&'a str, Variable>,
    defaults: BTreeMap<&'a str, Variable>,
}

impl<'a> Values<'a> {
    fn of(sent: &'a BTreeMap<&'a str, Variable>, defined: &'a [Positioned<VariableDefinition>]) -> Self {
        let default = |definition: &'a Positioned<VariableDefinition>| {
            let VariableDefinition { name, .. } = &definition.node;
            Some((name.node.as_str(), Variable::of(definition.node.default_value()?)))
        };
        Self { sent, defaults: defined.iter().filter_map(default).collect() }
    }

    fn named(&self, name: &str) -> Option<Variable> {
        self.sent.get(name).or_else(|| self.defaults.get(name)).copied()
    }

    fn argument(&self, field: &Field, name: &str) -> Given {
        match field.get_argument(name).map(|value| &value.node) {
            None | Some(Written::Null) => Given::Nothing,
            Some(Written::Number(number)) => number.as_i64().map_or(Given::Something, Given::Number),
            Some(Written::Variable(name)) => self.named(name).map_or(Given::Something, |value| value.given),
            Some(_) => Given::Something,
        }
    }
}

/// What a value takes. As deep as JSON or a document can be.
fn bytes(value: &Value) -> usize {
    VALUE_BYTES
        + match value {
            Value::String(text) => text.len(),
            Value::Enum(name) => name.len(),
            Value::List(items) => items.iter().map(bytes).sum(),
            Value::Object(fields) => {
                fields.iter().map(|(name, value)| VALUE_BYTES + name.len() + bytes(value)).sum()
            }
            _ => 0,
        }
}

/// The number of values in a value. Recurses as deep as brackets are nested in
/// a document.
fn nodes(value: &Value) -> usize {
    1 + match value {
        Value::List(items) => items.iter().map(nodes).sum(),
        Value::Object(fields) => fields.values().map(nodes).sum(),
        _ => 0,
    }
}
