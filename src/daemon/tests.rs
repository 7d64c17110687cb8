//! The driver, the journal's worker and the store's worker on a disk and tables that fail in every way, in virtual time,
//! against a model that knows only what was acknowledged.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::driver::Driver;
use super::journal_thread::JournalWorker;
use super::log::Log;
use super::opening;
use super::store_thread::{Next, Opener, StoreWorker};
use crate::ambient::Clock;
use crate::api::Message;
use crate::desk::{Command, Desk, Done, Event, Target};
use crate::disk::Disk;
use crate::disk::fake::{FakeDisk, Trouble};
use crate::feed::{Feed, FeedItem, RecordReader};
use crate::journal::{Cursor, verify};
use crate::limits;
use crate::link::Batch;
use crate::site::Site;
use crate::site::testing::listened;
use crate::store::tables::{Memory, MemoryTrouble};
use crate::store::{Store, StoreHealth, StoreView};
use crate::ticket::{TicketCommand, TicketEvent};
use crate::words::{
    Author, EquipmentIndex, PointIndex, Presence, Reading, Refusal, TicketNumber, Value, Wall,
};

fn folder() -> &'static Path {
    Path::new("/data/journal")
}

/// A tiny generator: the same seed, the same run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// Tables that outlive a restart, and a disk that may have no room for them.
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
    readings: mpsc::Sender<Batch>,
    view: StoreView,
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
        let mut opener = self.opener();
        let opened = opening::open(self.arc(), folder(), &mut opener, false, &mut |_, _| {}).unwrap();
        let log = Log::quiet(self.clock);
        let end = opened.journal.end().clone();
        let mut state = opened.store.state().clone();
        state.seq = end.seq;
        let mut desk = Desk::new(self.site.clone(), state, self.clock.now());
        desk.start(self.clock.now(), "1", &opened.damage);
        let feed = Feed::new(self.arc(), folder(), end);
        let view = StoreView::default();
        let store = Some((opened.store, opened.home));
        let worker =
            StoreWorker::new(Box::new(opener), feed.clone(), view.clone(), log, store, opened.why_not);
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
            log,
            recorder: None,
            stop,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(driver.run());
        tasks.spawn(journal.run());
        tasks.spawn(keep_stored(worker, feed));
        self.running =
            Some(Running { messages: messages_tx, readings: readings_tx, view, tasks, _stop: stop_tx });
    }

    /// Everything ends at once, and what was not durable is gone but for some bytes.
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
        self.running.as_ref().unwrap().readings.send(batch).await.unwrap();
    }

    /// Asks for a note, and waits for the answer in a task of its own.
    async fn note(&self, text: String) -> oneshot::Receiver<Result<Done, Refusal>> {
        let (tx, rx) = oneshot::channel();
        let command = Command {
            by: Author::Unproven { name: "eva".to_owned() },
            target: Target::Number(TicketNumber(1)),
            verb: TicketCommand::Note { text },
            stored: None,
            duplicate_exists: false,
        };
        self.running.as_ref().unwrap().messages.send(Message::Ask(Box::new(command), tx)).await.unwrap();
        rx
    }

    /// The texts of every note in the journal, in order.
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
                // Something new, or time: both are looked at by the next step.
                let _woken = tokio::time::timeout(time, end.changed()).await;
            }
        }
    }
}

/// What was answered.
#[derive(Default)]
struct Model {
    acknowledged: BTreeSet<String>,
    refused: BTreeSet<String>,
    asked: u64,
    waiting: Vec<(String, oneshot::Receiver<Result<Done, Refusal>>)>,
}

impl Model {
    /// Takes in what was answered meanwhile. What is acknowledged stands on the disk for good at that moment.
    fn look(&mut self, world: &World) {
        let waiting = std::mem::take(&mut self.waiting);
        for (text, mut answer) in waiting {
            match answer.try_recv() {
                Ok(Ok(_)) => {
                    assert!(
                        world.disk.is_durable(text.as_bytes()),
                        "{text} was acknowledged before its time"
                    );
                    self.acknowledged.insert(text);
                }
                Ok(Err(_)) => {
                    self.refused.insert(text);
                }
                // Nobody knows what became of it: the gateway ended.
                Err(oneshot::error::TryRecvError::Closed) => {}
                Err(oneshot::error::TryRecvError::Empty) => self.waiting.push((text, answer)),
            }
        }
    }
}

/// One random thing: somebody asks, a machine changes, the disk or the store fails, the power is cut.
async fn happen(w: &mut World, m: &mut Model, chance: &mut Chance) {
    match chance.below(16) {
        0..=4 => {
            m.asked += 1;
            let text = format!("note {:06}.", m.asked);
            let answer = w.note(text.clone()).await;
            m.waiting.push((text, answer));
        }
        5 | 6 => w.reads(i64::try_from(chance.below(2)).unwrap() * 9).await,
        7 => w.disk.trouble(Trouble::Full(chance.below(600))),
        8 => w.disk.trouble([Trouble::NoSync, Trouble::Broken][usize::try_from(chance.below(2)).unwrap()]),
        9 | 10 => w.disk.trouble(Trouble::None),
        11 => {
            let troubles = [MemoryTrouble::None, MemoryTrouble::None, MemoryTrouble::NoCommit];
            w.tables.trouble(troubles[usize::try_from(chance.below(3)).unwrap()]);
        }
        12 => {
            let keys = w.tables.keys();
            if let Some(key) = keys.get(usize::try_from(chance.below(99)).unwrap() % keys.len().max(1)) {
                w.tables.spoil(key);
                w.running.as_ref().unwrap().view.suspect("a row is damaged".to_owned());
            }
        }
        13 => *w.room.lock().unwrap() = if chance.below(2) == 0 { 1000 } else { u64::MAX },
        14 if chance.below(3) == 0 => {
            let torn = usize::try_from(chance.below(500)).unwrap();
            w.power_cut(torn).await;
            m.look(w);
            w.disk.trouble(Trouble::None);
            w.tables.trouble(MemoryTrouble::None);
            w.start();
        }
        14 => {
            // Somebody removes the file that is written; a second later it is there again.
            w.disk.trouble(Trouble::None);
            let last = w.disk.files().into_iter().rfind(|f| f.extension().is_some_and(|e| e == "ndjson"));
            if let Some(last) = last {
                tokio::time::sleep(Duration::from_secs(3)).await;
                w.disk.remove(&last);
                tokio::time::sleep(Duration::from_secs(3)).await;
            }
        }
        _ => tokio::time::sleep(Duration::from_millis(chance.below(3000))).await,
    }
    tokio::time::sleep(Duration::from_millis(chance.below(40))).await;
    m.look(w);
}

/// Everything is mended: within ten seconds all is on record and the store is true to it.
async fn heal(w: &mut World, m: &mut Model) {
    w.disk.trouble(Trouble::None);
    w.tables.trouble(MemoryTrouble::None);
    *w.room.lock().unwrap() = u64::MAX;
    tokio::time::sleep(Duration::from_secs(10)).await;
    m.look(w);
    assert!(m.waiting.is_empty(), "{} askers have no answer", m.waiting.len());
    let noted = w.noted();
    let once: BTreeSet<String> = noted.iter().cloned().collect();
    assert_eq!(once.len(), noted.len(), "a note stands twice");
    assert!(m.acknowledged.is_subset(&once), "{:?}", m.acknowledged.difference(&once));
    assert!(m.refused.is_disjoint(&once), "{:?}", m.refused.intersection(&once));
    let found = verify(w.arc(), folder(), None, false).unwrap();
    assert!(found.damage.is_empty(), "{:?}", found.damage);
    assert_eq!(found.events, found.end.seq.0, "no number is left out or given twice");
    let view = &w.running.as_ref().unwrap().view;
    assert_eq!(view.health(), StoreHealth::Ready);
    assert_eq!(*view.applied().borrow(), found.end.seq);
    if let Some(reader) = view.reader()
        && !noted.is_empty()
    {
        let log = reader.log(TicketNumber(1), usize::MAX).unwrap();
        let stored: Vec<&str> = log.iter().filter_map(|e| e.text.strip_prefix("note: note ")).collect();
        let journal: Vec<&str> = noted.iter().filter_map(|t| t.strip_prefix("note ")).collect();
        assert_eq!(stored, journal);
    }
}

/// Ten thousand random faults of disk and store, in forty lives of a gateway.
#[tokio::test(start_paused = true)]
async fn whatever_fails_what_was_acknowledged_stands_and_what_was_refused_does_not() {
    let mut acknowledged = 0;
    for seed in 1..=40_u64 {
        let mut chance = Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut w = World::new();
        w.start();
        w.reads(9).await;
        let mut m = Model::default();
        for _ in 0..250 {
            happen(&mut w, &mut m, &mut chance).await;
        }
        println!("seed {seed}");
        heal(&mut w, &mut m).await;
        w.power_cut(0).await;
        w.start();
        heal(&mut w, &mut m).await;
        acknowledged += m.acknowledged.len();
    }
    // Faults leave a right answer possible: most of what was asked was done in the end.
    assert!(acknowledged > 600, "{acknowledged} notes were acknowledged");
}
