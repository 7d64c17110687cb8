//! Tests recorded readings and the traces of tickets, with the daemon and after a restart.

use andon::ambient::Clock;

use crate::support::{Gateway, PymodbusServer, eventually, free_port};

const PROFILE: &str = r#"
[points]
x = { register = "holding:0", type = "u16", every = "100ms", unit = "bar" }
speed = { register = "holding:1", type = "u16", every = "100ms", unit = "1/min" }
[faults.pressure-high]
severity = "major"
when = "x > 100"
means = "The pressure is too high."
trace = ["speed"]
trace_before = "10s"
trace_after = "1s"
"#;

const DELAYED: &str = r#"
[points]
x = { register = "holding:0", type = "u16", every = "100ms", stale_after = "30s" }
[faults.slow]
severity = "major"
when = "x > 100"
on_delay = "6s"
means = "It is slow."
"#;

#[test]
fn a_delay_goes_on_over_a_restart() {
    let port = free_port();
    let mut server = PymodbusServer::tcp(port, &[1]);
    server.set(1, 3, 0, 120);
    let mut gateway = Gateway::pump(port, DELAYED);
    gateway.start();
    gateway.until("why pump-1 slow --json", |w| w.to_string().contains("if the condition does not change"));
    gateway
        .until("equipment history pump-1 x --json", |h| h["samples"].as_array().is_some_and(|s| s.len() > 3));
    gateway.stop();
    let stopped = Clock::start().now().wall.timestamp();
    gateway.start();
    let alarms = gateway.until("alarm list --json", |a| a.as_array().is_some_and(|a| !a.is_empty()));
    let at = |name: &str| alarms[0][name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    assert!(at("onset") < stopped, "it began before the restart: {alarms}");
    // What was recorded carries milliseconds of the wall clock.
    let raised = at("raised_at").as_millisecond();
    let delay = raised - at("onset").as_millisecond();
    assert!(delay >= 5998, "raised before it was due, after {delay} ms");
    // A delay that began anew would end six seconds after the start, however long the start takes.
    let log = gateway.log();
    let ready = log.lines().rev().find(|l| l.contains(" info ready: ")).unwrap().split(' ').next().unwrap();
    let ready = ready.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    assert!(raised < ready + 6000, "raised {} ms after the start", raised - ready);
}

#[test]
fn readings_are_recorded_and_a_ticket_keeps_those_around_its_onset() {
    let port = free_port();
    let mut server = PymodbusServer::tcp(port, &[1]);
    server.set(1, 3, 0, 50);
    server.set(1, 3, 1, 1450);
    let mut gateway = Gateway::pump(port, PROFILE);
    gateway.start();
    gateway.until("equipment history pump-1 x --json", |h| {
        h["samples"].as_array().is_some_and(|s| s.len() >= 5)
    });
    server.set(1, 3, 0, 120);
    gateway.until("ticket list --json", |t| t.as_array().is_some_and(|t| !t.is_empty()));
    let trace = gateway.until("ticket trace 1 --json", |t| {
        let samples = &t["series"][0]["samples"];
        let last = samples.as_array().and_then(|s| s.last()).map(|s| s[0].as_str().unwrap().to_owned());
        last.is_some_and(|at| at.as_str() > t["onset"].as_str().unwrap())
    });
    assert_eq!(trace["series"][0]["point"], "x");
    assert_eq!(trace["series"][0]["limits"], serde_json::json!([100.0]));
    assert_eq!(trace["series"][1]["point"], "speed");
    let values: Vec<f64> =
        trace["series"][0]["samples"].as_array().unwrap().iter().map(|s| s[1].as_f64().unwrap()).collect();
    assert!(values.contains(&50.0) && values.contains(&120.0), "{values:?}");
    eventually("the trace is kept", || {
        gateway.data().join("traces/ticket-1.json").exists().then_some(()).ok_or_else(|| "no file".to_owned())
    });
    gateway
        .run("ticket trace 1")
        .success()
        .says("pressure-high of pump-1, onset")
        .says("limits 100")
        .says("120 bar");
    gateway.run("ticket trace 1 --csv").success().says("x,").says(",120,bar");
    gateway.run("ticket trace 1 --svg trip.svg").success().says("trace of ticket 1 to trip.svg");
    gateway.run("ticket trace 2").exits(3).says("there is no ticket 2");

    gateway.run("equipment history pump-1 x").success().says("x of pump-1").says("120 bar");
    gateway.run("equipment history pump-1 x --table").success().says("50");
    gateway.run("equipment history pump-1 y").exits(3).says("pump-1 has no point y");
    gateway
        .run("equipment history pump-1 x --since 2020-01-01 --until 2020-01-02")
        .exits(1)
        .says("No readings of this point are recorded");
    gateway.run("equipment history pump-1 x --since 2030-01-01").exits(2).says("is not before its end");

    // After a normal stop, the buffered readings are on disk and can be read without a daemon.
    gateway.stop();
    let kept = gateway.run("equipment history pump-1 x --json").success().json();
    assert!(kept["samples"].as_array().unwrap().len() > 10);
    gateway.run("ticket trace 1").success().says("limits 100");
    let replayed = gateway.run("profile replay pump --recorded pump-1 --since 1h --json").success().json();
    assert_eq!(replayed.as_array().map(Vec::len), Some(1));
    assert_eq!(
        (&replayed[0]["fault"], &replayed[0]["equipment"]),
        (&"pressure-high".into(), &"pump-1".into())
    );
    gateway
        .run("profile replay pump --recorded pump-1 --since 2020-01-01 --until 2020-01-02")
        .exits(3)
        .says("no readings of pump-1 are recorded");
    gateway.run("profile replay pump").exits(2).says("--csv <FILE>");
    for folder in ["traces", "recorder"] {
        std::fs::remove_dir_all(gateway.data().join(folder)).unwrap();
    }
    gateway.run("ticket trace 1").exits(3).says("ticket/no-trace");
}
