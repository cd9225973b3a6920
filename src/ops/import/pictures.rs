//! Pictures that a text of an export names and that are among its files: they are uploaded,
//! and the text names them by their new address.

use std::{collections::HashMap, ops::Range, path::Path};

use axum::body::Bytes;
use percent_encoding::percent_decode_str;
use pulldown_cmark::{Event, Options, Parser, Tag};

use super::{
    files::{Folder, Unread},
    folder::places_of,
    item::Item,
};
use crate::{
    credentials::Actor,
    error::AppError,
    media::{
        Alt,
        address::FOLDER,
        domain::{
            MAX_BYTES, served,
            service::{self, Upload},
        },
    },
    site::Site,
};

/// Whether pictures are uploaded, or only looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Upload,
    Look,
}

/// What became of the pictures of a text.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Pictures of the export that the text shows from here.
    pub(super) taken: usize,
    /// Names of pictures that the export does not have.
    pub(super) missing: Vec<String>,
    /// Names of pictures that could not be taken, and why.
    pub(super) refused: Vec<(String, String)>,
}

/// What became of one picture.
#[derive(Clone, Debug)]
enum Fate {
    /// It is at this address.
    At(String),
    /// It would be uploaded.
    ToCome,
    /// The text goes on naming it as it does.
    Stays,
}

/// Uploads the pictures of a text, which gets their new addresses.
///
/// # Errors
/// [`AppError::Busy`], [`AppError::PicturesAway`].
pub(super) async fn take(
    site: &Site,
    actor: &Actor,
    folder: &Folder,
    item: &mut Item,
    mode: Mode,
) -> Result<Report, AppError> {
    let mut report = Report::default();
    let mut fates = HashMap::<String, Fate>::new();
    let mut changes = Vec::<(Range<usize>, String)>::new();
    for Named { range, name, alt } in named(&item.content) {
        let fate = match fates.get(&name) {
            Some(fate) => fate.clone(),
            None => {
                let fate = match find(folder, &item.folder, &name) {
                    None => Fate::Stays,
                    Some(_) if is_here(site, &name).await? => Fate::Stays,
                    Some(Ok(file)) => store(site, actor, file, &alt, mode, (&name, &mut report)).await?,
                    Some(Err(Unread::Missing)) => {
                        report.missing.push(name.clone());
                        Fate::Stays
                    }
                    Some(Err(why)) => {
                        report.refused.push((name.clone(), why.to_string()));
                        Fate::Stays
                    }
                };
                report.taken += usize::from(!matches!(fate, Fate::Stays));
                fates.insert(name, fate.clone());
                fate
            }
        };
        if let Fate::At(address) = fate {
            changes.push((range, address));
        }
    }
    changes.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    for (range, address) in changes {
        item.content.replace_range(range, &address);
    }
    Ok(report)
}

/// Whether a text names a picture of this very site, because it was exported from it.
async fn is_here(site: &Site, name: &str) -> Result<bool, AppError> {
    match name.strip_prefix(FOLDER) {
        None => Ok(false),
        Some(file) => match served::exists(site, file).await {
            Ok(()) => Ok(true),
            Err(AppError::NotFound) => Ok(false),
            Err(error) => Err(error),
        },
    }
}

async fn store(
    site: &Site,
    actor: &Actor,
    file: Vec<u8>,
    alt: &str,
    mode: Mode,
    (name, report): (&str, &mut Report),
) -> Result<Fate, AppError> {
    let stored = match mode {
        Mode::Look => service::find_file(site, actor, &file).await,
        Mode::Upload => {
            let alt = Alt::parse(alt).unwrap_or_default();
            service::bring(site, actor, Upload { file: Bytes::from(file), alt }).await.map(Some)
        }
    };
    match stored {
        Ok(Some(picture)) => Ok(Fate::At(picture.url)),
        Ok(None) => Ok(Fate::ToCome),
        Err(error @ AppError::Invalid { .. }) => {
            report.refused.push((name.to_owned(), error.sentences()));
            Ok(Fate::Stays)
        }
        Err(error) => Err(error),
    }
}

/// A place in a text that names a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    range: Range<usize>,
    name: String,
    /// Words for people who do not see it.
    alt: String,
}

/// The places of a text that name a picture, outside of code: pictures and links of Markdown
/// and of HTML.
fn named(content: &str) -> Vec<Named> {
    let parser = Parser::new_ext(content, Options::ENABLE_TABLES | Options::ENABLE_FOOTNOTES);
    let mut found = Vec::new();
    for (_, definition) in parser.reference_definitions().iter() {
        push(&mut found, content, definition.span.clone(), &definition.dest, String::new());
    }
    let mut alts: Vec<(usize, String)> = Vec::new();
    for (event, range) in parser.into_offset_iter() {
        match event {
            Event::Start(Tag::Image { dest_url, .. }) => {
                alts.push((found.len(), String::new()));
                push(&mut found, content, range, &dest_url, String::new());
            }
            Event::End(pulldown_cmark::TagEnd::Image) => {
                if let Some((at, alt)) = alts.pop()
                    && let Some(named) = found.get_mut(at)
                {
                    named.alt = alt;
                }
            }
            Event::Text(text) | Event::Code(text) => {
                if let Some((_, alt)) = alts.last_mut() {
                    alt.push_str(&text);
                }
            }
            Event::Start(Tag::Link { dest_url, .. }) => {
                push(&mut found, content, range, &dest_url, String::new());
            }
            Event::Html(_) | Event::InlineHtml(_) => of_html(&mut found, content, range),
            _ => {}
        }
    }
    found
}

/// Adds a name, where the text has it as it stands.
fn push(found: &mut Vec<Named>, content: &str, range: Range<usize>, name: &str, alt: String) {
    // Behind the words of a link or a picture, which may have the same name in them.
    let Some(at) = content.get(range.clone()).and_then(|text| text.rfind(name)).filter(|_| !name.is_empty())
    else {
        return;
    };
    let start = range.start + at;
    found.push(Named { range: start..start + name.len(), name: name.to_owned(), alt });
}

/// Adds what a piece of HTML names in `src` and `href`.
fn of_html(found: &mut Vec<Named>, content: &str, range: Range<usize>) {
    let Some(html) = content.get(range.clone()) else { return };
    for attribute in ["src=", "href="] {
        for (at, _) in html.match_indices(attribute) {
            let rest = &html[at + attribute.len()..];
            let (skipped, name) = match rest.chars().next() {
                Some(quote @ ('"' | '\'')) => (1, rest[1..].split(quote).next().unwrap_or_default()),
                _ => (0, rest.split([' ', '>', '\n']).next().unwrap_or_default()),
            };
            if !name.is_empty() {
                let start = range.start + at + attribute.len() + skipped;
                found.push(Named {
                    range: start..start + name.len(),
                    name: name.to_owned(),
                    alt: String::new(),
                });
            }
        }
    }
}

/// The endings of names of pictures.
const ENDINGS: [&str; 8] = ["png", "jpg", "jpeg", "gif", "webp", "svg", "avif", "bmp"];

/// The file that a text names; `None` if that is no picture, or one of another site.
fn find(folder: &Folder, beside: &Path, name: &str) -> Option<Result<Vec<u8>, Unread>> {
    let (place, is_elsewhere) = match name.split_once("://") {
        Some((_, rest)) => (&rest[rest.find('/')?..], true),
        None => (name.strip_prefix("__GHOST_URL__").unwrap_or(name), false),
    };
    let place = place.split(['?', '#']).next()?;
    let place = percent_decode_str(place).decode_utf8().ok()?;
    let (_, ending) = place.rsplit_once('.')?;
    if place.starts_with("//") || !ENDINGS.contains(&ending.to_ascii_lowercase().as_str()) {
        return None;
    }
    let most = MAX_BYTES as u64;
    let mut read = Err(Unread::Missing);
    if !place.starts_with('/') {
        read = folder.read(&beside.join(&*place), most);
    }
    let mut outside = None;
    for path in places_of(&place) {
        match read {
            Err(Unread::Missing) => read = folder.read(&path, most),
            Err(Unread::Outside) => {
                outside = Some(Unread::Outside);
                read = folder.read(&path, most);
            }
            _ => break,
        }
    }
    match (read, outside) {
        // A picture of another site that is not among the files is shown from there.
        (Err(Unread::Missing | Unread::Outside), _) if is_elsewhere => None,
        (Err(Unread::Missing), Some(outside)) => Some(Err(outside)),
        (read, _) => Some(read),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(content: &str) -> Vec<String> {
        let mut found = named(content);
        found.sort_by_key(|named| named.range.start);
        assert!(found.iter().all(|named| content[named.range.clone()] == named.name));
        found.into_iter().map(|named| named.name).collect()
    }

    #[test]
    fn pictures_are_found_wherever_a_text_names_them_but_in_code() {
        let content = "![A cat](cat.png \"x\") and [![b](b.jpg)](big/b.jpg)\n\n<img alt=x src='c.gif'>\n\n\
                       ![d][d] `![e](e.png)`\n\n    ![f](f.png)\n\n[d]: d.webp\n";
        assert_eq!(names(content), ["cat.png", "b.jpg", "big/b.jpg", "c.gif", "d.webp"]);
        assert_eq!(named("![A `small` cat](cat.png)")[0].alt, "A small cat");
        assert_eq!(names("![cat.png](cat.png)").len(), 1);
        assert!(names("![](<>) [x]() <img src=>").is_empty());
    }
}
