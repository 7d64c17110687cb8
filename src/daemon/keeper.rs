//! The store's thread: takes in what is on disk in the journal. When the store fails it is given up, opened again
//! and caught up from the journal, until that works; the journal does not wait for it.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use super::log::Log;
use super::opening::{catch_up, journal_folder, store_folder};
use super::writer::Hashed;
use crate::limits;
use crate::store::{self, Store, StoreReader};
use crate::words::Seq;

/// The store's thread and what the others see of it.
pub(super) struct Keeper {
    pub records: SyncSender<Hashed>,
    pub reader: Arc<Mutex<Option<StoreReader>>>,
    pub applied: watch::Receiver<Seq>,
    pub thread: JoinHandle<()>,
}

struct Work {
    data: PathBuf,
    log: Log,
    store: Option<Store>,
    reader: Arc<Mutex<Option<StoreReader>>>,
    applied: watch::Sender<Seq>,
    /// The last event known to be on disk.
    end: Seq,
}

/// Starts the thread. It ends, the store flushed, when every sender of records is dropped.
pub(super) fn start(data: PathBuf, store: Store, log: Log) -> std::io::Result<Keeper> {
    let (records, queue) = sync_channel(limits::STORE_QUEUED_MAX);
    let (applied_tx, applied) = watch::channel(store.cursor().0);
    let reader = Arc::new(Mutex::new(Some(store.reader())));
    let end = store.cursor().0;
    let mut work = Work { data, log, store: Some(store), reader: reader.clone(), applied: applied_tx, end };
    let thread = std::thread::Builder::new().name("store".to_owned()).spawn(move || work.run(&queue))?;
    Ok(Keeper { records, reader, applied, thread })
}

impl Work {
    fn run(&mut self, queue: &Receiver<Hashed>) {
        loop {
            let wait = if self.store.is_some() { Duration::from_secs(3600) } else { limits::STORE_RETRY };
            match queue.recv_timeout(wait) {
                Ok(first) => {
                    let mut records = first;
                    while records.len() < limits::STORE_BATCH_MAX
                        && let Ok(more) = queue.try_recv()
                    {
                        records.extend(more);
                    }
                    self.take_in(records);
                }
                Err(RecvTimeoutError::Timeout) if self.store.is_none() => self.open_again(),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if let Some(Err(e)) = self.store.as_ref().map(Store::flush) {
            self.log.warn(&format!(
                "the store was not flushed ({e}); the next start catches up from the journal"
            ));
        }
    }

    fn take_in(&mut self, mut records: Hashed) {
        self.end = records.last().map_or(self.end, |(r, _)| r.seq);
        let Some(store) = &mut self.store else { return };
        let cursor = store.cursor().0;
        records.retain(|(r, _)| r.seq > cursor);
        let Some(first) = records.first().map(|(r, _)| r.seq) else { return };
        let done = if first == cursor.next() {
            store.apply(&records).map_err(|e| e.to_string())
        } else {
            Err(format!("it is at event {cursor}, the next one is {first}"))
        };
        match done {
            Ok(()) => {
                self.applied.send_replace(self.end);
            }
            Err(why) => self.give_up(&why),
        }
    }

    fn give_up(&mut self, why: &str) {
        self.log
            .error(&format!("the store cannot be written: {why}; nothing is lost, it catches up by itself"));
        self.store = None;
        *self.reader.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn open_again(&mut self) {
        let opened =
            store::open(&store_folder(&self.data)).map_err(|e| e.to_string()).and_then(|mut store| {
                catch_up(&journal_folder(&self.data), &mut store, self.end, &mut |_, _| {})
                    .map_err(|e| e.to_string())?;
                Ok(store)
            });
        if let Ok(store) = opened {
            self.log.info("the store has caught up with the journal");
            *self.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(store.reader());
            self.applied.send_replace(store.cursor().0);
            self.store = Some(store);
        }
    }
}
