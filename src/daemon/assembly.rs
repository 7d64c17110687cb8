//! The assembly of a gateway, for a daemon and for a single command: desk, journal's thread and store's thread.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle as Task;

use super::driver::Driver;
use super::journal_thread;
use super::opening::{self, Opened, OpeningError, Progress, journal_folder};
use super::store_thread::{OnDisk, StoreThread, StoreWorker};
use crate::ambient::Clock;
use crate::api::{Gateway, Links, QueryQueues};
use crate::desk::Desk;
use crate::detect::{Recorded, reach};
use crate::disk::{Disk, RealDisk};
use crate::feed::Feed;
use crate::limits;
use crate::link::{LinkBoard, LinkSays};
use crate::recorder::{Recorder, Sample};
use crate::site::Site;
use crate::store::StoreView;
use crate::words::Now;

/// The parts of a gateway.
pub struct Parts {
    /// The site.
    pub site: Arc<Site>,
    /// The data directory, whose lock the caller holds.
    pub data: PathBuf,
    /// True if the data directory must not be written, for example on read-only media.
    pub is_read_only: bool,
    /// The clock.
    pub clock: Clock,
    /// The boards of the site's links; `None` for a single command: no equipment is read, and neither start nor stop is
    /// recorded.
    pub boards: Option<Vec<LinkBoard>>,
    /// The command channels of the links.
    pub links: Links,
}

/// A running gateway. [`RunningGateway::stop`] ends it.
pub struct RunningGateway {
    /// The access for the routes.
    pub gateway: Gateway,
    /// The channel for the readings of the links.
    pub readings: mpsc::Sender<LinkSays>,
    pub(super) driver: Task<()>,
    pub(super) store: StoreThread,
    /// True if the beginning of a long journal is not checked yet.
    pub(super) is_partly_checked: bool,
    stop: Option<oneshot::Sender<()>>,
    threads: Vec<JoinHandle<()>>,
}

/// Opens a data directory and starts the desk.
///
/// # Errors
/// If the data directory cannot be opened.
pub fn start(parts: Parts, progress: Progress<'_>) -> Result<RunningGateway, OpeningError> {
    let Parts { site, data, is_read_only, clock, boards, links } = parts;
    let disk: Arc<dyn Disk> = Arc::new(RealDisk);
    let folder = journal_folder(&data);
    let mut opener = Box::new(OnDisk(data.clone()));
    let opened = opening::open(disk.clone(), &folder, opener.as_mut(), is_read_only, progress)?;
    let Opened { journal, store, home, why_not, said, damage, is_partly_checked } = opened;
    for sentence in &said {
        tracing::warn!("{sentence}");
    }
    let io = |source| OpeningError::Io { path: data.clone(), source };
    let end = journal.end().clone();
    let mut state = store.state().clone();
    state.seq = end.seq;
    let mut desk = Desk::new(site.clone(), state, clock.now());
    match &boards {
        Some(_) => desk.start(clock.now(), env!("CARGO_PKG_VERSION"), &damage),
        None => desk.start_without_daemon(),
    }
    let (recorder, recording) = recorder(&site, &data, boards.is_some());
    if boards.is_some() {
        let now = clock.now();
        match recorded(&recorder, &site, now) {
            Ok(recorded) => desk.warm(now, &recorded),
            Err(e) => tracing::warn!(
                target: "andon::recorder",
                "time windows and delays start again, because the recorded readings cannot be read: {e}",
            ),
        }
    }
    let feed = Feed::new(disk, &folder, end);
    let view = StoreView::default();
    let worker = StoreWorker::new(opener, feed.clone(), view.clone(), Some((store, home)), why_not)
        .read_only(is_read_only);
    let store = StoreThread::start(worker, &data).map_err(io)?;
    let journal = journal_thread::start(journal, feed.clone(), boards.is_some()).map_err(io)?;
    let (messages_tx, messages) = mpsc::channel(limits::COMMANDS_QUEUED_MAX);
    let (readings_tx, readings) = mpsc::channel(limits::ANSWERS_QUEUED_MAX);
    let (stop_tx, stop) = oneshot::channel();
    let driver = Driver {
        desk,
        clock,
        messages,
        readings,
        written: journal.written,
        groups: journal.groups,
        links: links.clone(),
        recorder: recording.is_some().then(|| recorder.clone()),
        stop,
    };
    let gateway = Gateway {
        site,
        daemon: boards.is_some(),
        clock,
        captures: data.join("wire"),
        recorder,
        traces: data.join("traces"),
        desk: messages_tx,
        feed,
        store: view,
        queues: QueryQueues::default(),
        report: Arc::default(),
        found: Arc::new(damage),
        boards: boards.unwrap_or_default(),
        links,
        reload: None,
    };
    Ok(RunningGateway {
        gateway,
        readings: readings_tx,
        driver: tokio::spawn(driver.run()),
        store,
        is_partly_checked,
        stop: Some(stop_tx),
        threads: std::iter::once(journal.thread).chain(recording).collect(),
    })
}

/// Starts the recorder. A single command only reads recorded readings: then there is no thread.
fn recorder(site: &Site, data: &std::path::Path, is_daemon: bool) -> (Recorder, Option<JoinHandle<()>>) {
    let budget = site.recorder_mib * 1024 * 1024;
    let folder = data.join("recorder");
    if !is_daemon || budget == 0 {
        return (Recorder::reading(folder), None);
    }
    match Recorder::start(folder.clone(), budget) {
        Ok((recorder, thread)) => (recorder, Some(thread)),
        Err(e) => {
            tracing::error!(target: "andon::recorder", "readings are not recorded: {e}");
            (Recorder::reading(folder), None)
        }
    }
}

/// Reads the recorded readings that the faults of the site use, as far back as the longest time window.
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

impl RunningGateway {
    /// Ends the desk, then the journal's thread, then the store's thread, each after its last work. Returns true if all
    /// acknowledged events are on disk. If the store does not end in time, the next start completes it.
    pub async fn stop(mut self) -> bool {
        if let Some(stop) = self.stop.take() {
            // The driver may have ended already.
            let _told = stop.send(());
        }
        let ended = tokio::time::timeout(limits::STOP_MAX, self.driver).await;
        let threads = self.threads;
        let joined = tokio::task::spawn_blocking(move || {
            threads.into_iter().map(JoinHandle::join).all(|end| end.is_ok())
        });
        let joined = tokio::time::timeout(limits::STOP_MAX, joined).await;
        if !self.store.stop().await {
            tracing::warn!(
                target: "andon::store",
                "the ticket database did not end in time; the next start reads the missing events from the journal",
            );
        }
        matches!((ended, joined), (Ok(Ok(())), Ok(Ok(true))))
    }
}
