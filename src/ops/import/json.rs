//! Exports in JSON: of Ghost, of WriteFreely, and of a table in DynamoDB with the model Post
//! of an app of AWS Amplify.

use std::path::Path;

use serde_json::{Map, Value};

use super::{
    html::{Lines, to_markdown},
    item::{self, Item, Left, key},
};
use crate::{
    posts::{Language, PostId},
    timestamp::Timestamp,
};

type Found = Vec<Result<Item, Left>>;

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn date(source: &str, value: &Value, name: &str, is_draft: bool) -> Result<Option<Timestamp>, Left> {
    match value.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(raw)) => item::date(source, raw, is_draft),
        // Old exports of Ghost have milliseconds.
        Some(other) => match other.as_i64().and_then(|millis| millis.checked_mul(1000)) {
            Some(micros) if let Ok(at) = Timestamp::try_from_micros(micros) => Ok(Some(at)),
            _ => item::date(source, &other.to_string(), is_draft),
        },
    }
}

/// The tables of an export of Ghost, if it is one.
fn ghost_data(export: &Value) -> Option<&Value> {
    let data = export.get("db").map_or_else(|| export.get("data"), |db| db.get(0)?.get("data"))?;
    data.get("posts")?.is_array().then_some(data)
}

/// Whether it is an export of Ghost.
pub(super) fn is_ghost(export: &Value) -> bool {
    ghost_data(export).is_some()
}

/// Whether a file is called as Ghost calls its exports: `blog.ghost.2026-11-29-16-00-59.json`.
pub(super) fn has_name_of_ghost(name: &Path) -> bool {
    is_called_json(name) && file_name(name).contains(".ghost.")
}

/// Whether the name of a file says that it is JSON, packed or not.
pub(super) fn is_called_json(name: &Path) -> bool {
    file_name(name).trim_end_matches(".gz").ends_with(".json")
}

/// The last part of a path, in lower case.
fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// The program of which a text seems to be an export, by its name or its beginning, where the
/// rest of it is damaged.
pub(super) fn seems_to_be_of(name: &Path, text: &str) -> Option<&'static str> {
    /// In that many letters each of the two programs has said who it is.
    const BEGINNING: usize = 1024;

    let start: String = text.chars().filter(|c| !c.is_whitespace()).take(BEGINNING).collect();
    let begins = |with: &[&str]| with.iter().any(|with| start.starts_with(with));
    let has = |key: &&str| start.contains(*key);
    if has_name_of_ghost(name) || begins(&["{\"db\":[", "{\"meta\":{\"exported_on\""]) {
        Some("Ghost")
    } else if begins(&["{\"username\":"])
        && ["\"has_pass\":", "\"collections\":", "\"posts\":"].iter().any(has)
    {
        Some("WriteFreely")
    } else {
        None
    }
}

/// The posts of Ghost.
pub(super) fn ghost(export: &Value) -> Found {
    let Some(data) = ghost_data(export) else { return Vec::new() };
    list(data, "posts").iter().map(|post| ghost_post(data, post)).collect()
}

/// The id or the date of a row, which was a number once.
fn id(value: &Value, name: &str) -> String {
    match value.get(name) {
        Some(Value::String(id)) => id.clone(),
        Some(Value::Number(id)) => id.to_string(),
        _ => String::new(),
    }
}

/// Whether a post of Ghost has its text in some form that is not HTML: as words alone, or as
/// its editors keep it.
fn has_other_text(post: &Value) -> bool {
    let read = |name: &str| serde_json::from_str::<Value>(text(post, name)).ok();
    let is_there = |name: &str| !text(post, name).trim().is_empty();
    is_there("plaintext")
        || is_there("lexical") && read("lexical").is_none_or(|lexical| is_written(&lexical))
        || is_there("mobiledoc")
            && read("mobiledoc").is_none_or(|mobiledoc| {
                // A section has its kind, its element, and what is in it.
                let mut sections = list(&mobiledoc, "sections").iter();
                !list(&mobiledoc, "cards").is_empty()
                    || sections.any(|section| section.get(2).is_some_and(has_words))
            })
}

/// Whether a node of Ghost's editor has more than empty paragraphs.
fn is_written(node: &Value) -> bool {
    let is_frame = matches!(text(node, "type"), "root" | "paragraph" | "linebreak" | "");
    match (node.get("root"), node.get("text")) {
        (Some(root), _) => is_written(root),
        (None, Some(words)) => has_words(words),
        (None, None) => !is_frame || list(node, "children").iter().any(is_written),
    }
}

/// Whether a value has any words in it.
fn has_words(value: &Value) -> bool {
    match value {
        Value::String(words) => !words.trim().is_empty(),
        Value::Array(values) => values.iter().any(has_words),
        _ => false,
    }
}

fn ghost_post(data: &Value, post: &Value) -> Result<Item, Left> {
    let (title, slug) = (text(post, "title"), text(post, "slug"));
    let source = format!("{title} ({slug})");
    let html = text(post, "html").replace("__GHOST_URL__", "");
    let own = id(post, "id");
    if html.is_empty() && has_other_text(post) {
        return Err(Left::lost(source, "the export has its text in no form that can be read: html is empty"));
    }
    let mut content = to_markdown(&html, Lines::Spaces);
    // Ghost called it `image` until its version 1.
    let picture =
        ["feature_image", "image"].into_iter().map(|name| text(post, name)).find(|it| !it.is_empty());
    let picture = picture.unwrap_or_default().replace("__GHOST_URL__", "");
    if !picture.is_empty() {
        let image = format!("<img src=\"{}\">", html_escape::encode_double_quoted_attribute(&picture));
        content = format!("{}\n{content}", to_markdown(&image, Lines::Spaces));
    }
    let mut links: Vec<&Value> =
        list(data, "posts_tags").iter().filter(|link| id(link, "post_id") == own).collect();
    links.sort_by_key(|link| link.get("sort_order").and_then(Value::as_i64));
    let tags = links.iter().filter_map(|link| {
        let tag = list(data, "tags").iter().find(|tag| id(tag, "id") == id(link, "tag_id"))?;
        // Tags of this kind are for the theme and not for readers.
        (!text(tag, "name").starts_with('#')).then(|| text(tag, "name").to_owned())
    });
    let visibility = post.get("visibility").and_then(Value::as_str).unwrap_or("public");
    // What only members could read is not published here.
    let is_draft = !matches!(text(post, "status"), "published" | "scheduled") || visibility != "public";
    let date = date(&source, post, "published_at", is_draft)?;
    Ok(Item {
        key: key("ghost", &[&own, slug], title, &id(post, "published_at")),
        source,
        title: if title == "(Untitled)" { String::new() } else { title.to_owned() },
        content,
        slug: Some(slug.to_owned()),
        tags: tags.collect(),
        date,
        is_draft,
        language: Language::parse(text(post, "locale")).ok(),
        old_paths: vec![format!("/{slug}")],
        ..Item::default()
    })
}

/// Whether it is an export of WriteFreely.
pub(super) fn is_writefreely(export: &Value) -> bool {
    export.get("username").is_some() && (export.get("collections").is_some() || export.get("posts").is_some())
}

/// The posts of WriteFreely: those of its blogs, and as drafts those in none.
pub(super) fn writefreely(export: &Value) -> Found {
    let of_blogs = list(export, "collections").iter().flat_map(|blog| {
        list(blog, "posts").iter().map(|post| writefreely_post(Some(text(blog, "alias")), post))
    });
    of_blogs.chain(list(export, "posts").iter().map(|post| writefreely_post(None, post))).collect()
}

fn writefreely_post(blog: Option<&str>, post: &Value) -> Result<Item, Left> {
    let (own, slug, title) = (text(post, "id"), text(post, "slug"), text(post, "title"));
    let tags = list(post, "tags").iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
    let mut old_paths = vec![format!("/{own}")];
    if let Some(blog) = blog.filter(|_| !slug.is_empty()) {
        old_paths.extend([format!("/{blog}/{slug}"), format!("/{slug}")]);
    }
    let source = format!("{} ({own})", if title.is_empty() { slug } else { title });
    let date = date(&source, post, "created", blog.is_none())?;
    Ok(Item {
        key: key("writefreely", &[own, slug], title, text(post, "created")),
        source,
        title: title.to_owned(),
        content: text(post, "body").to_owned(),
        slug: Some(slug.to_owned()).filter(|slug| !slug.is_empty()),
        tags,
        date,
        is_draft: blog.is_none(),
        language: Language::parse(text(post, "language")).ok(),
        old_paths,
        ..Item::default()
    })
}

/// Whether a text has rows of DynamoDB, one on a line, as its export to S3 writes them.
/// One row is enough, and its beginning too: a damaged row is refused with a line, and takes
/// no other row with it.
pub(super) fn is_dynamodb(text: &str) -> bool {
    text.lines().any(|line| {
        let inner = line.trim_start().strip_prefix('{').unwrap_or_default().trim_start();
        let value = inner.strip_prefix("\"Item\"").unwrap_or_default().trim_start();
        value.strip_prefix(':').is_some_and(|value| value.trim_start().starts_with('{'))
    })
}

/// The posts of a file of a table in DynamoDB. They keep their ids, by which apps link to
/// them.
pub(super) fn dynamodb(file: &str, text: &str) -> Found {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines.map(|(number, line)| dynamodb_row(format!("{file} row {}", number + 1), line)).collect()
}

fn dynamodb_row(source: String, line: &str) -> Result<Item, Left> {
    let row: Value = serde_json::from_str(line)
        .map_err(|error| Left::lost(source.clone(), format!("it is no JSON: {error}")))?;
    let Some(Value::Object(fields)) = row.get("Item") else {
        return Err(Left::lost(source, "it has no Item"));
    };
    let has_content = fields.get("content").is_some_and(|value| value.get("NULL").is_none());
    let row = Value::Object(
        fields.iter().filter_map(|(name, value)| Some((name.clone(), plain(value)?))).collect(),
    );
    let own = text(&row, "id");
    let source = format!("{} ({own})", text(&row, "title"));
    if row.get("_deleted").and_then(Value::as_bool) == Some(true) {
        return Err(Left::no_post(source, "it was deleted there"));
    }
    if own.is_empty() || row.get("title").is_none() {
        return Err(Left::no_post(source, "it has no id or no title, so it is no Post"));
    }
    if has_content && !row.get("content").is_some_and(Value::is_string) {
        return Err(Left::lost(source, "its content is no text"));
    }
    let date = date(&source, &row, "createdAt", false)?;
    Ok(Item {
        key: format!("dynamodb {own}"),
        id: PostId::parse(own),
        source,
        title: text(&row, "title").to_owned(),
        content: text(&row, "content").to_owned(),
        is_without_content: !has_content,
        date,
        ..Item::default()
    })
}

/// A value of DynamoDB without its type.
fn plain(value: &Value) -> Option<Value> {
    let (kind, inner) = value.as_object()?.iter().next()?;
    Some(match (kind.as_str(), inner) {
        ("S" | "BOOL", inner) => inner.clone(),
        ("N", Value::String(number)) => serde_json::from_str(number).ok()?,
        ("SS", inner) => inner.clone(),
        ("L", Value::Array(items)) => Value::Array(items.iter().filter_map(plain).collect()),
        ("M", Value::Object(map)) => Value::Object(
            map.iter().filter_map(|(name, value)| Some((name.clone(), plain(value)?))).collect::<Map<_, _>>(),
        ),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_text_is_known_by_its_name_or_its_beginning_alone() {
        let program = |name: &str, text: &str| seems_to_be_of(Path::new(name), text);
        for text in
            ["{\"db\":[{\"meta\":{\"expo", "{ \"db\" : [", "{\n  \"meta\": {\n    \"exported_on\": 1,"]
        {
            assert_eq!(program("x.json", text), Some("Ghost"), "{text}");
        }
        assert_eq!(program("a/Blog.ghost.2026-11-29.json", ""), Some("Ghost"));
        assert_eq!(program("x.json", "{\"username\":\"ada\",\"has_pass\":tr"), Some("WriteFreely"));
        for text in
            ["", "{\"name\":\"db\",\"db\":[", "{\"username\":\"ada\",\"password\":\"", "<html>", "[{\"db\":["]
        {
            assert_eq!(program("ghost/package.json", text), None, "{text}");
        }
    }
}
