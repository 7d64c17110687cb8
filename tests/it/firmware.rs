//! Tests firmware versions (from the device or from `andon.toml`) and the notes that match the versions.

use crate::support::{Gateway, Mosquitto, PtyPair, PymodbusServer, eventually, free_port};

const NOTE: &str = "+++\nprofiles = [\"drive\"]\nversions = \"< 2.0\"\nfaults = [\"hot\"]\n\
    symptom = \"Reads ten degrees too much.\"\nworkaround = \"Update to 2.0.\"\nsource = \"https://example.com/notes\"\n+++\n";

#[test]
fn notes_follow_the_version_that_a_device_tells() {
    let mut gateway = Gateway::new();
    let mosquitto = Mosquitto::new(&gateway.path(""), "allow_anonymous true");
    let port = mosquitto.port;
    gateway = gateway.site(&format!(
        "[[link]]\nname = \"shop\"\nkind = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{port}\"\n\
         [[equipment]]\nid = \"plug-1\"\nprofile = \"tasmota-energy\"\nlink = \"shop\"\ntopic = \"plug1\"\n\
         [[equipment]]\nid = \"plug-2\"\nprofile = \"tasmota-energy\"\nlink = \"shop\"\ntopic = \"plug2\"\nfirmware = \"14.2.0\"\n"
    ));
    gateway.start();
    gateway.until("status --json", |s| s["links"][0]["state"] == "online");
    gateway.run("firmware check").success().says("version unknown").says("none known");
    mosquitto.publish("tele/plug1/INFO1", r#"{"Info1":{"Module":"P","Version":"9.5.0(tasmota)"}}"#, &[]);
    let rows = eventually("the version is known", || {
        let rows: serde_json::Value =
            serde_json::from_str(&gateway.run("firmware check --json").stdout()).unwrap();
        if rows[0]["version"] == "9.5.0(tasmota)" { Ok(rows) } else { Err(rows.to_string()) }
    });
    let names: Vec<&str> =
        rows[0]["notes"].as_array().unwrap().iter().map(|n| n["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["tasmota-energy-after-restart", "tasmota-mqtt-heap", "tasmota-tls-timing"]);
    gateway.run("firmware check").exits(1).says("What helps:");
    gateway
        .run("equipment show plug-1")
        .success()
        .says("Firmware    9.5.0")
        .says("Known issue: tasmota-mqtt-heap");
    // The ticket for lost communication shows the notes for this fault and the notes for all faults.
    mosquitto.publish("tele/plug1/LWT", "Offline", &[]);
    gateway.until("ticket list --json", |t| t[0]["fault"] == "communication-lost");
    let ticket = gateway.run("ticket show plug-1 --json").json();
    assert_eq!(ticket["firmware"], "9.5.0(tasmota)");
    assert_eq!(ticket["firmware_notes"].as_array().unwrap().len(), 3);
    gateway.run("ticket show plug-1").says("Update to 10.1.0.4");
}

#[test]
fn a_note_beside_the_configuration_is_read_and_a_wrong_one_refused() {
    let profile = "[points]\nt = { register = \"holding:0\", type = \"u16\" }\n\
        [faults.hot]\nseverity = \"major\"\nwhen = \"t > 5\"\nmeans = \"m\"\n";
    let port = free_port();
    let gateway =
        Gateway::new().profile("drive", profile).file("firmware-notes/drive-hot.md", NOTE).site(&format!(
            "[[link]]\nname = \"l\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"\n\
             [[equipment]]\nid = \"drive-1\"\nprofile = \"drive\"\nlink = \"l\"\nfirmware = \"1.9b\"\n"
        ));
    gateway.run("firmware check").exits(1).says("drive-hot").says("Reads ten degrees too much.");
    gateway.run("firmware list --csv").success().says("drive-hot,drive,< 2.0");
    let gateway = gateway.file("firmware-notes/drive-hot.md", &NOTE.replace("< 2.0", "older"));
    gateway
        .run("firmware check")
        .exits(2)
        .says("firmware-notes/drive-hot.md:3:12")
        .says("is not a range of versions");
    gateway.run("firmware list").exits(2);
}

const IDENTIFIED: &str = "[modbus]\ntimeout = \"300ms\"\n[points]\nvendor = { identification = \"vendor\", type = \"string\" }\n\
    model = { identification = \"model\", type = \"string\" }\nspeed = { register = \"holding:10\", type = \"u16\", every = \"200ms\" }\n\
    [firmware]\nidentification = true\nmatch = '^(\\d+\\.\\d+)'\n";

fn identified(mut gateway: Gateway) {
    gateway.start();
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "online");
    let readings =
        gateway.until("equipment read drive-1 --json", |r| r["points"]["model"]["quality"] == "good");
    let points = &readings["points"];
    assert_eq!(points["vendor"]["value"], "Counterpart");
    assert_eq!(points["model"]["value"], "Model 7");
    assert_eq!(points["firmware_version"]["value"], "2.5.1");
    assert_eq!(points["speed"]["value"], 3310);
    assert_eq!(gateway.run("firmware check --json").json()[0]["version"], "2.5");
    gateway.run("link plan l").says("identification");
}

#[test]
fn a_device_identifies_itself_over_tcp_and_over_rtu() {
    let port = free_port();
    let _tcp = PymodbusServer::tcp(port, &[3]);
    let site = |link: &str| {
        format!(
            "[[link]]\nname = \"l\"\n{link}\n[[equipment]]\nid = \"drive-1\"\nprofile = \"drive\"\nlink = \"l\"\nunit = 3\n"
        )
    };
    let tcp = format!("kind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"");
    identified(Gateway::new().profile("drive", IDENTIFIED).site(&site(&tcp)));
    let gateway = Gateway::new().profile("drive", IDENTIFIED);
    let pair = PtyPair::new(&gateway.path(""));
    let _rtu = PymodbusServer::rtu(&pair.theirs, 19_200, &[3]);
    let rtu = format!("kind = \"modbus-rtu\"\nport = \"{}\"", pair.ours.display());
    identified(gateway.site(&site(&rtu)));
}
