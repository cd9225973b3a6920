//! Checks the text of a document before the parser reads it. The parser recurses
//! on brackets, and so does everything that handles its result; a few kilobytes
//! of text could overflow any stack. So this module counts brackets, without
//! recursion, and passes on only what is not too deep. It also replaces the escapes
//! that the parser does not know ([`escapes`]).
//!
//! The bounds of every recursion on a client's input:
//! - the parser, `limits`, `omitted`, `emptied`, validation and the clones and drops
//!   of a document: [`NESTING`];
//! - selections, also through fragments, in `limits`, `roots`, validation,
//!   execution and the answer: `limits::RECURSION`, and for introspection
//!   `limits::introspection::RECURSION`;
//! - JSON (bodies, messages, variables): serde_json reads 128 levels and refuses
//!   more; a variable inside a value of the document adds them to [`NESTING`];
//! - filters, and the SQL that is made from them: `limits::FILTER_DEPTH`.

use std::borrow::Cow;

use async_graphql::{
    Pos, Positioned, ServerError,
    dynamic::Schema,
    parser::{
        parse_query,
        types::{
            BaseType, DocumentOperations, ExecutableDocument, OperationDefinition, Type, VariableDefinition,
        },
    },
};

use super::{
    errors::ApiError,
    escapes::{self, NoCharacter},
};

/// Nested brackets of any kind. The deepest filter, with lists between, takes
/// 38; the deepest introspection query 31.
pub const NESTING: usize = 48;
/// Characters of a name. Mistakes repeat names, once for each place.
const NAME_CHARS: usize = 255;

/// Why a text cannot be run.
pub enum Unreadable {
    /// A mistake, and where it is.
    Mistake(ServerError),
    /// It is too deep.
    Refused(ApiError),
}

/// The document that a text is.
pub fn read(text: &str) -> Result<ExecutableDocument, Unreadable> {
    let text = scan(text)?;
    parse_query(text).map_err(|error| Unreadable::Mistake(error.into()))
}

/// All operations of a document, to change them.
pub fn operations_mut(operations: &mut DocumentOperations) -> Vec<&mut Positioned<OperationDefinition>> {
    match operations {
        DocumentOperations::Single(operation) => vec![operation],
        DocumentOperations::Multiple(operations) => operations.values_mut().collect(),
    }
}

/// Refuses variables with a default value whose type is a list of an unknown
/// type. async-graphql looks that type up to check the default, and panics;
/// <https://github.com/async-graphql/async-graphql/pull/795> repaired it for types
/// that are no lists.
///
/// # Errors
/// The mistake, as async-graphql words it for types that are no lists.
pub fn check_types(schema: &Schema, document: &ExecutableDocument) -> Result<(), ServerError> {
    let types = &schema.registry().types;
    let definitions =
        document.operations.iter().flat_map(|(_, operation)| &operation.node.variable_definitions);
    for definition in definitions {
        let VariableDefinition { var_type, default_value, .. } = &definition.node;
        let name = innermost(&var_type.node);
        if default_value.is_some() && !types.contains_key(name) {
            return Err(ServerError::new(format!("Unknown type \"{name}\""), Some(definition.pos)));
        }
    }
    Ok(())
}

fn innermost(mut ty: &Type) -> &str {
    loop {
        match &ty.base {
            BaseType::Named(name) => return name,
            BaseType::List(inner) => ty = inner,
        }
    }
}

/// Scans the tokens that matter here (GraphQL 2.1): comments and strings, in which
/// brackets mean nothing, names, and brackets. Returns the text for the parser.
fn scan(text: &str) -> Result<Cow<'_, str>, Unreadable> {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    let (mut replaced, mut copied) = (String::new(), 0);
    while let Some(byte) = bytes.get(at) {
        at += match byte {
            b'{' | b'[' | b'(' => {
                depth += 1;
                if depth > NESTING {
                    return Err(Unreadable::Refused(ApiError::too_much(format!(
                        "A document can have {NESTING} brackets inside each other at most."
                    ))));
                }
                1
            }
            // Of another kind than the one it would have to close, it is where the parser stops.
            b'}' | b']' | b')' => {
                depth = depth.saturating_sub(1);
                1
            }
            b'#' => run(&bytes[at..], |byte| !matches!(byte, b'\n' | b'\r')),
            b'"' => match string(&bytes[at..]) {
                Some(length) => {
                    let end = at + length;
                    let wrong = |NoCharacter { at: within, message }| mistake(text, at + within, message);
                    if let Some(string) = escapes::replace(&text[at..end]).map_err(wrong)? {
                        replaced.push_str(&text[copied..at]);
                        replaced.push_str(&string);
                        copied = end;
                    }
                    length
                }
                // The parser would try it in more than one way, at each of its quotation marks.
                None => return Err(mistake(text, at, "A string has no end")),
            },
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                let length = run(&bytes[at..], |byte| byte == b'_' || byte.is_ascii_alphanumeric());
                if length > NAME_CHARS {
                    return Err(Unreadable::Refused(ApiError::too_much(format!(
                        "A name can have {NAME_CHARS} characters at most."
                    ))));
                }
                length
            }
            _ => 1,
        };
    }
    if copied == 0 {
        return Ok(Cow::Borrowed(text));
    }
    replaced.push_str(&text[copied..]);
    Ok(Cow::Owned(replaced))
}

/// How many bytes at the beginning match.
fn run(bytes: &[u8], is_so: impl Fn(u8) -> bool) -> usize {
    bytes.iter().position(|byte| !is_so(*byte)).unwrap_or(bytes.len())
}

/// The length of the string that begins here, if it ends.
fn string(bytes: &[u8]) -> Option<usize> {
    const BLOCK: &[u8] = b"\"\"\"";
    let is_block = bytes.starts_with(BLOCK);
    let mut at = if is_block { BLOCK.len() } else { 1 };
    loop {
        let rest = bytes.get(at..)?;
        at += match rest.first()? {
            b'\\' if is_block && rest[1..].starts_with(BLOCK) => 1 + BLOCK.len(),
            b'"' if is_block && rest.starts_with(BLOCK) => return Some(at + BLOCK.len()),
            _ if is_block => 1,
            b'"' => return Some(at + 1),
            b'\n' | b'\r' => return None,
            b'\\' => 2,
            _ => 1,
        };
    }
}

/// A mistake at that byte of the text.
fn mistake(text: &str, at: usize, message: &str) -> Unreadable {
    let before = text.get(..at).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Unreadable::Mistake(ServerError::new(message, Some(Pos { line, column })))
}

#[cfg(test)]
mod tests {
    use async_graphql::parser::types::Selection;
    use async_graphql_value::Value;

    use super::*;
    use crate::{
        config::{ConflictDetection, PageMemory},
        graphql::{limits, schema::Api},
    };

    /// Smaller than the stack of any thread of the server.
    const SMALL_STACK: usize = 512 * 1024;

    fn on_a_small_stack<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
        let thread = std::thread::Builder::new().stack_size(SMALL_STACK).spawn(work).expect("a thread");
        thread.join().expect("nothing overflows")
    }

    fn nested(before: &str, open: &str, times: usize, middle: &str, close: &str, after: &str) -> String {
        format!("{before}{}{middle}{}{after}", open.repeat(times), close.repeat(times))
    }

    /// Each place of the grammar that can contain itself, nested that many
    /// times.
    fn deep(times: usize) -> [String; 9] {
        [
            nested("{listPosts(filter:", "{not:", times, "{}", "}", "){items{id}}}"),
            nested("{listPosts(filter:", "{and:[", times, "", "]}", "){items{id}}}"),
            nested("{a(b:", "[", times, "", "]", ")}"),
            nested("query($a:A=", "{a:", times, "1", "}", "){a}"),
            nested("query($a:", "[", times, "Int", "]", "){a}"),
            nested("{a@b(c:", "[", times, "", "]", ")}"),
            nested("query@b(c:", "[", times, "", "]", "){a}"),
            nested("", "{a", times, "", "}", ""),
            nested("{", "...{", times, "a", "}", "}"),
        ]
    }

    #[test]
    fn a_document_of_any_depth_is_read_or_refused_on_a_small_stack() {
        for times in [10, 30, NESTING - 3, NESTING + 1, 1_000, 8_000] {
            for text in deep(times) {
                let is_deep = times > NESTING;
                on_a_small_stack(move || match read(&text) {
                    Ok(document) => {
                        assert!(!is_deep, "{text}");
                        // Recurses as well, and must come to an end.
                        drop(limits::check(&document, &async_graphql::Variables::default()));
                        drop(document.clone());
                    }
                    Err(Unreadable::Refused(error)) => assert_eq!(error.error_type, "QueryTooLarge"),
                    Err(Unreadable::Mistake(error)) => panic!("{text}: {error:?}"),
                });
            }
        }
    }

    #[test]
    fn brackets_in_strings_and_comments_are_not_counted_and_quotes_hide_none() {
        let many = "[".repeat(1_000);
        for text in [
            format!("{{a(b:\"{many}\")}}"),
            format!("{{a(b:\"\\\"{many}\")}}"),
            format!("{{a(b:\"\"\"{many}\\\"\"\"{many}\"\"\")}}"),
            format!("{{a#{many}\n}}"),
            format!("{{a(b:\"\" c:\"\"\"\"\"\" d:\"#\")#\"{many}\r\n}}"),
        ] {
            assert!(read(&text).is_ok(), "{text}");
        }
        for text in [
            format!("{{a(b:\"#\" c:{many}"),
            format!("{{a(b:\"\\\\\" c:{many}"),
            format!("{{a#\"\n(b:{many}"),
            format!("{{a(b:\"\"\"\\\"\"\"\"\"\" c:{many}"),
            format!("{{a(b:\"\" c:{many}"),
        ] {
            assert!(matches!(read(&text), Err(Unreadable::Refused(_))), "{text}");
        }
    }

    #[test]
    fn a_string_without_end_and_a_name_without_end_are_told_where_they_begin() {
        let Err(Unreadable::Mistake(error)) = read("{\n  a(b: \"\"\"c") else { panic!("it has no end") };
        assert_eq!(error.locations, [Pos { line: 2, column: 8 }]);
        assert!(matches!(read("{a(b:\"c\n\")}"), Err(Unreadable::Mistake(_))));
        assert!(read(&format!("{{{}}}", "a".repeat(NAME_CHARS))).is_ok());
        assert!(matches!(read(&format!("{{{}}}", "a".repeat(NAME_CHARS + 1))), Err(Unreadable::Refused(_))));
    }

    #[test]
    fn an_escape_that_is_replaced_moves_nothing_behind_it() {
        let text = "{a(b:\"\\uD83D\\uDE00\" c:\"\"\"\\u{1F600}\"\"\" d:\"\\u{22}\") e#\"\\uD83D\n}";
        let Ok(document) = read(text) else { panic!("{text}") };
        let (_, operation) = document.operations.iter().next().expect("an operation");
        let [Selection::Field(a), Selection::Field(e)] =
            [0, 1].map(|number| &operation.node.selection_set.node.items[number].node)
        else {
            panic!("two fields")
        };
        let values: Vec<_> = a.node.arguments.iter().map(|(_, value)| value.node.clone()).collect();
        let texts = ["😀", "\\u{1F600}", "\""].map(|text| Value::String(text.to_owned()));
        assert_eq!(values, texts);
        assert_eq!(e.pos, Pos { line: 1, column: text.find("e#").expect("a field") + 1 });
        let Err(Unreadable::Mistake(error)) = read("{\n  a(b: \"é\\uD83D\")}") else {
            panic!("half of a pair")
        };
        assert_eq!(error.locations, [Pos { line: 2, column: 10 }]);
    }

    /// At each of its quotation marks the parser would look for the end of a
    /// block string in the whole rest.
    #[test]
    fn quotation_marks_that_nothing_closes_are_found_before_the_parser_sees_them() {
        let text = format!("{{a(b:[{}", r#""\\"""" ""#.repeat(limits::QUERY_BYTES / 10));
        let Err(Unreadable::Mistake(error)) = read(&text) else { panic!("they are not closed") };
        assert_eq!(error.message, "A string has no end", "found before the parser");
    }

    #[test]
    fn a_list_of_an_unknown_type_with_a_default_is_a_mistake() {
        let api = Api::new(ConflictDetection::Off, PageMemory::default()).expect("a schema");
        for (text, is_known) in [
            ("query($a:[Nope]=[1]){a}", false),
            ("query($a:[[Nope!]!]=[[1]]){a}", false),
            ("query($a:Nope=1){a}", false),
            ("query($a:[Nope]){a}", true),
            ("query($a:[Int]=[1]){a}", true),
        ] {
            let Ok(document) = read(text) else { panic!("{text}") };
            assert_eq!(check_types(&api.schema, &document).is_ok(), is_known, "{text}");
        }
    }
}
