//! Damage of the journal: lines or files that cannot be read as they were written.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Seq;

/// A part of the journal that cannot be read as it was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Damage {
    /// The file name of the segment.
    pub segment: String,
    /// The number of the line in the segment, from 1; 0 means the whole file.
    pub line: u64,
    /// The first event that cannot be read.
    pub first_seq: Seq,
    /// The last event that cannot be read; smaller than `first_seq` if no event is lost.
    pub last_seq: Seq,
    /// The problem, as a sentence.
    pub why: String,
}

impl Damage {
    /// The number of events that cannot be read.
    #[must_use]
    pub fn events_lost(&self) -> u64 {
        (self.last_seq.0 + 1).saturating_sub(self.first_seq.0)
    }

    /// True if both describe the same damage. If events are lost, the two are compared by these events, because the
    /// same gap can be found from the segment before it and from the one after it. Else they are compared by file
    /// name and line.
    #[must_use]
    pub fn is_same(&self, other: &Damage) -> bool {
        if self.events_lost() > 0 {
            (self.first_seq, self.last_seq) == (other.first_seq, other.last_seq)
        } else {
            other.events_lost() == 0 && (&self.segment, self.line) == (&other.segment, other.line)
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.segment)?;
        if self.line > 0 {
            write!(f, " line {}", self.line)?;
        }
        match self.events_lost() {
            0 => {}
            1 => write!(f, ", event {}", self.first_seq)?,
            _ => write!(f, ", events {} to {}", self.first_seq, self.last_seq)?,
        }
        write!(f, ": {}", self.why)
    }
}
