//! A folder of Markdown with front matter, as Hugo, Jekyll, Zola, Bear, Mataroa and Byline
//! itself have it.

use std::path::{Path, PathBuf};

use time::{Date, PrimitiveDateTime, Time, macros::format_description};

use super::{
    fields::{self, Fields},
    files::{Entry, Folder, Unread},
    item::{Item, Items, Left},
};
use crate::{
    clock,
    ops::export::folder::{AUTHORS, NOTE},
    posts::{
        Language, PostId,
        domain::front_matter::{self, Value},
    },
    timestamp::Timestamp,
};

/// Bytes of a file with Markdown at most; what is longer is no post.
const MOST_BYTES: u64 = 4 * 1024 * 1024;

/// Endings of texts in which Hugo and Jekyll take posts that are no Markdown.
const OTHER_TEXTS: [&str; 13] = [
    "html", "htm", "textile", "org", "adoc", "asciidoc", "ad", "rst", "pandoc", "pdc", "mmark", "mdx", "txt",
];

/// How a folder is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// `posts` and `drafts`, as the account page exports them.
    Byline,
    /// `_posts` and `_drafts`.
    Jekyll,
    /// Posts below `content` alone, as Hugo and Zola have them.
    Content,
    /// Markdown anywhere.
    Plain,
}

/// Whether a folder has Markdown at all.
pub(super) fn has_markdown(folder: &Folder) -> bool {
    folder.files().iter().any(|entry| matches!(entry, Entry::File(path) if is_markdown(path)))
}

/// Whether a folder is what `byline export --to` has written, or its folder of the authors.
pub(super) fn is_of_every_author(folder: &Folder) -> bool {
    let is_called_so = || folder.last_names().last().is_some_and(|name| name == AUTHORS);
    folder.has(NOTE) && folder.has(AUTHORS) || is_called_so() && folder.has(&format!("../{NOTE}"))
}

/// The ending of its name, in lower case.
fn ending(path: &Path) -> Option<String> {
    Some(path.extension()?.to_string_lossy().to_ascii_lowercase())
}

fn is_markdown(path: &Path) -> bool {
    matches!(ending(path).as_deref(), Some("md" | "markdown" | "mdown" | "mkd" | "mkdn" | "mkdown"))
}

/// The posts of a folder.
pub(super) fn items(folder: &Folder) -> Items {
    let entries = folder.files();
    let layout = layout(folder, &entries);
    let folder = folder.clone();
    Box::new(entries.into_iter().filter_map(move |entry| match entry {
        Entry::Closed(path, why) => Some(Err(Left::lost(shown(&path), why))),
        Entry::File(path) | Entry::Special(path) | Entry::Link(path) if !is_in(layout, &path) => None,
        Entry::File(path) if is_markdown(&path) => Some(item(&folder, layout, &path)),
        Entry::File(path) => other_text(&folder, layout, &path).map(Err),
        Entry::Special(path) => {
            is_markdown(&path).then(|| Err(Left::lost(shown(&path), Unread::NoFile.to_string())))
        }
        Entry::Link(path) => {
            Some(Err(Left::lost(shown(&path), "it is a symbolic link, and those are not followed")))
        }
    }))
}

/// The files of a folder without Markdown that may be posts.
pub(super) fn other_texts(folder: &Folder) -> Vec<String> {
    let entries = folder.files();
    let layout = layout(folder, &entries);
    let texts = entries.iter().filter_map(|entry| match entry {
        Entry::File(path) if is_in(layout, path) => other_text(folder, layout, path),
        _ => None,
    });
    texts.map(|left| left.source).collect()
}

/// What to say about a file that is no Markdown, if it is a text in a place of posts.
/// `None` for what is plainly no post.
fn other_text(folder: &Folder, layout: Layout, path: &Path) -> Option<Left> {
    let ending = ending(path).filter(|ending| OTHER_TEXTS.contains(&ending.as_str()))?;
    let mut names = names(path);
    let file = names.pop()?;
    let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem);
    if layout == Layout::Byline || stem.eq_ignore_ascii_case("_index") || is_about_files(stem) {
        return None;
    }
    if layout == Layout::Jekyll {
        if !Place::of(folder, layout, names, stem).is_of_jekyll {
            return None;
        }
    } else if ["html", "htm", "txt"].contains(&ending.as_str()) {
        // Such files have many uses. Posts among them say something about themselves.
        let is_post =
            folder.read(path, MOST_BYTES).is_ok_and(|bytes| fields::are_in(&String::from_utf8_lossy(&bytes)));
        if !is_post {
            let is_page = layout == Layout::Content && ending != "txt";
            return is_page.then(|| Left::no_post(shown(path), "it is HTML without front matter"));
        }
    }
    Some(Left::lost(shown(path), format!("it is no Markdown: its name ends in .{ending}")))
}

/// Whether a file, by its name, is about the files around it.
fn is_about_files(stem: &str) -> bool {
    ["readme", "license", "changelog", "contributing"].contains(&stem.to_lowercase().as_str())
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn names(path: &Path) -> Vec<String> {
    path.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
}

fn layout(folder: &Folder, entries: &[Entry]) -> Layout {
    let of_jekyll = |name: &String| name == "_posts" || name == "_drafts";
    let files =
        || entries.iter().filter_map(|entry| if let Entry::File(path) = entry { Some(path) } else { None });
    if folder.has("profile.json") && (folder.has("posts") || folder.has("drafts")) {
        Layout::Byline
    } else if files().any(|path| names(path).iter().any(of_jekyll))
        || folder.last_names().iter().any(of_jekyll)
    {
        Layout::Jekyll
    } else if files().any(|path| path.starts_with("content")) {
        Layout::Content
    } else {
        Layout::Plain
    }
}

fn is_in(layout: Layout, path: &Path) -> bool {
    match layout {
        Layout::Byline => path.starts_with("posts") || path.starts_with("drafts"),
        Layout::Content => path.starts_with("content"),
        // The folder itself may be `_posts`.
        Layout::Jekyll | Layout::Plain => true,
    }
}

/// A day before the name of a file: `2020-01-02-title`, or `2020-1-2-title`.
fn day_of(stem: &str) -> Option<(Date, &str)> {
    let format = format_description!("[year]-[month padding:none]-[day padding:none]");
    let is_end = |&(at, _): &(usize, char)| stem[..at].matches('-').count() == 2;
    let (end, _) = stem.char_indices().filter(|(_, c)| ['-', '_'].contains(c)).find(is_end)?;
    Some((Date::parse(&stem[..end], format).ok()?, &stem[end + 1..]))
}

fn timestamp(day: Date) -> Timestamp {
    let at = PrimitiveDateTime::new(day, Time::MIDNIGHT).assume_utc();
    Timestamp::from_micros(at.unix_timestamp() * 1_000_000)
}

fn item(folder: &Folder, layout: Layout, path: &Path) -> Result<Item, Left> {
    let source = shown(path);
    let lost = |why: String| Left::lost(source.clone(), why);
    let bytes = folder.read(path, MOST_BYTES).map_err(|error| lost(error.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| lost("it is not in UTF-8".to_owned()))?;
    let text = text.trim_start_matches('\u{FEFF}').replace("\r\n", "\n");
    let (fields, content) = fields::of(&text).map_err(lost)?;
    let mut names = names(path);
    let file = names.pop().unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file.as_str(), |(stem, _)| stem);
    if stem.eq_ignore_ascii_case("_index") {
        return Err(Left::no_post(source, "it is about a list of posts"));
    }
    let is_without = fields.is_empty();
    if is_without && is_about_files(stem) {
        return Err(Left::no_post(source, "it is about the files themselves"));
    }
    let place = Place::of(folder, layout, names, stem);
    if layout == Layout::Jekyll && !place.is_of_jekyll {
        return Err(Left::no_post(source, "it is not in _posts or _drafts"));
    }
    let mut item = Item {
        key: source.clone(),
        source,
        folder: path.parent().map(Path::to_path_buf).unwrap_or_default(),
        content: content.to_owned(),
        title: fields.text(&["title"]).unwrap_or_default().to_owned(),
        is_draft: place.is_draft,
        ..Item::default()
    };
    item.language =
        fields.text(&["lang", "language"]).and_then(|tag| Language::parse(tag).ok()).or(place.language);
    if layout == Layout::Byline {
        // The export ends every text with a line end of its own.
        item.content = item.content.strip_suffix('\n').unwrap_or(&item.content).to_owned();
        item.id = fields.text(&["id"]).and_then(PostId::parse);
        item.date = fields.text(&["publish", "created"]).and_then(front_matter::date);
        // A draft with a time is published then.
        item.is_draft = place.is_draft && fields.text(&["publish"]).is_none();
        item.tags = fields.items(&["tags"]);
        item.slug =
            fields.text(&["address"]).and_then(|address| address.rsplit('/').next()).map(ToOwned::to_owned);
        return Ok(item);
    }
    let (is_draft, why_draft) = privacy(&fields).map_err(|why| Left::lost(item.source.clone(), why))?;
    item.is_draft |= is_draft;
    item.why_draft = why_draft;
    if is_without {
        take_beginning(&mut item);
    }
    let day = day_of(&place.stem);
    let name = day.map_or(place.stem.as_str(), |(_, name)| name).to_owned();
    if let Some(raw) =
        fields.text(&["date", "published_date", "published date", "published_at", "publishdate", "pubdate"])
    {
        item.date = front_matter::date(raw);
        // The name of the file says the day as well.
        if item.date.is_none() && day.is_none() {
            return Err(Left::lost(item.source.clone(), format!("its date cannot be read: {raw}")));
        }
    }
    let later = later(&fields).map_err(|why| Left::lost(item.source.clone(), why))?;
    item.date = later.or(item.date).or_else(|| day.map(|(day, _)| timestamp(day)));
    item.tags = all_tags(layout, &fields);
    item.slug = Some(slug_of(&fields).unwrap_or_else(|| name.clone()));
    if item.title.is_empty() {
        item.title = without_heading(&mut item.content).unwrap_or_else(|| name.replace(['-', '_'], " "));
    }
    item.old_paths = old_paths(layout, &fields, &place, &name, item.date);
    Ok(item)
}

/// Whether a text was not for readers, and why, where it was no draft.
///
/// # Errors
/// It may be private: what says so cannot be understood.
fn privacy(fields: &Fields) -> Result<(bool, Option<&'static str>), String> {
    let is_draft =
        fields.says("draft", true)? || fields.says("published", false)? || fields.says("publish", false)?;
    if is_draft {
        return Ok((true, None));
    }
    let mut is_expired = false;
    for name in ["expiryDate", "unpublishDate"] {
        is_expired |= fields.day(name)?.is_some_and(|day| day <= clock::now());
    }
    let why = if is_expired {
        Some("it has expired there")
    } else if fields.says("headless", true)? || !has_page(fields)? {
        Some("it had no page there")
    } else {
        None
    };
    Ok((why.is_some(), why))
}

/// Whether Hugo makes a page of it.
fn has_page(fields: &Fields) -> Result<bool, String> {
    for name in ["build", "_build"] {
        let Some(build) = fields.get(&[name]) else { continue };
        let render = build.within("render").and_then(Value::text);
        if render.is_some_and(|render| {
            ["never", "link"].contains(&render.to_lowercase().as_str())
                || fields::truth(render) == Some(false)
        }) {
            return Ok(false);
        }
        if build.text().is_some_and(|text| text.contains("render")) {
            return Err(format!("its {name} cannot be read"));
        }
    }
    Ok(true)
}

/// The day to come at which it is published, whatever its date is: Hugo waits for it.
///
/// # Errors
/// It cannot be read.
fn later(fields: &Fields) -> Result<Option<Timestamp>, String> {
    let mut days = Vec::new();
    for name in ["publishDate", "pubDate"] {
        days.extend(fields.day(name)?);
    }
    // These may say yes or no as well.
    for name in ["published", "publish", "published_at"] {
        days.extend(fields.text(&[name]).and_then(front_matter::date));
    }
    Ok(days.into_iter().filter(|day| *day > clock::now()).max())
}

/// Where a file lies, as far as it says something.
struct Place {
    /// Folders, within the posts.
    section: Vec<String>,
    /// Its name, or that of its folder.
    stem: String,
    language: Option<Language>,
    is_draft: bool,
    is_of_jekyll: bool,
}

impl Place {
    fn of(folder: &Folder, layout: Layout, names: Vec<String>, stem: &str) -> Self {
        let mut all = folder.last_names();
        let own = all.len();
        all.extend(names.iter().cloned());
        let jekyll = all.iter().rposition(|name| name == "_posts" || name == "_drafts");
        let content = all.iter().position(|name| name == "content");
        let is_draft = match layout {
            Layout::Jekyll => jekyll.is_some_and(|at| all[at] == "_drafts"),
            Layout::Byline => names.first().is_some_and(|name| name == "drafts"),
            Layout::Content | Layout::Plain => false,
        };
        let mut section = match (layout, jekyll, content) {
            // The folders before `_posts` are categories.
            (Layout::Jekyll, Some(at), _) => all.get(own..at).unwrap_or_default().to_vec(),
            (Layout::Content | Layout::Plain, _, Some(at)) => all[at + 1..].to_vec(),
            _ => names,
        };
        let (mut stem, mut language) = (stem.to_owned(), None);
        if let Some((before, tag)) = stem.rsplit_once('.')
            && let Ok(found) = Language::parse(tag)
        {
            (stem, language) = (before.to_owned(), Some(found));
        }
        if stem.eq_ignore_ascii_case("index")
            && let Some(name) = section.pop()
        {
            stem = name;
        }
        Self { section, stem, language, is_draft, is_of_jekyll: jekyll.is_some() }
    }
}

/// A text without front matter may begin with its title and its day, as Mataroa writes them.
fn take_beginning(item: &mut Item) {
    if let Some(title) = without_heading(&mut item.content) {
        item.title = title;
        let format = format_description!("[month repr:short] [day padding:none], [year]");
        let published = item.content.strip_prefix("> Published on ").and_then(|rest| {
            let (day, rest) = rest.split_once('\n')?;
            Some((Date::parse(day.trim(), format).ok()?, rest.trim_start_matches('\n').to_owned()))
        });
        if let Some((day, rest)) = published {
            item.date = Some(timestamp(day));
            item.content = rest;
        }
    }
}

/// Takes a heading of the first level from the beginning of a text.
fn without_heading(content: &mut String) -> Option<String> {
    let (line, rest) = content.split_once('\n').unwrap_or((content, ""));
    let title = line.strip_prefix("# ")?.trim().to_owned();
    *content = rest.trim_start_matches('\n').to_owned();
    Some(title)
}

fn all_tags(layout: Layout, fields: &Fields) -> Vec<String> {
    let mut tags = Vec::new();
    for name in ["tags", "tag", "all_tags", "categories", "category"] {
        // Zola has them in a table.
        match fields.get(&[name]).or_else(|| fields.get(&["taxonomies"])?.within(name)) {
            // Jekyll separates them by spaces.
            Some(Value::Text(text)) if layout == Layout::Jekyll && !text.contains(',') => {
                tags.extend(text.split_whitespace().map(ToOwned::to_owned));
            }
            Some(value) => tags.extend(value.items()),
            None => {}
        }
    }
    tags.retain(|tag| !tag.eq_ignore_ascii_case("uncategorized"));
    tags
}

/// The last part of the address that a text names.
fn slug_of(fields: &Fields) -> Option<String> {
    let named = fields.text(&["slug", "link"]).map(ToOwned::to_owned);
    named.or_else(|| {
        // `/:year/:title/` is a rule and no address.
        let path = fields.text(&["url", "permalink", "path"]).filter(|path| !path.contains("/:"))?;
        let last = path.trim_end_matches('/').rsplit('/').next()?;
        let last = last.strip_suffix(".html").unwrap_or(last);
        Some(last.to_owned()).filter(|last| !last.is_empty())
    })
}

/// Every path at which the post may have been read.
fn old_paths(
    layout: Layout,
    fields: &Fields,
    place: &Place,
    name: &str,
    date: Option<Timestamp>,
) -> Vec<String> {
    let section = |names: &[String]| names.iter().map(|name| format!("/{name}")).collect::<String>();
    let folder = section(&place.section);
    let mut paths = Vec::new();
    for alias in fields.items(&["aliases", "alias", "redirect_from"]) {
        // Hugo reads an alias without a slash from the section of the page.
        if alias.starts_with('/') || alias.contains("://") {
            paths.push(alias);
        } else {
            paths.extend([format!("{folder}/{alias}"), format!("/{alias}")]);
        }
    }
    if let Some(path) = fields.text(&["url", "permalink", "path"]).filter(|path| !path.contains("/:")) {
        paths.push(if path.contains("://") {
            path.to_owned()
        } else {
            format!("/{}", path.trim_start_matches('/'))
        });
    }
    let slug = slug_of(fields).unwrap_or_else(|| name.to_owned());
    if layout == Layout::Jekyll {
        if let Some(date) = date {
            let day = date.date_time().date();
            let day = format!("/{:04}/{:02}/{:02}", day.year(), u8::from(day.month()), day.day());
            let mut categories = place.section.clone();
            categories.extend(
                fields
                    .items(&["categories", "category"])
                    .iter()
                    .flat_map(|names| names.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>()),
            );
            for before in [section(&categories), folder, String::new()] {
                paths.extend([format!("{before}{day}/{slug}.html"), format!("{before}{day}/{slug}")]);
            }
        }
    } else {
        let stems = [slug.as_str(), name, place.stem.as_str()];
        paths.extend(stems.map(|stem| format!("{folder}/{stem}")));
        paths.push(format!("{folder}/{slug}.html"));
    }
    paths.sort();
    paths.dedup();
    paths
}

/// Where a picture of the export may lie that a text names by a path of its site.
pub(super) fn places_of(path: &str) -> Vec<PathBuf> {
    let path = path.trim_start_matches('/');
    let mut places: Vec<PathBuf> = ["", "static", "assets", "public", "content", "source"]
        .iter()
        .map(|folder| Path::new(folder).join(path))
        .collect();
    if let Some(name) = path.strip_prefix("media/") {
        places.push(Path::new("pictures").join(name));
    }
    if let Some(at) = path.find("uploads/") {
        places.push(PathBuf::from(&path[at..]));
        places.push(Path::new("wp-content").join(&path[at..]));
    }
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_front_matter_may_begin_with_its_title_and_its_day() {
        let mut item =
            Item { content: "# Hello\n\n> Published on Jan 2, 2020\n\nText\n".to_owned(), ..Item::default() };
        take_beginning(&mut item);
        assert_eq!((item.title.as_str(), item.content.as_str()), ("Hello", "Text\n"));
        assert_eq!(item.date.map(Timestamp::rfc3339).as_deref(), Some("2020-01-02T00:00:00Z"));
    }
}
