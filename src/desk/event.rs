//! The record that carries an event, as a line of the journal. Each kind of event has a version; a sample of each stands
//! in `tests/samples/journal/` and is read by every later build.

use serde::{Deserialize, Serialize};

use super::rooms::Event;
use crate::limits;
use crate::words::{Author, Seq, Wall};

/// An event with its place, time and author.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its number.
    pub seq: Seq,
    /// When.
    pub at: Wall,
    /// Who.
    pub by: Author,
    /// What.
    pub event: Event,
}

#[derive(Serialize)]
struct LineOut<'a> {
    seq: Seq,
    prev: &'a str,
    at: Wall,
    by: &'a Author,
    v: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<&'static str>,
    #[serde(flatten)]
    event: &'a Event,
}

#[derive(Deserialize)]
struct LineIn {
    seq: Seq,
    at: Wall,
    by: Author,
    kind: String,
}

/// The version of every event kind of this build.
const VERSION: u32 = 1;

/// The line of an event, proven to fit and to read back the same; the hash of the line before is filled in last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenLine {
    before: String,
    after: String,
}

impl ProvenLine {
    /// The bytes of the line, the hash included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.before.len() + 64 + self.after.len()
    }

    /// The journal's line, without its newline; `prev` is the SHA-256 of the line before, in hexadecimal.
    #[must_use]
    pub fn with_prev(&self, prev: &str) -> String {
        [&self.before, prev, &self.after].concat()
    }
}

/// Why an event cannot stand in the journal: a bug of andon, because what comes from outside is bounded before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRecordable {
    /// It cannot be written as JSON, or is of a later version.
    #[error("it cannot be written: {0}")]
    NotWritten(String),
    /// The line is longer than [`limits::LINE_BYTES_MAX`].
    #[error("its line has {0} bytes, and {max} is the most", max = limits::LINE_BYTES_MAX)]
    TooLong(usize),
    /// What is read is not what was written.
    #[error("it does not read back as it was written")]
    ReadsOtherwise,
}

/// Why a line of the journal is not an event that this version can take in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event does not read: {0}")]
pub struct NotReadable(String);

impl Record {
    /// The line of this record, proven.
    ///
    /// # Errors
    /// When the event cannot stand in the journal.
    pub fn prove(&self) -> Result<ProvenLine, NotRecordable> {
        /// Stands where the hash of the line before will.
        const HOLE: &str = "?";
        let line = self.to_line(HOLE).map_err(|e| NotRecordable::NotWritten(e.to_string()))?;
        let length = line.len() + 64 - HOLE.len();
        if length > limits::LINE_BYTES_MAX {
            return Err(NotRecordable::TooLong(length));
        }
        if Self::from_line(&line).as_ref() != Ok(self) {
            return Err(NotRecordable::ReadsOtherwise);
        }
        let hole = "\"prev\":\"?";
        let (before, after) = line.split_once(hole).ok_or(NotRecordable::ReadsOtherwise)?;
        Ok(ProvenLine { before: format!("{before}\"prev\":\""), after: after.to_owned() })
    }

    /// The journal's line, without its newline; `prev` is the SHA-256 of the line before.
    ///
    /// # Errors
    /// Never for records of this program; kinds of later versions are not written.
    pub fn to_line(&self, prev: &str) -> Result<String, serde_json::Error> {
        let clock = (!self.at.is_set()).then_some("unset");
        let Self { seq, at, by, event } = self;
        serde_json::to_string(&LineOut { seq: *seq, prev, at: *at, by, v: VERSION, clock, event })
    }

    /// Reads a journal's line. A kind that no table lists is kept as [`Event::Other`].
    ///
    /// # Errors
    /// When it is not a record, or one of a known kind that does not read.
    pub fn from_line(line: &str) -> Result<Self, NotReadable> {
        let head: LineIn = serde_json::from_str(line).map_err(|e| NotReadable(e.to_string()))?;
        let event = Event::read(&head.kind, line).map_err(|e| NotReadable(e.to_string()))?;
        Ok(Self { seq: head.seq, at: head.at, by: head.by, event })
    }
}
