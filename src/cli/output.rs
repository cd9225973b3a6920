//! Standard output, which may be closed, full, or a pipe that nobody reads.

use std::io::{self, ErrorKind, Write};

/// Writes a text whole.
///
/// # Errors
///
/// After an error, it is unknown whether the text was written.
pub fn write(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// The outcome of writing a text that may be cut: a reader that has closed the
/// pipe needs no more, as in `… | head -n 1`.
///
/// # Errors
///
/// Every error but a closed pipe.
pub fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    written.or_else(|cause| if cause.kind() == ErrorKind::BrokenPipe { Ok(()) } else { Err(cause) })
}

/// Writes a message for the terminal. If that fails, there is nobody to report
/// it to.
pub fn complain(sentence: impl std::fmt::Display) {
    let _ = writeln!(io::stderr(), "byline: {sentence}");
}

/// Whether what is written is thrown away: `>/dev/null`, or `>&-`, for which
/// Rust opens the same.
#[cfg(unix)]
pub fn is_thrown_away() -> bool {
    use std::os::unix::fs::MetadataExt;

    let device = |path| std::fs::metadata(path).map(|metadata| metadata.rdev());
    match (device("/dev/stdout"), device("/dev/null")) {
        (Ok(out), Ok(null)) => out == null,
        _ => false,
    }
}

/// Unknown on this system.
#[cfg(not(unix))]
pub fn is_thrown_away() -> bool {
    false
}
