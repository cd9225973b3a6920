//! Parses `ModelPostFilterInput` and similar types into a [`Filter`]. Validation
//! has checked the types already; this module checks the other rules.

use async_graphql::{Name, Value, indexmap::IndexMap};

use super::{
    errors::ApiError,
    limits::{FILTER_DEPTH, FILTER_TESTS},
};
use crate::posts::domain::filter::{Attribute, Comparison, Filter, Test};

type Object = IndexMap<Name, Value>;

/// Parses a filter or a condition; without one, everything matches.
///
/// # Errors
/// A filter that is too deep or too long, or a `between` without two ends.
pub fn parse(filter: Option<&Value>) -> Result<Filter, ApiError> {
    match filter {
        Some(Value::Object(filter)) => object(filter, 0, &mut Reading::default()),
        _ => Ok(Filter::EVERYTHING),
    }
}

/// Whether a condition is true for a post that does not exist yet: nothing
/// equals a missing attribute (`DynamoDB` condition expressions).
pub fn holds_for_missing_post(condition: Option<&Value>) -> Result<bool, ApiError> {
    parse(condition).map(|condition| condition.holds_for_missing_post())
}

/// Counters while a filter is read.
#[derive(Default)]
struct Reading {
    tests: usize,
    /// Members of `and` and `or`.
    filters: usize,
}

fn object(filter: &Object, depth: usize, reading: &mut Reading) -> Result<Filter, ApiError> {
    if depth > FILTER_DEPTH {
        return Err(ApiError::too_much(format!(
            "A filter can be nested {FILTER_DEPTH} levels deep at most."
        )));
    }
    let mut all = Vec::new();
    for (name, value) in filter {
        all.push(match (name.as_str(), value) {
            // Null counts as absent.
            (_, Value::Null) => continue,
            ("and", value) => Filter::All(list(value, depth, reading)?),
            ("or", value) => {
                let any = list(value, depth, reading)?;
                if any.is_empty() { Filter::EVERYTHING } else { Filter::Any(any) }
            }
            ("not", Value::Object(inner)) => Filter::Not(Box::new(object(inner, depth + 1, reading)?)),
            ("_deleted", Value::Object(wanted)) => deleted_tests(wanted, reading)?,
            (name, Value::Object(wanted)) => {
                let attribute = Attribute::named(name)
                    .ok_or_else(|| ApiError::invalid(format!("There is no {name}.")))?;
                attribute_tests(attribute, wanted, reading)?
            }
            (name, _) => return Err(ApiError::invalid(format!("{name} must be an object."))),
        });
    }
    Ok(if all.len() == 1 { all.remove(0) } else { Filter::All(all) })
}

/// A list of filters; a single one is a list of one (GraphQL 3.11). Each makes
/// the statement longer, even an empty one.
fn list(value: &Value, depth: usize, reading: &mut Reading) -> Result<Vec<Filter>, ApiError> {
    let items = match value {
        Value::List(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    reading.filters += items.len();
    if reading.filters > FILTER_TESTS {
        return Err(too_many());
    }
    let objects = items.iter().filter_map(|item| match item {
        Value::Object(item) => Some(item),
        _ => None,
    });
    objects.map(|item| object(item, depth + 1, reading)).collect()
}

fn too_many() -> ApiError {
    ApiError::too_much(format!("A filter can have {FILTER_TESTS} tests at most."))
}

fn attribute_tests(attribute: Attribute, wanted: &Object, reading: &mut Reading) -> Result<Filter, ApiError> {
    let test = |test| Filter::Where(attribute, test);
    let mut all = Vec::new();
    for (operator, operand) in wanted {
        reading.tests += operands(operand);
        if reading.tests > FILTER_TESTS {
            return Err(too_many());
        }
        all.push(match (operator.as_str(), operand) {
            ("attributeExists" | "attributeType" | "size", Value::Null) => continue,
            ("attributeExists", exists) if *exists == Value::Boolean(true) => test(Test::Exists),
            ("attributeExists", _) => Filter::Not(Box::new(test(Test::Exists))),
            ("attributeType", Value::Enum(name)) => of_type(attribute, name),
            ("attributeType", Value::String(name)) => of_type(attribute, name),
            ("size", Value::Object(wanted)) => length_tests(attribute, wanted)?,
            ("eq", Value::Null) => test(Test::Null),
            ("ne", Value::Null) => Filter::Not(Box::new(test(Test::Null))),
            // Nothing contains null, or is less.
            ("notContains" | "notIn", Value::Null) => Filter::EVERYTHING,
            (_, Value::Null) => Filter::NOTHING,
            ("contains", part) => test(Test::Contains(text(part)?)),
            ("notContains", part) => Filter::Not(Box::new(test(Test::Contains(text(part)?)))),
            ("beginsWith", prefix) => test(Test::BeginsWith(text(prefix)?)),
            ("between", ends) => {
                let [least, most] = two(ends)?;
                Filter::All(vec![
                    test(Test::Is(Comparison::Ge, text(least)?)),
                    test(Test::Is(Comparison::Le, text(most)?)),
                ])
            }
            ("in", values) => one_of(attribute, values)?,
            ("notIn", values) => Filter::Not(Box::new(one_of(attribute, values)?)),
            (operator, operand) => {
                let comparison = Comparison::named(operator)
                    .ok_or_else(|| ApiError::invalid(format!("There is no operator {operator}.")))?;
                test(Test::Is(comparison, text(operand)?))
            }
        });
    }
    Ok(if all.len() == 1 { all.remove(0) } else { Filter::All(all) })
}

/// Whether an attribute is of a type. Each is a text, unless it is null.
fn of_type(attribute: Attribute, name: &str) -> Filter {
    match name {
        "string" => Filter::Where(attribute, Test::Exists),
        "_null" => Filter::Where(attribute, Test::Null),
        _ => Filter::NOTHING,
    }
}

/// Of `_deleted`, which is true of deleted posts and absent from others.
fn deleted_tests(wanted: &Object, reading: &mut Reading) -> Result<Filter, ApiError> {
    let deleted =
        |is_wanted: bool| if is_wanted { Filter::Deleted } else { Filter::Not(Box::new(Filter::Deleted)) };
    let mut all = Vec::new();
    for (operator, operand) in wanted {
        reading.tests += 1;
        all.push(match (operator.as_str(), operand) {
            ("attributeExists" | "attributeType", Value::Null) => continue,
            ("eq", Value::Boolean(true)) => Filter::Deleted,
            ("ne", Value::Boolean(true)) => deleted(false),
            ("attributeExists", Value::Boolean(exists)) => deleted(*exists),
            ("attributeType", Value::Enum(name)) if name == "bool" => Filter::Deleted,
            ("attributeType", Value::String(name)) if name == "bool" => Filter::Deleted,
            // No post has it as false, or as null.
            ("ne", _) => Filter::EVERYTHING,
            _ => Filter::NOTHING,
        });
    }
    Ok(Filter::All(all))
}

/// How many tests an operand stands for.
fn operands(operand: &Value) -> usize {
    match operand {
        Value::List(values) => values.len().max(1),
        Value::Object(values) => values.len().max(1),
        _ => 1,
    }
}

fn one_of(attribute: Attribute, values: &Value) -> Result<Filter, ApiError> {
    let values = match values {
        Value::List(values) => values.as_slice(),
        one => std::slice::from_ref(one),
    };
    let is = |value: &Value| {
        let test = match value {
            Value::Null => Test::Null,
            value => Test::Is(Comparison::Eq, text(value)?),
        };
        Ok(Filter::Where(attribute, test))
    };
    values.iter().map(is).collect::<Result<_, _>>().map(Filter::Any)
}

fn length_tests(attribute: Attribute, wanted: &Object) -> Result<Filter, ApiError> {
    let test = |comparison, length| Filter::Where(attribute, Test::Length(comparison, length));
    let mut all = Vec::new();
    for (operator, operand) in wanted {
        match (operator.as_str(), operand) {
            ("ne", Value::Null) => {}
            (_, Value::Null) => all.push(Filter::NOTHING),
            ("between", ends) => {
                let [least, most] = two(ends)?;
                all.push(test(Comparison::Ge, number(least)?));
                all.push(test(Comparison::Le, number(most)?));
            }
            (operator, operand) => {
                let comparison = Comparison::named(operator)
                    .ok_or_else(|| ApiError::invalid(format!("There is no operator {operator}.")))?;
                all.push(test(comparison, number(operand)?));
            }
        }
    }
    Ok(Filter::All(all))
}

fn two(ends: &Value) -> Result<[&Value; 2], ApiError> {
    match ends {
        Value::List(ends) if let [least, most] = ends.as_slice() => Ok([least, most]),
        _ => Err(ApiError::invalid("between takes a list of two values.")),
    }
}

/// A text or an id, which may be written as a number (GraphQL 3.5.5).
fn text(value: &Value) -> Result<String, ApiError> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return Err(ApiError::invalid("A text is missing in the filter.")),
    };
    // No post contains one, and PostgreSQL accepts none.
    if text.contains('\0') { Err(ApiError::invalid("A filter cannot hold U+0000.")) } else { Ok(text) }
}

fn number(value: &Value) -> Result<i64, ApiError> {
    match value {
        Value::Number(number) => {
            number.as_i64().ok_or_else(|| ApiError::invalid("A size is a whole number."))
        }
        _ => Err(ApiError::invalid("A number is missing in the filter.")),
    }
}
