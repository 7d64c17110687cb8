//! A gateway without links, in virtual time: the driver, the journal's worker and the store's worker. A test decides when
//! the disk and the tables fail.

mod answers;
mod faults;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::driver::Driver;
use super::journal_thread::JournalWorker;
use super::opening;
use super::store_thread::{Next, Opener, StoreWorker};
use crate::ambient::Clock;
use crate::api::{Gateway, Message, QueryQueues};
use crate::desk::{Ask, Desk, Event, Reply};
use crate::disk::Disk;
use crate::disk::fake::FakeDisk;
use crate::feed::{Feed, FeedItem, RecordReader};
use crate::journal::Cursor;
use crate::limits;
use crate::link::{Batch, LinkSays};
use crate::recorder::Recorder;
use crate::site::Site;
use crate::site::testing::listened;
use crate::store::tables::Memory;
use crate::store::{Store, StoreView};
use crate::ticket::{Target, TicketAsk, TicketChange, TicketEvent, TicketVerb};
use crate::words::{
    Author, EquipmentIndex, PointIndex, Presence, Reading, Refusal, TicketNumber, Value, Wall,
};

fn folder() -> &'static Path {
    Path::new("/data/journal")
}

/// Tables that survive a restart, and a disk that may have no space for them.
struct Kept {
    tables: Memory,
    room: Arc<Mutex<u64>>,
}

impl Opener for Kept {
    fn open(&mut self) -> Result<Store, String> {
        Store::open(Box::new(self.tables.clone())).map_err(|e| e.to_string())
    }

    fn set_aside(&mut self) -> Result<Option<String>, String> {
        self.tables.clear();
        Ok(None)
    }

    fn room(&mut self) -> u64 {
        *self.room.lock().unwrap()
    }

    fn drop_aside(&mut self) {}
}

/// A gateway without links, on a disk that may fail.
struct World {
    disk: FakeDisk,
    tables: Memory,
    room: Arc<Mutex<u64>>,
    site: Arc<Site>,
    clock: Clock,
    running: Option<Running>,
}

struct Running {
    messages: mpsc::Sender<Message>,
    readings: mpsc::Sender<LinkSays>,
    view: StoreView,
    feed: Feed,
    tasks: JoinSet<()>,
    _stop: oneshot::Sender<()>,
}

impl World {
    fn new() -> Self {
        let fault = "[faults.a]\nseverity = 'major'\nwhen = 'x > 5'\nmeans = 'm'\n";
        let site = listened("x = { topic = 't', type = 'i64' }", fault);
        let clock = Clock::of_runtime(Wall::from_millis(1_800_000_000_000));
        let room = Arc::new(Mutex::new(u64::MAX));
        let (disk, tables) = (FakeDisk::default(), Memory::default());
        Self { disk, tables, room, site, clock, running: None }
    }

    fn arc(&self) -> Arc<dyn Disk> {
        Arc::new(self.disk.clone())
    }

    fn opener(&self) -> Kept {
        Kept { tables: self.tables.clone(), room: self.room.clone() }
    }

    /// Starts as the daemon does.
    fn start(&mut self) {
        let (worker, feed) = self.start_without_store();
        self.running.as_mut().unwrap().tasks.spawn(keep_stored(worker, feed));
    }

    /// Starts as the daemon does. The store's worker does nothing until the test allows it.
    fn start_without_store(&mut self) -> (StoreWorker, Feed) {
        let mut opener = self.opener();
        let opened = opening::open(self.arc(), folder(), &mut opener, false, &mut |_| {}).unwrap();
        let end = opened.journal.end().clone();
        let mut state = opened.store.state().clone();
        state.seq = end.seq;
        let mut desk = Desk::new(self.site.clone(), state, self.clock.now());
        desk.start(self.clock.now(), "1", &opened.damage);
        let feed = Feed::new(self.arc(), folder(), end);
        let view = StoreView::default();
        let store = Some((opened.store, opened.home));
        let worker = StoreWorker::new(Box::new(opener), feed.clone(), view.clone(), store, opened.why_not);
        let (groups, written, journal) = JournalWorker::new(opened.journal, feed.clone());
        let (messages_tx, messages) = mpsc::channel(limits::COMMANDS_QUEUED_MAX);
        let (readings_tx, readings) = mpsc::channel(limits::ANSWERS_QUEUED_MAX);
        let (stop_tx, stop) = oneshot::channel();
        let driver = Driver {
            desk,
            clock: self.clock,
            messages,
            readings,
            written,
            groups,
            links: Arc::default(),
            recorder: None,
            stop,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(driver.run());
        tasks.spawn(journal.run());
        let (messages, readings) = (messages_tx, readings_tx);
        let running = Running { messages, readings, view, feed: feed.clone(), tasks, _stop: stop_tx };
        self.running = Some(running);
        (worker, feed)
    }

    /// Returns the gateway for the routes.
    fn gateway(&self) -> Gateway {
        let running = self.running.as_ref().unwrap();
        Gateway {
            site: self.site.clone(),
            daemon: true,
            clock: self.clock,
            captures: PathBuf::new(),
            recorder: Recorder::reading(PathBuf::new()),
            traces: PathBuf::new(),
            desk: running.messages.clone(),
            feed: running.feed.clone(),
            store: running.view.clone(),
            queues: QueryQueues::default(),
            report: Arc::default(),
            found: Arc::default(),
            boards: Vec::new(),
            links: Arc::default(),
            reload: None,
        }
    }

    /// Ends everything at once. Bytes that were not durable are lost, except some.
    async fn power_cut(&mut self, torn: usize) {
        if let Some(mut running) = self.running.take() {
            running.tasks.shutdown().await;
        }
        self.disk.power_cut(torn);
    }

    async fn reads(&self, x: i64) {
        let at = self.clock.now();
        let reading = Reading { value: Ok(Value::Integer(i128::from(x))), at };
        let batch = Batch {
            at,
            equipment: EquipmentIndex(0),
            readings: vec![(PointIndex(0), reading)],
            presence: Presence::Answered,
            done: None,
            site: 0,
        };
        self.running.as_ref().unwrap().readings.send(LinkSays::Readings(batch)).await.unwrap();
    }

    /// Sends a note, and waits for the answer in a separate task.
    async fn note(&self, text: String) -> oneshot::Receiver<Result<Reply, Refusal>> {
        let (tx, rx) = oneshot::channel();
        let (target, verb) = (Target::Number(TicketNumber(1)), TicketVerb::Note { text });
        let ask = Ask {
            by: Author::unproven("eva"),
            verb: TicketAsk::Change(TicketChange { target, verb, stored: None, duplicate_exists: false })
                .into(),
        };
        self.running.as_ref().unwrap().messages.send(Message::Ask(Box::new(ask), tx)).await.unwrap();
        rx
    }

    /// Returns the texts of all notes in the journal, in their order.
    fn noted(&self) -> Vec<String> {
        let reader = RecordReader::new(self.arc(), folder(), &Cursor::default(), None).unwrap();
        let notes = reader.filter_map(|item| match item {
            FeedItem::Record(c) => match &c.record.event {
                Event::Ticket(TicketEvent::Noted { text, .. }) if text.starts_with("note ") => {
                    Some(text.clone())
                }
                _ => None,
            },
            FeedItem::Damage(d) => panic!("{d}"),
        });
        notes.collect()
    }
}

async fn keep_stored(mut worker: StoreWorker, feed: Feed) {
    let mut end = feed.end();
    loop {
        match worker.step() {
            Next::Again => tokio::task::yield_now().await,
            Next::Wait(time) => {
                // The next step looks for new events and for work that is due.
                let _woken = tokio::time::timeout(time, end.changed()).await;
            }
        }
    }
}
