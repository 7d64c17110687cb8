//! Tests damaged files: andon rebuilds the store from the journal, and names the changed lines of a journal.

use std::path::PathBuf;

use super::{lost_equipment, tickets};
use crate::support::Gateway;

const COUNT: usize = 40;

fn stopped_gateway() -> Gateway {
    let mut gateway = lost_equipment(Gateway::new(), COUNT);
    gateway.start();
    tickets(&gateway, COUNT);
    gateway.stop();
    gateway
}

fn store_files(gateway: &Gateway) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(gateway.data().join("store"))
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.is_file() && p.metadata().unwrap().len() > 0)
        .collect();
    files.sort();
    files
}

#[test]
fn a_flipped_byte_anywhere_in_the_store_costs_no_ticket() {
    let mut gateway = stopped_gateway();
    for round in 0..10_usize {
        for file in store_files(&gateway) {
            let mut bytes = std::fs::read(&file).unwrap();
            // Change only bytes that are not 0, because the rest of sled's file is padding.
            let used: Vec<usize> = (0..bytes.len()).filter(|i| bytes[*i] != 0).collect();
            let at = used[used.len() * (round * 2 + 1) / 20];
            bytes[at] ^= 0x10;
            std::fs::write(&file, &bytes).unwrap();
        }
        // `start` fails if the daemon is not ready in time. Without andon's time limit, sled would hang here forever.
        gateway.start();
        tickets(&gateway, COUNT);
        let past = gateway.run("history --json").json();
        assert_eq!(past.as_array().unwrap().len(), COUNT, "round {round}");
        gateway.stop();
    }
}

#[test]
fn a_truncated_or_missing_store_is_made_whole() {
    let mut gateway = stopped_gateway();
    let db = gateway.data().join("store/db");
    let length = db.metadata().unwrap().len();
    std::fs::File::options().write(true).open(&db).unwrap().set_len(length / 2).unwrap();
    gateway.start();
    tickets(&gateway, COUNT);
    assert_eq!(gateway.run("history --json").json().as_array().unwrap().len(), COUNT);
    gateway.stop();
    std::fs::remove_dir_all(gateway.data().join("store")).unwrap();
    gateway.start();
    tickets(&gateway, COUNT);
    gateway.stop();
    // sled treats a file without valid content as an empty file.
    let length = usize::try_from(db.metadata().unwrap().len()).unwrap();
    std::fs::write(&db, vec![0x5A; length]).unwrap();
    gateway.start();
    tickets(&gateway, COUNT);
}

#[test]
fn a_store_that_somebody_edited_is_moved_aside_and_rebuilt() {
    let mut gateway = stopped_gateway();
    let path = gateway.data().join("store");
    let db = sled::Config::new().path(path).segment_size(1 << 20).open().unwrap();
    let (key, ticket) = db.scan_prefix(b"t").next().unwrap().unwrap();
    let mut bytes = ticket.to_vec();
    bytes[2] ^= 1;
    db.insert(key, bytes).unwrap();
    drop(db);
    gateway.start();
    tickets(&gateway, COUNT);
    assert!(gateway.log().contains("the ticket database is damaged"), "{}", gateway.log());
    assert!(gateway.log().contains("rebuilt from the journal"), "{}", gateway.log());
    assert!(gateway.data().join("store.damaged").exists());
}

#[test]
fn a_changed_journal_is_named_by_segment_and_line() {
    let gateway = stopped_gateway();
    let path = gateway.data().join("journal/00000001.ndjson");
    let text = std::fs::read_to_string(&path).unwrap();
    let changed = text.replacen("\"fault\":\"communication-lost\"", "\"fault\":\"communication-last\"", 1);
    assert_ne!(changed, text);
    let line = 1 + changed.lines().position(|l| l.contains("communication-last")).unwrap();
    std::fs::write(&path, changed).unwrap();
    let said = format!("00000001.ndjson line {line}, event {line}");
    gateway.run("audit verify").exits(1).says("THE HASH CHAIN IS BROKEN").says(&said);
    let json = gateway.run("audit verify --json");
    json.exits(1);
    let json: serde_json::Value = serde_json::from_str(&json.stdout()).unwrap();
    assert_eq!((&json["verified"], &json["broken"]["line"]), (&false.into(), &line.into()));
}

#[test]
fn the_chain_can_be_checked_with_sha256sum_alone() {
    let gateway = stopped_gateway();
    let script = "prev=0000000000000000000000000000000000000000000000000000000000000000\n\
        while IFS= read -r line; do case $line in *\"\\\"prev\\\":\\\"$prev\\\"\"*) ;; *) exit 1 ;; esac\n\
        prev=$(printf %s \"$line\" | sha256sum | cut -d' ' -f1); done < journal/00000001.ndjson; echo \"$prev\"";
    let output =
        std::process::Command::new("sh").arg("-c").arg(script).current_dir(gateway.data()).output().unwrap();
    assert!(output.status.success());
    let head = gateway.run("audit head").success().stdout();
    assert_eq!(head.split_whitespace().nth(1).unwrap(), String::from_utf8(output.stdout).unwrap().trim());
}

#[test]
fn a_torn_line_is_cut_and_an_acknowledged_tail_is_missed() {
    let mut gateway = stopped_gateway();
    let path = gateway.data().join("journal/00000001.ndjson");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("{text}{{\"seq\":9999,\"pr")).unwrap();
    gateway.start();
    assert!(gateway.log().contains("torn bytes"), "{}", gateway.log());
    assert!(!gateway.log().contains("but andon acknowledged event"));
    gateway.stop();
    // Cut off two acknowledged lines. The store still knows the last event.
    let text = std::fs::read_to_string(&path).unwrap();
    let keep: Vec<&str> = text.lines().collect();
    std::fs::write(&path, keep[..keep.len() - 2].join("\n") + "\n").unwrap();
    gateway.start();
    assert!(gateway.log().contains("but andon acknowledged event"), "{}", gateway.log());
    tickets(&gateway, COUNT);
    assert_eq!(
        std::fs::read_to_string(&path).unwrap().lines().count(),
        keep.len() - 2,
        "andon appends nothing to this segment"
    );
    let text = std::fs::read_to_string(gateway.data().join("journal/00000002.ndjson")).unwrap();
    assert!(text.contains("gateway-journal-damaged"), "the damage is recorded");
    gateway.run("audit verify").exits(1).says("its end was cut off");
    // The first screens show the damage until a person accepts it.
    gateway.run("").says("THE JOURNAL IS DAMAGED").says("andon audit accept");
    gateway.run("status").says("THE JOURNAL IS DAMAGED");
    gateway.run("audit accept --reason 'seen'").success();
    gateway.run("audit accept --reason 'seen'").exits(3).says("journal/nothing-to-accept");
    assert!(!gateway.run("").stdout().contains("DAMAGED"));
    gateway.run("audit verify").exits(1).says("accepted by eva: seen");
    gateway.stop();
    gateway.run("audit verify").exits(1).says("accepted by eva: seen");
    assert!(!gateway.run("status").stdout().contains("DAMAGED"));
}
