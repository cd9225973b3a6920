//! AVIF, which is read by a process of its own: the reader of AV1 ends its process over some
//! files that are wrong, whatever its caller does.
//!
//! The process is this program, started anew as `byline read-avif`: `reader` is what it does,
//! `planes` makes colors of what AV1 holds. It answers with a PNG, and that is read like one that
//! was uploaded, with the same checks.

mod planes;
pub mod reader;

use std::{
    ffi::OsStr,
    io::{Read, Write},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    thread,
};

use super::{
    Refused,
    limits::{Clock, MAX_MEMORY},
};

/// The first argument of the process that reads. It is no command for people.
pub const COMMAND: &str = "read-avif";

/// What a reader of AVIF may do without: pictures that are put together of others, and rare colors.
const OF_THIS_KIND: Refused = Refused::Unreadable("AVIF of this kind");

/// What the exit codes of the process mean, from [`FIRST_CODE`] on.
const REASONS: [Refused; 5] =
    [Refused::Damaged, Refused::Moves, Refused::TooManyPixels, Refused::TooMuchMemory, OF_THIS_KIND];
const FIRST_CODE: u8 = 10;

/// Bytes of the answer at most: a little more than its pixels, which are not packed.
const MAX_ANSWER: u64 = MAX_MEMORY + (1 << 20);

/// Whether a file is an AVIF. Several programs name its kind only among the others that it
/// conforms to (ISO/IEC 14496-12, `ftyp`).
#[must_use]
pub(super) fn is_avif(file: &[u8]) -> bool {
    let Some((size, [b'f', b't', b'y', b'p', kinds @ ..])) = file.split_first_chunk::<4>() else {
        return false;
    };
    let length = usize::try_from(u32::from_be_bytes(*size)).unwrap_or(usize::MAX).saturating_sub(8);
    kinds[..kinds.len().min(length)].chunks(4).any(|kind| matches!(kind, b"avif" | b"avis"))
}

/// The picture of an AVIF as a PNG, turned as the file says and with its profile of colors. Waits
/// for the process that reads it, so it is not for a thread that serves.
///
/// # Errors
/// [`Refused`].
pub(super) fn as_png(file: &[u8], clock: &Clock) -> Result<Vec<u8>, Refused> {
    let mut reader = start().map_err(|error| {
        tracing::error!(%error, "the process that reads AVIF does not start");
        Refused::Unreadable("AVIF")
    })?;
    let (answer, status) = ask(&mut reader, file, clock)?;
    match status {
        Some(status) if status.success() => Ok(answer),
        status => Err(reason(status)),
    }
}

fn start() -> std::io::Result<Child> {
    let mut command = Command::new(this_program()?);
    command.arg(COMMAND);
    // It needs no secret, and nothing that it would say belongs in the log.
    command.env_clear().stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.spawn()
}

/// On Linux the very program that runs, also after another version has been put in its place.
fn this_program() -> std::io::Result<PathBuf> {
    if cfg!(target_os = "linux") { Ok("/proc/self/exe".into()) } else { std::env::current_exe() }
}

/// What the process answers until its time is over, and how it ended; it has ended afterwards.
fn ask(reader: &mut Child, file: &[u8], clock: &Clock) -> Result<(Vec<u8>, Option<ExitStatus>), Refused> {
    let (input, output) = (reader.stdin.take(), reader.stdout.take());
    let (teller, told) = mpsc::channel();
    let answer = thread::scope(|scope| {
        scope.spawn(move || {
            // It may end before it has read all. How it ended says why.
            if let Some(mut input) = input {
                let _ = input.write_all(file);
            }
            let mut answer = Vec::new();
            if let Some(output) = output {
                let _ = output.take(MAX_ANSWER).read_to_end(&mut answer);
            }
            let _ = teller.send(answer);
        });
        let answer = told.recv_timeout(clock.left());
        // One that goes on has been given up; its end also ends the thread above.
        if answer.is_err() {
            let _ = reader.kill();
        }
        answer
    });
    let status = reader.wait().ok();
    Ok((answer.map_err(|_| Refused::TooSlow)?, status))
}

fn reason(status: Option<ExitStatus>) -> Refused {
    let code = status.and_then(|status| status.code()).and_then(|code| u8::try_from(code).ok());
    let reason = code.and_then(|code| code.checked_sub(FIRST_CODE)).map(usize::from);
    reason.and_then(|reason| REASONS.get(reason).cloned()).unwrap_or_else(|| {
        tracing::warn!(?status, "the process that reads AVIF ended over a file");
        Refused::Damaged
    })
}

/// The exit code that says that.
fn code(refused: &Refused) -> u8 {
    let reason = REASONS.iter().position(|reason| reason == refused).unwrap_or_default();
    FIRST_CODE + u8::try_from(reason).unwrap_or_default()
}

/// Whether these are the arguments of the process that reads.
#[must_use]
pub fn is_asked_for(argument: Option<&OsStr>) -> bool {
    argument == Some(OsStr::new(COMMAND))
}

#[cfg(test)]
mod tests;
