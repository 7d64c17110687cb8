//! Lines from a number on.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::disk;
use crate::words::Seq;

/// One line with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub seq: Seq,
    /// The hash of the line before, as it says.
    pub prev: String,
    /// Its own hash.
    pub hash: String,
    /// The line.
    pub line: String,
}

#[derive(Deserialize)]
pub(super) struct Head {
    pub seq: Seq,
    pub prev: String,
}

/// Reads segments one after the other; each is held in memory once.
#[derive(Debug)]
pub struct JournalReader {
    segments: std::vec::IntoIter<PathBuf>,
    from: Seq,
}

impl JournalReader {
    /// Everything from a number on; whole segments before it are passed over.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn from(folder: &Path, from: Seq) -> io::Result<Self> {
        let all = if folder.exists() { disk::list(folder, ".ndjson")? } else { Vec::new() };
        let mut first = 0;
        for (index, path) in all.iter().enumerate() {
            if first_seq(path)?.is_some_and(|seq| seq <= from) {
                first = index;
            }
        }
        let rest: Vec<_> = all.into_iter().skip(first).collect();
        Ok(Self { segments: rest.into_iter(), from })
    }

    /// The next segment's entries; nothing at the end. Lines that are no record end it: `verify` names them.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn next_segment(&mut self) -> io::Result<Option<Vec<Entry>>> {
        let Some(path) = self.segments.next() else { return Ok(None) };
        let bytes = disk::read(&path)?;
        let mut entries = Vec::new();
        for line in bytes.split_inclusive(|b| *b == b'\n') {
            let Some(line) = line.strip_suffix(b"\n") else { break };
            let Some(head) =
                std::str::from_utf8(line).ok().and_then(|l| serde_json::from_str::<Head>(l).ok())
            else {
                continue;
            };
            if head.seq >= self.from {
                let text = String::from_utf8_lossy(line).into_owned();
                entries.push(Entry { seq: head.seq, prev: head.prev, hash: super::hash(line), line: text });
            }
        }
        Ok(Some(entries))
    }
}

fn first_seq(path: &Path) -> io::Result<Option<Seq>> {
    use std::io::{BufRead, BufReader};
    let mut line = String::new();
    let mut reader = BufReader::new(std::fs::File::open(path)?);
    if reader.read_line(&mut line).is_err() {
        return Ok(None);
    }
    Ok(serde_json::from_str::<Head>(&line).ok().map(|h| h.seq))
}
