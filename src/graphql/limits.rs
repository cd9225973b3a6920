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
/// The sum of the costs of an operation: 1 for each field, also in repeated
/// fragments, 1 for each post of a page, and [`CONTENT`] and [`SEARCH`].
pub const COMPLEXITY: usize = 200;
/// The cost of a post's content. Together with the limit of a megabyte of text in
/// a page, it bounds an answer.
pub const CONTENT: usize = 12;
/// The cost of a filter or a search, which may have to scan posts.
pub const SEARCH: usize = 20;
/// Bytes of a document.
pub const QUERY_BYTES: usize = 16 * 1024;
/// The longest time for the whole answer.
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
/// Arguments of a field. The schema has five at most. Validation compares each
/// argument of a repeated field with each.
const ARGUMENTS: usize = 8;
/// Bytes of the values of variables, counted at each use, because async-graphql
/// copies a value there.
const SUBSTITUTED_BYTES: usize = 8 << 20;
/// The size of a value that is no text, and of a text beside its characters.
const VALUE_BYTES: usize = 64;

/// Visits of selections, directives and values of arguments; a fragment is visited
/// at every spread. The other limits allow far fewer. Inside a fragment each visit
/// counts once more for each fragment around it, because validation visits it from
/// each (`OverlappingFieldsCanBeMerged`).
const VISITS: usize = 4_000;

/// The limits of introspection. It does not use the database, and tools ask for the
/// whole schema at once, so more and deeper fields are allowed, but not lists
/// inside lists inside lists (graphql-js, `MaxIntrospectionDepthRule`).
mod introspection {
    pub const FIELDS: usize = 600;
    /// The factor for fields inside a list.
    pub const LIST: usize = 8;
    pub const LISTS: [&str; 4] = ["fields", "inputFields", "interfaces", "possibleTypes"];
    pub const LISTS_DEPTH: usize = 2;
    pub const DEPTH: usize = 20;
    pub const RECURSION: usize = 30;
}

/// The number of posts of a page with this `limit` or `first`.
pub fn page(wanted: Option<i64>) -> usize {
    wanted.map_or(PAGE, |wanted| usize::try_from(wanted).unwrap_or(1).clamp(1, PAGE))
}

/// Refuses a document that asks for too much.
pub fn check(document: &ExecutableDocument, variables: &Variables) -> Result<(), ApiError> {
    let sent = variables.iter().map(|(name, value)| (name.as_str(), Variable::of(value))).collect();
    let mut remaining = Remaining { visits: VISITS, bytes: SUBSTITUTED_BYTES };
    for (_, operation) in document.operations.iter() {
        let operation = &operation.node;
        let defined = &operation.variable_definitions;
        if defined.len() > VARIABLES {
            return Err(ApiError::too_much(format!("An operation can have {VARIABLES} variables at most.")));
        }
        let values = Values::of(&sent, defined);
        let mut count = Count {
            document,
            values: &values,
            remaining,
            fields: COMPLEXITY,
            described: introspection::FIELDS,
        };
        for definition in defined {
            let default = definition.node.default_value().map_or(0, nodes);
            count.visit(1 + default)?;
            count.directives(&definition.node.directives, 1)?;
        }
        count.directives(&operation.directives, 1)?;
        count.selections(&operation.selection_set.node, At::TOP)?;
        remaining = count.remaining;
    }
    // Validation also visits fragments that are never spread. One that exceeds the
    // larger of the two budgets could not be spread anywhere.
    let values = Values::of(&sent, &[]);
    for fragment in document.fragments.values() {
        let fragment = &fragment.node;
        let described = introspection::FIELDS;
        let mut count = Count { document, values: &values, remaining, fields: usize::MAX, described };
        count.directives(&fragment.directives, 1)?;
        count.selections(&fragment.selection_set.node, At { described: true, ..At::TOP })?;
        remaining = count.remaining;
    }
    Ok(())
}

/// The budgets that remain for the rest of the document.
#[derive(Clone, Copy)]
struct Remaining {
    visits: usize,
    bytes: usize,
}

struct Count<'a> {
    document: &'a ExecutableDocument,
    values: &'a Values<'a>,
    remaining: Remaining,
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
            self.visit(times)?;
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
                        self.spend(cost)?;
                    }
                    self.selections(&field.node.selection_set.node, below)?;
                }
                Selection::InlineFragment(fragment) => {
                    self.selections(&fragment.node.selection_set.node, at.in_fragment())?;
                }
                Selection::FragmentSpread(spread) => {
                    if !at.described {
                        self.spend(1)?;
                    }
                    if let Some(fragment) = self.document.fragments.get(&spread.node.fragment_name.node) {
                        self.selections(&fragment.node.selection_set.node, at.in_fragment())?;
                    }
                }
            }
        }
        Ok(())
    }

    fn spend(&mut self, cost: usize) -> Result<(), ApiError> {
        self.fields = self.fields.checked_sub(cost).ok_or_else(too_much)?;
        Ok(())
    }

    fn visit(&mut self, places: usize) -> Result<(), ApiError> {
        self.remaining.visits = self.remaining.visits.checked_sub(places).ok_or_else(too_much)?;
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
            self.visit(times)?;
            directive.node.arguments.iter().try_for_each(|(_, value)| self.value(&value.node, times))?;
        }
        Ok(())
    }

    /// Recurses as deep as brackets are nested in a document
    /// (`document::NESTING`).
    fn value(&mut self, value: &Written, times: usize) -> Result<(), ApiError> {
        self.visit(times)?;
        match value {
            Written::Variable(name) => {
                let bytes = self.values.named(name).map_or(0, |variable| variable.bytes);
                self.remaining.bytes = self.remaining.bytes.checked_sub(bytes).ok_or_else(|| {
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

    /// The cost of a field.
    fn cost(&self, field: &Field) -> usize {
        let page = |name, otherwise| match self.values.argument(field, name) {
            ArgumentValue::Nothing => page(otherwise),
            ArgumentValue::Number(number) => page(Some(number)),
            ArgumentValue::Other => PAGE,
        };
        let is_given = |name: &&str| !matches!(self.values.argument(field, name), ArgumentValue::Nothing);
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
enum ArgumentValue {
    /// Absent or null.
    Nothing,
    Number(i64),
    /// Anything else.
    Other,
}

/// A variable that has a value.
#[derive(Clone, Copy)]
struct Variable {
    given: ArgumentValue,
    /// In bytes.
    bytes: usize,
}

impl Variable {
    fn of(value: &Value) -> Self {
        let given = match value {
            Value::Null => ArgumentValue::Nothing,
            Value::Number(number) => number.as_i64().map_or(ArgumentValue::Other, ArgumentValue::Number),
            _ => ArgumentValue::Other,
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

    fn argument(&self, field: &Field, name: &str) -> ArgumentValue {
        match field.get_argument(name).map(|value| &value.node) {
            None | Some(Written::Null) => ArgumentValue::Nothing,
            Some(Written::Number(number)) => {
                number.as_i64().map_or(ArgumentValue::Other, ArgumentValue::Number)
            }
            Some(Written::Variable(name)) => {
                self.named(name).map_or(ArgumentValue::Other, |value| value.given)
            }
            Some(_) => ArgumentValue::Other,
        }
    }
}

/// The size of a value. Recurses as deep as JSON or a document is nested.
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
