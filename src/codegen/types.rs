//! `API.ts`: the types of the schema, and of the arguments and results of each
//! statement, with the names that Amplify's codegen uses.

use async_graphql::parser::types::{
    BaseType, EnumType, FieldDefinition, InputValueDefinition, Type, TypeKind,
};

use super::schema::{Root, Schema, capitalized, named};

pub fn types(schema: &Schema) -> String {
    let mut file = "/* tslint:disable */\n\
                    /* eslint-disable */\n\
                    //  This file was automatically generated and should not be edited.\n"
        .to_owned();
    for (name, kind) in schema.types() {
        let declared = match kind {
            TypeKind::Object(object) => {
                let fields = object.fields.iter().map(|field| &field.node);
                Some(format!("export type {name} = {};\n", object_type(schema, name, fields, None)))
            }
            TypeKind::InputObject(input) => {
                let fields = input.fields.iter().map(|field| &field.node);
                Some(format!("export type {name} = {};\n", input_type(fields)))
            }
            TypeKind::Enum(values) => Some(format!("export enum {name} {}\n", enum_type(values))),
            _ => None,
        };
        if let Some(declared) = declared {
            file.push('\n');
            file.push_str(&declared);
        }
    }
    for root in Root::ALL {
        for operation in schema.operations(root) {
            let name = format!("{}{}", capitalized(&operation.name.node), root.name());
            let arguments = operation.arguments.iter().map(|argument| &argument.node);
            let field = object_field(schema, operation, Some(&mut vec![]));
            file.push_str(&format!(
                "\nexport type {name}Variables = {};\n\nexport type {name} = {{\n{}}};\n",
                input_type(arguments),
                indented(&field),
            ));
        }
    }
    file
}

/// What a statement selects is written out in full; `within` names the types
/// around it. Without it, other types are named.
type Within<'w, 'a> = Option<&'w mut Vec<&'a str>>;

fn object_type<'a>(
    schema: &'a Schema,
    name: &str,
    fields: impl Iterator<Item = &'a FieldDefinition>,
    mut within: Within<'_, 'a>,
) -> String {
    let fields: String = fields.map(|field| object_field(schema, field, within.as_deref_mut())).collect();
    format!("{{\n{}}}", indented(&format!("__typename: \"{name}\",\n{fields}")))
}

fn object_field<'a>(schema: &'a Schema, field: &'a FieldDefinition, mut within: Within<'_, 'a>) -> String {
    let ty = &field.ty.node;
    let inner = named(ty);
    if within.as_ref().is_some_and(|within| within.contains(&inner)) {
        return String::new();
    }
    let written_as = match (&mut within, schema.fields(inner)) {
        (Some(within), Some(fields)) => {
            within.push(inner);
            let object = object_type(schema, inner, fields, Some(within));
            within.pop();
            object
        }
        _ => type_name(inner),
    };
    property(&field.name.node, ty, &written_as)
}

fn input_type<'a>(fields: impl Iterator<Item = &'a InputValueDefinition>) -> String {
    let fields: String = fields
        .map(|field| {
            let ty = &field.ty.node;
            property(&field.name.node, ty, &type_name(named(ty)))
        })
        .collect();
    format!("{{\n{}}}", indented(&fields))
}

fn enum_type(values: &EnumType) -> String {
    let values: String =
        values.values.iter().map(|value| format!("{0} = \"{0}\",\n", value.node.value.node)).collect();
    format!("{{\n{}}}", indented(&values))
}

/// `name?: type | null,`
fn property(name: &str, ty: &Type, named: &str) -> String {
    let optional = if ty.nullable { "?" } else { "" };
    format!("{name}{optional}: {},\n", written(ty, named))
}

fn written(ty: &Type, named: &str) -> String {
    let base = match &ty.base {
        BaseType::Named(_) => named.to_owned(),
        BaseType::List(inner) => format!("Array<{}>", written(inner, named)),
    };
    if ty.nullable { format!("{base} | null") } else { base }
}

/// Custom scalars have the type of their JSON form.
fn type_name(name: &str) -> String {
    match name {
        "Boolean" => "boolean",
        "Int" | "Float" | "AWSTimestamp" => "number",
        "ID" | "String" | "AWSDateTime" => "string",
        declared => declared,
    }
    .to_owned()
}

fn indented(lines: &str) -> String {
    lines.lines().map(|line| format!("  {line}\n")).collect()
}
