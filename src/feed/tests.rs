//! Tests: the feed returns the same items from memory and from files, also around damage.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::desk::Event;
use crate::disk::fake::FakeDisk;
use crate::gateway::GatewayEvent;
use crate::journal::{Journal, Line};
use crate::words::{Author, Wall};

struct Drafted(Record);

impl Line for Drafted {
    fn seq(&self) -> Seq {
        self.0.seq
    }

    fn line(&self, prev: &str) -> String {
        self.0.prove().unwrap().with_prev(prev)
    }
}

fn record(seq: u64) -> Record {
    let event = Event::Gateway(GatewayEvent::ClockStepped { by_ms: i64::try_from(seq).unwrap() });
    Record { seq: Seq(seq), at: Wall::from_millis(1_800_000_000_000), by: Author::Gateway, event }
}

fn folder() -> &'static Path {
    Path::new("/data/journal")
}

fn written(disk: &FakeDisk, count: u64) -> (Feed, Vec<Committed>) {
    let disk: Arc<dyn Disk> = Arc::new(disk.clone());
    let (mut journal, _) = Journal::open(disk.clone(), folder(), &Cursor::default(), None).unwrap();
    let feed = Feed::new(disk, folder(), journal.end().clone());
    let mut all = Vec::new();
    for seq in 1..=count {
        let hash = journal.append(&[Drafted(record(seq))]).unwrap().remove(0);
        let bytes = record(seq).prove().unwrap().bytes();
        let committed = Committed { record: Arc::new(record(seq)), hash, bytes };
        feed.push(vec![committed.clone()]);
        all.push(committed);
    }
    (feed, all)
}

/// Returns everything after a cursor, with at most `most` items for each call.
fn followed(feed: &Feed, from: &Cursor, most: usize) -> Vec<FeedItem> {
    let (mut items, mut cursor) = (Vec::new(), from.clone());
    loop {
        let next = feed.after(&cursor, most).unwrap();
        if next.items.is_empty() {
            return items;
        }
        items.extend(next.items);
        cursor = next.cursor;
    }
}

#[test]
fn memory_and_files_say_the_same() {
    let disk = FakeDisk::default();
    let count = limits::FEED_RECENT as u64 + 700;
    let (feed, all) = written(&disk, count);
    let expected: Vec<FeedItem> = all.iter().cloned().map(|c| FeedItem::Record(Arc::new(c))).collect();
    for start in [0, 1, 699, 700, 701, count - 1, count] {
        let at = usize::try_from(start).unwrap();
        let cursor = match start {
            0 => Cursor::default(),
            _ => Cursor { seq: Seq(start), hash: all[at - 1].hash.clone() },
        };
        assert_eq!(followed(&feed, &cursor, 1000), expected[at..], "from {start}");
    }
}

#[test]
fn damage_comes_in_its_place_and_the_rest_follows() {
    let disk = FakeDisk::default();
    let (_, all) = written(&disk, 9);
    let path = folder().join("00000001.ndjson");
    let text = String::from_utf8(disk.bytes(&path).unwrap()).unwrap();
    let changed = text.replacen("\"by_ms\":4", "\"by_ms\":7", 1).replacen("\"by_ms\":8", "\"by\":88888", 1);
    disk.put(&path, changed.into_bytes());
    let end = Cursor { seq: Seq(9), hash: all[8].hash.clone() };
    let feed = Feed::new(Arc::new(disk.clone()), folder(), end);
    for most in [1, 2, 3, 100] {
        let mut lost = Vec::new();
        let mut seqs = Vec::new();
        for item in followed(&feed, &Cursor::default(), most) {
            match item {
                FeedItem::Record(c) => seqs.push(c.record.seq.0),
                FeedItem::Damage(d) => lost.extend(d.first_seq.0..=d.last_seq.0),
            }
        }
        lost.dedup();
        assert_eq!((seqs, lost), (vec![1, 2, 3, 5, 6, 7, 9], vec![4, 8]), "{most} at a time");
    }
}

#[test]
fn memory_is_bounded_by_bytes_as_well() {
    let disk = FakeDisk::default();
    let (feed, _) = written(&disk, 3);
    let big = |seq| Committed {
        record: Arc::new(record(seq)),
        hash: format!("{seq}"),
        bytes: limits::FEED_RECENT_BYTES / 2,
    };
    feed.push((4..20).map(big).collect());
    assert_eq!(feed.recent().records.len(), 2);
    assert_eq!(feed.recent().before.seq, Seq(17));
}
