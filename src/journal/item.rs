//! What the reader of the journal gives: places in the chain, lines, damage.

use std::sync::Arc;

use super::FIRST_PREV;
use crate::words::{Damage, Seq};

/// A place in the chain: an event's number and the hash of its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor {
    /// The event's number; 0 before the first one.
    pub seq: Seq,
    /// The SHA-256 of its line, in hexadecimal; empty where the line is damaged and nobody knows it.
    pub hash: String,
}

impl Default for Cursor {
    fn default() -> Self {
        Self { seq: Seq(0), hash: FIRST_PREV.to_owned() }
    }
}

/// One line with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The event's number.
    pub seq: Seq,
    /// The SHA-256 of the line.
    pub hash: String,
    /// The line, without its newline.
    pub line: String,
    /// The segment's file name.
    pub segment: Arc<str>,
    /// The line's place in the segment, from 1.
    pub number: u64,
}

impl Entry {
    /// This line as damage.
    #[must_use]
    pub fn damaged(&self, why: String) -> Damage {
        let (segment, line) = (self.segment.to_string(), self.number);
        Damage { segment, line, first_seq: self.seq, last_seq: self.seq, why }
    }
}

/// What the reader gives, in the order of the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// A line whose place in the chain holds.
    Record(Entry),
    /// A part that cannot be read.
    Damage(Damage),
}
