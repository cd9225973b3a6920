//! Which export is at a path: it is recognised by what is in it.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::{
    bear,
    files::{self, Entry, Folder, on_one_line},
    folder,
    format::{Format, ImportError},
    item::{Item, Items, Left},
    json, wordpress,
};

/// Bytes of a file that has many posts, at most.
const MOST_BYTES: u64 = 512 * 1024 * 1024;

/// The posts of a file that is an export, or was one before it was damaged. If it is none, the
/// error is what the report says of it, if anything.
type Found = Result<Vec<Result<Item, Left>>, Option<Left>>;

/// The posts at a path, and the folder with their pictures.
///
/// # Errors
/// [`ImportError`]
pub(super) fn open(path: &Path, format: Option<Format>) -> Result<(Folder, Items), ImportError> {
    let unreadable = |cause| ImportError::Unreadable { path: path.to_owned(), cause };
    if path.is_file() {
        let name = path.file_name().map(PathBuf::from).unwrap_or_default();
        let beside = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let folder = Folder::open(beside).map_err(unreadable)?;
        let found = read(path, &name, format).map_err(|_| ImportError::Unknown(path.to_owned()))?;
        return Ok((folder, Box::new(found.into_iter())));
    }
    let folder = Folder::open(path).map_err(unreadable)?;
    if folder::is_of_every_author(&folder) {
        return Err(ImportError::EveryAuthor(path.to_owned()));
    }
    if matches!(format, None | Some(Format::Markdown)) && folder::has_markdown(&folder) {
        let items = folder::items(&folder);
        return Ok((folder, items));
    }
    let mut files = folder.files();
    files.retain(|entry| matches!(entry, Entry::File(path) if may_be_export(path)));
    let mut found = Vec::new();
    let mut is_known = false;
    for file in files {
        let Entry::File(name) = file else { continue };
        match read(&path.join(&name), &name, format) {
            Ok(items) => {
                is_known = true;
                found.extend(items);
            }
            Err(left) => found.extend(left.map(Err)),
        }
    }
    if !is_known {
        return Err(unknown(path, &folder, format));
    }
    Ok((folder, Box::new(found.into_iter())))
}

/// Why there is nothing to import in a folder.
fn unknown(path: &Path, folder: &Folder, format: Option<Format>) -> ImportError {
    /// Names of files that a sentence has at most.
    const NAMED: usize = 3;

    let path = path.to_owned();
    if !matches!(format, None | Some(Format::Markdown)) {
        return ImportError::Unknown(path);
    }
    let texts = folder::other_texts(folder);
    let mut names: Vec<String> = texts.iter().take(NAMED).map(|name| on_one_line(name)).collect();
    if texts.len() > NAMED {
        names.push("…".to_owned());
    }
    let names = names.join(", ");
    match texts.len() {
        0 => ImportError::Unknown(path),
        1 => ImportError::NoMarkdown { path, files: format!("the one text in it ({names})") },
        count => ImportError::NoMarkdown { path, files: format!("the {count} texts in it ({names})") },
    }
}

fn may_be_export(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    matches!(ending.as_deref(), Some("xml" | "json" | "csv" | "gz"))
}

fn read(path: &Path, name: &Path, format: Option<Format>) -> Found {
    let shown = name.to_string_lossy();
    let text = match text(path) {
        Ok(text) => text,
        Err(why) => return Ok(vec![Err(Left::lost(shown, why))]),
    };
    let is = |wanted: Format, is_so: &dyn Fn() -> bool| format.map_or_else(is_so, |format| format == wanted);
    if is(Format::Wordpress, &|| wordpress::is_export(&text)) {
        return Ok(wordpress::items(&text));
    }
    if is(Format::Dynamodb, &|| json::is_dynamodb(&text)) {
        return Ok(json::dynamodb(&shown, &text));
    }
    if is(Format::Bear, &|| bear::is_export(&text)) {
        return Ok(bear::items(&text));
    }
    let text = text.trim_start_matches('\u{FEFF}');
    let export: Value = match serde_json::from_str(text) {
        Ok(export) => export,
        Err(error) => return no_json(name, text, format, &error),
    };
    if is(Format::Ghost, &|| json::is_ghost(&export)) {
        return Ok(json::ghost(&export));
    }
    if is(Format::Writefreely, &|| json::is_writefreely(&export)) {
        return Ok(json::writefreely(&export));
    }
    if format.is_none() && json::has_name_of_ghost(name) {
        return Ok(vec![Err(Left::lost(shown, "it is called as an export of Ghost, and has no posts"))]);
    }
    Err(None)
}

/// What is said of a text that is no JSON, and no export of any other form. Only its name and
/// its beginning tell whether it was an export.
fn no_json(name: &Path, text: &str, format: Option<Format>, error: &serde_json::Error) -> Found {
    let shown = name.to_string_lossy();
    match format {
        Some(Format::Ghost | Format::Writefreely) => {
            return Ok(vec![Err(Left::lost(shown, format!("it is no JSON: {error}")))]);
        }
        Some(_) => return Err(None),
        None => {}
    }
    if let Some(program) = json::seems_to_be_of(name, text) {
        let why = format!("it looks like an export of {program}, and cannot be read: {error}");
        return Ok(vec![Err(Left::lost(shown, why))]);
    }
    // Many programs write one value in each line.
    let is_whole =
        || serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>().all(|value| value.is_ok());
    Err((json::is_called_json(name) && !is_whole())
        .then(|| Left::no_post(shown, format!("it is no JSON: {error}"))))
}

fn text(path: &Path) -> Result<String, String> {
    let mut bytes = files::read(path, MOST_BYTES).map_err(|error| error.to_string())?;
    if bytes.starts_with(&[0x1F, 0x8B]) {
        let mut unpacked = Vec::new();
        let read = MultiGzDecoder::new(&*bytes).take(MOST_BYTES + 1).read_to_end(&mut unpacked);
        read.map_err(|error| format!("it cannot be unpacked: {error}"))?;
        if unpacked.len() as u64 > MOST_BYTES {
            return Err(files::Unread::TooLarge(MOST_BYTES).to_string());
        }
        bytes = unpacked;
    }
    String::from_utf8(bytes).map_err(|_| "it is not in UTF-8".to_owned())
}
