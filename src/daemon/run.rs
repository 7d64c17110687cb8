//! The daemon: lock, data, links, API, `ready`, and an orderly end on SIGTERM or SIGINT.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::net::UnixListener;
use tokio::sync::mpsc;

use super::engine;
use super::files::socket_path;
use super::lock::{DataLock, LockError};
use super::log::Log;
use super::opening::OpeningError;
use crate::ambient::{self, Clock};
use crate::api::router;
use crate::limits;
use crate::link::modbus::{LineTiming, load, plan};
use crate::link::{Batch, LinkBoard, LinkCommand, LinkState, LinkTask, serve};
use crate::site::Site;
use crate::words::{EquipmentIndex, Outcome};

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

type Links = Arc<Mutex<Vec<mpsc::Sender<LinkCommand>>>>;

/// Runs a gateway until `stop` is done.
///
/// # Errors
/// When it cannot start, or a part of it died.
pub async fn run(
    site: Arc<Site>,
    data: &Path,
    clock: Clock,
    log: Log,
    stop: impl Future<Output = ()>,
) -> Result<(), DaemonError> {
    let _lock = DataLock::for_daemon(data).await?;
    warn_of_heavy_lines(&site, log);
    let boards = boards(&site, clock);
    let links: Links = Arc::default();
    let mut told = 0;
    let mut progress = |done: u64, of: u64| {
        let tenth = done * 10 / of.max(1);
        if tenth > told {
            told = tenth;
            log.info(&format!("the store takes the journal in: event {done} of {of}"));
        }
    };
    let mut engine =
        engine::start(site.clone(), data, clock, log, Some(boards.clone()), links.clone(), &mut progress)?;
    let path = socket_path(data);
    let listener = listen(&path)?;
    let tasks = start_links(&site, &boards, &links, clock, log, &engine.readings);
    let api = tokio::spawn(axum::serve(listener, router(engine.gateway.clone())).into_future());
    log.info(&format!(
        "ready: links {}, equipment {}, socket {}",
        site.links.len(),
        site.equipment.len(),
        path.display()
    ));
    let watch = tokio::spawn(tell_changes(boards, log));
    tokio::pin!(stop);
    let end = tokio::select! {
        () = &mut stop => Ok(()),
        end = &mut engine.driver => Err(DaemonError::Broken(match end {
            Ok(()) => "the journal's thread has ended".to_owned(),
            Err(e) => format!("the desk has failed: {e}"),
        })),
    };
    log.info("stopping");
    watch.abort();
    for task in tasks {
        task.abort();
    }
    // The socket goes first: whoever knocks now is told that nobody is there.
    let _gone = std::fs::remove_file(&path);
    api.abort();
    end?;
    if !engine.stop().await {
        return Err(DaemonError::Broken("not everything was on disk in time".to_owned()));
    }
    log.info("stopped");
    Ok(())
}

fn listen(path: &Path) -> Result<UnixListener, DaemonError> {
    let fail = |source| DaemonError::Socket { path: path.to_owned(), source };
    // Ours is the lock: a socket that is left over belongs to nobody.
    match std::fs::remove_file(path) {
        Ok(()) => {}
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(fail(e)),
    }
    let listener = UnixListener::bind(path).map_err(fail)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660)).map_err(fail)?;
    Ok(listener)
}

fn boards(site: &Site, clock: Clock) -> Vec<LinkBoard> {
    let on = |at: usize| site.equipment.iter().enumerate().filter(move |(_, e)| e.link == at);
    site.links
        .iter()
        .enumerate()
        .map(|(at, link)| {
            LinkBoard::new(link.name.as_str(), on(at).map(|(i, _)| EquipmentIndex(i)), clock.now())
        })
        .collect()
}

fn start_links(
    site: &Arc<Site>,
    boards: &[LinkBoard],
    links: &Links,
    clock: Clock,
    log: Log,
    readings: &mpsc::Sender<Batch>,
) -> Vec<tokio::task::JoinHandle<()>> {
    let mut tasks = Vec::new();
    for (at, board) in boards.iter().enumerate() {
        let keep = Kept { site: site.clone(), at, board: board.clone(), links: links.clone(), clock, log };
        let (sender, commands) = mpsc::channel(limits::LINK_COMMANDS_MAX);
        links.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        tasks.push(tokio::spawn(keep.serving(readings.clone(), commands)));
    }
    tasks
}

/// A link whose task is started again when it panics.
struct Kept {
    site: Arc<Site>,
    at: usize,
    board: LinkBoard,
    links: Links,
    clock: Clock,
    log: Log,
}

impl Kept {
    async fn serving(self, readings: mpsc::Sender<Batch>, mut commands: mpsc::Receiver<LinkCommand>) {
        loop {
            let task = LinkTask {
                site: self.site.clone(),
                link: self.at,
                board: self.board.clone(),
                readings: readings.clone(),
                commands,
                clock: self.clock,
                seed: ambient::seed(),
            };
            // Dropped with this future, so that a stopping daemon ends it.
            let mut running = tokio::task::JoinSet::new();
            running.spawn(serve(task));
            match running.join_next().await {
                Some(Err(e)) if e.is_panic() => {
                    let name = self.board.lock().name.clone();
                    self.log
                        .error(&format!("the task of link {name} failed ({e}) and is started again: a bug"));
                    self.board.lock().count_error("panic");
                }
                _ => return,
            }
            tokio::time::sleep(limits::LINK_RESTART).await;
            let (sender, fresh) = mpsc::channel(limits::LINK_COMMANDS_MAX);
            commands = fresh;
            if let Some(slot) = self.links.lock().unwrap_or_else(PoisonError::into_inner).get_mut(self.at) {
                *slot = sender;
            }
        }
    }
}

/// Warns of lines that cannot carry what is asked of them, with the remedy.
fn warn_of_heavy_lines(site: &Site, log: Log) {
    for (at, link) in site.links.iter().enumerate() {
        let timing = LineTiming::of(&link.kind);
        let on_link = site.equipment.iter().filter(|e| e.link == at);
        let all: f64 = on_link.map(|e| load(&plan(&e.profile, timing), timing)).sum();
        if all > limits::LINE_LOAD_WARN {
            log.warn(&format!(
                "link {}: what is asked of it takes {:.0} % of its time; points will be late. \
                 `andon link plan {}` shows which requests take how long; longer `every`, a higher baud rate \
                 or a second line help",
                link.name,
                all * 100.0,
                link.name
            ));
        }
    }
}

/// Tells the log when a link or a piece of equipment comes or goes.
async fn tell_changes(boards: Vec<LinkBoard>, log: Log) {
    const LOOK_EVERY: Duration = Duration::from_secs(1);
    let mut before: Vec<Option<LinkState>> = vec![None; boards.len()];
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        for (board, before) in boards.iter().zip(&mut before) {
            let stats = board.lock();
            if *before != Some(stats.state) {
                *before = Some(stats.state);
                let text = format!("link {} is {}: {}", stats.name, stats.state.word(), stats.message);
                drop(stats);
                log.info(&text);
            }
        }
    }
}
