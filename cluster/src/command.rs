//! Runs PostgreSQL's programs.

use std::{
    env,
    path::Path,
    process::{Command, Stdio},
};

use crate::error::{Error, io};

/// A command that behaves alike for everybody: nothing that its caller has set
/// for psql and its kin reaches it, and it speaks English.
pub(crate) fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PG")) {
        command.env_remove(name);
    }
    command.env("LC_ALL", "C").env("PGCONNECT_TIMEOUT", "10").stdin(Stdio::null());
    command
}

/// Runs a command to its end and returns what it wrote to standard output,
/// without the last line's end.
pub(crate) fn output(command: &mut Command) -> Result<String, Error> {
    let path = Path::new(command.get_program());
    let program = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let output = command.output().map_err(io(format!("run `{program}`")))?;
    let mut text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() {
        text += &String::from_utf8_lossy(&output.stderr);
        return Err(Error::Program { program, status: output.status, output: text.trim_end().to_owned() });
    }
    if text.ends_with('\n') {
        text.pop();
    }
    Ok(text)
}
