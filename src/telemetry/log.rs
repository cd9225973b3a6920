//! The lines of the log: handed to a thread that writes them to standard
//! error, and never waited for (security row L5).
//!
//! Standard error may be a full disk, a pipe whose reader has left or does not
//! read, or a terminal that was closed. None of that may hold up or end a
//! request, so whoever logs only puts a line into a queue of bounded size. What
//! finds no room there, or cannot be written, is lost and counted, and the
//! count is written as soon as writing works again.

use std::{
    borrow::Cow,
    fs::File,
    io::{self, Write},
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
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
/// Bytes of the lines that wait to be written.
const QUEUE_BYTES: usize = 4 * 1024 * 1024;
/// What a waiting line takes up besides its own bytes.
const ENTRY_BYTES: usize = 64;
/// How long the end of the process waits for what is left to be written.
const FLUSH_TIME: Duration = Duration::from_secs(1);
/// How long a standard error that takes nothing just now is left alone.
const FULL_PIPE_PAUSE: Duration = Duration::from_millis(20);

/// The way to the log. Cheap to clone; nothing here blocks, fails or panics.
#[derive(Clone, Debug)]
pub struct LogQueue {
    entries: Sender<Entry>,
    counts: Arc<Counts>,
    format: LogFormat,
}

#[derive(Debug, Default)]
struct Counts {
    /// Bytes of the lines in the queue.
    bytes: AtomicUsize,
    /// Lines that were dropped.
    lost: AtomicU64,
}

#[derive(Debug)]
enum Entry {
    Line(Vec<u8>),
    /// Answered once everything before it was tried.
    Flush(SyncSender<()>),
}

impl LogQueue {
    /// Starts the thread that writes to standard error.
    pub fn to_standard_error(format: LogFormat) -> io::Result<Self> {
        Self::to(standard_error(), format)
    }

    fn to(out: impl Write + Send + 'static, format: LogFormat) -> io::Result<Self> {
        let (entries, received) = channel();
        let counts = Arc::new(Counts::default());
        let mut file = LogFile { out, format, counts: Arc::clone(&counts), mid_line: false };
        std::thread::Builder::new().name("log".to_owned()).spawn(move || file.write_all_of(&received))?;
        Ok(Self { entries, counts, format })
    }

    /// Puts a line of the application's own making into the log: outside of
    /// [`tracing`], for where that must not be called.
    pub fn say(&self, level: &str, message: &str, fields: &[(&str, Value)]) {
        self.push(line(self.format, level, message, fields).as_bytes());
    }

    fn push(&self, line: &[u8]) {
        let line = match self.format {
            _ if line.len() <= LINE_BYTES => line.to_vec(),
            LogFormat::Text => cut_text(line),
            LogFormat::Json => cut_json(line),
        };
        let size = line.len() + ENTRY_BYTES;
        let waiting = self.counts.bytes.fetch_add(size, Ordering::Relaxed);
        if waiting + size > QUEUE_BYTES || self.entries.send(Entry::Line(line)).is_err() {
            self.counts.bytes.fetch_sub(size, Ordering::Relaxed);
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until what is in the queue is written, for a second at most.
    pub fn flush(&self) {
        let (done, written) = sync_channel(1);
        if self.entries.send(Entry::Flush(done)).is_ok() {
            let _ = written.recv_timeout(FLUSH_TIME);
        }
    }
}

/// What [`tracing_subscriber::fmt`] writes an event to: by one call, whole.
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

/// A descriptor of our own: whoever writes through [`io::stderr`] holds a lock
/// for as long as the write takes, which with a full pipe is for ever.
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

/// Where the lines go, as the thread that writes has it.
struct LogFile<W> {
    out: W,
    format: LogFormat,
    counts: Arc<Counts>,
    /// The last write ended in the middle of a line.
    mid_line: bool,
}

impl<W: Write> LogFile<W> {
    fn write_all_of(&mut self, entries: &Receiver<Entry>) {
        while let Ok(entry) = entries.recv() {
            match entry {
                Entry::Line(line) => {
                    self.write_losses();
                    if self.write(&line).is_err() {
                        self.counts.lost.fetch_add(1, Ordering::Relaxed);
                    }
                    self.counts.bytes.fetch_sub(line.len() + ENTRY_BYTES, Ordering::Relaxed);
                }
                Entry::Flush(done) => {
                    self.write_losses();
                    let _ = done.send(());
                }
            }
        }
    }

    /// Writes how many lines are missing here.
    fn write_losses(&mut self) {
        let lost = self.counts.lost.swap(0, Ordering::Relaxed);
        if lost == 0 {
            return;
        }
        let lines = line(self.format, "WARN", "log lines were lost", &[("lost", lost.into())]);
        if self.write(lines.as_bytes()).is_err() {
            self.counts.lost.fetch_add(lost, Ordering::Relaxed);
        }
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.mid_line {
            self.write_bytes(b"\n")?;
        }
        self.write_bytes(line)
    }

    /// As [`Write::write_all`], which does not say how far it came, and gives up
    /// on a pipe that another process has made non-blocking.
    fn write_bytes(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.out.write(bytes) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => {
                    self.mid_line = bytes[written - 1] != b'\n';
                    bytes = &bytes[written..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::thread::sleep(FULL_PIPE_PAUSE);
                }
                Err(error) => return Err(error),
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

/// The beginning of a text that somebody else chose, with a mark where it was cut.
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

    /// A file that takes so many more bytes, and waits where it is told to.
    #[derive(Clone, Default)]
    struct Disk(Arc<(Mutex<Contents>, Condvar)>);

    #[derive(Default)]
    struct Contents {
        written: Vec<u8>,
        room: usize,
        stuck: bool,
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
    fn a_reader_that_does_not_read_holds_nobody_up() {
        let disk = Disk::with_room(usize::MAX);
        disk.set(|contents| contents.stuck = true);
        let queue = LogQueue::to(disk.clone(), LogFormat::Text).unwrap();
        let line = "x".repeat(1000) + "\n";
        let sent = 2 * QUEUE_BYTES / line.len();
        (0..sent).for_each(|_| queue.push(line.as_bytes()));
        assert!(queue.counts.bytes.load(Ordering::Relaxed) <= QUEUE_BYTES);
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
        queue.say("ERROR", "one", &[("path", long.as_str().into())]);
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
