//! WordPress: an export in WXR, which is RSS with more in it.

use percent_encoding::percent_decode_str;
use quick_xml::{Reader, escape::resolve_predefined_entity, events::Event};

use super::{
    html::{Lines, to_markdown, to_words},
    item::{self, Item, Left, key},
};

/// One `<item>` of an export.
#[derive(Debug, Default)]
struct Entry {
    title: String,
    link: String,
    content: String,
    id: String,
    date: String,
    name: String,
    status: String,
    kind: String,
    password: String,
    tags: Vec<String>,
}

/// Whether a file begins as one of WordPress.
pub(super) fn is_export(text: &str) -> bool {
    let start = text.trim_start_matches('\u{FEFF}').trim_start();
    let end = start.char_indices().nth(20_000).map_or(start.len(), |(at, _)| at);
    start.starts_with('<') && start[..end].contains("://wordpress.org/export/")
}

/// The posts of an export.
pub(super) fn items(text: &str) -> Vec<Result<Item, Left>> {
    let mut reader = Reader::from_str(text);
    // Addresses stand in some exports as they are, without `&amp;`.
    reader.config_mut().allow_dangling_amp = true;
    let (mut found, mut open, mut value) = (Vec::new(), Vec::<String>::new(), String::new());
    let (mut site, mut entry, mut is_tag) = (String::new(), None::<Entry>, false);
    loop {
        match reader.read_event() {
            Ok(Event::Start(start)) => {
                let name = start.name().0.to_owned();
                if name == "item" {
                    entry = Some(Entry::default());
                }
                let domain = start.try_get_attribute("domain").ok().flatten();
                is_tag = domain.is_some_and(|domain| matches!(&*domain.value, "post_tag" | "category"));
                value.clear();
                open.push(name);
            }
            Ok(Event::Text(text)) => value.push_str(&text),
            Ok(Event::CData(text)) => value.push_str(&text),
            Ok(Event::GeneralRef(reference)) => match reference.resolve_char_ref() {
                Ok(Some(c)) => value.push(c),
                _ => value.push_str(resolve_predefined_entity(&reference).unwrap_or_default()),
            },
            Ok(Event::End(_)) => {
                let name = open.pop().unwrap_or_default();
                let text = std::mem::take(&mut value);
                match (&mut entry, name.as_str()) {
                    (None, "wp:base_blog_url") => site = text,
                    (Some(_), "item") => found.extend(entry.take().map(|entry| item(entry, &site))),
                    (Some(entry), name) if open.last().is_some_and(|parent| parent == "item") => {
                        entry.take(name, text, is_tag);
                    }
                    _ => {}
                }
            }
            Ok(Event::Eof) => {
                if !open.is_empty() {
                    found.push(Err(Left::lost("the rest of the file", "it ends in the middle")));
                }
                return found;
            }
            Ok(_) => {}
            Err(error) => {
                found.push(Err(Left::lost("the rest of the file", format!("it is no XML: {error}"))));
                return found;
            }
        }
    }
}

impl Entry {
    fn take(&mut self, name: &str, text: String, is_tag: bool) {
        match name {
            // Titles and the names of tags are HTML.
            "title" => self.title = to_words(&text),
            "link" => self.link = text,
            "content:encoded" => self.content = text,
            "wp:post_id" => self.id = text,
            // The time in UTC; of drafts it is all zeros.
            "wp:post_date_gmt" if !text.starts_with("0000") => self.date = text,
            "wp:post_date" if self.date.is_empty() && !text.starts_with("0000") => self.date = text,
            "wp:post_name" => self.name = text,
            "wp:status" => self.status = text,
            "wp:post_type" => self.kind = text,
            "wp:post_password" => self.password = text,
            "category" if is_tag && !text.eq_ignore_ascii_case("uncategorized") => {
                self.tags.push(to_words(&text));
            }
            _ => {}
        }
    }
}

fn item(entry: Entry, site: &str) -> Result<Item, Left> {
    let Entry { title, link, content, id, date, name, status, kind, password, tags } = entry;
    let source = format!("{} ({kind} {id})", if title.trim().is_empty() { "Untitled" } else { title.trim() });
    match (kind.as_str(), status.as_str()) {
        ("post" | "page", "trash") => return Err(Left::no_post(source, "it lay in the trash there")),
        ("post" | "page", "auto-draft") => {
            return Err(Left::no_post(source, "nobody has written anything in it"));
        }
        ("post" | "page", _) => {}
        ("attachment", _) => {
            return Err(Left::no_post(source, "it is a file; pictures come with the posts that show them"));
        }
        _ => return Err(Left::no_post(source, "it is neither a post nor a page")),
    }
    // What only some people could read there is not published here.
    let is_draft = !matches!(status.as_str(), "publish" | "future") || !password.is_empty();
    let published = item::date(&source, &date, is_draft)?;
    let lines = if content.contains("<!-- wp:") { Lines::Spaces } else { Lines::Breaks };
    let slug = percent_decode_str(&name).decode_utf8_lossy().into_owned();
    Ok(Item {
        key: key(&format!("wordpress {site}"), &[&id, &link], &title, &date),
        source,
        content: to_markdown(&without_shortcodes(&content), lines),
        title,
        slug: Some(slug).filter(|slug| !slug.is_empty()),
        tags,
        date: published,
        is_draft,
        old_paths: vec![link],
        ..Item::default()
    })
}

/// Captions and embedded addresses without the signs around them.
fn without_shortcodes(content: &str) -> String {
    let (mut kept, mut rest) = (String::with_capacity(content.len()), content);
    while let Some(at) = rest.find('[') {
        let (before, code) = rest.split_at(at);
        kept.push_str(before);
        let is_known =
            ["[caption", "[/caption]", "[embed", "[/embed]"].iter().any(|known| code.starts_with(known));
        rest = match code.find(']').filter(|_| is_known) {
            Some(end) => &code[end + 1..],
            None => {
                kept.push('[');
                &code[1..]
            }
        };
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_is_known_by_its_namespace() {
        for scheme in ["http", "https"] {
            let start = format!(
                "\u{FEFF}<?xml version=\"1.0\"?>\n<rss xmlns:wp=\"{scheme}://wordpress.org/export/1.2/\">"
            );
            assert!(is_export(&start), "{start}");
        }
        assert!(!is_export("<rss></rss>") && !is_export("http://wordpress.org/export/"));
    }

    #[test]
    fn captions_lose_their_signs_and_other_brackets_stay() {
        let text = "[caption id=\"a\" width=\"3\"]<img src=x>[/caption] [1] [gallery ids=1] [";
        assert_eq!(without_shortcodes(text), "<img src=x> [1] [gallery ids=1] [");
    }
}
