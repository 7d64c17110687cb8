//! Tests files that are removed or changed while the daemon runs: andon acknowledges only recorded events, and names all
//! lost lines.

use std::io::{Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::{lost_equipment, tickets};
use crate::support::{Gateway, eventually};

const COUNT: usize = 4;

fn running() -> Gateway {
    let mut gateway = lost_equipment(Gateway::new(), COUNT);
    gateway.start();
    tickets(&gateway, COUNT);
    gateway.run("note 1 before").success();
    gateway
}

/// Returns a running gateway whose journal has an older segment, `00000001.ndjson`, with the first half of the lines.
fn running_on_two_segments() -> Gateway {
    let mut gateway = running();
    gateway.stop();
    let (first, second) = (segment(&gateway, 1), segment(&gateway, 2));
    let text = std::fs::read_to_string(&first).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let (old, new) = lines.split_at(lines.len() / 2);
    std::fs::write(first, old.concat()).unwrap();
    std::fs::write(second, new.concat()).unwrap();
    gateway.start();
    tickets(&gateway, COUNT);
    gateway.run("note 2 'on two'").success();
    gateway
}

fn segment(gateway: &Gateway, number: u32) -> PathBuf {
    gateway.data().join(format!("journal/{number:08}.ndjson"))
}

/// Adds notes until andon acknowledges one. Refused notes must not appear in the journal.
#[track_caller]
fn acknowledged(gateway: &Gateway, text: &str) {
    eventually(text, || {
        let run = gateway.run(&format!("note 1 '{text}'"));
        if run.output.status.success() { Ok(()) } else { Err(run.stderr()) }
    });
}

#[track_caller]
fn has_note(gateway: &Gateway, ticket: u32, text: &str) {
    let log = gateway.run(&format!("ticket show {ticket} --json")).json()["log"].clone();
    let text = format!("note: {text}");
    let count = log.as_array().unwrap().iter().filter(|e| e["text"] == text.as_str()).count();
    assert_eq!(count, 1, "{text} is {count} times in the log: {log}");
}

/// Checks that every event number occurs exactly once in the segments.
fn numbers_are_unique(gateway: &Gateway) {
    let mut seen = std::collections::BTreeSet::new();
    for (name, bytes) in super::made::files(&gateway.data().join("journal")) {
        if name.len() == "00000001.ndjson".len() {
            for line in String::from_utf8_lossy(&bytes).lines() {
                let Ok(line) = serde_json::from_str::<serde_json::Value>(line) else { continue };
                assert!(seen.insert(line["seq"].as_u64().unwrap()), "{name}: {line}");
            }
        }
    }
}

#[test]
fn a_removed_last_segment_is_put_back_or_missed() {
    let mut gateway = running();
    let last = segment(&gateway, 1);
    std::fs::remove_file(&last).unwrap();
    acknowledged(&gateway, "after");
    assert!(last.exists(), "it was put back from the open file");
    assert!(gateway.log().contains("removed"), "{}", gateway.log());
    gateway.run("audit verify").success();
    for _ in 0..2 {
        tickets(&gateway, COUNT);
        has_note(&gateway, 1, "before");
        has_note(&gateway, 1, "after");
        gateway.kill();
        gateway.start();
    }
    gateway.run("audit verify").success();
    numbers_are_unique(&gateway);
}

#[test]
fn a_removed_last_segment_is_put_back_while_nothing_is_written() {
    let mut gateway = running();
    std::fs::remove_file(segment(&gateway, 1)).unwrap();
    eventually("the file is there again", || {
        if segment(&gateway, 1).exists() { Ok(()) } else { Err(gateway.log()) }
    });
    gateway.kill();
    gateway.start();
    tickets(&gateway, COUNT);
    has_note(&gateway, 1, "before");
    gateway.run("audit verify").success();
}

#[test]
fn a_removed_journal_folder_is_put_back_with_the_segment_that_is_written() {
    let mut gateway = running_on_two_segments();
    std::fs::remove_dir_all(gateway.data().join("journal")).unwrap();
    acknowledged(&gateway, "after");
    gateway.run("audit verify").exits(1).says("THE HASH CHAIN IS BROKEN");
    gateway.kill();
    gateway.start();
    has_note(&gateway, 1, "after");
    has_note(&gateway, 2, "on two");
    gateway.run("audit verify").exits(1);
    numbers_are_unique(&gateway);
}

#[test]
fn a_removed_older_segment_is_named_beside_the_daemon() {
    let mut gateway = running_on_two_segments();
    gateway.run("audit verify").success();
    std::fs::remove_file(segment(&gateway, 1)).unwrap();
    gateway.run("audit verify").exits(1).says("THE HASH CHAIN IS BROKEN");
    gateway.run("note 2 after").success();
    has_note(&gateway, 2, "after");
    tickets(&gateway, COUNT);
    gateway.kill();
    gateway.start();
    gateway.run("audit verify").exits(1);
    gateway.run("status").success().says("THE JOURNAL IS DAMAGED");
    has_note(&gateway, 2, "after");
    numbers_are_unique(&gateway);
}

#[test]
fn a_truncated_segment_is_named_and_nothing_is_acknowledged_behind_the_hole() {
    for (number, to) in [(1, 200), (2, 200), (2, 0)] {
        let mut gateway = running_on_two_segments();
        let file = std::fs::File::options().write(true).open(segment(&gateway, number)).unwrap();
        file.set_len(to).unwrap();
        drop(file);
        acknowledged(&gateway, "after");
        gateway.run("audit verify").exits(1).says("THE HASH CHAIN IS BROKEN");
        has_note(&gateway, 1, "after");
        gateway.kill();
        gateway.start();
        gateway.run("audit verify").exits(1);
        gateway.run("status").success().says("THE JOURNAL IS DAMAGED");
        has_note(&gateway, 1, "after");
        numbers_are_unique(&gateway);
    }
}

#[test]
fn a_segment_that_an_editor_replaced_is_named() {
    for number in [1, 2] {
        let mut gateway = running_on_two_segments();
        let path = segment(&gateway, number);
        let mut bytes = std::fs::read(&path).unwrap();
        // This byte is in the `prev` of the second line.
        let at = bytes.iter().position(|b| *b == b'\n').unwrap() + 40;
        bytes[at] ^= 1;
        let new = gateway.path("edited");
        std::fs::write(&new, bytes).unwrap();
        std::fs::rename(new, &path).unwrap();
        acknowledged(&gateway, "after");
        gateway.run("audit verify").exits(1).says(&format!("{number:08}.ndjson line 2"));
        has_note(&gateway, 1, "after");
        gateway.kill();
        gateway.start();
        gateway.run("audit verify").exits(1);
        has_note(&gateway, 1, "after");
        has_note(&gateway, 2, "on two");
        numbers_are_unique(&gateway);
    }
}

#[test]
fn a_ticket_database_that_is_removed_or_overwritten_is_made_again() {
    for is_removed in [true, false] {
        let mut gateway = running();
        let store = gateway.data().join("store");
        if is_removed {
            std::fs::remove_dir_all(&store).unwrap();
        } else {
            let mut db = std::fs::File::options().write(true).open(store.join("db")).unwrap();
            let length = usize::try_from(db.metadata().unwrap().len()).unwrap();
            db.seek(SeekFrom::Start(0)).unwrap();
            db.write_all(&vec![0x5A; length]).unwrap();
        }
        for i in 0..20 {
            gateway.run(&format!("note 2 'note {i}'")).success();
        }
        gateway.until("history --json", |h| h.as_array().is_some_and(|h| h.len() == COUNT));
        has_note(&gateway, 1, "before");
        gateway.run("audit verify").success();
        gateway.kill();
        gateway.start();
        tickets(&gateway, COUNT);
        gateway.until("status --json", |s| s["store"]["state"] == "ready");
        assert_eq!(gateway.run("history --json").json().as_array().unwrap().len(), COUNT);
        for i in 0..20 {
            has_note(&gateway, 2, &format!("note {i}"));
        }
        gateway.run("audit verify").success();
        gateway.stop();
    }
}

#[test]
fn a_plain_file_in_the_place_of_the_set_aside_store_is_in_nobodys_way() {
    let mut gateway = running();
    gateway.stop();
    std::fs::write(gateway.data().join("store.damaged"), "a plain file").unwrap();
    let db = gateway.data().join("store/db");
    let length = usize::try_from(db.metadata().unwrap().len()).unwrap();
    std::fs::write(&db, vec![0x5A; length]).unwrap();
    gateway.start();
    tickets(&gateway, COUNT);
    gateway.until("status --json", |s| s["store"]["state"] == "ready");
    has_note(&gateway, 1, "before");
    gateway.run("note 1 after").success();
    gateway.stop();
    gateway.run("audit verify").success();
    has_note(&gateway, 1, "after");
}
