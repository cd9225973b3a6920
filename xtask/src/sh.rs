//! Runs commands and reports progress.

use std::{
    cell::RefCell,
    fs::File,
    io::{ErrorKind, Read, Seek, Write},
    panic::resume_unwind,
    process::{Command, Output, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    /// Something was built or installed.
    Done,
    /// All was there already.
    Unchanged,
}

impl Outcome {
    /// That of two pieces of work together.
    pub(crate) fn and(self, other: Self) -> Self {
        if self == Self::Unchanged { other } else { Self::Done }
    }
}

thread_local! {
    /// Where this thread's words, and those of its commands, go instead of to
    /// standard output.
    static KEPT: RefCell<Option<File>> = const { RefCell::new(None) };
}

/// Does some work, writing to `file` what it says and what its commands print:
/// so work on several threads stays readable.
fn keep_output<T>(file: File, work: impl FnOnce() -> T) -> T {
    let before = KEPT.replace(Some(file));
    let result = work();
    KEPT.set(before);
    result
}

/// Prints a line.
pub(crate) fn say(line: &str) {
    KEPT.with_borrow_mut(|kept| match kept {
        // The disk is full: then the commands say so as well.
        Some(file) => drop(writeln!(file, "{line}")),
        None => println!("{line}"),
    });
}

/// Does two pieces of work at the same time. What the second prints appears
/// when the first has ended.
pub(crate) fn beside<A, B: Send>(
    first: impl FnOnce() -> Result<A>,
    second: impl FnOnce() -> Result<B> + Send,
) -> Result<(A, B)> {
    thread::scope(|scope| {
        let second = scope.spawn(|| kept(second));
        let first = first();
        // A panic there has been printed, and is ours too.
        let (words, second) = second.join().unwrap_or_else(|panic| resume_unwind(panic));
        if !words.is_empty() {
            say(&words);
        }
        Ok((first?, second?))
    })
}

/// Does some work, and returns what it and its commands would have printed.
pub(crate) fn kept<T>(work: impl FnOnce() -> Result<T>) -> (String, Result<T>) {
    let file = tempfile::tempfile().and_then(|file| Ok((file.try_clone()?, file)));
    let (ours, mut words) = match file.context("cannot make a temporary file") {
        Ok(files) => files,
        Err(error) => return (String::new(), Err(error)),
    };
    let result = keep_output(ours, work);
    let mut text = Vec::new();
    // What cannot be read is missing from the output, and nothing else.
    let _ = words.rewind().and_then(|()| words.read_to_end(&mut text));
    (String::from_utf8_lossy(&text).trim_end().to_owned(), result)
}

/// Does one step of work under a heading and says how long it took.
pub(crate) fn step<T>(name: &str, work: impl FnOnce() -> Result<(Outcome, T)>) -> Result<T> {
    say(&format!("==> {name}"));
    let start = Instant::now();
    let (outcome, value) = work().with_context(|| format!("{name}: failed"))?;
    let took = human_time(start.elapsed());
    match outcome {
        Outcome::Done => note(&format!("done in {took}")),
        Outcome::Unchanged => note(&format!("unchanged ({took})")),
    }
    Ok(value)
}

/// Prints a sentence below the heading of the current step.
pub(crate) fn note(text: &str) {
    say(&format!("    {text}"));
}

/// Runs a command to its end; its output goes where this program's goes.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    KEPT.with_borrow(|kept| -> Result<()> {
        if let Some(file) = kept {
            command.stdout(file.try_clone()?).stderr(file.try_clone()?);
        }
        Ok(())
    })?;
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed ({status})", shown(command));
    }
    Ok(())
}

/// The same command, for which no other waits: others get the processor first.
pub(crate) fn at_low_priority(command: &Command) -> Command {
    let mut nice = Command::new("nice");
    nice.args(["-n", "10"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => nice.env(name, value),
            None => nice.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        nice.current_dir(folder);
    }
    nice
}

/// Runs a command whose output matters only if it fails.
pub(crate) fn run_quietly(command: &mut Command) -> Result<()> {
    output(command).map(drop)
}

/// Runs a command and returns what it wrote to standard output.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let Output { status, stdout, stderr } = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    let stdout = String::from_utf8_lossy(&stdout).trim_end().to_owned();
    if !status.success() {
        let stderr = String::from_utf8_lossy(&stderr);
        bail!("`{}` failed ({status})\n{stdout}\n{}", shown(command), stderr.trim_end());
    }
    Ok(stdout)
}

/// Like [`output`], with `None` where the program is not installed.
pub(crate) fn output_if_installed(command: &mut Command) -> Result<Option<String>> {
    match output(command) {
        Ok(text) => Ok(Some(text)),
        Err(error) if is_not_found(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a command succeeds within a time limit. Its output is dropped and
/// it is killed at the limit.
pub(crate) fn succeeds_within(command: &mut Command, limit: Duration) -> bool {
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let Ok(mut child) = child else {
        return false;
    };
    let start = Instant::now();
    while start.elapsed() < limit {
        match child.try_wait() {
            Ok(Some(status)) => return status.success(),
            Ok(None) => thread::sleep(Duration::from_millis(50)),
            Err(_) => break,
        }
    }
    // Both calls fail only if the child has just ended by itself.
    let _ = child.kill();
    let _ = child.wait();
    false
}

/// A duration as people say it: `7 ms`, `12.3 s`, `2 min 5 s`.
pub(crate) fn human_time(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{:.1} s", time.as_secs_f64()),
        _ => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

fn is_not_found(error: &anyhow::Error) -> bool {
    error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::NotFound)
}

/// The command as one would type it.
fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy()];
    words.extend(command.get_args().map(|word| word.to_string_lossy()));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_well_at_every_length() {
        assert_eq!(human_time(Duration::from_millis(7)), "7 ms");
        assert_eq!(human_time(Duration::from_millis(12_345)), "12.3 s");
        assert_eq!(human_time(Duration::from_secs(125)), "2 min 5 s");
    }

    #[test]
    fn what_is_done_side_by_side_keeps_its_words_together() {
        let (words, result) = kept(|| {
            note("before");
            run(Command::new("sh").args(["-c", "echo out; echo err >&2"]))?;
            note("after");
            run(&mut Command::new("false"))
        });
        assert_eq!(words, "before\nout\nerr\n    after".replacen("before", "    before", 1));
        assert!(result.is_err());
        assert!(beside(|| Ok(1), || run(&mut Command::new("false"))).is_err());
        assert_eq!(beside(|| Ok(1), || Ok(2)).unwrap(), (1, 2));
    }

    #[test]
    fn a_failure_names_the_command_and_shows_its_words() {
        let error = output(Command::new("sh").args(["-c", "echo why >&2; exit 3"])).unwrap_err();
        let text = format!("{error:#}");
        assert!(text.contains("sh -c"), "{text}");
        assert!(text.contains("why"), "{text}");
    }

    #[test]
    fn a_missing_program_is_told_from_a_failing_one() {
        let missing = output_if_installed(&mut Command::new("byline-no-such-program"));
        assert_eq!(missing.unwrap(), None);
        assert!(output_if_installed(&mut Command::new("false")).is_err());
    }

    #[test]
    fn a_hanging_command_is_stopped_at_the_limit() {
        let start = Instant::now();
        let limit = Duration::from_millis(100);
        assert!(!succeeds_within(Command::new("sleep").arg("60"), limit));
        assert!(start.elapsed() < Duration::from_secs(30));
    }
}
