//! The store as other threads see it: a handle for queries, the last event applied, and the health of the store.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::StoreReader;
use crate::words::Seq;

/// The health of the store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StoreHealth {
    /// The store works and follows the journal.
    #[default]
    Ready,
    /// The store is being rebuilt from the journal. The text is the reason.
    Rebuilding(String),
    /// The store waits for free space on the disk; until then its rows are in memory. The text is the reason.
    WaitsForRoom(String),
    /// The store cannot be used. The daemon tries again. The text is the reason.
    Away(String),
}

#[derive(Debug, Default)]
struct Shared {
    reader: Option<StoreReader>,
    health: StoreHealth,
    /// The reason why a query considers rows damaged; `None` if no query does.
    suspicion: Option<String>,
}

/// The store as other threads see it. All clones share the same state.
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

    /// Returns a handle for queries; `None` while no store is open.
    #[must_use]
    pub fn reader(&self) -> Option<StoreReader> {
        self.shared().reader.clone()
    }

    /// Returns the number of the last event applied, as a channel that also reports every change.
    #[must_use]
    pub fn applied(&self) -> watch::Receiver<Seq> {
        self.applied.subscribe()
    }

    /// Returns the health of the store.
    #[must_use]
    pub fn health(&self) -> StoreHealth {
        self.shared().health.clone()
    }

    /// Reports that a query found damaged rows. The store's thread then rebuilds the store.
    pub fn suspect(&self, why: String) {
        self.shared().suspicion.get_or_insert(why);
    }

    /// Returns the reason that a query reported, and forgets it.
    #[must_use]
    pub fn take_suspicion(&self) -> Option<String> {
        self.shared().suspicion.take()
    }

    /// Returns true if a query has found damaged rows.
    #[must_use]
    pub fn is_suspected(&self) -> bool {
        self.shared().suspicion.is_some()
    }

    /// Makes `reader` available for queries. `applied` is the last event in its rows.
    pub fn serve(&self, reader: StoreReader, applied: Seq) {
        self.shared().reader = Some(reader);
        self.applied.send_replace(applied);
    }

    /// Removes the handle for queries: no store is open.
    pub fn withdraw(&self) {
        self.shared().reader = None;
    }

    /// Sets the number of the last event applied.
    pub fn applied_up_to(&self, seq: Seq) {
        self.applied.send_replace(seq);
    }

    /// Sets the health of the store.
    pub fn set_health(&self, health: StoreHealth) {
        self.shared().health = health;
    }
}
