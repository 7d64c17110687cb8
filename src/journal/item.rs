//! The results of reading a journal: a position in the chain, a line, a damaged part.

use std::sync::Arc;

use super::FIRST_PREV;
use crate::words::{Damage, Seq};

/// A position in the chain: the number of an event and the hash of its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The number of the event; 0 before the first event.
    pub seq: Seq,
    /// The SHA-256 of the event's line in hexadecimal; empty if the line is damaged and its original hash is unknown.
    pub hash: String,
}

impl Default for Cursor {
    fn default() -> Self {
        Self { seq: Seq(0), hash: FIRST_PREV.to_owned() }
    }
}

/// One line of the journal and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The number of the event.
    pub seq: Seq,
    /// The SHA-256 of the line, in hexadecimal.
    pub hash: String,
    /// The text of the line, without the newline.
    pub line: String,
    /// The file name of the segment.
    pub segment: Arc<str>,
    /// The number of the line in the segment; the first line is 1.
    pub number: u64,
}

impl Entry {
    /// Returns a [`Damage`] that covers only this line, with the reason `why`.
    #[must_use]
    pub fn damaged(&self, why: String) -> Damage {
        let (segment, line) = (self.segment.to_string(), self.number);
        Damage { segment, line, first_seq: self.seq, last_seq: self.seq, why }
    }
}

/// One result of reading a journal. The items come in the order of the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A line whose hash and number fit the chain.
    Record(Entry),
    /// A part that cannot be read.
    Damage(Damage),
}
