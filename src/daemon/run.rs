//! The daemon: lock, data, links, API, `ready`, and an orderly end on SIGTERM or SIGINT.

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
use super::opening::OpeningError;
use super::openings;
use super::reloading;
use crate::ambient::Clock;
use crate::api::{Gateway, Links, Message, Served, router};
use crate::limits;
use crate::link::modbus::{LineTiming, load, plan};
use crate::link::{LinkBoard, LinkState};
use crate::site::Site;
use crate::words::Outcome;

/// Why a daemon does not start or ends badly.
#[derive(Debug, thiserror::Error)]
pub enum DaemonError {
    /// The data directory is taken.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The data directory does not open.
    #[error(transparent)]
    Opening(#[from] OpeningError),
    /// The socket cannot be made.
    #[error("{}: {source}", .path.display())]
    Socket {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A part of the daemon died.
    #[error("{0}")]
    Broken(String),
}

impl DaemonError {
    /// What a process with this error ends in.
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

/// What a daemon is started with.
pub struct Start {
    /// The site.
    pub site: Arc<Site>,
    /// Where it was read, so that it can be loaded again; without it, it cannot.
    pub config: Option<PathBuf>,
    /// The data directory.
    pub data: PathBuf,
    /// The clock.
    pub clock: Clock,
}

/// Runs a gateway until `stop` is done. SIGHUP has it load its configuration again.
///
/// # Errors
/// When it cannot start, or a part of it died.
pub async fn run(start: Start, stop: impl Future<Output = ()>) -> Result<(), DaemonError> {
    let Start { site, config, data, clock } = start;
    let clock = clock.without_gaps();
    let mut beating = tokio::task::JoinSet::new();
    beating.spawn(clock.heartbeat());
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
    let mut engine = assembly::start(parts, &mut progress)?;
    let (reload_tx, mut reloads) = mpsc::channel(limits::RELOADS_QUEUED_MAX);
    engine.gateway.reload = config.is_some().then_some(reload_tx);
    let served = Served::new(engine.gateway.clone());
    let mut socket = ApiSocket::open(&socket_path(&data), router(served.clone()))?;
    let (openings, heard) = captures::openings();
    let mut beside = tokio::task::JoinSet::new();
    beside.spawn(openings::follow(engine.gateway.feed.clone(), openings, clock));
    beside.spawn(captures::keep(heard, served.clone()));
    if engine.is_partly_checked {
        beside.spawn(check_rest(engine.gateway.clone()));
    }
    let mut supervisor = LinkSupervisor::start(site.clone(), boards, links, engine.readings.clone(), clock);
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
            end = &mut engine.driver => break Err(DaemonError::Broken(match end {
                Ok(()) => "the journal's thread has ended".to_owned(),
                Err(e) => format!("the desk has failed: {e}"),
            })),
            () = tokio::time::sleep(LOOK_EVERY) => {
                tell_changes(&supervisor.boards(), &mut states);
                engine.store.watch();
                socket.look();
                continue;
            }
            Some(asker) = reloads.recv() => Some(asker),
            true = hung_up => None,
        };
        let Some(config) = &config else { continue };
        let end = reloading::reload(config, &data, &engine.gateway, &served, &mut supervisor).await;
        if let Some(asker) = asker {
            // Whoever asked may be gone.
            let _told = asker.send(end);
        }
    };
    tracing::info!("stopping");
    supervisor.stop();
    beside.abort_all();
    // The socket goes first: whoever connects now is told that nobody is there.
    socket.close();
    end?;
    if !engine.stop().await {
        return Err(DaemonError::Broken("not everything was on disk in time".to_owned()));
    }
    tracing::info!("stopped");
    Ok(())
}

/// Checks the begin of a long journal beside the daemon's other work, and puts damage on record.
async fn check_rest(gateway: Gateway) {
    match gateway.verify().await {
        Ok(found) if found.damage.is_empty() => {}
        Ok(found) => {
            for part in &found.damage {
                tracing::error!(target: "andon::journal", "the journal is damaged: {part}");
            }
            // A desk that is gone has nothing to record.
            let _sent = gateway.desk.send(Message::Damaged(found.damage)).await;
        }
        Err(refusal) => tracing::warn!(
            target: "andon::journal",
            "the begin of the journal was not checked: {refusal}",
        ),
    }
}

/// Warns of lines that cannot carry what is asked of them, with the remedy.
pub(super) fn warn_of_heavy_lines(site: &Site) {
    for (at, link) in site.links.iter().enumerate() {
        let timing = LineTiming::of(&link.kind);
        let on_link = site.equipment.iter().filter(|e| e.link == at);
        let all: f64 = on_link.map(|e| load(&plan(&e.profile, timing), timing)).sum();
        if all > limits::LINE_LOAD_WARN {
            tracing::warn!(
                target: "andon::link",
                "link {}: what is asked of it takes {:.0} % of its time; points will be late. \
                `andon link plan {}` shows which requests take how long; longer `every`, a higher baud rate \
                or a second line help",
                link.name,
                all * 100.0,
                link.name,
            );
        }
    }
}

const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Tells the log when a link comes or goes.
fn tell_changes(boards: &[LinkBoard], before: &mut BTreeMap<String, LinkState>) {
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
