//! Opens a data directory: the journal, and a store that contains exactly the events of the journal.
//!
//! Only one problem prevents a start: the folder of the journal cannot be listed. Damage of the journal is reported. A
//! store that cannot be used is set aside and rebuilt from the journal. If the disk cannot be written, the store is in memory.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::store_thread::{Home, Opener, forget};
use crate::disk::{self, Disk};
use crate::feed::{FeedItem, RecordReader};
use crate::journal::{Chain, Cursor, Journal, JournalError};
use crate::limits;
use crate::store::Store;
use crate::store::tables::Memory;
use crate::words::Damage;

/// The reason why a data directory cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpeningError {
    /// The journal cannot be opened.
    #[error("the journal cannot be opened: {0}")]
    Journal(#[from] JournalError),
    /// The store cannot be built from the journal, not even in memory.
    #[error("the ticket database cannot be built from the journal: {0}")]
    Store(String),
    /// The operating system reports an error.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
}

/// A callback for the progress of reading the journal. The argument is the share read, from 0 to 1.
pub type Progress<'a> = &'a mut dyn FnMut(f64);

/// An open data directory.
pub(super) struct Opened {
    pub journal: Journal,
    pub store: Store,
    pub home: Home,
    /// The reason why the store is not on disk; empty if it is.
    pub why_not: String,
    /// Sentences for the log.
    pub said: Vec<String>,
    /// The parts of the journal that cannot be read.
    pub damage: Vec<Damage>,
    /// True if only the end of the journal was checked because the journal is long.
    pub is_partly_checked: bool,
}

pub(super) fn journal_folder(data: &Path) -> PathBuf {
    data.join("journal")
}

pub(super) fn store_folder(data: &Path) -> PathBuf {
    data.join("store")
}

/// Returns the folder to which a damaged store is moved.
pub(super) fn aside_of(store: &Path) -> PathBuf {
    disk::beside(store, ".damaged")
}

/// Opens journal and store. With `is_read_only` nothing is written, and the store is in memory.
///
/// The journal is read once: while its hash chain is checked, the store applies the records that it does not have yet.
pub(super) fn open(
    disk: Arc<dyn Disk>,
    folder: &Path,
    opener: &mut dyn Opener,
    is_read_only: bool,
    progress: Progress<'_>,
) -> Result<Opened, OpeningError> {
    let mut said = Vec::new();
    let mut why_not = String::new();
    let on_disk = if is_read_only {
        "the data directory is only read".clone_into(&mut why_not);
        None
    } else if opener.room() < limits::STORE_ROOM_MIN {
        "the disk is nearly full".clone_into(&mut why_not);
        None
    } else {
        open_store(opener, &mut said, &mut why_not)
    };
    let mut home = if on_disk.is_some() { Home::Disk } else { Home::Memory };
    let mut store = on_disk.map_or_else(in_memory, Ok)?;
    // The store contains only durable events, so its cursor must be in the chain.
    let known = Some(store.cursor().clone()).filter(|c| c.seq.0 > 0);
    let is_partly_checked =
        known.is_some() && bytes_of(disk.as_ref(), folder) > limits::CHECKED_AT_START_BYTES;
    let from = known.clone().filter(|_| is_partly_checked).unwrap_or_default();
    let unlisted = |source| JournalError::Io { path: folder.to_owned(), source };
    let chain = Chain::read(disk.clone(), folder, &from, known.clone()).map_err(unlisted)?;
    let (chain, damage, taken) = take_in(chain, &mut store, progress)?;
    let (journal, told) = Journal::after(disk.clone(), folder, chain);
    said.extend(told);
    said.extend(damage.iter().map(|d| format!("the journal is damaged: {d}")));
    let is_misfit = known
        .as_ref()
        .is_some_and(|known| damage.iter().any(|d| d.first_seq <= known.seq && known.seq <= d.last_seq));
    if is_misfit || taken.is_err() {
        forget(store);
        let mut again = None;
        if let Some(known) = known.filter(|_| is_misfit) {
            said.push(format!(
                "event {}, the last event of the ticket database, is damaged in the journal",
                known.seq
            ));
            again = open_empty(opener, &mut said, &mut why_not);
        }
        if let Err(why) = taken {
            why_not = why;
        }
        let mut catch_up = |store: &mut Store| catch_up(&disk, folder, store, journal.end(), progress);
        (store, home) = match again.map(|mut store| (catch_up(&mut store), store)) {
            Some((Ok(()), store)) => (store, Home::Disk),
            failed => {
                if let Some((why, store)) = failed {
                    why_not = why.err().unwrap_or_default();
                    forget(store);
                }
                let mut store = in_memory()?;
                catch_up(&mut store).map_err(OpeningError::Store)?;
                (store, Home::Memory)
            }
        };
    }
    Ok(Opened { journal, store, home, why_not, said, damage, is_partly_checked })
}

fn in_memory() -> Result<Store, OpeningError> {
    Store::open(Box::new(Memory::default())).map_err(|e| OpeningError::Store(e.to_string()))
}

/// Opens the store on disk. If it cannot be opened, an empty store takes its place.
fn open_store(opener: &mut dyn Opener, said: &mut Vec<String>, why_not: &mut String) -> Option<Store> {
    match opener.open() {
        Ok(store) => Some(store),
        Err(why) => {
            said.push(why);
            open_empty(opener, said, why_not)
        }
    }
}

/// Sets the present store aside, and opens an empty store on disk.
fn open_empty(opener: &mut dyn Opener, said: &mut Vec<String>, why_not: &mut String) -> Option<Store> {
    match opener.set_aside() {
        Ok(None) => {}
        Ok(Some(aside)) => {
            said.push(format!("the ticket database was moved to {aside}; it is rebuilt from the journal"));
        }
        Err(e) => said.push(format!("the ticket database cannot be set aside: {e}")),
    }
    opener.open().map_err(|why| *why_not = why).ok()
}

fn bytes_of(disk: &dyn Disk, folder: &Path) -> u64 {
    let entries = disk.entries(folder).unwrap_or_default();
    entries.iter().map(|(_, kind)| if let disk::Kind::File(bytes) = kind { *bytes } else { 0 }).sum()
}

/// Moves a store aside. It replaces the store that was moved before: one is kept for inspection, more would fill the disk.
pub(super) fn set_aside(path: &Path) -> io::Result<Option<PathBuf>> {
    let aside = aside_of(path);
    match std::fs::symlink_metadata(&aside) {
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(&aside)?,
        Ok(_) => disk::remove(&aside)?,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    match std::fs::rename(path, &aside) {
        Ok(()) => Ok(Some(aside)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// Applies to the store all events of the journal that the store does not have.
fn catch_up(
    disk: &Arc<dyn Disk>,
    folder: &Path,
    store: &mut Store,
    end: &Cursor,
    progress: Progress<'_>,
) -> Result<(), String> {
    if store.cursor().seq >= end.seq {
        return Ok(());
    }
    let chain = Chain::read(disk.clone(), folder, store.cursor(), Some(end.clone()));
    let chain = chain.map_err(|e| e.to_string())?;
    take_in(chain, store, progress).map_err(|e| e.to_string())?.2
}

/// A chain that was read to its end, its damage, and the result of applying its events to the store.
type TakenIn = (Chain, Vec<Damage>, Result<(), String>);

/// Reads a chain to its end in another thread. Meanwhile the store applies the records that it does not have yet: checking
/// the chain takes as long as writing the rows.
fn take_in(chain: Chain, store: &mut Store, progress: Progress<'_>) -> Result<TakenIn, OpeningError> {
    let mut reader = RecordReader::of(chain, store.cursor());
    std::thread::scope(|scope| {
        let (read, batches) = std::sync::mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("journal-read".to_owned());
        let spawned = thread.spawn_scoped(scope, move || {
            let mut damage = Vec::new();
            loop {
                let items = reader.batch(limits::STORE_BATCH_MAX);
                if items.is_empty() {
                    return (reader.into_chain(), damage);
                }
                damage.extend(items.iter().filter_map(|item| match item {
                    FeedItem::Damage(damage) => Some(damage.clone()),
                    FeedItem::Record(_) => None,
                }));
                // If the rows cannot be written, the receiver is dropped. The chain is checked all the same.
                let _sent = read.send((items, reader.cursor(), reader.share()));
            }
        });
        let failed = |e: std::io::Error| {
            OpeningError::Store(format!("cannot start a thread to read the journal: {e}"))
        };
        let thread = spawned.map_err(failed)?;
        let taken = write_batches(batches, store, progress);
        match thread.join() {
            Ok((chain, damage)) => Ok((chain, damage, taken)),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn write_batches(
    batches: std::sync::mpsc::Receiver<(Vec<FeedItem>, Cursor, f64)>,
    store: &mut Store,
    progress: Progress<'_>,
) -> Result<(), String> {
    let mut is_changed = false;
    for (items, cursor, share) in batches {
        if cursor.seq > store.cursor().seq {
            store.apply(&items, cursor).map_err(|e| e.to_string())?;
            progress(share);
            is_changed = true;
        }
    }
    if is_changed { store.flush().map_err(|e| e.to_string()) } else { Ok(()) }
}
