//! The life of a daemon: lock and open the data directory, start links and API, log `ready`, and stop in order.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::api_socket::ApiSocket;
use super::assembly::{self, Parts};
use super::captures;
use super::files::{make_private, socket_path};
use super::link_supervisor::{LinkSupervisor, boards};
use super::lock::{DataLock, LockError};
use super::new_tickets;
use super::opening::OpeningError;
use super::reloading;
use crate::ambient::Clock;
use crate::api::{Gateway, Links, Message, Served, router};
use crate::limits;
use crate::link::modbus::{LineTiming, load, plan};
use crate::link::{LinkBoard, LinkState};
use crate::site::Site;
use crate::words::Outcome;

/// The reason why a daemon cannot start, or ends with an error.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// Another process uses the data directory, or it cannot be locked.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The data directory cannot be opened.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// The socket cannot be created.
    #[error("{}: {source}", .path.display())]
    Socket {
        /// The path of the socket.
        path: PathBuf,
        /// The error of the operating system.
        source: std::io::Error,
    },
    /// A part of the daemon has ended unexpectedly.
    #[error("{0}")]
    Broken(String),
}

impl DaemonError {
    /// Returns the outcome of a process with this error; it gives the exit code.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self {
            DaemonError::Lock(LockError::AnotherDaemon(_) | LockError::Busy { .. }) => Outcome::Refused,
            DaemonError::Lock(LockError::Io { .. })
            | DaemonError::Opening(_)
            | DaemonError::Socket { .. }
            | DaemonError::Broken(_) => Outcome::OwnFailure,
        }
    }
}

/// The arguments of a daemon.
pub struct Start {
    /// The site.
    pub site: Arc<Site>,
    /// The file `andon.toml`, for a reload; `None` if the configuration cannot be reloaded.
    pub config: Option<PathBuf>,
    /// The data directory.
    pub data: PathBuf,
    /// The clock.
    pub clock: Clock,
}

/// Runs a daemon until `stop` is done. SIGHUP reloads the configuration.
///
/// # Errors
/// If the daemon cannot start, or a part of it has ended unexpectedly.
pub async fn run(start: Start, stop: impl Future<Output = ()>) -> Result<(), DaemonError> {
    let Start { site, config, data, clock } = start;
    let clock = clock.without_gaps();
    let mut heartbeat = tokio::task::JoinSet::new();
    heartbeat.spawn(clock.heartbeat());
    let _lock = DataLock::for_daemon(&data).await?;
    if let Some(found) = make_private(&data) {
        tracing::warn!("{found}");
    }
    warn_of_heavy_lines(&site);
    let boards = boards(&site, clock);
    let links = Links::default();
    let mut next = 0.1;
    let mut progress = |share: f64| {
        if share >= next {
            next = share + 0.1;
            let percent = share * 100.0;
            tracing::info!(target: "andon::store", "rebuilding the ticket database from the journal: {percent:.0} %");
        }
    };
    let parts = Parts {
        site: site.clone(),
        data: data.clone(),
        is_read_only: false,
        clock,
        boards: Some(boards.clone()),
        links: links.clone(),
    };
    let mut running = assembly::start(parts, &mut progress)?;
    let (reload_tx, mut reloads) = mpsc::channel(limits::RELOADS_QUEUED_MAX);
    running.gateway.reload = config.is_some().then_some(reload_tx);
    let served = Served::new(running.gateway.clone());
    let mut socket = ApiSocket::open(&socket_path(&data), router(served.clone()))?;
    let (new_ticket_sender, new_ticket_receiver) = captures::new_tickets();
    let mut background = tokio::task::JoinSet::new();
    background.spawn(new_tickets::follow(running.gateway.feed.clone(), new_ticket_sender, clock));
    background.spawn(captures::keep(new_ticket_receiver, served.clone()));
    if running.is_partly_checked {
        background.spawn(check_rest(running.gateway.clone()));
    }
    let mut supervisor = LinkSupervisor::start(site.clone(), boards, links, running.readings.clone(), clock);
    tracing::info!(
        "ready: links {}, equipment {}, socket {}",
        site.links.len(),
        site.equipment.len(),
        socket.path().display()
    );
    let mut states = BTreeMap::new();
    let mut hangup = signal(SignalKind::hangup()).ok();
    tokio::pin!(stop);
    let end = loop {
        let hung_up = async {
            match hangup.as_mut() {
                Some(signal) => signal.recv().await.is_some(),
                None => std::future::pending().await,
            }
        };
        let asker = tokio::select! {
            () = &mut stop => break Ok(()),
            end = &mut running.driver => break Err(DaemonError::Broken(match end {
                Ok(()) => "the journal's thread has ended".to_owned(),
                Err(e) => format!("the desk has failed: {e}"),
            })),
            () = tokio::time::sleep(LOOK_EVERY) => {
                log_link_changes(&supervisor.boards(), &mut states);
                running.store.watch();
                socket.look();
                continue;
            }
            Some(asker) = reloads.recv() => Some(asker),
            true = hung_up => None,
        };
        let Some(config) = &config else { continue };
        let end = reloading::reload(config, &data, &running.gateway, &served, &mut supervisor).await;
        if let Some(asker) = asker {
            // The client may have closed its connection.
            let _told = asker.send(end);
        }
    };
    tracing::info!("stopping");
    supervisor.stop();
    background.abort_all();
    // The socket is closed first: a new client then sees that no daemon is running.
    socket.close();
    end?;
    if !running.stop().await {
        return Err(DaemonError::Broken("the last events were not on disk in time".to_owned()));
    }
    tracing::info!("stopped");
    Ok(())
}

/// Checks the beginning of a long journal while the daemon runs, and records its damage.
async fn check_rest(gateway: Gateway) {
    match gateway.verify().await {
        Ok(found) if found.damage.is_empty() => {}
        Ok(found) => {
            for part in &found.damage {
                tracing::error!(target: "andon::journal", "the journal is damaged: {part}");
            }
            // If the desk has ended, the next start checks again.
            let _sent = gateway.desk.send(Message::Damaged(found.damage)).await;
        }
        Err(refusal) => tracing::warn!(
            target: "andon::journal",
            "the beginning of the journal was not checked: {refusal}",
        ),
    }
}

/// Logs a warning for each line that has no time for all its requests, with the remedy.
pub(super) fn warn_of_heavy_lines(site: &Site) {
    for (at, link) in site.links.iter().enumerate() {
        let timing = LineTiming::of(&link.kind);
        let on_link = site.equipment.iter().filter(|e| e.link == at);
        let all: f64 = on_link.map(|e| load(&plan(&e.profile, timing), timing)).sum();
        if all > limits::LINE_LOAD_WARN {
            tracing::warn!(
                target: "andon::link",
                "link {} needs {:.0} % of its time for all requests: points will be late. \
                Use a longer `every`, a higher baud rate or a second line. \
                `andon link plan {}` shows the time of each request",
                link.name,
                all * 100.0,
                link.name,
            );
        }
    }
}

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Logs each change of a link's state.
fn log_link_changes(boards: &[LinkBoard], before: &mut BTreeMap<String, LinkState>) {
    for board in boards {
        let stats = board.lock();
        if before.get(&stats.name) != Some(&stats.state) {
            before.insert(stats.name.clone(), stats.state);
            let text = format!("link {} is {}: {}", stats.name, stats.state.word(), stats.message);
            drop(stats);
            tracing::info!(target: "andon::link", "{text}");
        }
    }
}
