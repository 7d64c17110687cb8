//! Tests the reload of the configuration: unchanged equipment continues, changed equipment starts again, and a file with an
//! error changes nothing.

use crate::support::{Gateway, PymodbusServer, free_port};

const PUMP: &str = r#"
[modbus]
timeout = "300ms"
[points]
speed = { register = "holding:10", type = "u16", every = "100ms" }
[faults.fast]
severity = "major"
when = "speed > 400"
on_delay = "4s"
means = "Too fast."
"#;

fn fan(limit: u32) -> String {
    format!(
        "[modbus]\ntimeout = \"300ms\"\n[points]\nflow = {{ register = \"holding:20\", type = \"u16\", every = \"100ms\" }}\n\
         [faults.low]\nseverity = \"major\"\nwhen = \"flow < {limit}\"\nmeans = \"Too little.\"\n"
    )
}

fn site(port: u16, more: &str) -> String {
    format!(
        "[[link]]\nname = \"plc\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"\n\
         [[equipment]]\nid = \"fan-1\"\nprofile = \"fan\"\nlink = \"plc\"\nunit = 4\n{more}\
         [[equipment]]\nid = \"pump-1\"\nprofile = \"pump\"\nlink = \"plc\"\nunit = 3\n"
    )
}

const FAN_2: &str = "[[equipment]]\nid = \"fan-2\"\nprofile = \"fan\"\nlink = \"plc\"\nunit = 5\n";

#[test]
fn a_reload_loses_nothing_of_untouched_equipment() {
    let port = free_port();
    let mut server = PymodbusServer::tcp(port, &[3, 4, 5]);
    let mut gateway = Gateway::new().profile("pump", PUMP).profile("fan", &fan(100)).site(&site(port, ""));
    gateway.start();
    gateway.until("status --json", |s| {
        s["equipment"].as_array().unwrap().iter().all(|e| e["state"] == "online")
    });
    // A delay runs during the reload.
    server.set(3, 3, 10, 500);
    gateway.until("equipment read pump-1 --last --json", |r| r["points"]["speed"]["value"] == 500);
    let requests = |status: &serde_json::Value, id: &str| {
        let all = status["equipment"].as_array().unwrap();
        all.iter().find(|e| e["id"] == id).unwrap()["requests"].as_u64().unwrap()
    };
    let before = gateway.run("status --json").json();
    gateway = gateway.profile("fan", &fan(5500)).site(&site(port, FAN_2));
    let done = gateway.run("reload --json").success().json();
    assert_eq!(done["kept"], 1);
    assert_eq!(done["changed"], serde_json::json!(["fan-1", "fan-2"]));
    let after = gateway.run("status --json").json();
    assert!(requests(&after, "pump-1") >= requests(&before, "pump-1"), "what is known of it is kept");
    assert_eq!(after["links"][0]["errors"], serde_json::json!({}), "the connection is kept");
    // The new limit applies at once, to the old fan and to the new fan.
    gateway.until("ticket list --json", |t| {
        let all = t.as_array().unwrap();
        ["fan-1", "fan-2"].iter().all(|id| all.iter().any(|t| t["equipment"] == *id && t["fault"] == "low"))
    });
    // The delay from before the reload ends normally: its onset is before the reload.
    let open = gateway
        .until("ticket list --json", |t| t.as_array().unwrap().iter().any(|t| t["equipment"] == "pump-1"));
    let number = open.as_array().unwrap().iter().find(|t| t["equipment"] == "pump-1").unwrap()["id"].clone();
    let ticket = gateway.run(&format!("ticket show {number} --json")).json();
    let journal = std::fs::read_to_string(gateway.data().join("journal/00000001.ndjson")).unwrap();
    let loaded = journal.lines().rfind(|l| l.contains("configuration-loaded")).unwrap();
    let loaded: serde_json::Value = serde_json::from_str(loaded).unwrap();
    assert!(ticket["onset"].as_str().unwrap() < loaded["at"].as_str().unwrap(), "{ticket} {loaded}");

    // A file with an error changes nothing; the command shows the line of the error.
    gateway = gateway.file("device-profiles/fan.toml", "[device]\nvendor = 1\n");
    gateway.run("reload").exits(2).says("device-profiles/fan.toml:2");
    let pid = gateway.pid().to_string();
    assert!(std::process::Command::new("kill").args(["-HUP", &pid]).status().unwrap().success());
    crate::support::eventually("the log tells it", || {
        let log = gateway.log();
        if log.contains("nothing was changed") { Ok(()) } else { Err(log) }
    });
    // A client that does not read the files itself gets the rule.
    let socket = gateway.data().join("andon.sock");
    let curl = std::process::Command::new("curl")
        .args(["-s", "-X", "POST", "http://andon/v1/reload", "--unix-socket"])
        .arg(&socket)
        .output()
        .unwrap();
    let answer = String::from_utf8(curl.stdout).unwrap();
    assert!(answer.contains("gateway/bad-configuration") && answer.contains("fan.toml:2"), "{answer}");
    // The status still shows the running gateway.
    let still = gateway.until("status --json", |s| s["daemon"] == true);
    assert_eq!(still["equipment"].as_array().unwrap().len(), 3);

    // The alarms of removed equipment are cleared, with this reason.
    gateway = gateway.profile("fan", &fan(5500)).site(&site(port, ""));
    let done = gateway.run("reload --json").success().json();
    assert_eq!(done["removed"], serde_json::json!(["fan-2"]));
    assert_eq!(done["kept"], 2);
    let alarms = gateway.run("alarm list --json").json();
    assert!(alarms.as_array().unwrap().iter().all(|a| a["equipment"] != "fan-2"), "{alarms}");
    gateway.run("reload").says("2 pieces of equipment unchanged");
    gateway.stop();
    gateway.run("reload --json").exits(4);
    gateway.run("audit verify").success();
}

#[test]
fn links_come_and_go_with_a_reload() {
    let (one, two) = (free_port(), free_port());
    let _one = PymodbusServer::tcp(one, &[3]);
    let _two = PymodbusServer::tcp(two, &[3]);
    let link = |name: &str, port: u16| {
        format!(
            "[[link]]\nname = \"{name}\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"\n\
             [[equipment]]\nid = \"pump-{name}\"\nprofile = \"pump\"\nlink = \"{name}\"\nunit = 3\n"
        )
    };
    let mut gateway = Gateway::new().profile("pump", PUMP).site(&link("a", one));
    gateway.start();
    let online = |s: &serde_json::Value, id: &str| {
        s["equipment"].as_array().unwrap().iter().any(|e| e["id"] == id && e["state"] == "online")
    };
    gateway.until("status --json", |s| online(s, "pump-a"));
    gateway = gateway.site(&format!("{}{}", link("b", two), link("a", one)));
    gateway.run("reload").success();
    gateway.until("status --json", |s| online(s, "pump-a") && online(s, "pump-b"));
    let readings = gateway.run("equipment read pump-b --json").json();
    assert_eq!(readings["points"]["speed"]["value"], 3310);
    gateway = gateway.site(&link("b", two));
    gateway.run("reload").success();
    let status = gateway.until("status --json", |s| online(s, "pump-b"));
    assert_eq!(status["links"].as_array().unwrap().len(), 1);
}
