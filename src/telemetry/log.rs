//! The log: a thread writes its lines to standard error, and nobody waits for it
//! (security row L5).
//!
//! Standard error may be a full disk, a pipe that nobody reads, or a closed
//! terminal. This must neither delay nor end a request. So a line is only put into
//! a bounded queue. A line that does not fit, or cannot be written, is lost and
//! counted. The count is written as soon as writing works again.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, Write},
    mem,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc::{SyncSender, sync_channel},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tracing_subscriber::fmt::{
    MakeWriter,
    format::Writer,
    time::{FormatTime, SystemTime},
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for programs.
    Json,
}

/// Bytes of one line; a longer one is cut.
pub const LINE_BYTES: usize = 4 * 1024;
/// Bytes of one value in a line that had to be cut, or that a client chooses.
pub const VALUE_BYTES: usize = 256;
/// Bytes of all lines that wait to be written or are being written.
const QUEUE_BYTES: usize = 4 * 1024 * 1024;
/// Bytes of the buffer that are kept allocated between two writes.
const KEPT_BYTES: usize = 256 * 1024;
/// How long the thread collects lines before it writes them together. Under load,
/// one wake-up and one write for each line would cost more than the answer.
const BATCH_TIME: Duration = Duration::from_millis(5);
/// How long the process waits at its end for the remaining lines.
const FLUSH_TIME: Duration = Duration::from_secs(1);
/// The pause before the next write to a full pipe.
const FULL_PIPE_PAUSE: Duration = Duration::from_millis(20);

/// The queue of the log. Cheap to clone. No method fails or panics; only
/// [`Self::flush`] blocks.
#[derive(Clone, Debug)]
pub struct LogQueue {
    shared: Arc<Shared>,
    format: LogFormat,
}

#[derive(Debug, Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Wakes the thread that writes.
    wake: Condvar,
    /// Lines that were dropped.
    lost: AtomicU64,
}

/// The work of the thread.
#[derive(Debug, Default)]
struct Waiting {
    lines: Vec<u8>,
    /// Bytes of the lines that the thread has taken and not written yet.
    taken: usize,
    /// Get an answer after an attempt to write all lines before them.
    flushes: Vec<SyncSender<()>>,
    is_asleep: bool,
}

impl LogQueue {
    /// Starts the thread that writes to standard error until the process ends.
    pub fn to_standard_error(format: LogFormat) -> io::Result<Self> {
        Self::to(standard_error(), format)
    }

    fn to(out: impl Write + Send + 'static, format: LogFormat) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let mut file = LogFile { out, format, shared: Arc::clone(&shared), mid_line: false };
        std::thread::Builder::new().name("log".to_owned()).spawn(move || file.run())?;
        Ok(Self { shared, format })
    }

    /// Logs a line without [`tracing`], for code that must not call it.
    pub fn write_event(&self, level: &str, message: &str, fields: &[(&str, Value)]) {
        self.push(line(self.format, level, message, fields).as_bytes());
    }

    fn push(&self, line: &[u8]) {
        let line: Cow<'_, [u8]> = match self.format {
            _ if line.len() <= LINE_BYTES => line.into(),
            LogFormat::Text => cut_text(line).into(),
            LogFormat::Json => cut_json(line).into(),
        };
        let mut waiting = self.shared.waiting();
        if waiting.lines.len() + waiting.taken + line.len() > QUEUE_BYTES {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
            return;
        }
        waiting.lines.extend_from_slice(&line);
        self.shared.wake(waiting);
    }

    /// Waits until what is in the queue is written, for a second at most.
    pub fn flush(&self) {
        let (done, written) = sync_channel(1);
        let mut waiting = self.shared.waiting();
        waiting.flushes.push(done);
        // Also wakes the thread while it collects lines.
        waiting.is_asleep = true;
        self.shared.wake(waiting);
        let _ = written.recv_timeout(FLUSH_TIME);
    }
}

impl Shared {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wake(&self, mut waiting: MutexGuard<'_, Waiting>) {
        if mem::take(&mut waiting.is_asleep) {
            drop(waiting);
            self.wake.notify_one();
        }
    }

    /// Waits for lines and takes them. Returns who waits until they are written.
    fn take(&self, lines: &mut Vec<u8>) -> Vec<SyncSender<()>> {
        lines.clear();
        lines.shrink_to(KEPT_BYTES);
        let mut waiting = self.waiting();
        waiting.taken = 0;
        while waiting.lines.is_empty() && waiting.flushes.is_empty() {
            waiting.is_asleep = true;
            waiting = self.wake.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        let more = self.wake.wait_timeout_while(waiting, BATCH_TIME, |waiting| waiting.flushes.is_empty());
        waiting = more.unwrap_or_else(PoisonError::into_inner).0;
        mem::swap(&mut waiting.lines, lines);
        waiting.taken = lines.len();
        mem::take(&mut waiting.flushes)
    }
}

/// [`tracing_subscriber::fmt`] writes each event here with one call.
impl Write for LogQueue {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogQueue {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// A separate descriptor for standard error. A write through [`io::stderr`] holds a
/// lock until it ends, which is for ever if a pipe is full.
fn standard_error() -> Box<dyn Write + Send> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        if let Ok(own) = io::stderr().as_fd().try_clone_to_owned() {
            return Box::new(File::from(own));
        }
    }
    Box::new(io::stderr())
}

/// The output, as the writing thread uses it.
struct LogFile<W> {
    out: W,
    format: LogFormat,
    shared: Arc<Shared>,
    /// Whether the last write ended in the middle of a line.
    mid_line: bool,
}

impl<W: Write> LogFile<W> {
    fn run(&mut self) {
        let mut lines = Vec::new();
        loop {
            let flushes = self.shared.take(&mut lines);
            self.write_lost_count();
            self.write_lines(&lines);
            self.write_lost_count();
            for done in flushes {
                let _ = done.send(());
            }
        }
    }

    /// Writes the lines. After a failure it tries the next line, because the disk may have room again.
    fn write_lines(&mut self, mut lines: &[u8]) {
        while let Err(written) = self.write(lines) {
            self.shared.lost.fetch_add(1, Ordering::Relaxed);
            lines = &lines[written..];
            let next = lines.iter().position(|byte| *byte == b'\n').map_or(lines.len(), |end| end + 1);
            lines = &lines[next..];
        }
    }

    /// Writes how many lines were lost before this place.
    fn write_lost_count(&mut self) {
        let lost = self.shared.lost.swap(0, Ordering::Relaxed);
        if lost == 0 {
            return;
        }
        let lines = line(self.format, "WARN", "log lines were lost", &[("lost", lost.into())]);
        if self.write(lines.as_bytes()).is_err() {
            self.shared.lost.fetch_add(lost, Ordering::Relaxed);
        }
    }

    /// Writes lines; if that fails, says how many of these bytes were written.
    fn write(&mut self, lines: &[u8]) -> Result<(), usize> {
        if self.mid_line && !lines.is_empty() {
            self.write_bytes(b"\n").map_err(|_| 0_usize)?;
        }
        self.write_bytes(lines)
    }

    /// Like [`Write::write_all`], but says how much was written, and waits for a
    /// pipe that another process has made non-blocking.
    fn write_bytes(&mut self, bytes: &[u8]) -> Result<(), usize> {
        let mut all_written = 0;
        while all_written < bytes.len() {
            match self.out.write(&bytes[all_written..]) {
                Ok(0) => return Err(all_written),
                Ok(written) => {
                    all_written += written;
                    self.mid_line = bytes[all_written - 1] != b'\n';
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::thread::sleep(FULL_PIPE_PAUSE);
                }
                Err(_) => return Err(all_written),
            }
        }
        Ok(())
    }
}

/// A line as [`tracing_subscriber::fmt`] writes it, with its end.
fn line(format: LogFormat, level: &str, message: &str, fields: &[(&str, Value)]) -> String {
    let mut time = String::new();
    let _ = SystemTime.format_time(&mut Writer::new(&mut time));
    match format {
        LogFormat::Text => {
            let shown = |(name, value): &(&str, Value)| match value {
                Value::String(text) => format!(" {name}={text}"),
                other => format!(" {name}={other}"),
            };
            let fields: String = fields.iter().map(shown).collect();
            format!("{time} {level:>5} {message}{fields}\n")
        }
        LogFormat::Json => {
            let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
            let mut fields: serde_json::Map<String, Value> = fields.collect();
            fields.insert("message".to_owned(), message.into());
            format!("{}\n", json!({ "timestamp": time, "level": level, "fields": fields }))
        }
    }
}

/// The beginning of a text that a stranger chose, with a mark where it was cut.
#[must_use]
pub fn cut(text: &str, max_bytes: usize) -> Cow<'_, str> {
    if text.len() <= max_bytes {
        return text.into();
    }
    let end = text.floor_char_boundary(max_bytes);
    format!("{}… ({} bytes)", &text[..end], text.len()).into()
}

fn cut_text(line: &[u8]) -> Vec<u8> {
    let mut cut = cut(&String::from_utf8_lossy(line), LINE_BYTES).into_owned();
    cut.push('\n');
    cut.into_bytes()
}

/// Cuts the values, so that the line stays JSON.
fn cut_json(line: &[u8]) -> Vec<u8> {
    let mut object = serde_json::from_slice::<Value>(line).unwrap_or_default();
    cut_values(&mut object);
    let mut cut = object.to_string();
    if cut.len() > LINE_BYTES {
        let fields = json!({ "message": object["fields"]["message"], "cut": true });
        cut = json!({ "timestamp": object["timestamp"], "level": object["level"], "fields": fields })
            .to_string();
    }
    cut.push('\n');
    cut.into_bytes()
}

/// Recurses as deep as the parser goes, which is 128.
fn cut_values(value: &mut Value) {
    match value {
        Value::String(text) => *text = cut(text, VALUE_BYTES).into_owned(),
        Value::Array(values) => values.iter_mut().for_each(cut_values),
        Value::Object(fields) => fields.values_mut().for_each(cut_values),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};

    use super::*;

    /// A file that accepts so many more bytes, and blocks when told to.
    #[derive(Clone, Default)]
    struct Disk(Arc<(Mutex<Contents>, Condvar)>);

    #[derive(Default)]
    struct Contents {
        written: Vec<u8>,
        room: usize,
        stuck: bool,
        writes: usize,
    }

    impl Disk {
        fn with_room(room: usize) -> Self {
            let disk = Self::default();
            disk.set(|contents| contents.room = room);
            disk
        }

        fn set(&self, set: impl FnOnce(&mut Contents)) {
            set(&mut self.0.0.lock().unwrap());
            self.0.1.notify_all();
        }

        fn lines(&self) -> Vec<String> {
            String::from_utf8_lossy(&self.0.0.lock().unwrap().written).lines().map(str::to_owned).collect()
        }
    }

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let contents = self.0.0.lock().unwrap();
            let mut contents = self.0.1.wait_while(contents, |contents| contents.stuck).unwrap();
            contents.writes += 1;
            let taken = bytes.len().min(contents.room);
            if taken == 0 {
                return Err(io::ErrorKind::StorageFull.into());
            }
            contents.room -= taken;
            contents.written.extend_from_slice(&bytes[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_full_disk_did_not_take_is_counted_and_said_when_there_is_room() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let disk = Disk::with_room(9);
            let queue = LogQueue::to(disk.clone(), format).unwrap();
            for line in ["one\n", "two, too long\n", "three\n"] {
                queue.push(line.as_bytes());
            }
            queue.flush();
            assert_eq!(disk.lines(), ["one", "two, "]);
            disk.set(|contents| contents.room = 1000);
            queue.push(b"four\n");
            queue.flush();
            let lines = disk.lines();
            assert_eq!((lines.len(), lines[3].as_str()), (4, "four"), "{lines:?}");
            assert!(lines[2].contains("WARN") && lines[2].contains("log lines were lost"), "{lines:?}");
            let said = match format {
                LogFormat::Text => lines[2].ends_with("lost=2"),
                LogFormat::Json => serde_json::from_str::<Value>(&lines[2]).unwrap()["fields"]["lost"] == 2,
            };
            assert!(said, "{lines:?}");
        }
    }

    #[test]
    fn lines_that_come_together_are_written_together() {
        let disk = Disk::with_room(usize::MAX);
        let queue = LogQueue::to(disk.clone(), LogFormat::Text).unwrap();
        let lines: Vec<_> = (0..1000).map(|number| number.to_string()).collect();
        lines.iter().for_each(|line| queue.push(format!("{line}\n").as_bytes()));
        queue.flush();
        assert_eq!(disk.lines(), lines);
        let writes = disk.0.0.lock().unwrap().writes;
        assert!(writes < lines.len() / 2, "{writes} writes");
    }

    #[test]
    fn a_reader_that_does_not_read_holds_nobody_up() {
        let disk = Disk::with_room(usize::MAX);
        disk.set(|contents| contents.stuck = true);
        let queue = LogQueue::to(disk.clone(), LogFormat::Text).unwrap();
        let line = "x".repeat(1000) + "\n";
        let sent = 2 * QUEUE_BYTES / line.len();
        (0..sent).for_each(|_| queue.push(line.as_bytes()));
        let waiting = queue.shared.waiting();
        assert!(waiting.lines.len() + waiting.taken <= QUEUE_BYTES);
        drop(waiting);
        disk.set(|contents| contents.stuck = false);
        queue.flush();
        let lines = disk.lines();
        let written = lines.iter().filter(|line| line.starts_with('x')).count();
        let lost: usize =
            lines.iter().filter_map(|line| line.split_once("lost=")?.1.parse::<usize>().ok()).sum();
        assert_eq!(written + lost, sent);
        assert!(lost > 0 && written > 0, "{written} of {sent}");
    }

    #[test]
    fn a_long_line_is_cut_and_stays_what_it_is() {
        let disk = Disk::with_room(usize::MAX);
        let long = "\u{1F58B}".repeat(20_000);
        let queue = LogQueue::to(disk.clone(), LogFormat::Text).unwrap();
        queue.push(format!("{long}\n").as_bytes());
        queue.flush();
        assert!(disk.lines()[0].len() < LINE_BYTES + 40 && disk.lines()[0].ends_with("… (80001 bytes)"));

        let disk = Disk::with_room(usize::MAX);
        let queue = LogQueue::to(disk.clone(), LogFormat::Json).unwrap();
        queue.write_event("ERROR", "one", &[("path", long.as_str().into())]);
        let many: Vec<_> = (0..100).map(|_| long.clone()).collect();
        queue.push(
            json!({ "level": "INFO", "fields": { "message": "many", "values": many } })
                .to_string()
                .as_bytes(),
        );
        queue.flush();
        let lines: Vec<Value> =
            disk.lines().iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert!(lines[0]["fields"]["path"].as_str().unwrap().ends_with("… (80000 bytes)"), "{}", lines[0]);
        assert_eq!(
            (&lines[1]["fields"]["message"], &lines[1]["fields"]["cut"]),
            (&json!("many"), &json!(true))
        );
        assert!(disk.lines().iter().all(|line| line.len() <= LINE_BYTES));
    }
}
