//! Whether a write-ahead log belongs to the database file beside it.
//!
//! SQLite accepts any valid log beside a database. So a backup that is restored
//! beside the log of a killed process would get pages of a later state. To detect
//! this, every commit of Byline writes a [`Stamp`] to the first page, which also
//! names the commit before it. A log continues a file if the file has the stamp
//! before the log's first commit, or a stamp of the log itself, because a part of
//! the log was copied into the file already.
//!
//! The formats are those of <https://www.sqlite.org/fileformat2.html>.

use std::io::{self, Read};

/// Bytes of the header of a database.
const DATABASE_HEADER: usize = 100;
/// Bytes of the header of a log.
const LOG_HEADER: usize = 32;
/// Bytes before each page in a log.
const FRAME_HEADER: usize = 24;

/// Identifies a state of a database. It is stored in two header fields that
/// SQLite leaves to applications: `user_version` and `application_id`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The random number of this commit.
    pub(super) current: i32,
    /// The number of the commit before.
    pub(super) previous: i32,
}

impl Stamp {
    /// A new stamp for the commit after `previous`.
    pub(super) fn after(previous: i32) -> Self {
        let [a, b, c, d, ..] = *uuid::Uuid::new_v4().as_bytes();
        Self { current: i32::from_be_bytes([a, b, c, d]), previous }
    }

    /// Reads the stamp of a database file, or of its first page; `None` if this
    /// is not the beginning of a database.
    pub(super) fn read(mut database: impl Read) -> io::Result<Option<Self>> {
        let mut header = [0; DATABASE_HEADER];
        match database.read_exact(&mut header) {
            Ok(()) => Ok(Self::of_header(&header)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn of_header(header: &[u8]) -> Option<Self> {
        let number = |at: usize| Some(i32::from_be_bytes(header.get(at..at + 4)?.try_into().ok()?));
        if !header.starts_with(b"SQLite format 3\0") {
            return None;
        }
        Some(Self { current: number(60)?, previous: number(68)? })
    }
}

/// Whether the log continues the database file and, if one is given, has the
/// commit with the number `commit`; `None` if the log is empty. No log continues a
/// file without a first page.
pub(super) fn continues(
    log: impl Read,
    database: Option<Stamp>,
    commit: Option<i32>,
) -> io::Result<Option<bool>> {
    let Some(stamps) = stamps(log)? else { return Ok(None) };
    let Some(database) = database else { return Ok(Some(false)) };
    let has = |number: i32| stamps.iter().any(|stamp| stamp.current == number);
    let follows = stamps.first().is_none_or(|first| first.previous == database.current);
    Ok(Some((follows || has(database.current)) && commit.is_none_or(has)))
}

/// The stamps of all commits in a log that changed the first page, oldest first;
/// `None` if the log has no commit.
fn stamps(mut log: impl Read) -> io::Result<Option<Vec<Stamp>>> {
    let mut header = [0; LOG_HEADER];
    if !is_read(&mut log, &mut header)? {
        return Ok(None);
    }
    let word = |bytes: &[u8], at: usize| {
        u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
    };
    let to_word = match word(&header, 0) {
        0x377f_0682 => u32::from_le_bytes,
        0x377f_0683 => u32::from_be_bytes,
        _ => return Ok(None),
    };
    let page_size = word(&header, 8);
    let mut sums = checksum((0, 0), &header[..24], to_word);
    // SQLite ignores a log with a damaged header.
    if sums != (word(&header, 24), word(&header, 28)) || !(512..=65_536).contains(&page_size) {
        return Ok(None);
    }
    let mut frame = vec![0; FRAME_HEADER + page_size as usize];
    let (mut stamps, mut pending, mut has_commit) = (Vec::new(), None, false);
    while is_read(&mut log, &mut frame)? {
        let (head, page) = frame.split_at(FRAME_HEADER);
        sums = checksum(checksum(sums, &head[..8], to_word), page, to_word);
        // Frames of an earlier log, and those that were not written to their end.
        if head[8..16] != header[16..24] || sums != (word(head, 16), word(head, 20)) {
            break;
        }
        if word(head, 0) == 1 {
            pending = Stamp::of_header(page).or(pending);
        }
        // A frame that ends a commit says how many pages the database then has.
        if word(head, 4) != 0 {
            has_commit = true;
            stamps.extend(pending.take());
        }
    }
    Ok(has_commit.then_some(stamps))
}

/// Fills `bytes`; `false` if there are not so many any more.
fn is_read(from: &mut impl Read, bytes: &mut [u8]) -> io::Result<bool> {
    match from.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// Section 4.2 of the file format; `bytes` are a multiple of eight.
fn checksum((mut a, mut b): (u32, u32), bytes: &[u8], to_word: fn([u8; 4]) -> u32) -> (u32, u32) {
    for pair in bytes.chunks_exact(8) {
        a = a.wrapping_add(to_word([pair[0], pair[1], pair[2], pair[3]])).wrapping_add(b);
        b = b.wrapping_add(to_word([pair[4], pair[5], pair[6], pair[7]])).wrapping_add(a);
    }
    (a, b)
}
