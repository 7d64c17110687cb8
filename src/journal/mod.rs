//! The journal: the append-only, hash-chained record of every event.
//!
//! Each event is one JSON line in a segment file `journal/NNNNNNNN.ndjson`. The field `prev` is the SHA-256 of the
//! previous line without its newline; the first line has 64 zeros. The journal does not know the meaning of an event.
//!
//! * The sequence number gives the order of the events. The clock does not.
//! * Opening the journal only reads. The first append removes an unfinished last line, and keeps a copy of the line in
//!   another file. No other bytes are ever removed.
//! * The journal never opens a file whose name is not exactly the name of a segment
//!   (test: `files_that_are_not_segments_are_left_alone`).
//! * A part that cannot be read becomes [`crate::words::Damage`], with its segment, line and event numbers. Reading
//!   continues after this part (test: `every_flipped_byte_is_found_and_costs_its_own_line_only`).
//!
//! ```
//! use std::sync::Arc;
//! use andon::disk::RealDisk;
//! use andon::journal::{Cursor, Journal, Line, verify};
//! use andon::words::Seq;
//!
//! struct Note(u64);
//! impl Line for Note {
//!     fn seq(&self) -> Seq {
//!         Seq(self.0)
//!     }
//!     fn line(&self, prev: &str) -> String {
//!         format!("{{\"seq\":{},\"prev\":\"{prev}\"}}", self.0)
//!     }
//! }
//!
//! let (disk, folder) = (Arc::new(RealDisk), tempfile::tempdir().unwrap());
//! let (mut journal, _) = Journal::open(disk.clone(), folder.path(), &Cursor::default(), None).unwrap();
//! journal.append(&[Note(1), Note(2)]).unwrap();
//! let found = verify(disk, folder.path(), None, false).unwrap();
//! assert_eq!((found.events, found.damage.len()), (2, 0));
//! assert_eq!(&found.end, journal.end());
//! ```
//!
//! The daemon's journal thread calls [`Journal::append`] with the lines that the desk has proven. After the fsync, the
//! thread gives the records to the [`crate::feed`], which reads older records with [`Chain`].

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

/// The value of `prev` in the first line of a journal.
pub const FIRST_PREV: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Returns the SHA-256 of a line in hexadecimal; `line` has no newline.
#[must_use]
pub fn hash(line: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0'));
    Sha256::digest(line).iter().flat_map(|b| [digit(b >> 4), digit(b & 15)]).collect()
}
