//! The feed: gives recorded events to every follower (the ticket database, traces and captures, reports).
//!
//! A follower keeps a [`Cursor`] and asks for the events after this cursor. The feed takes recent events from memory and
//! older events from the journal's files, and returns both in the same form. The journal's thread never waits for a
//! follower: a follower that is behind reads files. The feed does not know what a follower does with an event.
//!
//! A line that fits the hash chain but cannot be read as an event is returned as damage.
//!
//! ```
//! use std::sync::Arc;
//! use andon::desk::{Event, Record};
//! use andon::feed::{Committed, Feed};
//! use andon::gateway::GatewayEvent;
//! use andon::journal::Cursor;
//! use andon::words::{Author, Seq, Wall};
//!
//! let feed = Feed::default();
//! let event = Event::Gateway(GatewayEvent::ClockStepped { by_ms: 1500 });
//! let record = Record { seq: Seq(1), at: Wall::from_millis(0), by: Author::Gateway, event };
//! feed.push(vec![Committed { record: Arc::new(record), hash: "5f0c".to_owned(), bytes: 120 }]);
//! let followed = feed.after(&Cursor::default(), 100).unwrap();
//! assert_eq!((followed.items.len(), followed.cursor.seq), (1, Seq(1)));
//! ```
//!
//! The [`crate::store`] follows the feed in its own thread and keeps its cursor in the ticket database.

mod read;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

pub use read::{FeedItem, RecordReader};

use crate::desk::Record;
use crate::disk::{Disk, RealDisk};
use crate::journal::{self, Cursor, Verified};
use crate::limits;
use crate::words::Seq;

/// A durable record and its line in the journal.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// The record.
    pub record: Arc<Record>,
    /// The SHA-256 of the line, in hexadecimal.
    pub hash: String,
    /// The length of the line in bytes, without the newline.
    pub bytes: usize,
}

/// The feed of one journal. All clones share the same records.
#[derive(Debug, Clone)]
pub struct Feed {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    recent: Arc<Mutex<Recent>>,
    end: watch::Sender<Cursor>,
}

#[derive(Debug)]
struct Recent {
    /// The position before the first record in memory.
    before: Cursor,
    records: VecDeque<Arc<Committed>>,
    /// The length of all lines in memory, in bytes.
    bytes: usize,
}

impl Default for Feed {
    /// Returns the feed of an empty journal.
    fn default() -> Self {
        Self::new(Arc::new(RealDisk), Path::new(""), Cursor::default())
    }
}

/// The items after a cursor.
#[derive(Debug, Clone, PartialEq)]
pub struct Followed {
    /// The items, in the order of the events.
    pub items: Vec<FeedItem>,
    /// The cursor after these items, for the next call.
    pub cursor: Cursor,
}

impl Feed {
    /// Returns the feed of a journal that ends at `end`.
    #[must_use]
    pub fn new(disk: Arc<dyn Disk>, folder: &Path, end: Cursor) -> Self {
        let recent = Recent { before: end.clone(), records: VecDeque::new(), bytes: 0 };
        let (sender, _) = watch::channel(end);
        Self { disk, folder: folder.to_owned(), recent: Arc::new(Mutex::new(recent)), end: sender }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds records that have become durable. The call never waits for a follower.
    pub fn push(&self, committed: Vec<Committed>) {
        let Some(last) = committed.last() else { return };
        let end = Cursor { seq: last.record.seq, hash: last.hash.clone() };
        {
            let mut recent = self.recent();
            recent.bytes += committed.iter().map(|c| c.bytes).sum::<usize>();
            recent.records.extend(committed.into_iter().map(Arc::new));
            while (recent.records.len() > limits::FEED_RECENT || recent.bytes > limits::FEED_RECENT_BYTES)
                && let Some(first) = recent.records.pop_front()
            {
                recent.bytes -= first.bytes;
                recent.before = Cursor { seq: first.record.seq, hash: first.hash.clone() };
            }
        }
        self.end.send_replace(end);
    }

    /// Returns the position of the last recorded event, as a channel that also reports every change.
    #[must_use]
    pub fn end(&self) -> watch::Receiver<Cursor> {
        self.end.subscribe()
    }

    /// Returns the number of the last recorded event.
    #[must_use]
    pub fn end_seq(&self) -> Seq {
        self.end.borrow().seq
    }

    /// Returns at most `most` items after a cursor; no items if the cursor is at the end.
    ///
    /// If the cursor is far behind, this function reads files. Call it only where waiting for a disk is allowed.
    ///
    /// # Errors
    /// If the journal's folder cannot be listed.
    pub fn after(&self, cursor: &Cursor, most: usize) -> io::Result<Followed> {
        let end = self.end.borrow().clone();
        if cursor.seq >= end.seq {
            return Ok(Followed { items: Vec::new(), cursor: cursor.clone() });
        }
        if let Some(followed) = self.recent_after(cursor, most) {
            return Ok(followed);
        }
        let mut reader = self.reader(cursor)?;
        let items = reader.batch(most);
        let cursor = reader.cursor();
        Ok(Followed { items, cursor })
    }

    fn recent_after(&self, cursor: &Cursor, most: usize) -> Option<Followed> {
        let recent = self.recent();
        let skip = cursor.seq.0.checked_sub(recent.before.seq.0)?;
        let records = recent.records.iter().skip(usize::try_from(skip).ok()?).take(most);
        let found: Vec<Arc<Committed>> = records.cloned().collect();
        // If the journal was damaged, event numbers are missing. Then only the files contain the reason.
        let is_next = found.first().is_some_and(|c| c.record.seq == cursor.seq.next());
        if !is_next {
            return None;
        }
        let cursor = found.last().map(|c| Cursor { seq: c.record.seq, hash: c.hash.clone() })?;
        Some(Followed { items: found.into_iter().map(FeedItem::Record).collect(), cursor })
    }

    /// Checks the hash chain of the journal up to the last recorded event. Reads every file.
    ///
    /// # Errors
    /// If the journal's folder cannot be listed.
    pub fn verify(&self) -> io::Result<Verified> {
        let known = self.end.borrow().clone();
        journal::verify(self.disk.clone(), &self.folder, Some(known), true)
    }

    /// Reads the files after a cursor, up to the last recorded event.
    ///
    /// # Errors
    /// If the journal's folder cannot be listed.
    pub fn reader(&self, after: &Cursor) -> io::Result<RecordReader> {
        let end = self.end.borrow().clone();
        RecordReader::growing(self.disk.clone(), &self.folder, after, end)
    }
}
