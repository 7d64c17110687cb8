//! Opening and appending.

use std::io;
use std::path::{Path, PathBuf};

use super::read::Head;
use super::{FIRST_PREV, hash};
use crate::disk::{self, AppendFile};
use crate::limits;
use crate::words::Seq;

/// What the journal writes: something with a number that becomes a line.
pub trait Line {
    /// Its number.
    fn seq(&self) -> Seq;
    /// Its line, without the newline.
    ///
    /// # Errors
    /// When it cannot be written as a line.
    fn line(&self, prev: &str) -> Result<String, String>;
}

/// Why lines were not written. Nothing was appended then.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The operating system refused.
    #[error("{path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
    /// A line that cannot be.
    #[error("event {seq} cannot be written: {why}")]
    BadLine {
        /// Which.
        seq: Seq,
        /// Why.
        why: String,
    },
}

/// What opening found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opened {
    /// What had to be cut off or does not fit, as sentences.
    pub said: Vec<String>,
}

/// The journal, open for appending.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    segment: u32,
    file: AppendFile,
    /// The last line's number.
    pub seq: Seq,
    /// The last line's hash.
    pub hash: String,
}

impl Journal {
    /// Opens the journal of a data directory, or begins one. Reads the last segment whole; a torn last
    /// line is cut off, kept beside it and said.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn open(folder: &Path) -> Result<(Self, Opened), JournalError> {
        let fail = |source| JournalError::Io { path: folder.to_owned(), source };
        disk::make_folder(folder).map_err(fail)?;
        let mut segments = disk::list(folder, ".ndjson").map_err(fail)?;
        let mut opened = Opened::default();
        let mut tail = Tail { seq: Seq(0), hash: FIRST_PREV.to_owned(), good: 0 };
        let mut number = 1;
        // A segment may have been begun and never written to: then the one before it holds the last line.
        while let Some(path) = segments.pop() {
            number = number.max(segment_number(&path));
            tail = read_tail(&path, &mut opened).map_err(fail)?;
            if tail.seq > Seq(0) || segments.is_empty() {
                number = segment_number(&path).max(1);
                break;
            }
            std::fs::remove_file(&path).map_err(fail)?;
        }
        let path = segment_path(folder, number);
        let file = AppendFile::open(&path, tail.good).map_err(|source| JournalError::Io { path, source })?;
        Ok((
            Self { folder: folder.to_owned(), segment: number, file, seq: tail.seq, hash: tail.hash },
            opened,
        ))
    }

    /// Appends lines and makes them durable with one fsync. Returns each line's hash.
    ///
    /// # Errors
    /// When they could not be written; the journal is as before.
    pub fn append<L: Line>(&mut self, lines: &[L]) -> Result<Vec<String>, JournalError> {
        let mut bytes = Vec::new();
        let mut hashes = Vec::with_capacity(lines.len());
        let mut prev = self.hash.clone();
        let mut seq = self.seq;
        for l in lines {
            let bad = |why: String| JournalError::BadLine { seq: l.seq(), why };
            if l.seq() != seq.next() {
                return Err(bad(format!("the last one is {seq}")));
            }
            let line = l.line(&prev).map_err(bad)?;
            if line.len() > limits::LINE_BYTES_MAX {
                return Err(bad(format!("it has {} bytes", line.len())));
            }
            prev = hash(line.as_bytes());
            hashes.push(prev.clone());
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
            seq = l.seq();
        }
        if self.file.durable() > 0 && self.file.durable() + bytes.len() as u64 > limits::SEGMENT_BYTES {
            let path = segment_path(&self.folder, self.segment + 1);
            self.file = AppendFile::open(&path, 0).map_err(|source| JournalError::Io { path, source })?;
            self.segment += 1;
        }
        let path = segment_path(&self.folder, self.segment);
        self.file.append(&bytes).map_err(|source| JournalError::Io { path, source })?;
        self.seq = seq;
        self.hash = prev;
        Ok(hashes)
    }
}

struct Tail {
    seq: Seq,
    hash: String,
    good: u64,
}

fn read_tail(path: &Path, opened: &mut Opened) -> io::Result<Tail> {
    let bytes = disk::read(path)?;
    let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    let mut tail = Tail { seq: Seq(0), hash: FIRST_PREV.to_owned(), good: 0 };
    let mut at = 0;
    let mut previous: Option<(Seq, String)> = None;
    for (index, raw) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
        at += raw.len() as u64;
        let Some(line) = raw.strip_suffix(b"\n") else { continue };
        let Some(head) = std::str::from_utf8(line).ok().and_then(|l| serde_json::from_str::<Head>(l).ok())
        else {
            continue;
        };
        if let Some((seq, hash)) = &previous
            && (head.seq != seq.next() || head.prev != *hash)
        {
            opened.said.push(format!(
                "{name}:{}: event {} does not follow the line before it; `andon audit verify` tells more",
                index + 1,
                head.seq
            ));
        }
        tail = Tail { seq: head.seq, hash: hash(line), good: at };
        previous = Some((head.seq, tail.hash.clone()));
    }
    let total = bytes.len() as u64;
    if tail.good < total {
        let torn = usize::try_from(tail.good).ok().and_then(|g| bytes.get(g..)).unwrap_or(&[]);
        let beside = path.with_extension(format!("torn-after-{}", tail.seq));
        disk::keep(&beside, torn)?;
        let beside = beside.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        opened.said.push(format!(
            "{name}: {} torn bytes after event {} were cut off and kept in {beside}",
            torn.len(),
            tail.seq
        ));
    }
    Ok(tail)
}

pub(super) fn segment_path(folder: &Path, number: u32) -> PathBuf {
    folder.join(format!("{number:08}.ndjson"))
}

fn segment_number(path: &Path) -> u32 {
    path.file_stem().and_then(|s| s.to_str()).and_then(|s| s.parse().ok()).unwrap_or(0)
}
