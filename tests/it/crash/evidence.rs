//! Tests a data directory without write permission: every question is answered, and no byte changes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{lost_equipment, tickets};
use crate::support::Gateway;

const QUESTIONS: [&str; 5] =
    ["audit verify", "status", "ticket list --json", "history --json", "ticket show 1 --json"];

fn stopped() -> Gateway {
    let mut gateway = lost_equipment(Gateway::new(), 3);
    gateway.start();
    tickets(&gateway, 3);
    gateway.run("note 1 before").success();
    gateway.stop();
    gateway
}

fn everything(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(everything(&path));
            found.insert(path, Vec::new());
        } else {
            found.insert(path.clone(), std::fs::read(&path).unwrap());
        }
    }
    found
}

fn sh(script: &str) {
    assert!(Command::new("sh").args(["-c", script]).status().unwrap().success(), "{script}");
}

#[test]
fn as_root_a_read_only_mount_is_evidence() {
    let gateway = stopped();
    let data = gateway.data();
    let before = everything(&data);
    let (d, at) = (data.display(), gateway.path("evidence"));
    sh(&format!("mkdir '{0}' && mount --bind '{d}' '{0}' && mount -o remount,bind,ro '{0}'", at.display()));
    let answers: Vec<_> = QUESTIONS
        .iter()
        .map(|q| {
            let mut command = gateway.command(q);
            command.env("ANDON_DATA", &at).output().unwrap()
        })
        .collect();
    sh(&format!("umount -l '{0}' && rmdir '{0}'", at.display()));
    for (question, output) in QUESTIONS.iter().zip(&answers) {
        assert!(output.status.success(), "{question}: {output:?}");
    }
    let list: serde_json::Value = serde_json::from_slice(&answers[2].stdout).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 3);
    assert!(String::from_utf8_lossy(&answers[4].stdout).contains("note: before"));
    assert_eq!(everything(&data), before);
}

#[test]
fn as_root_a_stranger_reads_what_nobody_may_write() {
    let gateway = stopped();
    let data = gateway.data();
    // Make the data directory read-only, as for a person who examines a copy of it.
    sh(&format!("chmod -R a+rX,a-w '{}' && chmod a+x '{}'", data.display(), gateway.path("").display()));
    let before = everything(&data);
    for question in QUESTIONS {
        let inner = gateway.command(question);
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(inner.get_program());
        command.args(inner.get_args()).current_dir(gateway.path("")).env("ANDON_DATA", &data);
        command.env("ANDON_PERSON", "guest").env_remove("ANDON_CONFIG");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{question}: {output:?}");
    }
    assert_eq!(everything(&data), before);
}
