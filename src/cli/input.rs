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

/// All of standard input, or of a file if one is named; of both `most` bytes at most, and one
/// more if there are more.
pub(super) fn bytes(path: Option<&str>, most: usize) -> Result<Vec<u8>, Failure> {
    let (mut bytes, most) = (Vec::new(), most as u64 + 1);
    match path {
        None => stdin().lock().take(most).read_to_end(&mut bytes).map_err(Failure::Input)?,
        Some(path) => std::fs::File::open(path)
            .and_then(|file| file.take(most).read_to_end(&mut bytes))
            .map_err(|error| refused(format_args!("{path}: {error}")))?,
    };
    Ok(bytes)
}

/// One line of standard input, without its end.
pub(super) fn password() -> Result<SecretString, Failure> {
    // With room for all of it from the beginning: a text that grows leaves copies.
    let mut line = Zeroizing::new(String::with_capacity(LINE));
    stdin().lock().take(LINE as u64).read_line(&mut line).map_err(Failure::Input)?;
    Ok(line.trim_end_matches(['\r', '\n']).into())
}
