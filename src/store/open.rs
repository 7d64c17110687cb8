//! Opening: in a thread that may hang, checked, or not at all.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use super::VERSION;
use super::write::{META, Meta, Store, digest_of, read_ticket};
use crate::alarm::Alarm;
use crate::desk::State;
use crate::limits;
use crate::words::{Seq, TicketNumber};

/// Why a store cannot be used; it is to be moved aside and rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// sled says so.
    #[error("the store does not open: {0}")]
    Sled(String),
    /// It did not open in time; its thread hangs until the process ends.
    #[error("the store did not open within {0:?}: sled hangs on a damaged file")]
    Hung(Duration),
    /// It opened and its content is not what it should be.
    #[error("the store fails its check: {0}")]
    Damaged(String),
}

/// Opens a store and checks it; an empty folder becomes an empty store.
///
/// # Errors
/// Why it is to be rebuilt.
pub fn open(path: &Path) -> Result<Store, OpenError> {
    let limit = limits::STORE_OPEN_MAX
        + Duration::from_secs(folder_bytes(path) / limits::STORE_OPEN_BYTES_PER_SECOND);
    let (tx, rx) = mpsc::channel();
    let path: PathBuf = path.to_owned();
    let thread = std::thread::Builder::new().name("store-open".to_owned()).spawn(move || {
        // Nobody may be waiting any more: then the result is dropped.
        let _sent = tx.send(open_here(&path));
    });
    if let Err(e) = thread {
        return Err(OpenError::Sled(e.to_string()));
    }
    match rx.recv_timeout(limit) {
        Ok(result) => result,
        Err(mpsc::RecvTimeoutError::Timeout) => Err(OpenError::Hung(limit)),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            Err(OpenError::Sled("sled panicked on a damaged file".to_owned()))
        }
    }
}

fn folder_bytes(path: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(path) else { return 0 };
    entries
        .flatten()
        .filter_map(|e| e.metadata().ok())
        .filter(std::fs::Metadata::is_file)
        .map(|m| m.len())
        .sum()
}

fn open_here(path: &Path) -> Result<Store, OpenError> {
    let db = sled::Config::new()
        .path(path)
        .cache_capacity(limits::STORE_CACHE_BYTES)
        .flush_every_ms(Some(1000))
        .open()
        .map_err(|e| OpenError::Sled(e.to_string()))?;
    let failed = |e: sled::Error| OpenError::Damaged(e.to_string());
    let meta = match db.get(META).map_err(failed)? {
        Some(bytes) => serde_json::from_slice::<Meta>(&bytes)
            .map_err(|e| OpenError::Damaged(format!("its cursor does not read: {e}")))?,
        None if db.is_empty() => Meta {
            version: VERSION,
            seq: Seq(0),
            hash: crate::journal::FIRST_PREV.to_owned(),
            last_ticket: 0,
            files: Vec::new(),
            shelves: Vec::new(),
            out_of_service: BTreeMap::new(),
            digest: 0,
            entries: 0,
        },
        None => return Err(OpenError::Damaged("its cursor is missing".to_owned())),
    };
    if meta.version != VERSION {
        return Err(OpenError::Damaged(format!(
            "it is of version {}, this program keeps version {VERSION}",
            meta.version
        )));
    }
    check_content(&db, &meta)?;
    let state = read_state(&db, &meta)?;
    Ok(Store { db, state, meta })
}

/// Compares every entry with the digest, as far as the time for it reaches.
#[expect(clippy::disallowed_methods, reason = "a bound on how long the start is held up")]
fn check_content(db: &sled::Db, meta: &Meta) -> Result<(), OpenError> {
    let begun = std::time::Instant::now();
    let mut digest = 0;
    let mut entries: u64 = 0;
    for item in db.iter() {
        let (key, value) = item.map_err(|e| OpenError::Damaged(e.to_string()))?;
        if key.as_ref() == META {
            continue;
        }
        digest ^= digest_of(&key, &value);
        entries += 1;
        if entries.is_multiple_of(4096) && begun.elapsed() > limits::STORE_CHECK_MAX {
            return Ok(());
        }
    }
    if (digest, entries) == (meta.digest, meta.entries) {
        return Ok(());
    }
    Err(OpenError::Damaged(format!(
        "{entries} entries where there should be {}, or changed ones among them",
        meta.entries
    )))
}

fn read_state(db: &sled::Db, meta: &Meta) -> Result<State, OpenError> {
    let mut state =
        State { seq: meta.seq, last_ticket: meta.last_ticket, files: meta.files.clone(), ..State::default() };
    state.shelves = meta.shelves.iter().cloned().collect();
    state.out_of_service.clone_from(&meta.out_of_service);
    for item in db.scan_prefix(b"l") {
        let (key, _) = item.map_err(|e| OpenError::Damaged(e.to_string()))?;
        let number = key.get(1..9).and_then(|b| b.try_into().ok()).map(u64::from_be_bytes).map(TicketNumber);
        let ticket = number.and_then(|n| read_ticket(db, n));
        let ticket = ticket.ok_or_else(|| OpenError::Damaged("a live ticket does not read".to_owned()))?;
        state.tickets.insert(ticket.number, ticket);
    }
    for item in db.scan_prefix(b"a") {
        let (_, value) = item.map_err(|e| OpenError::Damaged(e.to_string()))?;
        let alarm: Alarm = serde_json::from_slice(&value).map_err(|e| OpenError::Damaged(e.to_string()))?;
        state.alarms.insert((alarm.equipment.clone(), alarm.fault.clone()), alarm);
    }
    for item in db.scan_prefix(b"b") {
        let (_, value) = item.map_err(|e| OpenError::Damaged(e.to_string()))?;
        let (equipment, fault, model) =
            serde_json::from_slice(&value).map_err(|e| OpenError::Damaged(e.to_string()))?;
        state.baselines.insert((equipment, fault), model);
    }
    state.next_watch = state.tickets.values().filter_map(|t| t.watch_until).min();
    Ok(state)
}
