//! Standard input.

use std::io::{BufRead, Read, stdin};

use super::failure::Failure;

/// One line of standard input, without its end.
pub(super) fn password() -> Result<String, Failure> {
    let mut line = String::new();
    stdin().lock().take(4096).read_line(&mut line).map_err(Failure::Input)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
