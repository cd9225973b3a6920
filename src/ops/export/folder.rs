//! `byline export --to DIR`: what every author has, as files of a folder.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Component, Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Packed, Target, write_pictures, write_profile, write_texts};
use crate::{
    accounts::domain::{Login, store},
    clock,
    credentials::Caller,
    database::internal,
    error::AppError,
    site::Site,
    timestamp::Timestamp,
    username::Username,
};

/// It stands in every folder with an export, and names what the export has put there.
pub(in crate::ops) const NOTE: &str = "byline-export.json";
/// The folder with a folder for each author.
pub(in crate::ops) const AUTHORS: &str = "authors";

#[derive(Debug, Default, Serialize, Deserialize)]
struct Note {
    at: Option<Timestamp>,
    /// Names in the folder.
    entries: BTreeSet<String>,
}

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("{} is not empty, and what is in it is no earlier export; name another folder", .0.display())]
    InUse(PathBuf),
    #[error("{}: {cause}", path.display())]
    File { path: PathBuf, cause: io::Error },
    #[error("{}", .0.sentences())]
    Site(#[from] AppError),
}

/// A folder that is written.
#[derive(Debug)]
pub(super) struct Folder {
    root: PathBuf,
    note: Note,
}

impl Folder {
    /// An empty folder: a new one, one that is empty, or one with an earlier export, of
    /// which everything is removed.
    pub(super) fn empty(root: &Path) -> Result<Self, ExportError> {
        let failed = |path: &Path, cause| ExportError::File { path: path.to_owned(), cause };
        fs::create_dir_all(root).map_err(|cause| failed(root, cause))?;
        let mut entries = fs::read_dir(root).map_err(|cause| failed(root, cause))?;
        let file = root.join(NOTE);
        if entries.next().is_some() {
            let note = fs::read(&file).ok().and_then(|note| serde_json::from_slice::<Note>(&note).ok());
            let note = note.ok_or_else(|| ExportError::InUse(root.to_owned()))?;
            for name in note.entries.iter().filter(|name| is_name(name)) {
                let path = root.join(name);
                let removed = match fs::symlink_metadata(&path) {
                    Ok(found) if found.is_dir() => fs::remove_dir_all(&path),
                    Ok(_) => fs::remove_file(&path),
                    Err(_) => Ok(()),
                };
                removed.map_err(|cause| failed(&path, cause))?;
            }
        }
        let folder = Self { root: root.to_owned(), note: Note { at: Some(clock::now()), ..Note::default() } };
        folder.save_note()?;
        Ok(folder)
    }

    fn save_note(&self) -> Result<(), ExportError> {
        let note = serde_json::to_vec_pretty(&self.note).map_err(internal)?;
        let path = self.root.join(NOTE);
        fs::write(&path, note).map_err(|cause| ExportError::File { path, cause })
    }

    /// Whether there is a file at that path already.
    pub(super) fn has(&self, path: &Path) -> bool {
        self.root.join(path).exists()
    }

    /// Writes a file at a path that leads nowhere else.
    pub(super) fn write(&mut self, path: &Path, bytes: &[u8]) -> Result<(), ExportError> {
        let failed = |cause| ExportError::File { path: path.to_owned(), cause };
        let mut names = path.components();
        let (Some(Component::Normal(first)), true) =
            (names.next(), names.all(|part| matches!(part, Component::Normal(_))))
        else {
            return Err(failed(io::ErrorKind::InvalidInput.into()));
        };
        // Noted before it is there, so that what is broken off can be removed as well.
        if self.note.entries.insert(first.to_string_lossy().into_owned()) {
            self.save_note()?;
        }
        let whole = self.root.join(path);
        if let Some(parent) = whole.parent() {
            fs::create_dir_all(parent).map_err(failed)?;
        }
        fs::write(whole, bytes).map_err(failed)
    }
}

fn is_name(name: &str) -> bool {
    let mut parts = Path::new(name).components();
    matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None))
}

/// The folder of one author.
struct OfAuthor<'a> {
    folder: &'a mut Folder,
    within: PathBuf,
}

impl Target for OfAuthor<'_> {
    fn add(&mut self, name: &str, bytes: &[u8], _packed: Packed) -> Result<(), AppError> {
        self.folder.write(&self.within.join(name), bytes).map_err(internal)
    }

    async fn hand_on(&mut self) -> Result<(), AppError> {
        Ok(())
    }
}

/// Writes `authors/NAME` for each author: what their own export has, but for logins, keys
/// and the record of their account. How many authors there are.
///
/// # Errors
/// [`ExportError`]; what was written until then stays, and the next export replaces it.
pub async fn write(site: &Site, to: &Path) -> Result<usize, ExportError> {
    let mut folder = Folder::empty(to)?;
    let settings = site.settings();
    let about = json!({ "name": settings.identity.name.to_string(), "address": site.link("/") });
    folder.write(Path::new("site.json"), format!("{about:#}\n").as_bytes())?;
    let listed = store::list(&mut site.database.read().await?).await?;
    let mut authors = 0;
    for account in listed {
        let username = Username::try_from(account.username).map_err(internal)?;
        let found = store::find(&mut site.database.read().await?, &Login::Username(username)).await?;
        // Deleted since the list was read.
        let Some((user, _)) = found else { continue };
        let caller = Caller::operator(user.clone());
        let within = Path::new(AUTHORS).join(user.username.as_str());
        let target = &mut OfAuthor { folder: &mut folder, within };
        write_profile(site, &caller, &user, target).await?;
        write_texts(site, &caller, target).await?;
        write_pictures(site, &caller, target).await?;
        authors += 1;
    }
    Ok(authors)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_export_removes_nothing_outside_of_its_folder() {
        for name in ["..", ".", "a/b", "/etc", "", "../x"] {
            assert!(!is_name(name), "{name:?}");
        }
        assert!(is_name("authors") && is_name("@ada"));
    }
}
