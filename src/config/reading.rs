//! When settings are read, and what may keep that waiting.

use std::{fs::File, io, path::Path};

use crate::database::require_regular;

/// When settings are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    /// By a process that a signal still ends. Whoever starts it may hand over an open file, as
    /// `<(…)` of a shell does.
    AtStart,
    /// By a site that is served: nothing may keep it waiting.
    WhileServed,
}

impl Reading {
    /// Opens a file of settings, or one that they name.
    ///
    /// # Errors
    /// Also for what could keep the process waiting for ever.
    pub(super) fn open(self, path: &Path) -> io::Result<File> {
        if self == Self::WhileServed || !is_handed_over(path) {
            require_regular(path)?;
        }
        File::open(path)
    }
}

/// Whether a path leads to what was opened before the process began, or to nothing at all. A
/// pipe there has somebody who writes to it; one by its own name may wait for that for ever.
fn is_handed_over(path: &Path) -> bool {
    ["/dev/fd", "/proc/self/fd", "/dev/stdin", "/dev/null"].iter().any(|open| path.starts_with(open))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn an_open_pipe_is_read_at_the_start_and_by_no_reload() {
        use std::{io::Write, os::fd::AsRawFd};

        let (reader, mut writer) = io::pipe().expect("a pipe");
        writer.write_all(b"listen").expect("room");
        drop(writer);
        let path = format!("/dev/fd/{}", reader.as_raw_fd());
        let path = Path::new(&path);
        let refused = Reading::WhileServed.open(path).expect_err("a pipe");
        assert_eq!(refused.kind(), io::ErrorKind::InvalidInput);
        let text = Reading::AtStart.open(path).and_then(io::read_to_string);
        assert_eq!(text.expect("what was written"), "listen");
    }
}
