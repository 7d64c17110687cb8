//! What a daemon and a single command have in common: desk, journal's thread and store's thread, put together.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle as Task;

use super::captures::{self, Heard};
use super::driver::Driver;
use super::keeper;
use super::log::Log;
use super::opening::{self, Opened, OpeningError, Progress, journal_folder};
use super::writer;
use crate::ambient::Clock;
use crate::api::{Gateway, Links};
use crate::desk::Desk;
use crate::detect::{Recorded, reach};
use crate::limits;
use crate::link::{Batch, LinkBoard};
use crate::recorder::{Recorder, Sample};
use crate::site::Site;
use crate::words::Now;

/// A running gateway and how to end it.
pub struct Engine {
    /// What the routes reach.
    pub gateway: Gateway,
    /// Where links put their readings.
    pub readings: mpsc::Sender<Batch>,
    pub(super) driver: Task<()>,
    /// Tickets as they are opened.
    pub(super) opened: Option<Heard>,
    stop: Option<oneshot::Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

/// Opens a data directory, which the caller holds the lock of, and starts the desk on it. Without boards nothing
/// is read and neither start nor stop is recorded.
///
/// # Errors
/// When the data directory does not open.
pub fn start(
    site: Arc<Site>,
    data: &Path,
    clock: Clock,
    log: Log,
    boards: Option<Vec<LinkBoard>>,
    links: Links,
    progress: Progress<'_>,
) -> Result<Engine, OpeningError> {
    let Opened { journal, store, said, damage } = opening::open(data, progress)?;
    for sentence in &said {
        log.warn(sentence);
    }
    let io = |source| OpeningError::Io { path: data.to_owned(), source };
    let mut desk = Desk::new(site.clone(), store.state().clone(), clock.now());
    match &boards {
        Some(_) => desk.start(clock.now(), env!("CARGO_PKG_VERSION"), damage),
        None => desk.take_up(),
    }
    let budget = site.recorder_mib * 1024 * 1024;
    let folder = data.join("recorder");
    // A single command reads what was recorded; only a daemon records.
    let (recorder, recording) = if boards.is_some() && budget > 0 {
        let (recorder, thread) = Recorder::start(folder, budget).map_err(io)?;
        (recorder, Some(thread))
    } else {
        (Recorder::reading(folder), None)
    };
    if boards.is_some() {
        let now = clock.now();
        match recorded(&recorder, &site, now) {
            Ok(recorded) => desk.warm(now, &recorded),
            Err(e) => log.warn(&format!("windows and delays begin anew: recorded readings do not read: {e}")),
        }
    }
    let keeper = keeper::start(data.to_owned(), store, log).map_err(io)?;
    let writer = writer::start(journal, keeper.records).map_err(io)?;
    let (messages_tx, messages) = mpsc::channel(limits::COMMANDS_QUEUED_MAX);
    let (readings_tx, readings) = mpsc::channel(limits::ANSWERS_QUEUED_MAX);
    let (stop_tx, stop) = oneshot::channel();
    let (opened_tx, opened) = captures::openings();
    let driver = Driver {
        desk,
        clock,
        messages,
        readings,
        written: writer.written,
        groups: writer.groups,
        links: links.clone(),
        opened: opened_tx,
        recorder: recording.is_some().then(|| recorder.clone()),
        stop,
    };
    let gateway = Gateway {
        site,
        daemon: boards.is_some(),
        clock,
        journal: journal_folder(data),
        captures: data.join("wire"),
        recorder,
        traces: data.join("traces"),
        desk: messages_tx,
        store: keeper.reader,
        applied: keeper.applied,
        boards: boards.unwrap_or_default(),
        links,
        reload: None,
    };
    Ok(Engine {
        gateway,
        readings: readings_tx,
        driver: tokio::spawn(driver.run()),
        opened: Some(opened),
        stop: Some(stop_tx),
        threads: [writer.thread, keeper.thread].into_iter().chain(recording).collect(),
    })
}

/// What faults need of what was recorded before.
fn recorded(recorder: &Recorder, site: &Site, now: Now) -> std::io::Result<Vec<Recorded>> {
    let longest = site.equipment.iter().map(reach).max().unwrap_or_default();
    let mut judged = BTreeMap::new();
    for (equipment, point) in site.judged() {
        let Some(e) = site.equipment.get(equipment.0) else { continue };
        let Some(p) = e.profile.points.get(point.0) else { continue };
        judged.insert((e.id.as_str(), p.name.as_str()), (equipment, point));
    }
    let is_judged = |equipment: &str, point: &str| judged.contains_key(&(equipment, point));
    let mut found = Vec::new();
    let mut each = |id: &str, name: &str, sample: Sample| {
        if let Some((equipment, point)) = judged.get(&(id, name)) {
            let (equipment, point) = (*equipment, *point);
            found.push(Recorded { at: sample.at, equipment, point, value: sample.value });
        }
    };
    recorder.each(now.wall.before(longest), now.wall, &is_judged, &mut each)?;
    Ok(found)
}

impl Engine {
    /// Ends the desk, then the journal's thread, then the store's, each after its last work. Returns whether all
    /// of it ended well and in time.
    pub async fn stop(mut self) -> bool {
        if let Some(stop) = self.stop.take() {
            // A driver that is gone needs no telling.
            let _told = stop.send(());
        }
        let ended = tokio::time::timeout(limits::STOP_MAX, self.driver).await;
        let joined = tokio::task::spawn_blocking(move || {
            self.threads.into_iter().map(JoinHandle::join).all(|end| end.is_ok())
        });
        let joined = tokio::time::timeout(limits::STOP_MAX, joined).await;
        matches!((ended, joined), (Ok(Ok(())), Ok(Ok(true))))
    }
}
