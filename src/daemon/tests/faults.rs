//! Ten thousand random faults of disk and store. A model knows only which requests were acknowledged.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::sync::oneshot;

use super::{World, folder};
use crate::desk::Reply;
use crate::disk::fake::Trouble;
use crate::journal::verify;
use crate::store::StoreHealth;
use crate::store::tables::MemoryTrouble;
use crate::words::{Refusal, TicketNumber};

/// A small random generator: the same seed gives the same run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % most
    }
}

/// The answers so far.
#[derive(Default)]
struct Model {
    acknowledged: BTreeSet<String>,
    refused: BTreeSet<String>,
    asked: u64,
    waiting: Vec<(String, oneshot::Receiver<Result<Reply, Refusal>>)>,
}

impl Model {
    /// Takes the new answers. An acknowledged note must be on the disk at this moment.
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
                // The gateway ended, so the result of this request is unknown.
                Err(oneshot::error::TryRecvError::Closed) => {}
                Err(oneshot::error::TryRecvError::Empty) => self.waiting.push((text, answer)),
            }
        }
    }
}

/// Does one random action: a request, a change of a machine, a failure of disk or store, or a power failure.
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
            // The file of the journal is removed; a second later it is back.
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

/// Repairs everything. Within ten seconds all events must be durable, and the store must be equal to the journal.
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
        heal(&mut w, &mut m).await;
        w.power_cut(0).await;
        w.start();
        heal(&mut w, &mut m).await;
        acknowledged += m.acknowledged.len();
    }
    // The faults must not prevent success: most requests were done in the end.
    assert!(acknowledged > 600, "{acknowledged} notes were acknowledged");
}
