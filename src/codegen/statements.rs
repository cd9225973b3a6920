//! `graphql/*.js` and `graphql/*.ts`: a statement for every operation, with all
//! fields selected, in the layout of Amplify's codegen.

use async_graphql::parser::types::FieldDefinition;

use super::schema::{Root, Schema, capitalized, named};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// Statements as plain strings.
    JavaScript,
    /// Statements that carry the types of `API.ts`, from which `client.graphql`
    /// of aws-amplify 6 infers its own.
    TypeScript,
}

/// Longer lines are broken.
const WIDTH: usize = 80;

pub fn statements(schema: &Schema, root: Root, language: Language) -> String {
    let kind = root.name();
    let mut file = match language {
        Language::JavaScript => {
            "/* eslint-disable */\n// this is an auto generated file. This will be overwritten\n".to_owned()
        }
        Language::TypeScript => format!(
            "/* tslint:disable */\n\
             /* eslint-disable */\n\
             // this is an auto generated file. This will be overwritten\n\
             \n\
             import * as APITypes from \"../API\";\n\
             type Generated{kind}<InputType, OutputType> = string & {{\n\
             \x20 __generated{kind}Input: InputType;\n\
             \x20 __generated{kind}Output: OutputType;\n\
             }};\n"
        ),
    };
    for operation in schema.operations(root) {
        let name = operation.name.node.as_str();
        let statement = match language {
            Language::JavaScript => {
                format!("`\n{}`;\n", statement(schema, root, operation, 1))
            }
            Language::TypeScript => {
                let ty = format!("APITypes.{}{kind}", capitalized(name));
                format!(
                    "`{}` as Generated{kind}<\n  {ty}Variables,\n  {ty}\n>;\n",
                    statement(schema, root, operation, 0)
                )
            }
        };
        file.push_str(&format!("\nexport const {name} = /* GraphQL */ {statement}"));
    }
    file
}

/// One statement; it ends with a line feed.
fn statement(schema: &Schema, root: Root, operation: &FieldDefinition, level: usize) -> String {
    let name = operation.name.node.as_str();
    let arguments = || operation.arguments.iter().map(|argument| &argument.node);
    let variables = arguments().map(|argument| format!("${}: {}", argument.name.node, argument.ty.node));
    let passed = arguments().map(|argument| format!("{0}: ${0}", argument.name.node));

    let mut out = String::new();
    let head = format!("{} {}", root.name().to_ascii_lowercase(), capitalized(name));
    open(&mut out, level, &head, &variables.collect::<Vec<_>>());
    let ty = named(&operation.ty.node);
    if schema.fields(ty).is_some() {
        open(&mut out, level + 1, name, &passed.collect::<Vec<_>>());
        select(&mut out, schema, ty, &mut Vec::new(), level + 2);
        line(&mut out, level + 1, "}");
    } else {
        line(&mut out, level + 1, name);
    }
    line(&mut out, level, "}");
    out
}

/// `head(arguments) {`, an argument to a line where they do not fit on one.
fn open(out: &mut String, level: usize, head: &str, arguments: &[String]) {
    if arguments.is_empty() {
        return line(out, level, &format!("{head} {{"));
    }
    let one = format!("{head}({}) {{", arguments.join(", "));
    if 2 * level + one.len() <= WIDTH {
        return line(out, level, &one);
    }
    line(out, level, &format!("{head}("));
    for argument in arguments {
        line(out, level + 1, argument);
    }
    line(out, level, ") {");
}

/// Every field of a type and of the types in it. A type within itself ends
/// there: its selection would have no end.
fn select<'a>(out: &mut String, schema: &'a Schema, ty: &'a str, within: &mut Vec<&'a str>, level: usize) {
    within.push(ty);
    for field in schema.fields(ty).into_iter().flatten() {
        let (name, inner) = (field.name.node.as_str(), named(&field.ty.node));
        if schema.fields(inner).is_none() {
            line(out, level, name);
        } else if !within.contains(&inner) {
            line(out, level, &format!("{name} {{"));
            select(out, schema, inner, within, level + 1);
            line(out, level, "}");
        }
    }
    line(out, level, "__typename");
    within.pop();
}

fn line(out: &mut String, level: usize, text: &str) {
    out.push_str(&"  ".repeat(level));
    out.push_str(text);
    out.push('\n');
}
