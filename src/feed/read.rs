//! Reads records from the journal's files.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::Committed;
use crate::desk::Record;
use crate::disk::Disk;
use crate::journal::{Chain, Cursor, Entry, Item};
use crate::limits;
use crate::words::Damage;

/// One item that a follower receives.
#[derive(Debug, Clone, PartialEq)]
pub enum FeedItem {
    /// A recorded event.
    Record(Arc<Committed>),
    /// A part of the journal that cannot be read.
    Damage(Damage),
}

/// Reads records after a cursor. The memory used does not depend on the length of the journal.
pub struct RecordReader {
    chain: Chain,
    cursor: Cursor,
    is_over: bool,
}

impl RecordReader {
    /// Prepares to read everything after a cursor. `known` is the last line that andon acknowledged, if the caller knows
    /// it.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn new(
        disk: Arc<dyn Disk>,
        folder: &Path,
        after: &Cursor,
        known: Option<Cursor>,
    ) -> io::Result<Self> {
        Ok(Self::of(Chain::read(disk, folder, after, known)?, after))
    }

    /// The items of a chain after a cursor. The chain may begin earlier: records up to the cursor are checked and passed over.
    #[must_use]
    pub fn of(chain: Chain, after: &Cursor) -> Self {
        Self { chain, cursor: after.clone(), is_over: false }
    }

    /// How much of the files was read, from 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.chain.share()
    }

    /// The chain, as far as it was read.
    #[must_use]
    pub fn into_chain(self) -> Chain {
        self.chain
    }

    /// Prepares to read everything after a cursor up to `end`. Lines that are written later are not read.
    pub(super) fn growing(
        disk: Arc<dyn Disk>,
        folder: &Path,
        after: &Cursor,
        end: Cursor,
    ) -> io::Result<Self> {
        Ok(Self::of(Chain::read(disk, folder, after, Some(end))?.up_to_known(), after))
    }

    /// Returns the next items: at most `most` items, and about [`limits::FEED_BATCH_BYTES`] bytes. The result is empty only
    /// at the end.
    ///
    /// Damage that loses no event does not move the cursor. So such damage always comes together with the next event.
    pub fn batch(&mut self, most: usize) -> Vec<FeedItem> {
        let begin = self.cursor.seq;
        let (mut items, mut bytes) = (Vec::new(), 0);
        while (items.len() < most && bytes < limits::FEED_BATCH_BYTES) || self.cursor.seq == begin {
            let Some(item) = self.next() else { break };
            if let FeedItem::Record(committed) = &item {
                bytes += committed.bytes;
            }
            items.push(item);
        }
        items
    }

    /// Returns the position of the last item that was returned.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        if self.is_over { self.chain.cursor().clone() } else { self.cursor.clone() }
    }
}

impl Iterator for RecordReader {
    type Item = FeedItem;

    fn next(&mut self) -> Option<FeedItem> {
        loop {
            let Some(item) = self.chain.next() else {
                self.is_over = true;
                return None;
            };
            match item {
                Item::Damage(damage) => {
                    if damage.last_seq > self.cursor.seq {
                        self.cursor = Cursor { seq: damage.last_seq, hash: String::new() };
                    }
                    return Some(FeedItem::Damage(damage));
                }
                Item::Record(entry) if entry.seq <= self.cursor.seq => {}
                Item::Record(entry) => {
                    self.cursor = Cursor { seq: entry.seq, hash: entry.hash.clone() };
                    return Some(item_of(entry));
                }
            }
        }
    }
}

fn item_of(entry: Entry) -> FeedItem {
    match Record::from_line(&entry.line) {
        Ok(record) => {
            let (record, bytes) = (Arc::new(record), entry.line.len());
            FeedItem::Record(Arc::new(Committed { record, hash: entry.hash, bytes }))
        }
        // The line fits the hash chain but is not an event of andon: another program wrote the line.
        Err(e) => FeedItem::Damage(entry.damaged(e.to_string())),
    }
}
