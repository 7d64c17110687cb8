//! The truth: an append-only, hash-chained file of every event.
//!
//! One JSON line an event in `journal/NNNNNNNN.ndjson`; `prev` is the SHA-256 of the line before it (bytes
//! without the newline, 64 zeros for the first). *Must not know* what an event means.
//! Order is the sequence number's, never the clock's. A torn last line is cut off, kept beside, and said; any
//! other break is named by segment, line and sequence number (tests: `a_torn_tail_is_cut_and_said`,
//! `every_flipped_byte_is_found`).

mod read;
mod verify;
mod write;

pub use read::{Entry, JournalReader};
pub use verify::{Break, Verified, verify};
pub use write::{Journal, JournalError, Line, Opened};

/// The `prev` of the first line.
pub const FIRST_PREV: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// SHA-256 of a line, in hexadecimal.
#[must_use]
pub fn hash(line: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    use std::fmt::Write;
    Sha256::digest(line).iter().fold(String::with_capacity(64), |mut out, b| {
        let _written = write!(out, "{b:02x}");
        out
    })
}
