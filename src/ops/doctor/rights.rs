//! Whether this user may write where a site writes.

use std::{io, path::Path};

use super::Finding;

/// A finding where this user cannot write to a folder: what is made in it, in words.
pub(super) fn folder(about: &'static str, folder: &Path, made: &str) -> Option<Finding> {
    let cause = may_write(folder).err()?;
    let place = folder.display();
    let sentence = format!(
        "This user cannot write to the folder {place} ({cause}), and {made}: run this command as the user of the site, \
         or give that user the folder (`chown`, `chmod u+wx {place}`)."
    );
    Some(Finding::problem(about, sentence))
}

/// A finding where this user cannot write to a file.
pub(super) fn file(about: &'static str, file: &Path) -> Option<Finding> {
    let cause = may_write(file).err()?;
    let place = file.display();
    let sentence = format!(
        "This user cannot write to {place} ({cause}): run this command as the user of the site, or give that user the \
         file (`chown`, `chmod u+rw {place}`)."
    );
    Some(Finding::problem(about, sentence))
}

/// Asks the system, and writes nothing.
#[cfg(unix)]
fn may_write(path: &Path) -> io::Result<()> {
    use rustix::fs::{Access, access};

    let wanted = if path.is_dir() { Access::WRITE_OK | Access::EXEC_OK } else { Access::WRITE_OK };
    Ok(access(path, wanted)?)
}

/// Not known on this system.
#[cfg(not(unix))]
fn may_write(_: &Path) -> io::Result<()> {
    Ok(())
}
