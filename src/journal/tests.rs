//! Tests of the journal on a disk with faults: lost events are named, and appending continues.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::disk::Disk;
use crate::disk::fake::{FakeDisk, Trouble};
use crate::limits;
use crate::words::{Damage, Seq};

struct Plain(u64);

impl Line for Plain {
    fn seq(&self) -> Seq {
        Seq(self.0)
    }

    fn line(&self, prev: &str) -> String {
        format!("{{\"seq\":{},\"prev\":\"{prev}\",\"what\":\"event {}\"}}", self.0, self.0)
    }
}

fn folder() -> &'static Path {
    Path::new("/data/journal")
}

fn segment(number: u32) -> PathBuf {
    folder().join(segment::name_of(number))
}

fn arc(disk: &FakeDisk) -> Arc<dyn Disk> {
    Arc::new(disk.clone())
}

#[track_caller]
fn open(disk: &FakeDisk, known: Option<Cursor>) -> (Journal, Opened) {
    Journal::open(arc(disk), folder(), &Cursor::default(), known).unwrap()
}

fn append(journal: &mut Journal, count: u64) -> Result<(), JournalError> {
    let first = journal.end().seq.0 + 1;
    journal.append(&(first..first + count).map(Plain).collect::<Vec<_>>()).map(|_| ())
}

/// A journal of three segments with five events each.
fn three_segments() -> (FakeDisk, Cursor) {
    let disk = FakeDisk::default();
    let (mut journal, _) = open(&disk, None);
    append(&mut journal, 15).unwrap();
    let end = journal.end().clone();
    let bytes = disk.bytes(&segment(1)).unwrap();
    let lines: Vec<&[u8]> = bytes.split_inclusive(|b| *b == b'\n').collect();
    for (index, five) in lines.chunks(5).enumerate() {
        disk.put(&segment(u32::try_from(index).unwrap() + 1), five.concat());
    }
    (disk, end)
}

/// Reads the journal; returns the events read as records, the events named as lost, and the damage.
fn read(disk: &FakeDisk, known: Option<Cursor>) -> (BTreeSet<u64>, BTreeSet<u64>, Vec<Damage>) {
    let (mut records, mut lost, mut damage) = (BTreeSet::new(), BTreeSet::new(), Vec::new());
    for item in Chain::read(arc(disk), folder(), &Cursor::default(), known).unwrap() {
        match item {
            Item::Record(entry) => {
                let line = Plain(entry.seq.0).line("");
                assert_eq!(
                    entry.line[entry.line.len() - 12..],
                    line[line.len() - 12..],
                    "a record is as written"
                );
                assert!(records.insert(entry.seq.0), "event {} is given twice", entry.seq);
            }
            Item::Damage(d) => {
                lost.extend(d.first_seq.0..=d.last_seq.0);
                damage.push(d);
            }
        }
    }
    (records, lost, damage)
}

#[test]
fn every_flipped_byte_is_found_and_costs_its_own_line_only() {
    let (good, end) = three_segments();
    for number in 1..=3 {
        let bytes = good.bytes(&segment(number)).unwrap();
        for at in 0..bytes.len() {
            for bit in [0x01, 0x04, 0x80] {
                let (disk, _) = three_segments();
                let mut bad = bytes.clone();
                bad[at] ^= bit;
                disk.put(&segment(number), bad);
                let (records, lost, damage) = read(&disk, Some(end.clone()));
                let place = format!("segment {number}, byte {at}, bit {bit}: {damage:?}");
                assert!(!damage.is_empty(), "{place}");
                let line = bytes[..at].iter().filter(|b| **b == b'\n').count() as u64;
                let event = u64::from(number - 1) * 5 + line + 1;
                // A changed newline joins two lines.
                let most = if bytes[at] == b'\n' { 2 } else { 1 };
                assert!(lost.len() as u64 <= most && lost.contains(&event), "{place}");
                assert!(records.is_disjoint(&lost), "{place}");
                assert_eq!(records.len() + lost.len(), 15, "{place}");
                // The journal can be continued after the damage, and the new lines can be read.
                let files = disk.files();
                let lengths: Vec<_> = files.iter().map(|f| disk.bytes(f).unwrap().len()).collect();
                let (mut journal, _) = open(&disk, Some(end.clone()));
                append(&mut journal, 2).unwrap();
                for (file, length) in files.iter().zip(lengths) {
                    assert!(disk.bytes(file).unwrap().len() >= length, "{place}: {file:?} was cut");
                }
                let (after, lost_after, _) = read(&disk, Some(journal.end().clone()));
                assert_eq!(lost_after, lost, "{place}");
                assert_eq!(after.len(), records.len() + 2, "{place}");
            }
        }
    }
}

#[test]
fn segments_that_are_missing_cut_doubled_or_exchanged_are_named() {
    for number in 1..=3_u32 {
        let own = |n: u32| (u64::from(n - 1) * 5 + 1..=u64::from(n) * 5).collect::<BTreeSet<u64>>();
        let (disk, end) = three_segments();
        disk.remove(&segment(number));
        let (records, lost, _) = read(&disk, Some(end.clone()));
        assert_eq!((records.len(), &lost), (10, &own(number)), "missing {number}");
        let (mut journal, opened) = open(&disk, Some(end.clone()));
        assert_eq!((journal.end().seq, opened.damage.len()), (Seq(15), 1), "no number is given twice");
        append(&mut journal, 1).unwrap();
        assert_eq!(read(&disk, None).1, own(number), "missing {number}, and written on");

        let (disk, end) = three_segments();
        let bytes = disk.bytes(&segment(number)).unwrap();
        disk.put(&segment(number), bytes[..bytes.len() / 2].to_vec());
        let (records, lost, damage) = read(&disk, Some(end.clone()));
        assert!(lost.is_subset(&own(number)) && records.len() + lost.len() == 15, "cut {number}: {damage:?}");
        let (mut journal, _) = open(&disk, Some(end.clone()));
        append(&mut journal, 1).unwrap();
        assert!(
            disk.bytes(&segment(number)).unwrap().len() >= bytes.len() / 2,
            "the file is not cut further"
        );
        assert_eq!(read(&disk, None).1, lost, "cut {number}, and written on");

        for other in (1..=4).filter(|o| *o != number) {
            // A segment is copied under a new name.
            let (disk, end) = three_segments();
            disk.put(&segment(other.max(4)), bytes.clone());
            let (records, lost, damage) = read(&disk, Some(end.clone()));
            assert_eq!((records.len(), lost.len()), (15, 0), "{damage:?}");
            assert!(damage.iter().any(|d| d.why.contains("copy")), "{damage:?}");
            let (mut journal, _) = open(&disk, Some(end.clone()));
            append(&mut journal, 1).unwrap();
            assert_eq!(journal.end().seq, Seq(16), "no number is given twice");
            assert_eq!(read(&disk, None).0.len(), 16);
        }
        for other in (1..=3).filter(|o| *o != number) {
            let (disk, end) = three_segments();
            let theirs = disk.bytes(&segment(other)).unwrap();
            disk.put(&segment(other), bytes.clone());
            disk.put(&segment(number), theirs);
            let (records, lost, damage) = read(&disk, Some(end.clone()));
            assert_eq!((records.len(), lost.len()), (15, 0), "exchanged {number} and {other}: {damage:?}");
            assert!(!damage.is_empty(), "exchanged {number} and {other}");
            let (mut journal, _) = open(&disk, Some(end));
            append(&mut journal, 1).unwrap();
            assert_eq!(read(&disk, None).0.len(), 16);
        }
    }
}

#[test]
fn files_that_are_not_segments_are_left_alone() {
    let (disk, end) = three_segments();
    let names = [
        "old.ndjson",
        "backup.ndjson",
        "00000001.ndjson.bak",
        "1.ndjson",
        "000000001.ndjson",
        "+0000009.ndjson",
    ];
    for name in names {
        disk.put(&folder().join(name), disk.bytes(&segment(1)).unwrap());
    }
    let (mut journal, opened) = open(&disk, None);
    assert_eq!((journal.end(), opened), (&end, Opened::default()));
    append(&mut journal, 1).unwrap();
    for name in names {
        assert_eq!(disk.bytes(&folder().join(name)), disk.bytes(&segment(1)), "{name}");
    }
    assert!(verify(arc(&disk), folder(), None, false).unwrap().damage.is_empty());
}

#[test]
fn a_torn_end_is_put_aside_when_the_next_line_is_written() {
    let disk = FakeDisk::default();
    let (mut journal, _) = open(&disk, None);
    append(&mut journal, 3).unwrap();
    let end = journal.end().clone();
    let whole = disk.bytes(&segment(1)).unwrap();
    for torn in [&b"{\"seq\":4,\"pr"[..], b"{", b"\0\0\0\0", b"{\"seq\":4,\"prev\":\"ab\0\0\0"] {
        disk.put(&segment(1), [&whole[..], torn].concat());
        let (mut journal, opened) = open(&disk, Some(end.clone()));
        assert_eq!((opened.damage.len(), opened.said.len()), (0, 1), "{opened:?}");
        assert_eq!(disk.bytes(&segment(1)).unwrap().len(), whole.len() + torn.len(), "opening only reads");
        append(&mut journal, 1).unwrap();
        let aside = disk.bytes(&folder().join("00000001.ndjson.torn-after-3")).unwrap();
        assert_eq!(aside, torn);
        assert_eq!(read(&disk, None).0.len(), 4);
    }
    // The same bytes, but a fourth event was acknowledged: the bytes are damage, and andon removes nothing.
    let known = Cursor { seq: Seq(4), hash: "5".repeat(64) };
    disk.put(&segment(1), [&whole[..], b"{\"seq\":4,\"pr"].concat());
    let (mut journal, opened) = open(&disk, Some(known));
    assert_eq!(opened.damage.len(), 1);
    append(&mut journal, 1).unwrap();
    assert_eq!(journal.end().seq, Seq(5));
    assert_eq!(disk.bytes(&segment(1)).unwrap().len(), whole.len() + 12);
    assert!(disk.bytes(&segment(2)).is_some());
}

#[test]
fn a_full_disk_leaves_the_journal_as_it_was_and_it_goes_on_later() {
    let disk = FakeDisk::default();
    let (mut journal, _) = open(&disk, None);
    for trouble in [Trouble::Full(0), Trouble::Full(30), Trouble::NoSync, Trouble::Broken] {
        append(&mut journal, 2).unwrap();
        let before = disk.bytes(&segment(1)).unwrap();
        disk.trouble(trouble);
        assert!(append(&mut journal, 1).is_err(), "{trouble:?}");
        disk.trouble(Trouble::None);
        journal.look().unwrap();
        append(&mut journal, 1).unwrap();
        assert!(disk.bytes(&segment(1)).unwrap().starts_with(&before));
    }
    let (records, lost, damage) = read(&disk, Some(journal.end().clone()));
    assert_eq!((records.len(), lost.len(), damage.len()), (12, 0, 0));
    // A new journal on a full disk begins as soon as the disk has space.
    let full = FakeDisk::default();
    full.trouble(Trouble::Full(0));
    let (mut journal, _) = open(&full, None);
    assert!(append(&mut journal, 1).is_err());
    full.trouble(Trouble::None);
    append(&mut journal, 1).unwrap();
}

#[test]
fn a_file_that_was_removed_is_put_back_and_one_that_was_replaced_is_read_again() {
    let disk = FakeDisk::default();
    let (mut journal, _) = open(&disk, None);
    append(&mut journal, 4).unwrap();
    disk.remove(&segment(1));
    append(&mut journal, 1).unwrap();
    assert_eq!(read(&disk, Some(journal.end().clone())).0.len(), 5);
    let opened = journal.take_opened();
    assert!(opened.said[0].contains("put it back") && opened.damage.is_empty(), "{opened:?}");
    // An editor replaces the file by a file with one changed line.
    let bytes = String::from_utf8(disk.bytes(&segment(1)).unwrap()).unwrap();
    disk.remove(&segment(1));
    disk.put(&segment(1), bytes.replace("event 3", "event 8").into_bytes());
    append(&mut journal, 1).unwrap();
    let opened = journal.take_opened();
    assert_eq!(opened.damage.iter().map(|d| d.first_seq).collect::<Vec<_>>(), [Seq(3)]);
    // A person cuts the end of the file.
    let path = segment(1);
    let bytes = disk.bytes(&path).unwrap();
    let sixth = bytes.len() - 10;
    disk.put(&path, bytes[..sixth].to_vec());
    append(&mut journal, 1).unwrap();
    assert_eq!(journal.end().seq, Seq(7), "no number is given twice");
    assert_eq!(journal.take_opened().damage.last().unwrap().first_seq, Seq(6));
    // The only segment is moved away: andon acknowledges nothing until the segment is back.
    let disk = FakeDisk::default();
    let (mut journal, _) = open(&disk, None);
    append(&mut journal, 4).unwrap();
    disk.rename(&segment(1), Path::new("/elsewhere"));
    assert!(append(&mut journal, 1).is_err());
    disk.rename(Path::new("/elsewhere"), &segment(1));
    append(&mut journal, 1).unwrap();
    assert_eq!(read(&disk, Some(journal.end().clone())).0.len(), 5);
}

#[test]
fn power_cuts_lose_nothing_that_was_acknowledged() {
    for torn in 0..200 {
        let disk = FakeDisk::default();
        let (mut journal, _) = open(&disk, None);
        append(&mut journal, 3).unwrap();
        let end = journal.end().clone();
        disk.trouble(Trouble::NoSync);
        assert!(append(&mut journal, 2).is_err());
        drop(journal);
        disk.trouble(Trouble::None);
        disk.power_cut(torn);
        let (mut journal, opened) = open(&disk, Some(end));
        assert!(opened.damage.is_empty(), "{torn}: {opened:?}");
        append(&mut journal, 1).unwrap();
        assert_eq!(read(&disk, None).2, [], "{torn}");
    }
}

#[test]
fn segments_rotate_and_chain() {
    struct Long(u64);
    impl Line for Long {
        fn seq(&self) -> Seq {
            Seq(self.0)
        }
        fn line(&self, prev: &str) -> String {
            format!("{{\"seq\":{},\"prev\":\"{prev}\",\"w\":\"{}\"}}", self.0, "y".repeat(200_000))
        }
    }
    let disk = FakeDisk::default();
    let (mut journal, _) = open(&disk, None);
    for seq in 1..=100 {
        journal.append(&[Long(seq)]).unwrap();
    }
    let found = verify(arc(&disk), folder(), None, false).unwrap();
    assert_eq!((found.events, found.damage.len()), (100, 0));
    assert!(disk.bytes(&segment(2)).is_some());
    assert!(disk.bytes(&segment(1)).unwrap().len() as u64 <= limits::SEGMENT_BYTES);
    let whole: Vec<Item> = Chain::read(arc(&disk), folder(), &Cursor::default(), None).unwrap().collect();
    let Item::Record(at) = &whole[94] else { panic!() };
    let after = Cursor { seq: at.seq, hash: at.hash.clone() };
    let tail: Vec<Item> = Chain::read(arc(&disk), folder(), &after, None).unwrap().collect();
    assert_eq!(tail, whole[95..]);
    let changed = Cursor { seq: Seq(95), hash: "7".repeat(64) };
    let tail: Vec<Item> = Chain::read(arc(&disk), folder(), &changed, None).unwrap().collect();
    assert!(matches!(&tail[0], Item::Damage(d) if d.first_seq == Seq(95)));
}

#[test]
fn lines_that_are_being_written_are_left_alone() {
    let disk = FakeDisk::default();
    let (mut journal, _) = open(&disk, None);
    append(&mut journal, 3).unwrap();
    let known = journal.end().clone();
    append(&mut journal, 1).unwrap();
    let bytes = disk.bytes(&segment(1)).unwrap();
    disk.put(&segment(1), bytes[..bytes.len() - 20].to_vec());
    let found = verify(arc(&disk), folder(), Some(known.clone()), true).unwrap();
    assert_eq!((found.events, found.damage.len(), &found.end), (3, 0, &known));
    // An acknowledged line that is missing is reported, also while a daemon runs.
    disk.put(&segment(1), bytes[..bytes.len() / 2].to_vec());
    let found = verify(arc(&disk), folder(), Some(known), true).unwrap();
    assert_eq!(found.damage.len(), 1, "{found:?}");
}

#[test]
fn reading_does_not_begin_in_a_copy_and_a_copy_beyond_the_end_is_named() {
    let (disk, end) = three_segments();
    let at_seven = Chain::read(arc(&disk), folder(), &Cursor::default(), None).unwrap().find_map(|item| {
        let Item::Record(entry) = item else { return None };
        (entry.seq == Seq(7)).then_some(Cursor { seq: entry.seq, hash: entry.hash })
    });
    disk.put(&segment(4), disk.bytes(&segment(1)).unwrap());
    let chain = Chain::read(arc(&disk), folder(), &at_seven.unwrap(), Some(end.clone())).unwrap();
    let seen: Vec<u64> =
        chain.filter_map(|item| if let Item::Record(e) = item { Some(e.seq.0) } else { None }).collect();
    assert_eq!(seen, (8..=15).collect::<Vec<_>>());
    let found = verify(arc(&disk), folder(), Some(end), true).unwrap();
    assert_eq!((found.events, found.damage.len()), (15, 1), "{:?}", found.damage);
    assert_eq!(found.damage[0].segment, "00000004.ndjson");
}
