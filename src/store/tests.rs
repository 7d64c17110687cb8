//! Tests that compare the store with a simple in-memory model of the same events, in memory and in sled.

use std::collections::BTreeMap;
use std::sync::Arc;

use proptest::prelude::*;

use super::tables::{self, Memory, MemoryTrouble, Rows, Tables};
use super::*;
use crate::desk::{Event, Record, State, Touched};
use crate::feed::{Committed, FeedItem};
use crate::journal::Cursor;
use crate::ticket::{
    CancelReason, LogEntry, Ticket, TicketEvent, TicketOpening, TicketOrigin, TicketState, UsedPart,
};
use crate::words::{Author, EquipmentId, FaultName, Seq, Severity, TicketNumber, Wall};

fn wall(minute: u64) -> Wall {
    Wall::from_millis(1_800_000_000_000 + i64::try_from(minute).unwrap() * 60_000)
}

fn opening(number: u64) -> TicketOpening {
    TicketOpening {
        number: TicketNumber(number),
        equipment: EquipmentId::parse(&format!("e{}", number % 3)).unwrap(),
        fault: FaultName::parse(["over", "under"][usize::try_from(number % 2).unwrap()]).unwrap(),
        origin: TicketOrigin::Fault,
        severity: Severity::Major,
        summary: format!("summary of {}", number % 2),
        code: number.is_multiple_of(2).then(|| "0x06".to_owned()),
        onset: wall(number),
        values: BTreeMap::from([("x".to_owned(), format!("{number}.25 V"))]),
        profile: "p".to_owned(),
        profile_sha256: "41d7c360".to_owned(),
        firmware: number.is_multiple_of(3).then(|| "1.2".to_owned()),
        firmware_notes: vec!["note-1".to_owned()],
        first_up: None,
    }
}

fn eva() -> Author {
    Author::unproven("eva")
}

/// Returns one of the events of a ticket. The store accepts the events in any order.
fn event(number: u64, what: u8, size: usize) -> (Author, TicketEvent) {
    let n = TicketNumber(number);
    let text = "brake resistor ".repeat(size.div_ceil(15));
    match what {
        0 => (Author::Gateway, TicketEvent::Returned { number: n }),
        1 => (eva(), TicketEvent::Acknowledged { number: n }),
        2 => (eva(), TicketEvent::Started { number: n }),
        3 => (eva(), TicketEvent::Noted { number: n, text }),
        4 => (eva(), TicketEvent::Held { number: n, reason: text }),
        5 => {
            let parts = vec![UsedPart { id: "R1".to_owned(), quantity: 2 }];
            let (cause, action) = ("open resistor".to_owned(), text);
            let fixed =
                TicketEvent::Fixed { number: n, cause, action, parts, minutes: Some(25), while_active: None };
            (eva(), fixed)
        }
        6 => (eva(), TicketEvent::Closed { number: n, watch_until: wall(9_000), note: None }),
        7 => (Author::Gateway, TicketEvent::FixVerified { number: n }),
        8 => {
            let (reason, values) = ("again".to_owned(), BTreeMap::new());
            (eva(), TicketEvent::Reopened { number: n, reason, fix_ineffective: false, values })
        }
        _ => {
            let reason = CancelReason::DuplicateOf(TicketNumber(1));
            (eva(), TicketEvent::Cancelled { number: n, reason, note: None })
        }
    }
}

/// The simple model: applies all events to maps.
#[derive(Default)]
struct Naive {
    state: State,
    tickets: BTreeMap<TicketNumber, Ticket>,
    logs: BTreeMap<TicketNumber, Vec<LogEntry>>,
    items: Vec<FeedItem>,
}

impl Naive {
    fn add(&mut self, by: Author, event: Event) {
        let seq = Seq(self.items.len() as u64 + 1);
        let record = Record { seq, at: wall(seq.0), by, event };
        let tickets = &self.tickets;
        if let Touched::Ticket(t, entry) = self.state.apply(&record, &mut |n| tickets.get(&n).cloned()) {
            self.logs.entry(t.number).or_default().push(entry);
            self.tickets.insert(t.number, Arc::unwrap_or_clone(t));
        }
        self.items.push(FeedItem::Record(Arc::new(Committed {
            record: Arc::new(record),
            hash: format!("h{seq}"),
            bytes: 0,
        })));
    }

    fn history(&self, wanted: impl Fn(&Ticket) -> bool) -> Vec<Ticket> {
        self.tickets.values().rev().filter(|t| wanted(t)).cloned().collect()
    }

    /// Compares all answers of the store with the model.
    #[track_caller]
    fn compare(&self, store: &Store) {
        assert_eq!(*store.state(), self.state);
        let reader = store.reader();
        for (number, ticket) in &self.tickets {
            assert_eq!(reader.ticket(*number).unwrap().as_ref(), Some(ticket));
            assert_eq!(reader.log(*number, usize::MAX).unwrap(), self.logs[number]);
            let last = reader.log(*number, 3).unwrap();
            assert!(self.logs[number].ends_with(&last) && last.len() == self.logs[number].len().min(3));
        }
        assert_eq!(reader.ticket(TicketNumber(999)).unwrap(), None);
        let all = HistoryFilter { limit: Some(10_000), ..HistoryFilter::default() };
        assert_eq!(reader.history(&all).unwrap(), self.history(|_| true));
        let of = HistoryFilter { equipment: Some("e1".to_owned()), ..all.clone() };
        assert_eq!(reader.history(&of).unwrap(), self.history(|t| t.equipment.as_str() == "e1"));
        let of = HistoryFilter { fault: Some("under".to_owned()), ..all.clone() };
        assert_eq!(reader.history(&of).unwrap(), self.history(|t| t.fault.as_str() == "under"));
        for state in TicketState::ALL {
            let of = HistoryFilter { state: Some(state), ..all.clone() };
            assert_eq!(reader.history(&of).unwrap(), self.history(|t| t.state == state), "{state:?}");
        }
        let of = HistoryFilter { text: Some("RESISTOR".to_owned()), ..all };
        let mentions = |t: &Ticket| self.logs[&t.number].iter().any(|e| e.text.contains("resistor"));
        assert_eq!(reader.history(&of).unwrap(), self.history(mentions));
    }
}

/// Applies the items to a new store, in steps of these lengths.
fn filled(tables: Box<dyn Tables>, items: &[FeedItem], lengths: &[usize]) -> Store {
    let mut store = Store::open(tables).unwrap();
    let mut rest = items;
    let mut lengths = lengths.iter().cycle();
    while !rest.is_empty() {
        let (now, later) = rest.split_at((*lengths.next().unwrap()).clamp(1, rest.len()));
        let Some(FeedItem::Record(last)) = now.last() else { panic!() };
        store.apply(now, Cursor { seq: last.record.seq, hash: last.hash.clone() }).unwrap();
        rest = later;
    }
    store
}

fn history_of(lives: &[(u8, u8, usize)]) -> Naive {
    let mut naive = Naive::default();
    let mut opened = 0;
    for (which, what, size) in lives {
        if *what == 10 || opened == 0 {
            opened += 1;
            naive.add(Author::Gateway, Event::Ticket(TicketEvent::Opened(opening(opened))));
        } else {
            let (by, event) = event(u64::from(*which) % opened + 1, *what, *size);
            naive.add(by, Event::Ticket(event));
        }
    }
    naive
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]
    #[test]
    fn the_store_says_what_a_plain_fold_says(
        lives in proptest::collection::vec((any::<u8>(), 0..=10_u8, 0..3000_usize), 1..220),
        lengths in proptest::collection::vec(1..60_usize, 1..6),
    ) {
        let naive = history_of(&lives);
        let memory = Memory::default();
        let store = filled(Box::new(memory.clone()), &naive.items, &lengths);
        naive.compare(&store);
        // A store that is opened again gives the same answers, and so does a store that was built in one step.
        drop(store);
        naive.compare(&Store::open(Box::new(memory)).unwrap());
        naive.compare(&filled(Box::<Memory>::default(), &naive.items, &[10_000]));
    }
}

#[test]
fn sled_keeps_long_rows_in_pieces_and_gives_them_back() {
    let folder = std::env::temp_dir().join(format!("andon-store-{}", std::process::id()));
    let _gone = std::fs::remove_dir_all(&folder);
    let lives: Vec<(u8, u8, usize)> = (0..300_u64)
        .map(|i| (u8::try_from(i % 7).unwrap(), u8::try_from(i * 7 % 11).unwrap(), 8000))
        .collect();
    let naive = history_of(&lives);
    let store = filled(tables::open(&folder).unwrap(), &naive.items, &[17]);
    naive.compare(&store);
    drop(store);
    let store = Store::open(tables::open(&folder).unwrap()).unwrap();
    naive.compare(&store);
    drop(store);
    assert!(!folder.join("blobs").exists() || std::fs::read_dir(folder.join("blobs")).unwrap().count() == 0);
    let mut tables = tables::open(&folder).unwrap();
    let long = |n: usize| vec![7_u8; n];
    for length in [200_000, 10, 8 * 1024 - 5, 8 * 1024, 50_000, 0] {
        tables.commit(BTreeMap::from([(b"kg".to_vec(), Some(long(length)))])).unwrap();
        assert_eq!(tables.rows().get(b"kg").unwrap(), Some(long(length)));
    }
    tables.commit(BTreeMap::from([(b"kg".to_vec(), None)])).unwrap();
    assert_eq!(tables.rows().get(b"kg").unwrap(), None);
    drop(tables);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_row_that_cannot_be_read_is_an_error_and_never_no_such_ticket() {
    let lives: Vec<(u8, u8, usize)> = (0..200_u8).map(|i| (i % 5, i % 11, 20)).collect();
    let naive = history_of(&lives);
    let memory = Memory::default();
    let good = filled(Box::new(memory.clone()), &naive.items, &[9]);
    let keys = memory.keys();
    drop(good);
    for key in &keys {
        memory.spoil(key);
        let opened = Store::open(Box::new(memory.clone()));
        // An empty row has no byte that `spoil` could change.
        let is_empty = Rows::get(&memory, key).is_ok();
        assert!(is_empty || opened.is_err(), "{}", String::from_utf8_lossy(key));
        memory.spoil(key);
    }
    // Remove whole rows.
    let mut tables: Box<dyn Tables> = Box::new(memory.clone());
    for key in keys.iter().filter(|k| matches!(k.first(), Some(b't' | b'd' | b'p' | b'm'))) {
        let value = Rows::get(&memory, key).unwrap();
        tables.commit(BTreeMap::from([(key.clone(), None)])).unwrap();
        assert!(Store::open(Box::new(memory.clone())).is_err(), "{}", String::from_utf8_lossy(key));
        tables.commit(BTreeMap::from([(key.clone(), value)])).unwrap();
    }
    let store = Store::open(Box::new(memory.clone())).unwrap();
    let reader = store.reader();
    memory.trouble(MemoryTrouble::Broken);
    assert!(reader.ticket(TicketNumber(1)).is_err());
    assert!(reader.log(TicketNumber(1), 5).is_err());
    assert!(reader.history(&HistoryFilter::default()).is_err());
}

#[test]
fn a_thousand_long_notes_cost_the_store_little_more_than_their_bytes() {
    let mut naive = Naive::default();
    naive.add(Author::Gateway, Event::Ticket(TicketEvent::Opened(opening(1))));
    let mut written = 0;
    let memory = Memory::default();
    for _ in 0..1000 {
        let (by, event) = event(1, 3, 8000);
        naive.add(by, Event::Ticket(event));
    }
    let mut store = Store::open(Box::new(memory.clone())).unwrap();
    for item in &naive.items {
        let before = memory.bytes();
        let FeedItem::Record(c) = item else { panic!() };
        store.apply(std::slice::from_ref(item), Cursor { seq: c.record.seq, hash: c.hash.clone() }).unwrap();
        written += memory.bytes() - before;
    }
    assert!(written < 1000 * 8000 * 11 / 10, "{written} bytes");
    assert_eq!(store.reader().log(TicketNumber(1), 50).unwrap().len(), 50);
}

#[test]
fn the_form_of_rows_is_that_of_this_version() {
    let naive = history_of(&[(0, 10, 0), (0, 2, 0), (0, 5, 15), (0, 6, 0), (0, 7, 0), (0, 10, 0)]);
    let memory = Memory::default();
    drop(filled(Box::new(memory.clone()), &naive.items, &[100]));
    let row = |key: &[u8]| Rows::get(&memory, key).unwrap().unwrap();
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    // If this test fails, increase VERSION, so that old stores are rebuilt and not misread.
    assert_eq!((VERSION, row(b"m")[0]), (4, 4));
    insta::assert_snapshot!(hex(&row(b"t\0\0\0\0\0\0\0\x02")));
    insta::assert_snapshot!(hex(&lz4_flex::decompress_size_prepended(&row(b"p\0\0\0\0\0\0\0\0")).unwrap()));
}

#[test]
fn a_report_from_the_store_is_that_of_all_events() {
    use crate::alarm::AlarmEvent;
    use crate::alarm::report::{Happened, Reporter};
    let mut naive = Naive::default();
    let mut all = Vec::new();
    let mut random = 7_u64;
    let mut up: BTreeMap<u64, bool> = BTreeMap::new();
    for minute in 1..3000_u64 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let which = (random >> 33) % 9;
        let equipment = EquipmentId::parse(&format!("e{}", which % 3)).unwrap();
        let fault = FaultName::parse(["a", "b", "c"][usize::try_from(which / 3).unwrap()]).unwrap();
        let is_up = up.entry(which).or_default();
        *is_up = !*is_up;
        let event = if *is_up {
            let (severity, onset) = (Severity::Minor, wall(minute));
            let (values, first_up) = (BTreeMap::new(), None);
            AlarmEvent::Raised { equipment, fault, severity, onset, latch: false, values, first_up }
        } else {
            AlarmEvent::Cleared { equipment, fault, reason: None }
        };
        all.push((which, event.clone()));
        naive.add(Author::Gateway, Event::Alarm(event));
    }
    let store = filled(Box::<Memory>::default(), &naive.items, &[100]);
    let standing: BTreeMap<_, _> =
        store.state().alarms.standing.iter().map(|(k, a)| (k.clone(), (a.severity, a.raised_at))).collect();
    for (since, until) in [(1, 4000), (500, 2500), (2990, 3000), (1, 2), (1500, 1501), (100, 3000)] {
        let (since, until) = (wall(since), wall(until));
        let mut expected = Reporter::new(since);
        for (minute, (which, event)) in (1..).zip(&all).filter(|(minute, _)| wall(*minute) < until) {
            expected.event(wall(minute), *which, Happened::of(event).unwrap());
        }
        let mut found = Reporter::new(since);
        let each = &mut |at, alarm, what| found.event(at, alarm, what);
        let names = store.reader().alarm_events(since, until, &standing, each).unwrap();
        let named = |which| all.iter().find(|(w, _)| *w == which).map(|(_, e)| e.key());
        let found = found.finish(until, |alarm| names.get(&alarm).cloned());
        assert_eq!(found, expected.finish(until, named), "{since} to {until}");
    }
}
