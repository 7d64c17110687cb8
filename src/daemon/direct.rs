//! The gateway without a daemon: the same routes in the process, for one command.

use std::path::Path;
use std::sync::Arc;

use super::engine::{self, Engine};
use super::lock::{DataLock, LockError};
use super::log::Log;
use super::opening::{OpeningError, Progress};
use crate::ambient::Clock;
use crate::api::{Client, Served, router};
use crate::site::Site;

/// A gateway opened in the process; it holds the data directory until it is closed.
pub struct Here {
    engine: Engine,
    _lock: DataLock,
}

/// Opens a data directory for one command; nothing when another process works on it.
///
/// # Errors
/// When it cannot be locked or opened.
pub fn open_here(
    site: Arc<Site>,
    data: &Path,
    progress: Progress<'_>,
) -> Result<Option<Here>, Box<dyn std::error::Error + Send + Sync>> {
    let lock = DataLock::for_command(data).map_err(|e: LockError| Box::new(e))?;
    let Some(lock) = lock else { return Ok(None) };
    let clock = Clock::start();
    let engine = engine::start(site, data, clock, Log::quiet(clock), None, Arc::default(), progress)
        .map_err(|e: OpeningError| Box::new(e))?;
    Ok(Some(Here { engine, _lock: lock }))
}

impl Here {
    /// A client of its routes.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::InProcess(router(Served::new(self.engine.gateway.clone())))
    }

    /// Ends it, everything on disk.
    pub async fn close(self) -> bool {
        self.engine.stop().await
    }
}
