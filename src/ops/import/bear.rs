//! Bear Blog: an export in CSV, one post in a row.

use std::collections::HashMap;

use super::item::{Item, Left, date, key};
use crate::posts::Language;

/// Whether a text begins with the names of Bear's columns.
pub(super) fn is_export(text: &str) -> bool {
    let first = text.trim_start_matches('\u{FEFF}').lines().next().unwrap_or_default().to_lowercase();
    let names = first.replace('_', " ");
    ["title", "slug", "content", "publish"]
        .iter()
        .all(|name| names.split(',').any(|one| one.trim_matches('"') == *name))
}

/// The posts of an export.
pub(super) fn items(text: &str) -> Vec<Result<Item, Left>> {
    let mut rows = rows(text.trim_start_matches('\u{FEFF}')).into_iter();
    let names: Vec<String> = rows
        .next()
        .unwrap_or_default()
        .iter()
        .map(|name| name.trim().to_lowercase().replace('_', " "))
        .collect();
    let rows = rows.filter(|row| row.iter().any(|field| !field.is_empty()));
    rows.enumerate().map(|(number, row)| item(number + 1, &names, row)).collect()
}

fn item(number: usize, names: &[String], row: Vec<String>) -> Result<Item, Left> {
    if row.len() != names.len() {
        let why = format!("it has {} fields and not {}", row.len(), names.len());
        return Err(Left::lost(format!("row {number}"), why));
    }
    let fields: HashMap<&str, String> = names.iter().map(String::as_str).zip(row).collect();
    let text = |name: &str| fields.get(name).map_or("", String::as_str);
    let (slug, uid) = (text("slug"), text("uid"));
    let source = format!("{} ({slug})", text("title"));
    let is_draft = !text("publish").eq_ignore_ascii_case("true");
    let date = date(&source, text("published date"), is_draft)?;
    Ok(Item {
        key: key("bear", &[uid, slug], text("title"), text("published date")),
        source,
        title: text("title").to_owned(),
        content: text("content").replace("\r\n", "\n"),
        slug: slug.rsplit('/').next().filter(|slug| !slug.is_empty()).map(ToOwned::to_owned),
        tags: tags(text("all tags")),
        date,
        is_draft,
        language: Language::parse(text("lang")).ok(),
        old_paths: [slug, text("alias")].map(|path| format!("/{}", path.trim_start_matches('/'))).into(),
        ..Item::default()
    })
}

/// Tags as an export has them: a list of JSON, or `[one, another]` without quotation marks.
fn tags(text: &str) -> Vec<String> {
    serde_json::from_str(text).unwrap_or_else(|_| {
        let names = text.trim().trim_start_matches('[').trim_end_matches(']').split(',');
        names.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
    })
}

/// Rows of CSV (RFC 4180).
fn rows(text: &str) -> Vec<Vec<String>> {
    let (mut rows, mut row, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut is_quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if is_quoted && chars.peek() == Some(&'"') => {
                chars.next();
                field.push('"');
            }
            '"' if is_quoted => is_quoted = false,
            '"' if field.is_empty() => is_quoted = true,
            ',' if !is_quoted => row.push(std::mem::take(&mut field)),
            '\r' if !is_quoted && chars.peek() == Some(&'\n') => {}
            '\n' if !is_quoted => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            c => field.push(c),
        }
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_in_quotes_may_have_commas_quotes_and_lines() {
        assert_eq!(
            rows("a,\"b, \"\"c\"\"\nd\",\r\n\"\",x\n"),
            [["a", "b, \"c\"\nd", ""].as_slice(), &["", "x"]].map(<[&str]>::to_vec)
        );
        assert_eq!(tags("[tag1,  Two words , tag3]"), ["tag1", "Two words", "tag3"]);
        assert_eq!(tags(r#"["a, b", "c"]"#), ["a, b", "c"]);
        assert!(tags("[]").is_empty() && tags("").is_empty());
        assert!(is_export("uid,title,slug,alias,published date,all tags,publish,content\n"));
        assert!(!is_export("title,slug\n"));
    }
}
