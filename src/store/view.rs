//! What others see of the store while its thread works: a handle for queries, how far it has come, and how it is.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::StoreReader;
use crate::words::Seq;

/// How the store is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StoreHealth {
    /// It takes in what is on record.
    #[default]
    Ready,
    /// It is rebuilt from the journal, because of this.
    Rebuilding(String),
    /// It waits for room on the disk; the rows of now are in memory.
    WaitsForRoom(String),
    /// It cannot be used, because of this, and is tried again.
    Away(String),
}

#[derive(Debug, Default)]
struct Shared {
    reader: Option<StoreReader>,
    health: StoreHealth,
    /// Why a reader thinks that rows are damaged.
    suspicion: Option<String>,
}

/// The store as others see it; clones are the same one.
#[derive(Debug, Clone)]
pub struct StoreView {
    shared: Arc<Mutex<Shared>>,
    applied: watch::Sender<Seq>,
}

impl Default for StoreView {
    fn default() -> Self {
        Self { shared: Arc::default(), applied: watch::channel(Seq(0)).0 }
    }
}

impl StoreView {
    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A handle for queries; `None` while there is no store.
    #[must_use]
    pub fn reader(&self) -> Option<StoreReader> {
        self.shared().reader.clone()
    }

    /// The last event that the store has taken in, and every change of it.
    #[must_use]
    pub fn applied(&self) -> watch::Receiver<Seq> {
        self.applied.subscribe()
    }

    /// How the store is.
    #[must_use]
    pub fn health(&self) -> StoreHealth {
        self.shared().health.clone()
    }

    /// A query found rows damaged: the store's thread rebuilds them.
    pub fn suspect(&self, why: String) {
        self.shared().suspicion.get_or_insert(why);
    }

    /// What a query found, once.
    #[must_use]
    pub fn take_suspicion(&self) -> Option<String> {
        self.shared().suspicion.take()
    }

    /// Whether a query found rows damaged.
    #[must_use]
    pub fn is_suspected(&self) -> bool {
        self.shared().suspicion.is_some()
    }

    /// From here on queries read these rows, which have come so far.
    pub fn serve(&self, reader: StoreReader, applied: Seq) {
        self.shared().reader = Some(reader);
        self.applied.send_replace(applied);
    }

    /// From here on there is nothing to read.
    pub fn withdraw(&self) {
        self.shared().reader = None;
    }

    /// The store has come so far.
    pub fn applied_up_to(&self, seq: Seq) {
        self.applied.send_replace(seq);
    }

    /// From here on the store is like this.
    pub fn set_health(&self, health: StoreHealth) {
        self.shared().health = health;
    }
}
