//! Tests a full disk: andon refuses commands clearly, leaves nothing half done, and recovers by itself when the disk has
//! space.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{lost_equipment, tickets};
use crate::support::{Gateway, eventually, pause, within};

/// A small file system for one test.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn new(folder: &Path) -> Self {
        Self::with(folder, "size=24m")
    }

    fn with(folder: &Path, options: &str) -> Self {
        let path = folder.join("small");
        std::fs::create_dir_all(&path).unwrap();
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(&path).status();
        assert!(
            mounted.unwrap().success(),
            "mounting a small file system takes root, as in a container of CI"
        );
        Self(path)
    }

    fn fill(&self) {
        let mut bytes = vec![7_u8; 1 << 20];
        let mut count = 0;
        while !bytes.is_empty() {
            let file = self.0.join(format!("filler-{count}"));
            count += 1;
            if std::fs::write(&file, &bytes).is_err() {
                bytes.truncate(bytes.len() / 2);
            }
        }
    }

    /// Uses all free inodes.
    fn fill_inodes(&self) {
        let mut count = 0;
        while std::fs::File::create(self.0.join(format!("filler-{count}"))).is_ok() {
            count += 1;
        }
    }

    fn clear(&self) {
        for entry in std::fs::read_dir(&self.0).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().unwrap().to_str().unwrap().starts_with("filler") {
                std::fs::remove_file(path).unwrap();
            }
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status().unwrap();
        assert!(unmounted.success());
    }
}

#[test]
fn a_full_disk_refuses_and_recovers() {
    let place = Gateway::new();
    let disk = SmallDisk::new(&place.path(""));
    let mut gateway = lost_equipment(Gateway::new().with_data(&disk.0.join("data")), 3);
    gateway.start();
    tickets(&gateway, 3);
    gateway.run("note 1 before").success();
    disk.fill();
    // A short note may still fit into the last page of the file; a long note does not.
    let long = "x".repeat(6000);
    let refused = eventually("a note is refused", || {
        let run = gateway.run(&format!("note 1 '{long}'"));
        if run.output.status.success() { Err("accepted".to_owned()) } else { Ok(run) }
    });
    refused.exits(6).says("journal/not-writable").says("No space left").says("free some space");
    let status = gateway.run("status --json").json();
    assert_eq!(status["tickets"]["open"], 3, "reading goes on");
    let before = gateway.run("ticket show 1 --json").json()["log"].as_array().unwrap().len();
    disk.clear();
    eventually("there is room again", || {
        let run = gateway.run("note 1 after");
        if run.output.status.success() { Ok(()) } else { Err(run.stderr()) }
    });
    let log = gateway.run("ticket show 1 --json").json()["log"].clone();
    assert_eq!(log.as_array().unwrap().len(), before + 1, "nothing refused was kept");
    gateway.until("history --json", |h| h.as_array().is_some_and(|h| h.len() == 3));
    gateway.run("audit verify").success();
    gateway.kill();
    gateway.start();
    tickets(&gateway, 3);
    gateway.run("audit verify").success();
    gateway.kill();
    drop(gateway);
    drop(disk);
}

/// Returns the number of threads and of open descriptors of the daemon.
fn taken(gateway: &Gateway) -> (usize, usize) {
    let count = |what: &str| std::fs::read_dir(format!("/proc/{}/{what}", gateway.pid())).unwrap().count();
    (count("task"), count("fd"))
}

/// Waits until the numbers of threads and descriptors are as before. The runtime's threads for blocking work end only
/// after ten idle seconds.
fn as_before(gateway: &Gateway, before: (usize, usize)) {
    eventually("threads and descriptors are as before", || {
        let now = taken(gateway);
        if now.0 <= before.0 && now.1 <= before.1 { Ok(()) } else { Err(format!("{before:?}, now {now:?}")) }
    });
}

/// Checks that everything is recorded and the ticket database works again within 5 s after the disk has space.
fn records_again(gateway: &Gateway, count: usize) {
    let settled = || {
        let alarms = gateway.run("alarm list --json");
        // Exit code 5: the daemon cannot make its socket yet.
        if alarms.output.status.code() == Some(5) {
            return false;
        }
        let alarms = alarms.json();
        let alarms = alarms.as_array().unwrap();
        let status = gateway.run("status --json").json();
        alarms.len() == count
            && alarms.iter().all(|a| a["recorded"] == true)
            && status["journal"]["writable"] == true
            && status["store"]["state"] == "ready"
    };
    within(Duration::from_secs(5), "everything is recorded again", || {
        eventually("everything is recorded again", || {
            if settled() { Ok(()) } else { Err(gateway.run("status").stdout()) }
        });
    });
    tickets(gateway, count);
}

/// Checks that nothing can be recorded, and that all other work continues.
fn works_without_record(gateway: &Gateway, count: usize, unrecorded: usize) {
    let is_unrecorded = |a: &&serde_json::Value| a["recorded"] == false;
    gateway.until("alarm list --json", |all| {
        let all = all.as_array().unwrap();
        all.len() == count && all.iter().filter(is_unrecorded).count() == unrecorded
    });
    gateway.run("alarm list").success().says("not recorded yet");
    gateway.run("status").success().says("THE JOURNAL CANNOT BE WRITTEN");
    gateway.run("").success().says("THE JOURNAL CANNOT BE WRITTEN");
    gateway
        .run("alarm shelve e1 communication-lost --for 1h --reason r")
        .exits(6)
        .says("journal/not-writable");
    assert!(gateway.log().contains("nothing can be recorded"), "{}", gateway.log());
}

#[test]
fn a_full_disk_at_the_start_stops_neither_start_nor_alarms() {
    let place = Gateway::new();
    let disk = SmallDisk::new(&place.path(""));
    std::fs::create_dir(disk.0.join("data")).unwrap();
    disk.fill();
    let mut gateway = lost_equipment(Gateway::new().with_data(&disk.0.join("data")), 3);
    gateway.start();
    works_without_record(&gateway, 3, 3);
    disk.clear();
    records_again(&gateway, 3);
    gateway.run("note 1 after").success();
    gateway.run("audit verify").success();
    gateway.stop();
    gateway.start();
    records_again(&gateway, 3);
    gateway.run("audit verify").success();
    gateway.stop();
    drop(gateway);
    drop(disk);
}

#[test]
fn a_full_disk_at_a_later_start_leaves_what_is_there() {
    let place = Gateway::new();
    let disk = SmallDisk::new(&place.path(""));
    let mut gateway = lost_equipment(Gateway::new().with_data(&disk.0.join("data")), 2);
    gateway.start();
    tickets(&gateway, 2);
    gateway.run("note 1 before").success();
    gateway.stop();
    disk.fill();
    gateway = lost_equipment(gateway, 4);
    gateway.start();
    works_without_record(&gateway, 4, 2);
    let log = gateway.run("ticket show 1 --json").json()["log"].to_string();
    assert!(log.contains("note: before"), "what is on record is shown: {log}");
    disk.clear();
    records_again(&gateway, 4);
    gateway.run("note 3 after").success();
    gateway.kill();
    gateway.start();
    records_again(&gateway, 4);
    gateway.run("audit verify").success();
    gateway.kill();
    drop(gateway);
    drop(disk);
}

#[test]
fn a_full_disk_without_inodes_is_no_other() {
    let place = Gateway::new();
    let disk = SmallDisk::with(&place.path(""), "size=64m,nr_inodes=200");
    let mut gateway = lost_equipment(Gateway::new().with_data(&disk.0.join("data")), 2);
    gateway.start();
    tickets(&gateway, 2);
    gateway.stop();
    disk.fill_inodes();
    // andon can append to the existing segment, but a socket needs a free inode, so no command reaches the daemon.
    gateway = lost_equipment(gateway, 4);
    gateway.start();
    assert!(gateway.log().contains("no command reaches the daemon"), "{}", gateway.log());
    gateway.run("note 1 early").exits(5);
    let journal = disk.0.join("data/journal/00000001.ndjson");
    eventually("the new alarms are on record", || {
        let text = std::fs::read_to_string(&journal).unwrap();
        if text.matches("\"kind\":\"ticket-opened\"").count() == 4 { Ok(()) } else { Err(text) }
    });
    disk.clear();
    records_again(&gateway, 4);
    gateway.stop();
    // If there is no segment, the journal needs a free inode too.
    std::fs::remove_dir_all(disk.0.join("data/journal")).unwrap();
    std::fs::remove_dir_all(disk.0.join("data/store")).unwrap();
    disk.fill_inodes();
    gateway.start();
    eventually("it is told", || {
        if gateway.log().contains("nothing can be recorded") { Ok(()) } else { Err(gateway.log()) }
    });
    disk.clear();
    records_again(&gateway, 4);
    gateway.run("audit verify").success();
    gateway.stop();
    drop(gateway);
    drop(disk);
}

#[test]
fn a_full_disk_while_running_leaves_no_thread_and_no_descriptor_behind() {
    let place = Gateway::new();
    let disk = SmallDisk::new(&place.path(""));
    let mut gateway = lost_equipment(Gateway::new().with_data(&disk.0.join("data")), 3);
    gateway.start();
    records_again(&gateway, 3);
    gateway.run("audit verify").success();
    let before = taken(&gateway);
    let long = "x".repeat(6000);
    for round in 0..3 {
        disk.fill();
        eventually("a note is refused", || {
            let run = gateway.run(&format!("note 1 '{long}'"));
            if run.output.status.success() { Err("accepted".to_owned()) } else { Ok(run) }
        })
        .exits(6);
        gateway.run("status").success().says("THE JOURNAL CANNOT BE WRITTEN");
        // Wait until the ticket database finds the disk full too.
        pause(Duration::from_secs(2));
        disk.clear();
        records_again(&gateway, 3);
        gateway.run(&format!("note 2 'round {round}'")).success();
    }
    as_before(&gateway, before);
    let log = gateway.run("ticket show 2 --json").json()["log"].to_string();
    assert_eq!(log.matches("note: round").count(), 3);
    gateway.run("audit verify").success();
    gateway.stop();
    drop(gateway);
    drop(disk);
}
