//! Tables in sled. sled may hang on a damaged file, so a separate thread opens it, and andon stops waiting after a time
//! limit.
//!
//! sled keeps sixteen rows on a page. It writes a page that is longer than a quarter of its segment into a separate file.
//! On a full disk, such a file makes `flush` and `drop` hang for ever (seen with 0.34.7; not with pages inside the log).
//! So a long value is stored in pieces, and every page stays below this size.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use super::{Changes, EachRow, Rows, TableError, Tables, sealed, unsealed};
use crate::limits;

/// The reason why sled cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// sled reports an error.
    #[error("the ticket database cannot be opened: {0}")]
    Failed(String),
    /// sled did not open in time. Its thread hangs until the process ends.
    #[error("the ticket database did not open within {0:?}: sled hangs on a damaged file")]
    Hung(Duration),
}

#[derive(Debug, Clone)]
struct Sled(sled::Db);

fn failed(e: sled::Error) -> TableError {
    match e {
        sled::Error::Corruption { .. } => TableError::Damaged(e.to_string()),
        sled::Error::CollectionNotFound(_)
        | sled::Error::Unsupported(_)
        | sled::Error::ReportableBug(_)
        | sled::Error::Io(_) => TableError::Failed(e.to_string()),
    }
}

/// The length of a piece of a long value, in bytes.
const PIECE_BYTES: usize = 8 * 1024;
/// The size of sled's segments, in bytes.
const SEGMENT_BYTES: usize = 1024 * 1024;
const _: () = assert!(16 * (PIECE_BYTES + 256) < SEGMENT_BYTES / 4);

/// The first byte of the keys of pieces.
const PIECES: u8 = 0xFE;

fn piece_key(key: &[u8], piece: u32) -> Vec<u8> {
    let mut out = vec![PIECES];
    out.extend_from_slice(key);
    out.extend_from_slice(&piece.to_be_bytes());
    out
}

impl Sled {
    /// Returns the value of a row: joins its pieces and checks the checksum. The last byte of `stored` is 0 for a whole
    /// value and 1 for a number of pieces.
    fn whole(&self, key: &[u8], stored: &[u8]) -> Result<Vec<u8>, TableError> {
        let missing = || TableError::Damaged("a piece of a long row is missing".to_owned());
        let (form, rest) = stored.split_last().ok_or_else(missing)?;
        if *form == 0 {
            return unsealed(key, rest).map(<[u8]>::to_vec);
        }
        let count = rest.try_into().map(u32::from_be_bytes).map_err(|_| missing())?;
        let mut all = Vec::new();
        for piece in 0..count {
            let found = self.0.get(piece_key(key, piece)).map_err(failed)?;
            all.extend_from_slice(&found.ok_or_else(missing)?);
        }
        unsealed(key, &all).map(<[u8]>::to_vec)
    }

    /// Returns the number of pieces of the present value of a key; 0 if the value is not in pieces.
    fn pieces(&self, key: &[u8]) -> Result<u32, TableError> {
        let stored = self.0.get(key).map_err(failed)?;
        let count = stored.as_deref().and_then(<[u8]>::split_last).filter(|(form, _)| **form == 1);
        Ok(count.and_then(|(_, rest)| rest.try_into().ok()).map_or(0, u32::from_be_bytes))
    }
}

impl Rows for Sled {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TableError> {
        let stored = self.0.get(key).map_err(failed)?;
        stored.map(|stored| self.whole(key, &stored)).transpose()
    }

    fn scan(&self, from: &[u8], to: &[u8], backwards: bool, each: EachRow<'_>) -> Result<(), TableError> {
        if from >= to {
            return Ok(());
        }
        let mut rows = self.0.range(from..to);
        while let Some(row) = if backwards { rows.next_back() } else { rows.next() } {
            let (key, stored) = row.map_err(failed)?;
            if key.first() == Some(&PIECES) {
                continue;
            }
            if each(&key, &self.whole(&key, &stored)?)? == ControlFlow::Break(()) {
                break;
            }
        }
        Ok(())
    }
}

impl Tables for Sled {
    fn rows(&self) -> Arc<dyn Rows> {
        Arc::new(self.clone())
    }

    fn commit(&mut self, changes: Changes) -> Result<(), TableError> {
        let mut batch = sled::Batch::default();
        for (key, value) in changes {
            let had = if is_long_kind(&key) { self.pieces(&key)? } else { 0 };
            let mut has = 0;
            match value {
                Some(value) => {
                    let mut stored = sealed(&key, &value);
                    if stored.len() > PIECE_BYTES && is_long_kind(&key) {
                        for (piece, bytes) in (0..).zip(stored.chunks(PIECE_BYTES)) {
                            batch.insert(piece_key(&key, piece), bytes);
                            has = piece + 1;
                        }
                        stored = has.to_be_bytes().to_vec();
                        stored.push(1);
                    } else {
                        stored.push(0);
                    }
                    batch.insert(key.as_slice(), stored);
                }
                None => batch.remove(key.as_slice()),
            }
            for piece in has..had {
                batch.remove(piece_key(&key, piece));
            }
        }
        self.0.apply_batch(batch).map_err(failed)
    }

    fn flush(&mut self) -> Result<(), TableError> {
        self.0.flush().map(|_| ()).map_err(failed)
    }
}

/// Returns true if a row of this kind can be long. For the other kinds, a commit does not look for old pieces.
fn is_long_kind(key: &[u8]) -> bool {
    !matches!(key.first(), Some(b'e' | b'f' | b's' | b'w' | b'v' | b'l' | b'm'))
}

/// Opens the tables in a folder. An empty folder gives empty tables.
///
/// # Errors
/// If sled fails or panics, or if opening takes longer than the time limit for this size.
pub fn open(path: &Path) -> Result<Box<dyn Tables>, OpenError> {
    let limit = limits::STORE_OPEN_MAX
        + Duration::from_secs(folder_bytes(path) / limits::STORE_OPEN_BYTES_PER_SECOND);
    let (tx, rx) = mpsc::channel();
    let path: PathBuf = path.to_owned();
    let thread = std::thread::Builder::new().name("store-open".to_owned()).spawn(move || {
        // If the time limit is over, no thread waits for the result any more, and the result is dropped.
        let _sent = tx.send(open_here(&path));
    });
    if let Err(e) = thread {
        return Err(OpenError::Failed(e.to_string()));
    }
    match rx.recv_timeout(limit) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(OpenError::Hung(limit)),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(OpenError::Failed("sled panicked on a damaged file".to_owned()))
        }
    }
}

fn folder_bytes(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    let files = entries.flatten().filter_map(|e| e.metadata().ok());
    files.filter(std::fs::Metadata::is_file).map(|m| m.len()).sum()
}

fn open_here(path: &Path) -> Result<Box<dyn Tables>, OpenError> {
    let db = sled::Config::new()
        .path(path)
        .cache_capacity(limits::STORE_CACHE_BYTES)
        .segment_size(SEGMENT_BYTES)
        // The store's thread decides when to flush, and flushes only while the disk has free space.
        .flush_every_ms(None)
        .open()
        .map_err(|e| OpenError::Failed(e.to_string()))?;
    Ok(Box::new(Sled(db)))
}
