//! Tests requests of people on a line: these requests take turns with polling, and end when the person leaves. A pause of
//! the daemon itself is not counted as a fault of a device.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Gateway, Paced, PymodbusServer, eventually, free_port, pause};

const PUMP: &str = "offline_after = \"3s\"\n[device]\nvendor = \"Test\"\nmodel = \"pump\"\nkind = \"test\"\n[points]\n\
    level = { register = \"holding:0\", type = \"u16\", every = \"500ms\" }\n";

fn pump(port: u16) -> Gateway {
    Gateway::pump(port, "").file("device-profiles/pump.toml", PUMP)
}

const PERIOD: Duration = Duration::from_millis(500);
/// Extra time, because the computer is busy with other tests.
const SLACK: Duration = Duration::from_millis(700);

fn polled(server: &Paced, times: usize) {
    let before = server.asked(1).len();
    eventually("it is polled", || {
        let count = server.asked(1).len() - before;
        if count >= times { Ok(()) } else { Err(count.to_string()) }
    });
}

/// Sends a request to try a unit that does not answer, and returns the connection without reading the answer.
fn try_unit(gateway: &Gateway, timeout_ms: u32) -> UnixStream {
    let mut stream = UnixStream::connect(gateway.data().join("andon.sock")).unwrap();
    let request =
        format!("GET /v1/links/plc/try?unit=99&timeout_ms={timeout_ms} HTTP/1.1\r\nhost: andon\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    stream
}

fn answer(mut stream: UnixStream) -> String {
    let mut answer = [0; 4096];
    let count = stream.read(&mut answer).unwrap();
    String::from_utf8_lossy(&answer[..count]).into_owned()
}

#[test]
fn tries_of_a_silent_unit_do_not_stop_polling() {
    let server = Paced::start(Duration::ZERO);
    let mut gateway = pump(server.port);
    gateway.start();
    polled(&server, 3);
    let refused = answer(try_unit(&gateway, 60_000));
    assert!(refused.starts_with("HTTP/1.1 400") && refused.contains("from 10ms to 2s"), "{refused}");
    let tries: Vec<UnixStream> = (0..4).map(|_| try_unit(&gateway, 2000)).collect();
    for stream in tries {
        let answer = answer(stream);
        assert!(answer.contains("no answer in time"), "{answer}");
    }
    assert_eq!(server.asked(99).len(), 4);
    polled(&server, 2);
    // Between two tries of the silent unit the other one is polled, however fast the machine is.
    let order = server.order();
    assert!(order.windows(2).all(|pair| pair != [99, 99]), "{order:?}");
    gateway.run("alarm list --json").success();
    assert_eq!(gateway.run("ticket list --json").json(), serde_json::json!([]));
}

#[test]
fn a_try_ends_with_its_asker() {
    let server = Paced::start(Duration::ZERO);
    let mut gateway = pump(server.port);
    gateway.start();
    polled(&server, 3);
    let from = server.asked(1).len();
    let mut tries = vec![try_unit(&gateway, 2000)];
    eventually("the first one is sent", || {
        let count = server.asked(99).len();
        if count > 0 { Ok(()) } else { Err(count.to_string()) }
    });
    tries.extend((0..4).map(|_| try_unit(&gateway, 2000)));
    // The waiting clients leave first, and the daemon gets time to notice it. If a client leaves at the moment of its turn,
    // its request may still be sent.
    let first = tries.remove(0);
    drop(tries);
    gateway.run("status --json").success();
    pause(Duration::from_millis(200));
    drop(first);
    polled(&server, 8);
    let longest = server.longest_pause(1, from);
    assert!(longest < PERIOD + SLACK, "{longest:?} between two polls");
    assert_eq!(server.asked(99).len(), 1, "those whose askers are gone are not sent");
}

#[test]
fn a_frozen_daemon_accuses_nobody() {
    let port = free_port();
    let _server = PymodbusServer::tcp(port, &[1]);
    let mut gateway = pump(port);
    gateway.start();
    gateway.until("status --json", |s| s["equipment"][0]["requests"].as_u64() > Some(4));
    let signal = |name: &str| {
        let told =
            Command::new("kill").args([name, &gateway.pid().to_string()]).stdout(Stdio::null()).status();
        assert!(told.unwrap().success());
    };
    signal("-STOP");
    pause(Duration::from_secs(6));
    signal("-CONT");
    let before = gateway.run("status --json").json()["equipment"][0]["requests"].as_u64();
    let status = gateway
        .until("status --json", |s| s["equipment"][0]["requests"].as_u64() > before.map(|count| count + 6));
    let pump = &status["equipment"][0];
    assert_eq!((&pump["state"], &pump["message"]), (&"online".into(), &"answers".into()), "{status}");
    assert_eq!((&pump["missed"], &pump["errors"]), (&0.into(), &serde_json::json!({})));
    assert_eq!(status["alarms"], serde_json::json!([]));
    assert_eq!(gateway.run("ticket list --json").json(), serde_json::json!([]));
    assert!(!gateway.run("history --json").stdout().contains("communication-lost"));
}
