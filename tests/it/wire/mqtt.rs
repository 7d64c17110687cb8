//! Tests MQTT with mosquitto (both versions, passwords, TLS, restarts) and Sparkplug B with an edge node of pysparkplug.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::support::{Gateway, Mosquitto, SparkplugNode, eventually, within};

const PLUG: &str = r#"
[mqtt]
availability = { topic = "tele/{topic}/LWT", online = "Online", offline = "Offline" }
[points]
power = { topic = "tele/{topic}/SENSOR", pointer = "/ENERGY/Power", type = "f64", unit = "W" }
relay = { topic = "stat/{topic}/+", type = "bool" }
[faults.overload]
severity = "major"
when = "power > 2000"
means = "Too much."
"#;

fn site(link: &str) -> String {
    format!(
        "[[link]]\nname = \"shop\"\nkind = \"mqtt\"\n{link}\n[[equipment]]\nid = \"plug-1\"\nprofile = \"plug\"\nlink = \"shop\"\ntopic = \"plug1\"\n"
    )
}

fn point<'a>(readings: &'a Value, name: &str) -> &'a Value {
    &readings["points"][name]["value"]
}

#[track_caller]
fn online(gateway: &Gateway) {
    gateway.until("status --json", |s| s["links"][0]["state"] == "online");
}

/// Tests values, a fault and the availability topic. `options` are options of mosquitto_pub.
fn whole_story(gateway: &mut Gateway, broker: &Mosquitto, options: &[&str]) {
    gateway.start();
    online(gateway);
    broker.publish("tele/plug1/SENSOR", r#"{"ENERGY":{"Power":120.5}}"#, options);
    broker.publish("stat/plug1/POWER", "ON", options);
    let readings = gateway.until("equipment read plug-1 --last --json", |r| point(r, "relay") == true);
    assert_eq!(*point(&readings, "power"), 120.5);
    broker.publish("tele/plug1/SENSOR", r#"{"ENERGY":{"Power":2500}}"#, options);
    let tickets = gateway.until("ticket list --json", |t| t.as_array().is_some_and(|t| !t.is_empty()));
    assert_eq!((&tickets[0]["fault"], tickets.as_array().unwrap().len()), (&"overload".into(), 1));
    broker.publish("tele/plug1/SENSOR", r#"{"ENERGY":{"Power":"much"}}"#, options);
    let bad =
        gateway.until("equipment read plug-1 --last --json", |r| r["points"]["power"]["quality"] == "bad");
    assert!(bad["points"]["power"]["reason"].as_str().unwrap().contains("is not of type f64"), "{bad}");
    broker.publish("tele/plug1/LWT", "Offline", options);
    gateway.until("ticket list --fault communication-lost --json", |t| t[0]["condition"] == "active");
    broker.publish("tele/plug1/LWT", "Online", options);
    gateway.until("ticket list --fault communication-lost --json", |t| t[0]["condition"] == "returned");
    gateway.run("why plug-1 relay").success().says("topic stat/plug1/POWER").says("response: ON");
}

fn plain(version: u8) {
    let mut gateway = Gateway::new().profile("plug", PLUG);
    let broker = Mosquitto::new(&gateway.path(""), "allow_anonymous true");
    let link = format!("url = \"mqtt://127.0.0.1:{}\"\nversion = {version}", broker.port);
    gateway = gateway.site(&site(&link));
    whole_story(&mut gateway, &broker, &[]);
}

#[test]
fn version_4() {
    plain(4);
}

#[test]
fn version_5() {
    plain(5);
}

#[test]
fn passwords() {
    let mut gateway = Gateway::new().profile("plug", PLUG).file("secret", "right horse\n");
    let made = Command::new("mosquitto_passwd")
        .args(["-b", "-c"])
        .arg(gateway.path("passwords"))
        .args(["andon", "right horse"])
        .status();
    assert!(made.unwrap().success());
    let settings = format!("allow_anonymous false\npassword_file {}", gateway.path("passwords").display());
    let broker = Mosquitto::new(&gateway.path(""), &settings);
    let link = |file: &str| {
        let path = gateway.path(file).display().to_string();
        format!(
            "url = \"mqtt://127.0.0.1:{}\"\nusername = \"andon\"\npassword_file = \"{path}\"",
            broker.port
        )
    };
    let (right, wrong) = (link("secret"), link("wrong"));
    gateway = gateway.file("wrong", "wrong horse\n").site(&site(&wrong));
    gateway.start();
    let status = gateway.until("status --json", |s| s["links"][0]["errors"]["connect"].as_u64() > Some(0));
    assert!(status["links"][0]["message"].as_str().unwrap().to_lowercase().contains("author"), "{status:#}");
    let attempts = status["links"][0]["errors"]["connect"].as_u64().unwrap();
    assert!(attempts < 20, "it knocks with growing pauses: {attempts}");
    gateway.stop();
    gateway = gateway.site(&site(&right));
    whole_story(&mut gateway, &broker, &["-u", "andon", "-P", "right horse"]);
    assert!(!gateway.log().contains("horse"), "no secret in the log");
}

/// Makes a certificate authority, and a key and a certificate for each name, with openssl.
fn certificates(gateway: &Gateway, names: &[&str]) {
    let openssl = |args: &str| {
        let done =
            Command::new("openssl").args(args.split(' ')).current_dir(gateway.path("")).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=andon-test-ca");
    std::fs::write(gateway.path("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    for name in names {
        openssl(&format!("req -newkey rsa:2048 -nodes -keyout {name}.key -out {name}.csr -subj /CN={name}"));
        openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out {name}.pem -days 2 -extfile names"
        ));
    }
}

#[test]
fn tls_with_an_own_authority_and_a_client_certificate() {
    let mut gateway = Gateway::new().profile("plug", PLUG);
    certificates(&gateway, &["broker", "andon"]);
    let here = gateway.path("").display().to_string();
    let settings = format!(
        "allow_anonymous true\ncafile {here}/ca.pem\ncertfile {here}/broker.pem\nkeyfile {here}/broker.key\nrequire_certificate true"
    );
    let broker = Mosquitto::new(&gateway.path(""), &settings);
    let link = format!(
        "url = \"mqtts://127.0.0.1:{}\"\nca_file = \"{here}/ca.pem\"\nclient_cert_file = \"{here}/andon.pem\"\nclient_key_file = \"{here}/andon.key\"",
        broker.port
    );
    gateway = gateway.site(&site(&link));
    let files = ["ca.pem", "andon.pem", "andon.key"].map(|f| format!("{here}/{f}"));
    whole_story(&mut gateway, &broker, &["--cafile", &files[0], "--cert", &files[1], "--key", &files[2]]);
}

#[test]
fn a_broker_that_is_restarted_loses_no_message() {
    let mut gateway = Gateway::new().profile("plug", PLUG);
    let mut broker = Mosquitto::new(&gateway.path(""), "allow_anonymous true");
    gateway = gateway.site(&site(&format!("url = \"mqtt://127.0.0.1:{}\"", broker.port)));
    gateway.start();
    online(&gateway);
    broker.publish("tele/plug1/SENSOR", r#"{"ENERGY":{"Power":1}}"#, &[]);
    gateway.until("equipment read plug-1 --last --json", |r| point(r, "power") == 1.0);
    broker.stop();
    gateway.until("status --json", |s| s["links"][0]["state"] == "offline");
    broker.start();
    online(&gateway);
    broker.publish("tele/plug1/SENSOR", r#"{"ENERGY":{"Power":2}}"#, &[]);
    gateway.until("equipment read plug-1 --last --json", |r| point(r, "power") == 2.0);
    // While the daemon is stopped, the broker keeps the messages for it.
    gateway.stop();
    broker.publish("tele/plug1/SENSOR", r#"{"ENERGY":{"Power":2600}}"#, &[]);
    broker.publish("tele/plug1/SENSOR", r#"{"ENERGY":{"Power":3}}"#, &[]);
    gateway.start();
    gateway.until("equipment read plug-1 --last --json", |r| point(r, "power") == 3.0);
    let tickets = gateway.until("ticket list --json", |t| t.as_array().is_some_and(|t| !t.is_empty()));
    assert_eq!((&tickets[0]["fault"], &tickets[0]["condition"]), (&"overload".into(), &"returned".into()));
}

#[test]
fn retained_and_oversize_messages() {
    let mut gateway = Gateway::new().profile("plug", PLUG);
    let broker = Mosquitto::new(&gateway.path(""), "allow_anonymous true");
    broker.publish("tele/plug1/SENSOR", r#"{"ENERGY":{"Power":7}}"#, &["-r"]);
    gateway =
        gateway.site(&site(&format!("url = \"mqtt://127.0.0.1:{}\"\nmax_packet = \"2KiB\"", broker.port)));
    gateway.start();
    gateway.until("equipment read plug-1 --last --json", |r| point(r, "power") == 7.0);
    broker.publish("tele/plug1/SENSOR", &format!("{{\"x\":\"{}\"}}", "y".repeat(3000)), &[]);
    gateway.until("status --json", |s| s["links"][0]["errors"]["oversize"] == 1);
    broker.publish("tele/plug1/SENSOR", r#"{"ENERGY":{"Power":8}}"#, &[]);
    gateway.until("equipment read plug-1 --last --json", |r| point(r, "power") == 8.0);
    let status = gateway.run("status --json").json();
    assert_eq!(status["links"][0]["errors"]["oversize"], 1, "it is not sent again and again");
}

#[test]
fn a_sparkplug_node_and_its_device() {
    let node = "[points]\ntemp = { metric = \"Temp\", type = \"f64\", unit = \"degC\" }\n[faults.hot]\nseverity = \"major\"\nwhen = \"temp > 80\"\n";
    let device = "[points]\nspeed = { metric = \"Speed\", type = \"i32\" }\n";
    let mut gateway = Gateway::new().profile("node", node).profile("device", device);
    let broker = Mosquitto::new(&gateway.path(""), "allow_anonymous true");
    // The node publishes its birth before andon listens. As the primary host, andon asks for a new birth.
    let mut peer = SparkplugNode::new(broker.port);
    let text = format!(
        "[[link]]\nname = \"shop\"\nkind = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{}\"\nsparkplug_host = \"line-3\"\n\
        [[equipment]]\nid = \"node-1\"\nprofile = \"node\"\nlink = \"shop\"\nsparkplug = \"g/n\"\n\
        [[equipment]]\nid = \"device-1\"\nprofile = \"device\"\nlink = \"shop\"\nsparkplug = \"g/n/d\"\n",
        broker.port
    );
    gateway = gateway.site(&text);
    gateway.start();
    gateway.until("equipment read node-1 --last --json", |r| point(r, "temp") == 20.0);
    gateway.until("equipment read device-1 --last --json", |r| point(r, "speed") == -5);
    peer.tell("node 95.5");
    peer.tell("device -7");
    gateway.until("equipment read node-1 --last --json", |r| point(r, "temp") == 95.5);
    gateway.until("equipment read device-1 --last --json", |r| point(r, "speed") == -7);
    gateway.until("ticket list --fault hot --json", |t| t[0]["condition"] == "active");
    // andon publishes its state as online, and its will publishes the state as offline.
    let state = || {
        let args = [
            "-h",
            "127.0.0.1",
            "-p",
            &broker.port.to_string(),
            "-t",
            "spBv1.0/STATE/line-3",
            "-C",
            "1",
            "-W",
            "3",
        ];
        String::from_utf8(Command::new("mosquitto_sub").args(args).output().unwrap().stdout).unwrap()
    };
    assert!(state().contains("\"online\":true"));
    peer.tell("remove");
    gateway.until("ticket list --equipment device-1 --fault communication-lost --json", |t| {
        t[0]["condition"] == "active"
    });
    drop(peer);
    gateway.until("ticket list --equipment node-1 --fault communication-lost --json", |t| {
        t[0]["condition"] == "active"
    });
    gateway.kill();
    eventually("the will is published", || {
        let text = state();
        if text.contains("\"online\":false") { Ok(()) } else { Err(text) }
    });
}

#[test]
fn without_ca_file_the_certificates_that_the_system_trusts_serve() {
    let mut gateway = Gateway::new().profile("plug", PLUG);
    certificates(&gateway, &["broker"]);
    let here = gateway.path("").display().to_string();
    let settings = format!(
        "allow_anonymous true\ncafile {here}/ca.pem\ncertfile {here}/broker.pem\nkeyfile {here}/broker.key"
    );
    let broker = Mosquitto::new(&gateway.path(""), &settings);
    gateway = gateway.site(&site(&format!("url = \"mqtts://127.0.0.1:{}\"", broker.port)));
    // The system does not trust this authority, so andon refuses the connection.
    gateway.start();
    gateway.until("status --json", |s| s["links"][0]["errors"]["connect"].as_u64() > Some(0));
    gateway.stop();
    // Add the authority to the authorities that the system trusts.
    let trusted = format!("SSL_CERT_FILE={here}/ca.pem");
    gateway.start_with(&["env", &trusted]);
    online(&gateway);
}

#[test]
fn a_sparkplug_listener_asks_for_births_and_publishes_no_state() {
    let node = "[points]\ntemp = { metric = \"Temp\", type = \"f64\", unit = \"degC\" }\n";
    let broker_folder = Gateway::new();
    let broker = Mosquitto::new(&broker_folder.path(""), "allow_anonymous true");
    let _peer = SparkplugNode::new(broker.port);
    let text = |host: &str| {
        format!(
            "[[link]]\nname = \"shop\"\nkind = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{}\"\n{host}\
            [[equipment]]\nid = \"node-1\"\nprofile = \"node\"\nlink = \"shop\"\nsparkplug = \"g/n\"\n",
            broker.port
        )
    };
    let state = |host: &str| {
        let port = broker.port.to_string();
        let topic = format!("spBv1.0/STATE/{host}");
        let args = ["-h", "127.0.0.1", "-p", &port, "-t", &topic, "-C", "1", "-W", "2"];
        String::from_utf8(Command::new("mosquitto_sub").args(args).output().unwrap().stdout).unwrap()
    };
    let mut gateway = Gateway::new().profile("node", node).site(&text(""));
    gateway.start();
    // The node published its birth before. After the request, it has published its metrics again.
    gateway.until("equipment read node-1 --last --json", |r| point(r, "temp") == 20.0);
    assert_eq!(state("+"), "");
    gateway.stop();
    // If another client publishes a wrong state of the primary host, andon publishes the right state at once.
    gateway = gateway.site(&text("sparkplug_host = \"line-3\"\n"));
    gateway.start();
    online(&gateway);
    eventually("the host is online", || {
        let text = state("line-3");
        if text.contains("\"online\":true") { Ok(()) } else { Err(text) }
    });
    broker.publish("spBv1.0/STATE/line-3", r#"{"online":false,"timestamp":1}"#, &["-r"]);
    gateway.until("status --json", |s| s["links"][0]["errors"]["sparkplug-state-contradicted"] == 1);
    eventually("it says so again", || {
        let text = state("line-3");
        if text.contains("\"online\":true") { Ok(()) } else { Err(text) }
    });
}

#[test]
fn what_reports_by_itself_is_not_waited_for_and_what_was_retained_is_told_as_such() {
    let profile =
        format!("{PLUG}\n[faults.warm]\nseverity = \"major\"\nwhen = \"power > 5\"\nmeans = \"Power.\"\n");
    let mut gateway = Gateway::new().profile("plug", &profile);
    let broker = Mosquitto::new(&gateway.path(""), "allow_anonymous true");
    broker.publish("tele/plug1/SENSOR", r#"{"ENERGY":{"Power":7}}"#, &["-r"]);
    gateway = gateway.site(&site(&format!("url = \"mqtt://127.0.0.1:{}\"", broker.port)));
    gateway.start();
    gateway.until("equipment read plug-1 --last --json", |r| point(r, "power") == 7.0);
    within(Duration::from_secs(2), "a read of what cannot be asked", || {
        gateway.run("equipment read plug-1 --json").success();
    });
    gateway.run("why plug-1 power").success().says("the broker had retained this message");
    gateway.until("ticket list --fault warm --json", |t| t.as_array().is_some_and(|t| t.len() == 1));
    gateway.run("ticket show plug-1").says("(retained)");
}
