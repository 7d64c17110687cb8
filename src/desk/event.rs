//! [`Record`]: an event with its number, time and author, as one line of the journal. `tests/samples/journal/` has a line
//! of each kind. Every later version must read these lines.

use serde::{Deserialize, Serialize};

use super::rooms::Event;
use crate::limits;
use crate::words::{Author, Seq, Wall};

/// An event with its number, time and author.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// The sequence number: 1 for the first event of a journal, without gaps.
    pub seq: Seq,
    /// The time of the decision, on the wall clock.
    pub at: Wall,
    /// The person who asked, or the gateway.
    pub by: Author,
    /// The event.
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

/// The version of every kind of event (`v` in the line).
const VERSION: u32 = 1;

/// The line of an event, without the hash of the previous line. The line is short enough, and reading it gives the same event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenLine {
    before: String,
    after: String,
}

impl ProvenLine {
    /// Returns the length of the line in bytes, including the hash.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.before.len() + 64 + self.after.len()
    }

    /// Returns the line of the journal without its newline; `prev` is the SHA-256 of the previous line, in hexadecimal.
    #[must_use]
    pub fn with_prev(&self, prev: &str) -> String {
        [&self.before, prev, &self.after].concat()
    }
}

/// The reason why an event cannot be recorded. This is always a bug of andon: every input is bounded before it is decided.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRecordable {
    /// The event cannot be written as JSON, or a later version of andon wrote it.
    #[error("it cannot be written as JSON: {0}")]
    NotWritten(String),
    /// The line is longer than [`limits::LINE_BYTES_MAX`].
    #[error("its line has {0} bytes; at most {max} are allowed", max = limits::LINE_BYTES_MAX)]
    TooLong(usize),
    /// Reading the line gives a different event.
    #[error("reading its line gives a different event")]
    ReadsOtherwise,
}

/// The reason why a line of the journal cannot be read as an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event cannot be read: {0}")]
pub struct NotReadable(String);

impl Record {
    /// Returns the line of this record, after reading the line back.
    ///
    /// # Errors
    /// If the event cannot be recorded.
    pub fn prove(&self) -> Result<ProvenLine, NotRecordable> {
        /// The placeholder for the hash of the previous line.
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

    /// Returns the line of the journal without its newline; `prev` is the SHA-256 of the previous line.
    ///
    /// # Errors
    /// If a later version of andon wrote the event ([`Event::Other`]).
    pub fn to_line(&self, prev: &str) -> Result<String, serde_json::Error> {
        let clock = (!self.at.is_set()).then_some("unset");
        let Self { seq, at, by, event } = self;
        serde_json::to_string(&LineOut { seq: *seq, prev, at: *at, by, v: VERSION, clock, event })
    }

    /// Reads a line of the journal. An event of an unknown kind becomes [`Event::Other`].
    ///
    /// # Errors
    /// If the line is not a record, or an event of a known kind cannot be read.
    pub fn from_line(line: &str) -> Result<Self, NotReadable> {
        let head: LineIn = serde_json::from_str(line).map_err(|e| NotReadable(e.to_string()))?;
        let event = Event::read(&head.kind, line).map_err(|e| NotReadable(e.to_string()))?;
        Ok(Self { seq: head.seq, at: head.at, by: head.by, event })
    }
}
