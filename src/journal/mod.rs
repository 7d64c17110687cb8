//! The journal: an append-only, hash-chained file of every event.
//!
//! One JSON line for an event in `journal/NNNNNNNN.ndjson`; `prev` is the SHA-256 of the line before it (bytes
//! without the newline, 64 zeros for the first). *Must not know* what an event means.
//! Order is the sequence number's, never the clock's. Opening only reads. Nothing is ever cut but an unfinished last line
//! that was never acknowledged, and that is put aside first. Files whose names are not exactly a segment's are
//! never touched. A part that cannot be read is [`crate::words::Damage`] with its segment, line and events; reading goes on after it
//! (tests: `every_flipped_byte_is_found_and_costs_its_own_line_only`, `files_that_are_not_segments_are_left_alone`).

mod chain;
mod item;
mod segment;
#[cfg(test)]
mod tests;
mod verify;
mod write;

pub use chain::Chain;
pub use item::{Cursor, Entry, Item};
pub use verify::{Verified, verify};
pub use write::{Journal, JournalError, Line, Opened};

/// The `prev` of the first line.
pub const FIRST_PREV: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// SHA-256 of a line, in hexadecimal.
#[must_use]
pub fn hash(line: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0'));
    Sha256::digest(line).iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}
