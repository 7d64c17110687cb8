//! The files of a journal: which of them are segments, and in which order their events stand.

use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::disk::{Disk, Kind};
use crate::limits;
use crate::words::Seq;

/// What every line begins with.
#[derive(Debug, Deserialize)]
pub(super) struct Head {
    pub seq: Seq,
    pub prev: String,
}

/// Reads a line's head; `None` for bytes that are not a line of the journal.
pub(super) fn head_of(line: &[u8]) -> Option<Head> {
    serde_json::from_str(std::str::from_utf8(line).ok()?).ok()
}

/// A plain file with exactly a segment's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub number: u32,
    pub name: String,
    pub path: PathBuf,
    pub bytes: u64,
}

/// What a journal's folder holds.
#[derive(Debug, Default)]
pub(super) struct Folder {
    /// By number.
    pub segments: Vec<Segment>,
    /// Names of segments that are links or folders: they are never read or written.
    pub refused: Vec<String>,
    /// The highest number in use, refused ones included; 0 in an empty folder.
    pub highest: u32,
}

/// The number in a segment's name: eight digits and `.ndjson`, nothing else.
fn number_of(name: &str) -> Option<u32> {
    let digits = name.strip_suffix(".ndjson")?;
    let is_number = digits.len() == 8 && digits.bytes().all(|b| b.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

pub(super) fn name_of(number: u32) -> String {
    format!("{number:08}.ndjson")
}

/// Lists a journal's folder. Files with other names are not looked at.
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

/// The number of a segment's first event, told by its first lines; `None` when no two of them agree.
///
/// One line alone may be the one that was changed, so the second and third line vote as well.
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

/// One line as it stands in a file.
#[derive(Debug)]
pub(super) enum RawLine {
    /// With its newline, which is not part of `0`.
    Whole(Vec<u8>),
    /// The file ends in it.
    Open(Vec<u8>),
    /// Longer than any line that andon writes; its bytes are passed over.
    TooLong(u64),
}

impl RawLine {
    pub(super) fn body(&self) -> Option<&[u8]> {
        match self {
            RawLine::Whole(bytes) => Some(bytes),
            RawLine::Open(_) | RawLine::TooLong(_) => None,
        }
    }

    /// Bytes that it takes in the file.
    pub(super) fn length(&self) -> u64 {
        match self {
            RawLine::Whole(bytes) => bytes.len() as u64 + 1,
            RawLine::Open(bytes) => bytes.len() as u64,
            RawLine::TooLong(length) => *length,
        }
    }
}

/// The lines of a file, in memory that does not grow with it.
pub(super) struct Lines {
    reader: BufReader<Box<dyn Read + Send>>,
}

/// Twice what andon writes: a longer line is nobody's.
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
