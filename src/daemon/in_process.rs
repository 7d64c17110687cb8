//! The gateway without a daemon: the same routes in the process, for one command.

use std::path::Path;
use std::sync::Arc;

use super::assembly::{self, Engine, Parts};
use super::link_supervisor::{LinkSupervisor, boards};
use super::lock::{DataLock, LockError};
use super::opening::{OpeningError, Progress};
use crate::ambient::Clock;
use crate::api::{Served, router};
use crate::client::Client;
use crate::site::{LinkKind, Site};

/// A gateway opened in the process; it holds the data directory until it is closed.
pub struct Here {
    engine: Engine,
    supervisor: Option<LinkSupervisor>,
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
    let parts = Parts {
        site,
        data: data.to_owned(),
        is_read_only: lock.is_read_only(),
        clock,
        boards: None,
        links: Arc::default(),
    };
    let engine = assembly::start(parts, progress).map_err(|e: OpeningError| Box::new(e))?;
    Ok(Some(Here { engine, supervisor: None, _lock: lock }))
}

impl Here {
    /// A client of its routes.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::in_process(router(Served::new(self.engine.gateway.clone())))
    }

    /// Opens one link of the site, without its equipment, so that it can be asked by hand; at another baud rate where
    /// one is given. The one opened before is closed.
    pub async fn open_link(&mut self, name: &str, baud: Option<u32>) {
        if let Some(mut supervisor) = self.supervisor.take() {
            supervisor.close().await;
        }
        let mut site = Site { equipment: Vec::new(), ..(*self.engine.gateway.site).clone() };
        site.links.retain(|l| l.name.as_str() == name);
        for link in &mut site.links {
            if let (Some(baud), LinkKind::ModbusRtu(line) | LinkKind::ModbusAscii(line)) =
                (baud, &mut link.kind)
            {
                line.baud = baud;
            }
        }
        let (site, clock) = (Arc::new(site), self.engine.gateway.clock);
        let boards = boards(&site, clock);
        let (links, readings) = (self.engine.gateway.links.clone(), self.engine.readings.clone());
        self.supervisor = Some(LinkSupervisor::start(site, boards, links, readings, clock));
    }

    /// Ends it, everything on disk.
    pub async fn close(mut self) -> bool {
        if let Some(mut supervisor) = self.supervisor.take() {
            supervisor.close().await;
        }
        self.engine.stop().await
    }
}
