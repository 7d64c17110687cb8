//! The thread of the store: follows the feed and keeps the ticket database equal to the journal.
//!
//! The journal never waits for this thread. If the store fails, is damaged or hangs, it is set aside and rebuilt from the
//! journal while all other work continues. sled is not used while the disk has little free space, because sled hangs in its
//! own threads after a full disk. Until there is space, the store is in memory.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

use super::opening::{aside_of, set_aside, store_folder};
use crate::disk;
use crate::feed::Feed;
use crate::limits;
use crate::store::{Store, StoreHealth, StoreView, tables};

/// The place of the rows of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Home {
    /// In sled, in the data directory.
    Disk,
    /// In memory, because the disk cannot be used.
    Memory,
}

/// Opens tables on the disk, and sets damaged ones aside.
pub(super) trait Opener: Send {
    /// Opens the store on disk; an empty one if there is none.
    fn open(&mut self) -> Result<Store, String>;
    /// Moves the store aside, so that an empty store can be opened. Returns its new place; `None` if there was no store.
    fn set_aside(&mut self) -> Result<Option<String>, String>;
    /// Returns the free space on the disk in bytes.
    fn room(&mut self) -> u64;
    /// Removes the store that was set aside, to get free space.
    fn drop_aside(&mut self);
}

/// A store in sled, in this data directory.
pub(super) struct OnDisk(pub PathBuf);

impl Opener for OnDisk {
    fn open(&mut self) -> Result<Store, String> {
        let tables = tables::open(&store_folder(&self.0)).map_err(|e| e.to_string())?;
        Store::open(tables).map_err(|e| e.to_string())
    }

    fn set_aside(&mut self) -> Result<Option<String>, String> {
        let aside = set_aside(&store_folder(&self.0)).map_err(|e| e.to_string())?;
        Ok(aside.map(|path| path.display().to_string()))
    }

    fn room(&mut self) -> u64 {
        disk::room(&self.0).unwrap_or(0)
    }

    fn drop_aside(&mut self) {
        // If the folder cannot be removed, it only takes space.
        let _removed = std::fs::remove_dir_all(aside_of(&store_folder(&self.0)));
    }
}

/// The next action of the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Call [`StoreWorker::step`] again at once.
    Again,
    /// Wait for a new event, at most for this time.
    Wait(Duration),
}

/// The work of the thread, in bounded steps.
pub(super) struct StoreWorker {
    opener: Box<dyn Opener>,
    feed: Feed,
    view: StoreView,
    /// The store that queries read.
    current: Option<(Store, Home)>,
    /// A store on disk that is being rebuilt; it then replaces `current`.
    coming: Option<Store>,
    /// The reason why the store on disk is not in use; empty if it is.
    why_not: String,
    /// The number of steps until the disk is tried again.
    rest: u32,
    is_dirty: bool,
    is_read_only: bool,
}

impl StoreWorker {
    pub(super) fn new(
        opener: Box<dyn Opener>,
        feed: Feed,
        view: StoreView,
        opened: Option<(Store, Home)>,
        why_not: String,
    ) -> Self {
        if let Some((store, _)) = &opened {
            view.serve(store.reader(), store.cursor().seq);
        }
        let worker = Self {
            opener,
            feed,
            view,
            current: opened,
            coming: None,
            why_not,
            rest: 0,
            is_dirty: false,
            is_read_only: false,
        };
        worker.publish_health();
        worker
    }

    /// With `true`, the worker never writes a store on disk.
    pub(super) fn read_only(mut self, is_read_only: bool) -> Self {
        self.is_read_only = is_read_only;
        self
    }

    /// Does one bounded piece of work.
    pub(super) fn step(&mut self) -> Next {
        if let Some(why) = self.view.take_suspicion() {
            self.give_up(&why);
        }
        let mut is_more = false;
        if self.may_write() {
            is_more |= self.follow_current();
            if !self.is_read_only && !matches!(self.current, Some((_, Home::Disk))) {
                is_more |= self.rebuild_on_disk();
            }
            if !is_more && self.is_dirty {
                self.flush();
            }
        }
        self.publish_health();
        if is_more { Next::Again } else { Next::Wait(limits::STORE_FLUSH_EVERY) }
    }

    /// True if the current store may be written: sled only while the disk has free space.
    fn may_write(&mut self) -> bool {
        match &self.current {
            Some((_, Home::Memory)) | None => true,
            Some((store, Home::Disk)) => {
                let is_behind = store.cursor().seq < self.feed.end_seq();
                if !is_behind && !self.is_dirty {
                    return true;
                }
                let has_room = self.opener.room() >= limits::STORE_ROOM_MIN;
                if !has_room && self.why_not.is_empty() {
                    self.why_not = "the disk is nearly full".to_owned();
                    tracing::warn!(
                        target: "andon::store",
                        "the disk is nearly full: the ticket database waits, the journal continues",
                    );
                } else if has_room && !self.why_not.is_empty() {
                    self.why_not.clear();
                    tracing::info!(
                        target: "andon::store",
                        "the disk has free space again: the ticket database continues",
                    );
                }
                has_room
            }
        }
    }

    fn follow_current(&mut self) -> bool {
        let Some((store, home)) = &mut self.current else { return false };
        let is_on_disk = *home == Home::Disk;
        match follow(store, &self.feed, limits::STORE_FOLLOW_MAX) {
            Ok(false) => false,
            Ok(true) => {
                self.view.applied_up_to(store.cursor().seq);
                self.is_dirty |= is_on_disk;
                true
            }
            Err(Stuck::Feed(why)) => {
                self.why_not = why;
                false
            }
            Err(Stuck::Rows(why)) => {
                self.give_up(&why);
                false
            }
        }
    }

    /// Opens the store on disk, applies the missing events in steps, and then uses this store.
    fn rebuild_on_disk(&mut self) -> bool {
        if self.rest > 0 {
            self.rest -= 1;
            return false;
        }
        if self.opener.room() < limits::STORE_ROOM_MIN * 2 {
            self.why_not = "the disk is nearly full".to_owned();
            self.opener.drop_aside();
            return false;
        }
        let mut store = match self.coming.take() {
            Some(store) => store,
            None => match self.opener.open() {
                // A store with more events than the journal belongs to another journal.
                Ok(store) if store.cursor().seq <= self.feed.end_seq() => store,
                Ok(_) => return self.try_again("it has more events than the journal"),
                Err(why) => return self.try_again(&why),
            },
        };
        match follow(&mut store, &self.feed, limits::STORE_BATCH_MAX) {
            Ok(true) => {
                self.is_dirty = true;
                self.coming = Some(store);
                true
            }
            Ok(false) => {
                tracing::info!(target: "andon::store", "the ticket database is up to date with the journal");
                self.view.serve(store.reader(), store.cursor().seq);
                self.why_not.clear();
                self.current = Some((store, Home::Disk));
                true
            }
            Err(Stuck::Feed(why)) => {
                self.coming = Some(store);
                self.why_not = why;
                false
            }
            Err(Stuck::Rows(why)) => {
                forget(store);
                self.try_again(&why)
            }
        }
    }

    fn try_again(&mut self, why: &str) -> bool {
        self.why_not = why.to_owned();
        self.rest = limits::STORE_RETRY_STEPS;
        if let Err(e) = self.opener.set_aside() {
            self.why_not = format!("{why}; it cannot be set aside: {e}");
        }
        tracing::error!(
            target: "andon::store",
            "the ticket database cannot be used: {}; andon tries again", self.why_not,
        );
        false
    }

    /// Stops using the current store. The store is rebuilt from the journal.
    fn give_up(&mut self, why: &str) {
        tracing::error!(
            target: "andon::store",
            "{why}; nothing is lost, the ticket database is rebuilt from the journal",
        );
        self.view.withdraw();
        if let Some((store, Home::Disk)) = self.current.take() {
            forget(store);
            if let Err(e) = self.opener.set_aside() {
                tracing::error!(target: "andon::store", "the ticket database cannot be set aside: {e}");
            }
        }
        self.why_not = why.to_owned();
        self.rest = 0;
        self.is_dirty = false;
    }

    fn flush(&mut self) {
        self.is_dirty = false;
        if let Some((store, Home::Disk)) = &mut self.current
            && let Err(e) = store.flush()
        {
            self.give_up(&e.to_string());
        }
    }

    fn publish_health(&self) {
        let why = self.why_not.clone();
        let health = match (&self.current, &self.coming) {
            (Some((_, Home::Disk)), _) if why.is_empty() => StoreHealth::Ready,
            (Some((_, Home::Disk | Home::Memory)), None) => StoreHealth::WaitsForRoom(why),
            (_, Some(store)) => StoreHealth::Rebuilding(format!(
                "event {} of {}; {why}",
                store.cursor().seq,
                self.feed.end_seq()
            )),
            (None, None) => StoreHealth::Away(why),
        };
        self.view.set_health(health);
    }
}

/// The reason why a store cannot continue.
enum Stuck {
    /// The journal's files cannot be read.
    Feed(String),
    /// The rows of the store cannot be read or written.
    Rows(String),
}

/// Applies the next records to a store, at most `most`. Returns false if there were none.
fn follow(store: &mut Store, feed: &Feed, most: usize) -> Result<bool, Stuck> {
    let followed = feed.after(store.cursor(), most);
    let followed = followed.map_err(|e| Stuck::Feed(format!("the journal cannot be read: {e}")))?;
    if followed.cursor.seq == store.cursor().seq {
        return Ok(false);
    }
    store.apply(&followed.items, followed.cursor).map_err(|e| Stuck::Rows(e.to_string()))?;
    Ok(true)
}

/// Drops a store in a separate thread, because sled can hang during the drop. Nothing waits for this thread.
pub(super) fn forget(store: Store) {
    // If no thread can be started, the store stays open until the process ends.
    let _thread = std::thread::Builder::new().name("store-drop".to_owned()).spawn(move || drop(store));
}

/// The thread of the store and its watchdog.
pub(super) struct StoreThread {
    data: PathBuf,
    feed: Feed,
    view: StoreView,
    running: Mutex<Running>,
}

struct Running {
    thread: Option<JoinHandle<()>>,
    /// The number of steps. If the number does not change for some time, the thread hangs.
    steps: Arc<AtomicU64>,
    stop: watch::Sender<bool>,
    seen: (u64, u32),
    given_up: u32,
}

impl StoreThread {
    /// Starts the thread.
    pub(super) fn start(worker: StoreWorker, data: &Path) -> std::io::Result<Self> {
        let (feed, view) = (worker.feed.clone(), worker.view.clone());
        let running = spawn(worker)?;
        Ok(Self { data: data.to_owned(), feed, view, running: Mutex::new(running) })
    }

    /// Abandons a thread that hangs or has failed, and starts another thread with an empty store. Call it once a second.
    pub(super) fn watch(&self) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let steps = running.steps.load(Ordering::Relaxed);
        let is_same = running.seen.0 == steps;
        running.seen = (steps, if is_same { running.seen.1 + 1 } else { 0 });
        let has_ended = running.thread.as_ref().is_some_and(JoinHandle::is_finished);
        let hangs = u64::from(running.seen.1) > limits::STORE_HANG_MAX.as_secs();
        if (!hangs && !has_ended) || running.given_up >= limits::STORE_GIVEN_UP_MAX {
            return;
        }
        running.stop.send_replace(true);
        let given_up = running.given_up + 1;
        let what = if hangs { "hangs" } else { "has failed" };
        tracing::error!(
            target: "andon::store",
            "the thread of the ticket database {what}; andon rebuilds the database in a new thread",
        );
        self.view.withdraw();
        let mut opener = OnDisk(self.data.clone());
        if let Err(e) = opener.set_aside() {
            tracing::error!(target: "andon::store", "the ticket database cannot be set aside: {e}");
        }
        if given_up >= limits::STORE_GIVEN_UP_MAX {
            let why = format!("its thread has failed {given_up} times; restart andon");
            self.view.set_health(StoreHealth::Away(why));
            running.given_up = given_up;
            return;
        }
        let why = format!("its thread {what}");
        let (feed, view) = (self.feed.clone(), self.view.clone());
        match spawn(StoreWorker::new(Box::new(opener), feed, view, None, why)) {
            Ok(next) => *running = Running { given_up, ..next },
            Err(e) => {
                tracing::error!(target: "andon::store", "cannot start a thread for the ticket database: {e}")
            }
        }
    }

    /// Ends the thread after its last work. Returns true if it ended in time.
    pub(super) async fn stop(&self) -> bool {
        let (stop, thread) = {
            let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
            (running.stop.clone(), running.thread.take())
        };
        stop.send_replace(true);
        let Some(thread) = thread else { return true };
        let joined = tokio::task::spawn_blocking(move || thread.join().is_ok());
        matches!(tokio::time::timeout(limits::STOP_MAX, joined).await, Ok(Ok(true)))
    }
}

fn spawn(mut worker: StoreWorker) -> std::io::Result<Running> {
    let steps = Arc::new(AtomicU64::new(0));
    let (stop, mut stopped) = watch::channel(false);
    let counted = steps.clone();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    let mut end = worker.feed.end();
    let work = move || {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
            match worker.step() {
                Next::Again => continue,
                Next::Wait(_) if *stopped.borrow() => break,
                Next::Wait(time) => {
                    // The next step looks for new events and for work that is due.
                    runtime.block_on(async {
                        tokio::select! {
                            _ = end.changed() => {}
                            _ = stopped.changed() => {}
                            () = tokio::time::sleep(time) => {}
                        }
                    });
                }
            }
        }
        worker.flush();
    };
    let thread = std::thread::Builder::new().name("store".to_owned()).spawn(work)?;
    Ok(Running { thread: Some(thread), steps, stop, seen: (0, 0), given_up: 0 })
}
