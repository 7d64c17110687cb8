//! Tests connections to the daemon: a wait ends with a clear error, and idle connections do not block the gateway.

use std::os::unix::net::UnixStream;
use std::process::Command;

use crate::support::{Gateway, PymodbusServer, free_port};

const PROFILE: &str = "[points]\nx = { register = \"holding:0\", type = \"u16\", every = \"100ms\" }\n";

fn requests(gateway: &Gateway) -> u64 {
    gateway.run("status --json").json()["links"][0]["requests"].as_u64().unwrap()
}

#[test]
fn idle_connections_hold_neither_polling_nor_answers() {
    let port = free_port();
    let mut server = PymodbusServer::tcp(port, &[1]);
    server.set(1, 3, 0, 5);
    let mut gateway = Gateway::pump(port, PROFILE);
    gateway.start_with(&["sh", "-c", "ulimit -n 64; exec \"$@\"", "sh"]);
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "online");
    let socket = gateway.data().join("andon.sock");
    let idle: Vec<UnixStream> = (0..60).map(|_| UnixStream::connect(&socket).unwrap()).collect();
    let before = requests(&gateway);
    // Ask once more, now that the daemon has closed some of the idle connections.
    gateway.until("status --json", |s| s["links"][0]["requests"].as_u64().unwrap() > before + 5);
    assert_eq!(gateway.run("status --json").json()["links"][0]["state"], "online");
    drop(idle);
    gateway.stop();
}

#[test]
fn a_daemon_that_is_stopped_is_not_waited_for_without_end() {
    let mut gateway = Gateway::pump(1, PROFILE);
    gateway.start();
    let signal = |name: &str| {
        let done = Command::new("kill").args([name, &gateway.pid().to_string()]).status().unwrap();
        assert!(done.success());
    };
    signal("-STOP");
    let run = gateway.run("status");
    signal("-CONT");
    run.exits(5)
        .says("has not answered within 20 s")
        .says("the answer to GET /v1/status")
        .says("the daemon's log");
    gateway.run("status").success();
}
