//! Opening a data directory: what the journal says, and a store that is true to it, on disk or in memory.
//!
//! Nothing here stops a start but a journal whose folder cannot be listed: damage is told, a store that cannot be used is set
//! aside and rebuilt, and where the disk cannot be written at all the rows stand in memory.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::store_thread::{Home, Opener, forget};
use crate::disk::{self, Disk};
use crate::feed::RecordReader;
use crate::journal::{Cursor, Journal, JournalError};
use crate::limits;
use crate::store::Store;
use crate::store::tables::Memory;
use crate::words::Damage;

/// Why a data directory does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpeningError {
    /// The journal does not.
    #[error("the journal does not open: {0}")]
    Journal(#[from] JournalError),
    /// The store cannot take the journal in, not even in memory.
    #[error("the ticket database cannot be built from the journal: {0}")]
    Store(String),
    /// The operating system refuses.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
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
    pub home: Home,
    /// Why the store is not on disk; empty when it is.
    pub why_not: String,
    /// What should be known of it, as sentences.
    pub said: Vec<String>,
    /// The parts of the journal that cannot be read.
    pub damage: Vec<Damage>,
    /// Whether only the end of the journal was checked, because it is long.
    pub is_partly_checked: bool,
}

pub(super) fn journal_folder(data: &Path) -> PathBuf {
    data.join("journal")
}

pub(super) fn store_folder(data: &Path) -> PathBuf {
    data.join("store")
}

/// Where a store is set aside to.
pub(super) fn aside_of(store: &Path) -> PathBuf {
    disk::beside(store, ".damaged")
}

/// Opens journal and store. With `is_read_only` nothing is written: the store stands in memory.
pub(super) fn open(
    disk: Arc<dyn Disk>,
    folder: &Path,
    opener: &mut dyn Opener,
    is_read_only: bool,
    progress: Progress<'_>,
) -> Result<Opened, OpeningError> {
    let mut said = Vec::new();
    let mut why_not = String::new();
    let has_room = !is_read_only && opener.room() >= limits::STORE_ROOM_MIN;
    let mut store = None;
    if is_read_only {
        "the data directory is only read".clone_into(&mut why_not);
    } else if !has_room {
        "the disk is nearly full".clone_into(&mut why_not);
    } else {
        match opener.open() {
            Ok(opened) => store = Some(opened),
            Err(why) => said.push(why),
        }
    }
    // What the store had taken in had been acknowledged.
    let known = store.as_ref().map(|s| s.cursor().clone()).filter(|c| c.seq.0 > 0);
    let is_long = bytes_of(disk.as_ref(), folder) > limits::CHECKED_AT_START_BYTES;
    let is_partly_checked = is_long && known.is_some();
    let from = known.clone().filter(|_| is_partly_checked).unwrap_or_default();
    let (journal, opened) = Journal::open(disk.clone(), folder, &from, known.clone())?;
    said.extend(opened.said);
    said.extend(opened.damage.iter().map(|d| format!("the journal is damaged: {d}")));
    if let (Some(known), Some(misfit)) = (&known, store.as_ref())
        && opened.damage.iter().any(|d| d.first_seq <= known.seq && known.seq <= d.last_seq)
    {
        said.push(format!(
            "event {}, to which the ticket database had come, is damaged",
            misfit.cursor().seq
        ));
        if let Some(store) = store.take() {
            forget(store);
        }
    }
    let mut home = Home::Disk;
    if store.is_none() && has_room {
        match opener.set_aside() {
            Ok(None) => {}
            Ok(Some(aside)) => {
                said.push(format!(
                    "the ticket database was moved to {aside}; it is rebuilt from the journal"
                ));
            }
            Err(e) => said.push(format!("the ticket database cannot be set aside: {e}")),
        }
        match opener.open() {
            Ok(opened) => store = Some(opened),
            Err(why) => why_not = why,
        }
    }
    let mut caught_up = Err(String::new());
    if let Some(store) = &mut store {
        caught_up = catch_up(&disk, folder, store, journal.end(), progress);
    }
    let store = match (store, caught_up) {
        (Some(store), Ok(())) => store,
        (failed, why) => {
            if let Some(store) = failed {
                forget(store);
            }
            if let Err(why) = why
                && !why.is_empty()
            {
                why_not = why;
            }
            home = Home::Memory;
            let mut store =
                Store::open(Box::new(Memory::default())).map_err(|e| OpeningError::Store(e.to_string()))?;
            catch_up(&disk, folder, &mut store, journal.end(), progress).map_err(OpeningError::Store)?;
            store
        }
    };
    Ok(Opened { journal, store, home, why_not, said, damage: opened.damage, is_partly_checked })
}

fn bytes_of(disk: &dyn Disk, folder: &Path) -> u64 {
    let entries = disk.entries(folder).unwrap_or_default();
    entries.iter().map(|(_, kind)| if let disk::Kind::File(bytes) = kind { *bytes } else { 0 }).sum()
}

/// Moves a store aside, over the one that was moved before: one is kept to look into, more would fill the disk.
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

/// Takes into the store what the journal has beyond it.
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
    let known = Some(end.clone());
    let mut reader =
        RecordReader::new(disk.clone(), folder, store.cursor(), known).map_err(|e| e.to_string())?;
    // Reading and checking the chain takes as long as writing the rows: one thread each.
    std::thread::scope(|scope| {
        let (read, batches) = std::sync::mpsc::sync_channel(1);
        let thread = std::thread::Builder::new().name("journal-read".to_owned());
        let spawned = thread.spawn_scoped(scope, move || {
            loop {
                let items = reader.batch(limits::STORE_BATCH_MAX);
                // The receiver is gone when the rows cannot be written.
                if items.is_empty() || read.send((items, reader.cursor())).is_err() {
                    return;
                }
            }
        });
        spawned.map_err(|e| e.to_string())?;
        for (items, cursor) in batches {
            store.apply(&items, cursor).map_err(|e| e.to_string())?;
            progress(store.cursor().seq.0, end.seq.0);
        }
        store.flush().map_err(|e| e.to_string())
    })
}
