//! The gateway for one command without a daemon: the same routes inside the process of the command.

use std::path::Path;
use std::sync::Arc;

use super::assembly::{self, Parts, RunningGateway};
use super::link_supervisor::{LinkSupervisor, boards};
use super::lock::{DataLock, LockError};
use super::opening::{OpeningError, Progress};
use crate::ambient::Clock;
use crate::api::{Served, router};
use crate::client::Client;
use crate::site::{LinkKind, Site};

/// A gateway inside the process of a command. It locks the data directory until it is closed.
pub struct InProcessGateway {
    running: RunningGateway,
    supervisor: Option<LinkSupervisor>,
    _lock: DataLock,
}

/// Opens a data directory for one command; `None` if another process has locked it.
///
/// # Errors
/// If the data directory cannot be locked or opened.
pub fn open_in_process(
    site: Arc<Site>,
    data: &Path,
    progress: Progress<'_>,
) -> Result<Option<InProcessGateway>, Box<dyn std::error::Error + Send + Sync>> {
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
    let running = assembly::start(parts, progress).map_err(|e: OpeningError| Box::new(e))?;
    Ok(Some(InProcessGateway { running, supervisor: None, _lock: lock }))
}

impl InProcessGateway {
    /// Returns a client that calls the routes directly.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::in_process(router(Served::new(self.running.gateway.clone())))
    }

    /// Opens one link of the site without its equipment, for requests of a scan. `baud` replaces the configured baud rate.
    /// The link that was opened before is closed.
    pub async fn open_link(&mut self, name: &str, baud: Option<u32>) {
        if let Some(mut supervisor) = self.supervisor.take() {
            supervisor.close().await;
        }
        let mut site = Site { equipment: Vec::new(), ..(*self.running.gateway.site).clone() };
        site.links.retain(|l| l.name.as_str() == name);
        for link in &mut site.links {
            if let (Some(baud), LinkKind::ModbusRtu(line) | LinkKind::ModbusAscii(line)) =
                (baud, &mut link.kind)
            {
                line.baud = baud;
            }
        }
        let (site, clock) = (Arc::new(site), self.running.gateway.clock);
        let boards = boards(&site, clock);
        let (links, readings) = (self.running.gateway.links.clone(), self.running.readings.clone());
        self.supervisor = Some(LinkSupervisor::start(site, boards, links, readings, clock));
    }

    /// Ends the gateway. Returns true if all acknowledged events are on disk.
    pub async fn close(mut self) -> bool {
        if let Some(mut supervisor) = self.supervisor.take() {
            supervisor.close().await;
        }
        self.running.stop().await
    }
}
