//! Standard output, which may be closed, full, or a pipe that nobody reads.

use std::io::{self, ErrorKind, Write};

/// Writes a whole text.
///
/// # Errors
///
/// After an error, it is unknown whether the text was written.
pub fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Ignores that the reader has closed the pipe, because it needs no more, as in
/// `… | head -n 1`.
///
/// # Errors
///
/// All other errors.
pub fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    written.or_else(|cause| if cause.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(cause) })
}

/// Writes a message to standard error. If that fails, nobody can be told.
pub fn print_error(sentence: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "byline: {sentence}");
}

/// Whether the output is discarded: `>/dev/null`, or `>&-`, for which Rust opens
/// `/dev/null`.
#[cfg(unix)]
pub fn is_discarded() -> bool {
    use std::os::unix::fs::MetadataExt;

    let device = |path| std::fs::metadata(path).map(|metadata| metadata.rdev());
    match (device("/dev/stdout"), device("/dev/null")) {
        (Ok(out), Ok(null)) => out == null,
        _ => false,
    }
}

/// Unknown on this system.
#[cfg(not(unix))]
pub fn is_discarded() -> bool {
    false
}
