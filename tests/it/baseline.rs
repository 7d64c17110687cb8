//! Tests a baseline with the daemon: it learns from a device, opens a ticket for an excursion, and keeps the learned model
//! over a restart.

use crate::support::{Gateway, PymodbusServer, free_port};

const PROFILE: &str = r#"
[points]
flow = { register = "holding:0", type = "u16", every = "100ms", stale_after = "30s", unit = "l/min" }
current = { register = "holding:1", type = "u16", every = "100ms", stale_after = "30s", unit = "A" }
[baseline.loop]
points = ["flow", "current"]
learn = 50
causes = ["Worn impeller"]
"#;

#[test]
fn normal_is_learned_from_the_wire_kept_over_a_restart_and_learned_anew() {
    let port = free_port();
    let mut server = PymodbusServer::tcp(port, &[1]);
    server.set(1, 3, 0, 100);
    server.set(1, 3, 1, 12);
    let mut gateway = Gateway::pump(port, PROFILE);
    gateway.start();
    gateway
        .run("why pump-1 loop")
        .success()
        .says("flow, current over 50 samples")
        .says("of 50 samples of normal operation");
    gateway.until("why pump-1 loop --json", |w| w.to_string().contains("learned is from 50 samples"));
    gateway.stop();
    gateway.start();
    gateway.until("why pump-1 loop --json", |w| w.to_string().contains("distance from normal"));
    gateway.run("why pump-1 loop").success().says("learned is from 50 samples");

    server.set(1, 3, 0, 80);
    let tickets = gateway.until("ticket list --json", |t| t.as_array().is_some_and(|t| !t.is_empty()));
    assert_eq!((&tickets[0]["fault"], &tickets[0]["severity"]), (&"loop".into(), &"minor".into()));
    let summary = tickets[0]["summary"].as_str().unwrap();
    assert!(
        summary.starts_with("flow ")
            && summary.contains(" %: The points do not behave as in the normal operation"),
        "{summary}"
    );
    gateway.run("ticket show 1").success().says("flow = 80 l/min").says("Worn impeller");

    // The new flow is the normal flow from now on.
    gateway
        .run("equipment relearn pump-1 loop --reason 'new impeller'")
        .success()
        .says("again from 50 samples");
    gateway.until("ticket list --json", |t| t[0]["condition"] == "returned");
    gateway.until("why pump-1 loop --json", |w| w.to_string().contains("learned is from 50 samples"));
    gateway.run("alarm list").success().says("No active or suppressed alarms.");
    gateway.run("audit verify").success();
}
