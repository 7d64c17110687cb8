//! Tests kill -9 at any moment, two daemons on one data directory, and a command while a daemon starts.

use std::sync::mpsc;
use std::time::Duration;

use super::{lost_equipment, tickets};
use crate::support::{Gateway, pause};

#[test]
fn nothing_acknowledged_is_missing_after_kill_9() {
    let mut gateway = lost_equipment(Gateway::new(), 1);
    gateway.start();
    tickets(&gateway, 1);
    let mut acknowledged = Vec::new();
    for round in 0..12_u64 {
        let notes: Vec<String> = (0..6).map(|i| format!("round {round} note {i}")).collect();
        let done: Vec<String> = std::thread::scope(|scope| {
            let gateway = &gateway;
            let (tell, told) = mpsc::channel();
            let writers: Vec<_> = notes
                .iter()
                .map(|note| {
                    let tell = tell.clone();
                    scope.spawn(move || {
                        let run = gateway.run(&format!("note 1 '{note}'"));
                        let done = run.output.status.success().then(|| note.clone());
                        tell.send(()).unwrap();
                        done
                    })
                })
                .collect();
            // Moments that differ from round to round: so many notes are done, and a little later.
            for _ in 0..round % 6 {
                told.recv().unwrap();
            }
            pause(Duration::from_millis(round * 7 % 40));
            let killed = std::process::Command::new("kill").args(["-9", &gateway.pid().to_string()]).status();
            assert!(killed.unwrap().success());
            writers.into_iter().filter_map(|w| w.join().unwrap()).collect()
        });
        acknowledged.extend(done);
        gateway.kill();
        gateway.start();
    }
    let ticket = gateway.run("ticket show 1 --json").json();
    let log: Vec<&str> =
        ticket["log"].as_array().unwrap().iter().filter_map(|e| e["text"].as_str()).collect();
    for note in &acknowledged {
        let count = log.iter().filter(|l| **l == format!("note: {note}")).count();
        assert_eq!(count, 1, "{note} was acknowledged and is {count} times in the log");
    }
    assert!(acknowledged.len() >= 2 * (1 + 2 + 3 + 4 + 5), "{} notes were acknowledged", acknowledged.len());
    assert_eq!(gateway.run("ticket list --json").json().as_array().unwrap().len(), 1, "no alarm is doubled");
    gateway.run("audit verify").success();
}

#[test]
fn a_second_daemon_is_refused_at_once() {
    let mut gateway = lost_equipment(Gateway::new(), 1);
    gateway.start();
    gateway.run("daemon").exits(4).says("another daemon uses");
    gateway.run("status --json").success();
}

#[test]
fn a_daemon_that_stops_in_order_says_so_in_the_record() {
    let mut gateway = lost_equipment(Gateway::new(), 1);
    gateway.start();
    gateway.stop();
    let journal = std::fs::read_to_string(gateway.data().join("journal/00000001.ndjson")).unwrap();
    assert!(journal.lines().last().unwrap().contains("gateway-stopped"), "{journal}");
    assert!(!gateway.data().join("andon.sock").exists());
}

#[test]
fn commands_work_without_a_daemon_under_the_same_rules() {
    let mut gateway = lost_equipment(Gateway::new(), 1);
    gateway.start();
    tickets(&gateway, 1);
    gateway.stop();
    gateway.run("ack 1").success().says("acknowledged");
    gateway.run("ack 1").exits(4).says("ticket/wrong-state");
    gateway.run("start e1").success();
    gateway.run("fix 1 --cause c --action a").exits(4).says("ticket/fix-while-active");
    let journal = std::fs::read_to_string(gateway.data().join("journal/00000001.ndjson")).unwrap();
    assert_eq!(journal.matches("gateway-started").count(), 1, "a command is not a start");
    gateway.start();
    let ticket = gateway.run("ticket show 1 --json").json();
    assert_eq!((&ticket["state"], &ticket["assignee"]), (&"in-progress".into(), &"eva".into()));
}

#[test]
fn many_commands_at_once_without_a_daemon_wait_for_each_other() {
    let mut gateway = lost_equipment(Gateway::new(), 1);
    gateway.start();
    tickets(&gateway, 1);
    gateway.stop();
    std::thread::scope(|scope| {
        let gateway = &gateway;
        for i in 0..8 {
            scope.spawn(move || gateway.run(&format!("note 1 'note {i}'")).success().stdout());
        }
    });
    let log = gateway.run("ticket show 1 --json").json();
    assert_eq!(
        log["log"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|e| e["text"].as_str().unwrap().starts_with("note:"))
            .count(),
        8
    );
    gateway.run("audit verify").success();
}
