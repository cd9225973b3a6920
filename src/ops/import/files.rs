//! The files of an export. Nothing outside of its folder is read, and no link is followed.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Component, Path, PathBuf},
};

/// Folders below each other at most.
const DEEPEST: usize = 32;
/// Files that are looked at, at most.
const MOST: usize = 200_000;

/// Folders with nothing that was written for readers.
const NOT_FOR_READERS: [&str; 9] = [
    "node_modules",
    "_site",
    "themes",
    "layouts",
    "_layouts",
    "_includes",
    "archetypes",
    "templates",
    "vendor",
];

/// The folder of an export.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    /// With no links in it.
    root: PathBuf,
}

/// A file or a folder that was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Entry {
    File(PathBuf),
    /// A pipe, a socket or a device.
    Special(PathBuf),
    /// A link, which is not followed.
    Link(PathBuf),
    /// A folder that cannot be read, or lies too deep.
    Closed(PathBuf, String),
}

/// Why a file is not read: a part of a sentence, after "because".
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    #[error("it is outside of the export")]
    Outside,
    #[error("the export has no such file")]
    Missing,
    #[error("it is no file")]
    NoFile,
    #[error("it has more than {} MiB", .0 >> 20)]
    TooLarge(u64),
    #[error("it cannot be read: {0}")]
    Broken(#[from] io::Error),
}

impl Folder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { root: path.canonicalize()? })
    }

    /// The last names of the path of the folder itself.
    pub(super) fn last_names(&self) -> Vec<String> {
        let names: Vec<String> =
            self.root.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        names[names.len().saturating_sub(2)..].to_vec()
    }

    /// All files below it, by their paths from it on, in order.
    pub(super) fn files(&self) -> Vec<Entry> {
        let mut found = Vec::new();
        let mut waiting = vec![(PathBuf::new(), 0)];
        while let Some((folder, depth)) = waiting.pop() {
            if depth > DEEPEST {
                found.push(Entry::Closed(folder, "it lies too deep".to_owned()));
                continue;
            }
            let entries = match fs::read_dir(self.root.join(&folder)) {
                Ok(entries) => entries,
                Err(error) => {
                    found.push(Entry::Closed(folder, format!("it cannot be read: {error}")));
                    continue;
                }
            };
            for entry in entries.filter_map(Result::ok) {
                let name = entry.file_name();
                let shown = name.to_string_lossy();
                let path = folder.join(&name);
                match entry.file_type() {
                    Ok(kind) if kind.is_symlink() => found.push(Entry::Link(path)),
                    Ok(kind) if kind.is_dir() => {
                        let is_for_readers = !shown.starts_with('.') && !NOT_FOR_READERS.contains(&&*shown);
                        waiting.extend(is_for_readers.then_some((path, depth + 1)));
                    }
                    Ok(kind) if !kind.is_file() => found.push(Entry::Special(path)),
                    Ok(_) if found.len() < MOST => found.push(Entry::File(path)),
                    Ok(_) => {}
                    Err(error) => found.push(Entry::Closed(path, format!("it cannot be read: {error}"))),
                }
            }
        }
        found.sort();
        found
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.root.join(path).exists()
    }

    /// A file within the folder, of `most` bytes at most.
    pub(super) fn read(&self, path: &Path, most: u64) -> Result<Vec<u8>, Unread> {
        let path = self.root.join(within(path).ok_or(Unread::Outside)?);
        let real = path.canonicalize().map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Unread::Missing,
            _ => Unread::Broken(error),
        })?;
        if !real.starts_with(&self.root) {
            return Err(Unread::Outside);
        }
        read(&real, most)
    }
}

/// A path without `..` in it; `None` if it leads out of where it begins.
fn within(path: &Path) -> Option<PathBuf> {
    let mut whole = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => whole.push(name),
            Component::CurDir => {}
            Component::ParentDir if whole.pop() => {}
            _ => return None,
        }
    }
    Some(whole)
}

/// A text for a report: names of files can have line ends and the commands of a terminal in
/// them.
pub(super) fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{FFFD}' } else { c }).collect()
}

/// A whole file of `most` bytes at most.
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>, Unread> {
    // A pipe would not end.
    if !fs::metadata(path)?.is_file() {
        return Err(Unread::NoFile);
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(Unread::TooLarge(most)) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_leads_out_of_the_folder() {
        for (path, found) in [
            ("a/b.png", Some("a/b.png")),
            ("./a/../b.png", Some("b.png")),
            ("../b.png", None),
            ("a/../../b.png", None),
            ("/etc/passwd", None),
        ] {
            assert_eq!(within(Path::new(path)), found.map(PathBuf::from), "{path}");
        }
    }
}
