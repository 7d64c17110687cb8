//! A full disk: clear refusals, nothing half done, and recovery by itself when there is room.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{lost_equipment, tickets};
use crate::support::{Gateway, eventually};

/// A small file system of its own.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn new(folder: &Path) -> Self {
        let path = folder.join("small");
        std::fs::create_dir_all(&path).unwrap();
        let mounted =
            Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "tmpfs"]).arg(&path).status();
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
    // Small appends may still fit into the last page; a long note does not.
    let long = "x".repeat(6000);
    let refused = eventually("a note is refused", || {
        let run = gateway.run(&format!("note 1 '{long}'"));
        if run.output.status.success() { Err("accepted".to_owned()) } else { Ok(run) }
    });
    refused.exits(6).says("journal/not-writable").says("No space left").says("make room");
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
