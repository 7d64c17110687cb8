//! Opening a data directory: the journal first, then the store, caught up from it or rebuilt.

use std::io;
use std::path::{Path, PathBuf};

use crate::desk::Record;
use crate::journal::{Journal, JournalError, JournalReader};
use crate::limits;
use crate::store::{self, Store};
use crate::words::Seq;

/// Why a data directory does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpeningError {
    /// The journal does.
    #[error("the journal does not open: {0}")]
    Journal(#[from] JournalError),
    /// The store cannot be made anew.
    #[error("the store {} cannot be made: {why}", .path.display())]
    Store {
        /// Where.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The store cannot take the journal in.
    #[error("the store cannot catch up with the journal: {0}")]
    CatchUp(String),
    /// The operating system refuses.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
}

/// How far the store has come: events taken in, and events there are.
pub type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// A data directory, open.
pub(super) struct Opened {
    pub journal: Journal,
    pub store: Store,
    /// What should be known of it, as sentences.
    pub said: Vec<String>,
    /// Whether the journal ends elsewhere than it had been acknowledged.
    pub damage: Option<String>,
}

pub(super) fn journal_folder(data: &Path) -> PathBuf {
    data.join("journal")
}

pub(super) fn store_folder(data: &Path) -> PathBuf {
    data.join("store")
}

/// Opens journal and store. The store is moved aside and rebuilt when it does not open, fails its check, or does
/// not fit the journal.
pub(super) fn open(data: &Path, progress: Progress<'_>) -> Result<Opened, OpeningError> {
    let folder = journal_folder(data);
    let (journal, opened) = Journal::open(&folder)?;
    let mut said = opened.said;
    let mut damage = None;
    let path = store_folder(data);
    let store = match store::open(&path) {
        Ok(store) => match misfit(&folder, &journal, &store)? {
            None => Some(store),
            Some(message) => {
                damage = Some(message.clone());
                said.push(message);
                None
            }
        },
        Err(e) => {
            said.push(e.to_string());
            None
        }
    };
    let mut store = match store {
        Some(store) => store,
        None => {
            let aside = move_aside(&path)?;
            said.push(format!("the store was moved to {} and is rebuilt from the journal", aside.display()));
            store::open(&path).map_err(|e| OpeningError::Store { path: path.clone(), why: e.to_string() })?
        }
    };
    catch_up(&folder, &mut store, journal.seq, progress)?;
    Ok(Opened { journal, store, said, damage })
}

/// Why the store does not belong to this journal, if it does not: its last event is beyond the journal's end, or
/// another line stands in its place.
fn misfit(folder: &Path, journal: &Journal, store: &Store) -> Result<Option<String>, OpeningError> {
    let (seq, hash) = store.cursor();
    if seq > journal.seq {
        return Ok(Some(format!(
            "the journal ends at event {}, but event {seq} had been acknowledged: its end was cut off",
            journal.seq
        )));
    }
    if seq == Seq(0) {
        return Ok(None);
    }
    let fail = |source| OpeningError::Io { path: folder.to_owned(), source };
    let mut reader = JournalReader::from(folder, seq).map_err(fail)?;
    let first = reader.next_segment().map_err(fail)?.and_then(|entries| entries.into_iter().next());
    Ok(match first {
        Some(entry) if entry.seq == seq && entry.hash == hash => None,
        _ => Some(format!(
            "event {seq} of the journal is not the one that had been acknowledged: it was changed"
        )),
    })
}

fn move_aside(path: &Path) -> Result<PathBuf, OpeningError> {
    let aside = path.with_file_name("store.damaged");
    let fail = |source| OpeningError::Io { path: aside.clone(), source };
    if aside.exists() {
        // One is kept to look into; more would fill the disk.
        std::fs::remove_dir_all(&aside).map_err(fail)?;
    }
    if path.exists() {
        std::fs::rename(path, &aside).map_err(fail)?;
    }
    Ok(aside)
}

/// Takes into the store what the journal has beyond it.
pub(super) fn catch_up(
    folder: &Path,
    store: &mut Store,
    end: Seq,
    progress: Progress<'_>,
) -> Result<(), OpeningError> {
    let (from, _) = store.cursor();
    if from >= end {
        return Ok(());
    }
    let failed = |e: &dyn std::fmt::Display| OpeningError::CatchUp(e.to_string());
    let mut reader = JournalReader::from(folder, from.next()).map_err(|e| failed(&e))?;
    let mut batch = Vec::new();
    while let Some(entries) = reader.next_segment().map_err(|e| failed(&e))? {
        for entry in entries {
            let record =
                Record::from_line(&entry.line).map_err(|e| failed(&format!("event {}: {e}", entry.seq)))?;
            batch.push((record, entry.hash));
            if batch.len() >= limits::STORE_BATCH_MAX {
                take_in(store, &mut batch)?;
                progress(store.cursor().0.0, end.0);
            }
        }
    }
    take_in(store, &mut batch)?;
    progress(end.0, end.0);
    store.flush().map_err(|e| failed(&e))
}

fn take_in(store: &mut Store, batch: &mut Vec<(Record, String)>) -> Result<(), OpeningError> {
    if !batch.is_empty() {
        store.apply(batch).map_err(|e| OpeningError::CatchUp(e.to_string()))?;
        batch.clear();
    }
    Ok(())
}
