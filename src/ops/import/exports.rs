//! Which export is at a path: it is recognised by what is in it.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

use flate2::read::MultiGzDecoder;
use serde_json::Value;

use super::{
    bear,
    files::{self, Entry, Folder},
    folder,
    format::{Format, ImportError},
    item::{Item, Items, Left},
    json, wordpress,
};

/// Bytes of a file that has many posts, at most.
const MOST_BYTES: u64 = 512 * 1024 * 1024;

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
        let found = read(path, &name, format).ok_or_else(|| ImportError::Unknown(path.to_owned()))?;
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
        if let Entry::File(name) = file
            && let Some(items) = read(&path.join(&name), &name, format)
        {
            is_known = true;
            found.extend(items);
        }
    }
    if !is_known {
        return Err(ImportError::Unknown(path.to_owned()));
    }
    Ok((folder, Box::new(found.into_iter())))
}

fn may_be_export(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
    matches!(ending.as_deref(), Some("xml" | "json" | "csv" | "gz"))
}

/// The posts of a file; `None` if it is no export.
fn read(path: &Path, name: &Path, format: Option<Format>) -> Option<Vec<Result<Item, Left>>> {
    let shown = name.to_string_lossy();
    let text = match text(path) {
        Ok(text) => text,
        Err(why) => return Some(vec![Err(Left::lost(shown, why))]),
    };
    let is = |wanted: Format, is_so: &dyn Fn() -> bool| format.map_or_else(is_so, |format| format == wanted);
    if is(Format::Wordpress, &|| wordpress::is_export(&text)) {
        return Some(wordpress::items(&text));
    }
    if is(Format::Dynamodb, &|| json::is_dynamodb(&text)) {
        return Some(json::dynamodb(&shown, &text));
    }
    if is(Format::Bear, &|| bear::is_export(&text)) {
        return Some(bear::items(&text));
    }
    let export: Value = match serde_json::from_str(text.trim_start_matches('\u{FEFF}')) {
        Ok(export) => export,
        Err(error) if matches!(format, Some(Format::Ghost | Format::Writefreely)) => {
            return Some(vec![Err(Left::lost(shown, format!("it is no JSON: {error}")))]);
        }
        Err(_) => return None,
    };
    if is(Format::Ghost, &|| json::is_ghost(&export)) {
        return Some(json::ghost(&export));
    }
    is(Format::Writefreely, &|| json::is_writefreely(&export)).then(|| json::writefreely(&export))
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
