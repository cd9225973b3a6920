//! Standard input, and files that are named.

use std::io::{BufRead, Read, stdin};

use secrecy::{SecretString, zeroize::Zeroizing};

use super::failure::{Failure, refused};

/// Bytes of a line that are read at most.
const LINE: usize = 4096;
/// Bytes of a text that are read at most: more than any setting takes.
const TEXT: u64 = 1 << 20;

/// All of standard input, which is text.
pub(super) fn text() -> Result<String, Failure> {
    let mut text = String::new();
    stdin().lock().take(TEXT).read_to_string(&mut text).map_err(Failure::Input)?;
    Ok(text)
}

/// The text of a file.
pub(super) fn file(path: &str) -> Result<String, Failure> {
    let mut text = String::new();
    let read = std::fs::File::open(path).and_then(|file| file.take(TEXT).read_to_string(&mut text));
    read.map_err(|error| refused(format_args!("{path}: {error}")))?;
    Ok(text)
}

/// One line of standard input, without its end.
pub(super) fn password() -> Result<SecretString, Failure> {
    // With room for all of it from the beginning: a text that grows leaves copies.
    let mut line = Zeroizing::new(String::with_capacity(LINE));
    stdin().lock().take(LINE as u64).read_line(&mut line).map_err(Failure::Input)?;
    Ok(line.trim_end_matches(['\r', '\n']).into())
}
