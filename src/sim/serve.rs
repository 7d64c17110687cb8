//! Serves a plant on its lines, and runs its script.

use std::io;
use std::net::SocketAddr;
use std::path::Path;

use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::machine::Shared;
use super::plant::{LineKind, Plant};
use super::rtu::{self, RtuLine};
use super::tcp::{self, Units};
use crate::ambient::Clock;
use crate::words::Mono;

/// A running plant. It ends when dropped.
#[derive(Debug)]
pub struct Serving {
    tasks: JoinSet<()>,
    lines: Vec<RtuLine>,
    /// The name of each line with its address or path.
    pub places: Vec<(String, String)>,
    machines: Vec<(String, Shared)>,
    clock: Clock,
}

/// Serves a plant. Relative paths are relative to `folder`.
///
/// # Errors
/// If a TCP port or pseudo-terminal cannot be opened.
pub async fn serve(plant: Plant, folder: &Path, clock: Clock) -> io::Result<Serving> {
    let mut serving = Serving {
        tasks: JoinSet::new(),
        lines: Vec::new(),
        places: Vec::new(),
        machines: plant.devices.iter().map(|d| (d.name.clone(), d.machine.clone())).collect(),
        clock,
    };
    for device in &plant.devices {
        device.machine.with(|m| m.begin(clock.now().mono.since(Mono(0))));
    }
    for (at, line) in plant.lines.iter().enumerate() {
        let units: Units = plant
            .devices
            .iter()
            .filter(|d| d.line == at)
            .map(|d| (d.unit, (d.machine.clone(), d.turnaround)))
            .collect();
        let place = match &line.kind {
            LineKind::Tcp { listen } => {
                let listener = TcpListener::bind(listen).await.map_err(|e| named(listen, &e))?;
                let address: SocketAddr = listener.local_addr()?;
                serving.tasks.spawn(tcp::serve(listener, units, clock));
                address.to_string()
            }
            LineKind::Rtu { path, baud } => {
                let path = folder.join(path);
                let shown = path.display().to_string();
                serving.lines.push(rtu::serve(&path, *baud, units, clock).map_err(|e| named(&shown, &e))?);
                shown
            }
        };
        serving.places.push((line.name.clone(), place));
    }
    let begin = clock.now().mono;
    let machines: Vec<Shared> = plant.devices.iter().map(|d| d.machine.clone()).collect();
    serving.tasks.spawn(async move {
        for happening in plant.script {
            tokio::time::sleep_until(clock.instant(begin + happening.at).into()).await;
            if let Some(machine) = machines.get(happening.device) {
                happening.happen(machine, clock.now().mono.since(Mono(0)));
            }
        }
        std::future::pending::<()>().await;
    });
    Ok(serving)
}

fn named(place: &str, e: &io::Error) -> io::Error {
    io::Error::new(e.kind(), format!("{place}: {e}"))
}

impl Serving {
    /// Changes the operating state of a device by hand. Returns false if there is no such device.
    pub fn enter(&self, device: &str, state: &str) -> bool {
        let now = self.clock.now().mono.since(Mono(0));
        let found = self.machines.iter().find(|(name, _)| name == device);
        found.map(|(_, machine)| machine.with(|m| m.enter(state, now))).is_some()
    }
}
