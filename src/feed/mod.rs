//! The feed: what is on record, for everybody who follows it.
//!
//! A consumer (the ticket database, traces and captures, reports; later notices and the event stream) holds a
//! [`Cursor`] and asks for what comes after it. The last records come from memory, earlier ones from the journal's files, both as
//! the same items. The journal's thread never waits for a consumer: one that is behind reads files.
//! *Must not know* what a consumer does with a record. A line that the journal proves and that does not read as an event
//! is damage like any other.

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

/// A record with the hash of its line.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// The record.
    pub record: Arc<Record>,
    /// The SHA-256 of its line.
    pub hash: String,
    /// The bytes of its line.
    pub bytes: usize,
}

/// The feed; clones are the same one.
#[derive(Debug, Clone)]
pub struct Feed {
    disk: Arc<dyn Disk>,
    folder: PathBuf,
    recent: Arc<Mutex<Recent>>,
    end: watch::Sender<Cursor>,
}

#[derive(Debug)]
struct Recent {
    /// The place before the first record that is kept.
    before: Cursor,
    records: VecDeque<Arc<Committed>>,
    /// The bytes of all their lines.
    bytes: usize,
}

impl Default for Feed {
    /// The feed of an empty journal.
    fn default() -> Self {
        Self::new(Arc::new(RealDisk), Path::new(""), Cursor::default())
    }
}

/// What came after a cursor.
#[derive(Debug, Clone, PartialEq)]
pub struct Followed {
    /// The items, in order.
    pub items: Vec<FeedItem>,
    /// The cursor after them.
    pub cursor: Cursor,
}

impl Feed {
    /// The feed of a journal that ends here.
    #[must_use]
    pub fn new(disk: Arc<dyn Disk>, folder: &Path, end: Cursor) -> Self {
        let recent = Recent { before: end.clone(), records: VecDeque::new(), bytes: 0 };
        let (sender, _) = watch::channel(end);
        Self { disk, folder: folder.to_owned(), recent: Arc::new(Mutex::new(recent)), end: sender }
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what has become durable; never waits for anybody but another such call.
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

    /// The last place on record, and every change of it.
    #[must_use]
    pub fn end(&self) -> watch::Receiver<Cursor> {
        self.end.subscribe()
    }

    /// The last event on record.
    #[must_use]
    pub fn end_seq(&self) -> Seq {
        self.end.borrow().seq
    }

    /// What comes after a cursor, so many items at most; none when it is at the end. Reads files when the cursor is far behind,
    /// so it is called where waiting for a disk is allowed.
    ///
    /// # Errors
    /// When the journal's folder cannot be listed.
    pub fn after(&self, cursor: &Cursor, most: usize) -> io::Result<Followed> {
        let end = self.end.borrow().clone();
        if cursor.seq >= end.seq {
            return Ok(Followed { items: Vec::new(), cursor: cursor.clone() });
        }
        if let Some(followed) = self.from_memory(cursor, most) {
            return Ok(followed);
        }
        let mut reader = self.reader(cursor)?;
        let items = reader.batch(most);
        let cursor = reader.cursor();
        Ok(Followed { items, cursor })
    }

    fn from_memory(&self, cursor: &Cursor, most: usize) -> Option<Followed> {
        let recent = self.recent();
        let skip = cursor.seq.0.checked_sub(recent.before.seq.0)?;
        let records = recent.records.iter().skip(usize::try_from(skip).ok()?).take(most);
        let found: Vec<Arc<Committed>> = records.cloned().collect();
        // Numbers leave a gap where the journal was damaged: then the files tell.
        let is_next = found.first().is_some_and(|c| c.record.seq == cursor.seq.next());
        if !is_next {
            return None;
        }
        let cursor = found.last().map(|c| Cursor { seq: c.record.seq, hash: c.hash.clone() })?;
        Some(Followed { items: found.into_iter().map(FeedItem::Record).collect(), cursor })
    }

    /// Checks the journal's chain up to what is on record now. Reads every file.
    ///
    /// # Errors
    /// When the journal's folder cannot be listed.
    pub fn verify(&self) -> io::Result<Verified> {
        let known = self.end.borrow().clone();
        journal::verify(self.disk.clone(), &self.folder, Some(known), true)
    }

    /// Reads the files from a cursor on, up to what is on record now.
    ///
    /// # Errors
    /// When the journal's folder cannot be listed.
    pub fn reader(&self, after: &Cursor) -> io::Result<RecordReader> {
        let end = self.end.borrow().clone();
        RecordReader::growing(self.disk.clone(), &self.folder, after, end)
    }
}
