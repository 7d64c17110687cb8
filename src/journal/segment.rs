//! The segment files of a journal: their names, their first event, and their lines.

use std::collections::BTreeSet;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::disk::{Disk, Kind};
use crate::limits;
use crate::words::Seq;

/// The first two fields of every line.
#[derive(Debug, Deserialize)]
pub(super) struct Head {
    pub seq: Seq,
    pub prev: String,
}

/// Reads the head of a line; `None` if the bytes are not a line of the journal.
pub(super) fn head_of(line: &[u8]) -> Option<Head> {
    serde_json::from_str(std::str::from_utf8(line).ok()?).ok()
}

/// A plain file whose name is exactly the name of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub number: u32,
    pub name: String,
    pub path: PathBuf,
    pub bytes: u64,
}

/// The contents of a journal's folder.
#[derive(Debug, Default)]
pub(super) struct Folder {
    /// The segments, sorted by number.
    pub segments: Vec<Segment>,
    /// Names of links and folders that look like segments. andon never reads or writes these entries.
    pub refused: Vec<String>,
    /// The highest segment number, including refused entries; 0 in an empty folder.
    pub highest: u32,
}

/// Returns the number in a segment's name; `None` if the name is not exactly eight digits and `.ndjson`.
fn number_of(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".ndjson")?;
    let is_number = digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

pub(super) fn name_of(number: u32) -> String {
    format!("{number:08}.ndjson")
}

/// Lists the segments in a journal's folder and ignores files with other names.
pub(super) fn list(disk: &dyn Disk, folder: &Path) -> io::Result<Folder> {
    let mut found = Folder::default();
    for (name, kind) in disk.entries(folder)? {
        let Some(number) = number_of(&name) else { continue };
        found.highest = found.highest.max(number);
        match kind {
            Kind::File(bytes) => {
                let path = folder.join(&name);
                found.segments.push(Segment { number, name, path, bytes });
            }
            Kind::Other => found.refused.push(name),
        }
    }
    found.segments.sort_by_key(|s| s.number);
    found.refused.sort();
    Ok(found)
}

/// Returns the number of a segment's first event; `None` if none of the first three lines is readable.
///
/// A changed first line may contain a wrong number. So the first three lines vote, and the most frequent answer is
/// returned; in a tie, the lowest.
pub(super) fn first_seq(disk: &dyn Disk, segment: &Segment) -> Option<Seq> {
    let mut lines = Lines::new(disk.reader(&segment.path).ok()?);
    let mut seqs = Vec::new();
    for index in 0..3_u64 {
        let Ok(Some(line)) = lines.next_line() else { break };
        seqs.push(line.body().and_then(head_of).and_then(|h| h.seq.0.checked_sub(index)));
    }
    let votes = |seq: u64| seqs.iter().filter(|s| **s == Some(seq)).count();
    let most = seqs.iter().flatten().copied().max_by_key(|s| (votes(*s), std::cmp::Reverse(*s)))?;
    Some(Seq(most))
}

/// Returns the segments in the order of their events, and the name of a segment that is not in the order of its number.
pub(super) fn in_order(
    disk: &dyn Disk,
    segments: Vec<Segment>,
) -> (Vec<(Segment, Option<Seq>)>, Option<String>) {
    let mut before = Seq(0);
    let mut found = Vec::new();
    for segment in segments {
        let first = first_seq(disk, &segment);
        before = first.unwrap_or(before);
        found.push((segment, first, before));
    }
    // A copy of an earlier segment is not a swapped segment. The reader reports it as a copy when it reads it.
    let mut seen = BTreeSet::new();
    let mut highest = Seq(0);
    let mut exchanged = None;
    for (segment, place, _) in &mut found {
        let Some(first) = *place else { continue };
        if !seen.insert(first) {
            // Reading must not begin in a copy, because the events after its last event are in another segment.
            *place = None;
        } else if first < highest {
            exchanged.get_or_insert_with(|| segment.name.clone());
        }
        highest = highest.max(first);
    }
    if exchanged.is_some() {
        found.sort_by_key(|(segment, _, order)| (*order, segment.number));
    }
    (found.into_iter().map(|(segment, first, _)| (segment, first)).collect(), exchanged)
}

/// One line, as it was read from a file.
#[derive(Debug)]
pub(super) enum RawLine {
    /// A line that ends with a newline. The bytes do not include the newline.
    Whole(Vec<u8>),
    /// The last bytes of a file, without a newline at the end.
    Open(Vec<u8>),
    /// A line that is longer than any line that andon writes. The value is its length in bytes; its content is skipped.
    TooLong(u64),
}

impl RawLine {
    /// Returns the bytes of a whole line; `None` for the other cases.
    pub(super) fn body(&self) -> Option<&[u8]> {
        match self {
            RawLine::Whole(bytes) => Some(bytes),
            RawLine::Open(_) | RawLine::TooLong(_) => None,
        }
    }

    /// Returns the number of bytes that the line occupies in the file, including the newline.
    pub(super) fn length(&self) -> u64 {
        match self {
            RawLine::Whole(bytes) => bytes.len() as u64 + 1,
            RawLine::Open(bytes) => bytes.len() as u64,
            RawLine::TooLong(length) => *length,
        }
    }
}

/// Reads a file line by line. The memory used does not depend on the size of the file.
pub(super) struct Lines {
    reader: BufReader<Box<dyn Read + Send>>,
}

/// Bytes of the longest line that is read. andon itself writes lines of at most half this length.
const LONGEST: u64 = 2 * limits::LINE_BYTES_MAX as u64;

impl Lines {
    pub(super) fn new(reader: Box<dyn Read + Send>) -> Self {
        Self { reader: BufReader::with_capacity(128 * 1024, reader) }
    }

    pub(super) fn next_line(&mut self) -> io::Result<Option<RawLine>> {
        let mut bytes = Vec::new();
        let read = (&mut self.reader).take(LONGEST).read_until(b'\n', &mut bytes)? as u64;
        if read == 0 {
            return Ok(None);
        }
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            return Ok(Some(RawLine::Whole(bytes)));
        }
        if read < LONGEST {
            return Ok(Some(RawLine::Open(bytes)));
        }
        let mut length = read;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(Some(RawLine::TooLong(length)));
            }
            let (used, is_over) = match buffer.iter().position(|b| *b == b'\n') {
                Some(at) => (at + 1, true),
                None => (buffer.len(), false),
            };
            self.reader.consume(used);
            length += used as u64;
            if is_over {
                return Ok(Some(RawLine::TooLong(length)));
            }
        }
    }
}
