//! Tests with pymodbus (TCP and RTU) and libmodbus: every type, every area, and a fault from a changed register to its
//! ticket.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::support::{Gateway, LibmodbusServer, PtyPair, PymodbusServer, free_port};

const DRIVE: &str = r#"
[modbus]
timeout = "300ms"
[points]
speed = { register = "holding:10", type = "u16", every = "200ms", scale = 0.1, unit = "Hz" }
wide = { register = "holding:20", type = "u32", every = "200ms" }
turned = { register = "holding:20", type = "u32", word_order = "little", every = "200ms" }
input = { register = "input:30", type = "i16", every = "200ms" }
coil_even = { register = "coil:4", type = "bool", every = "200ms" }
coil_odd = { register = "coil:5", type = "bool", every = "200ms" }
discrete = { ref = "10007", type = "bool", every = "200ms" }
code = { ref = "40051", type = "u16", every = "200ms" }
[codes.code]
point = "code"
style = "value"
none = [0]
7 = { name = "overvoltage", severity = "critical", means = "Too much." }
"#;

fn site(link: &str) -> String {
    format!(
        "[[link]]\nname = \"plc\"\n{link}\n[[equipment]]\nid = \"drive-1\"\nprofile = \"drive\"\nlink = \"plc\"\nunit = 3\n"
    )
}

#[track_caller]
fn value<'a>(readings: &'a Value, point: &str) -> &'a Value {
    let p = &readings["points"][point];
    assert_eq!(p["quality"], "good", "{point}: {p}");
    &p["value"]
}

/// Reads all registers of pymodbus, changes its code register, works on the ticket, and restarts the daemon.
fn whole_story(mut gateway: Gateway, mut server: PymodbusServer) {
    server.set(3, 3, 50, 0);
    gateway.start();
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "online");
    let readings = gateway.run("equipment read drive-1 --json").json();
    assert_eq!(*value(&readings, "speed"), serde_json::json!(331.0));
    assert_eq!(*value(&readings, "wide"), 3320_u64 << 16 | 3321);
    assert_eq!(*value(&readings, "turned"), 3321_u64 << 16 | 3320);
    assert_eq!(*value(&readings, "input"), 3430);
    assert_eq!(*value(&readings, "coil_even"), true);
    assert_eq!(*value(&readings, "coil_odd"), false);
    assert_eq!(*value(&readings, "discrete"), true);
    assert_eq!(gateway.run("ticket list --json").json(), serde_json::json!([]));

    server.set(3, 3, 50, 7);
    let open = gateway.until("ticket list --json", |t| t.as_array().is_some_and(|t| !t.is_empty()));
    assert_eq!(open.as_array().unwrap().len(), 1);
    assert_eq!(open[0]["fault"], "overvoltage");
    assert_eq!(open[0]["condition"], "active");

    server.set(3, 3, 50, 0);
    gateway.until("ticket list --json", |t| t[0]["condition"] == "returned");

    server.set(3, 3, 50, 7);
    gateway.until("ticket list --json", |t| t[0]["condition"] == "active");
    gateway.kill();
    let alone = gateway.run("ticket list --json").json();
    assert_eq!(alone[0]["occurrences"], 2, "without a daemon the same is there");
    gateway.start();
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "online");
    let after = gateway.run("ticket list --json").json();
    assert_eq!(after.as_array().unwrap().len(), 1);
    assert_eq!((&after[0]["occurrences"], &after[0]["condition"]), (&2.into(), &"active".into()));
    gateway.run("audit verify").success().says("the hash chain is intact");
}

#[test]
fn pymodbus_over_tcp() {
    let port = free_port();
    let server = PymodbusServer::tcp(port, &[3]);
    let link = format!("kind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"");
    whole_story(Gateway::new().profile("drive", DRIVE).site(&site(&link)), server);
}

#[test]
fn pymodbus_over_rtu() {
    let gateway = Gateway::new().profile("drive", DRIVE);
    let pair = PtyPair::new(&gateway.path(""));
    let server = PymodbusServer::rtu(&pair.theirs, 19_200, &[3]);
    let link = format!("kind = \"modbus-rtu\"\nport = \"{}\"", pair.ours.display());
    whole_story(gateway.site(&site(&link)), server);
}

#[test]
fn pymodbus_over_ascii() {
    let gateway = Gateway::new().profile("drive", DRIVE);
    let pair = PtyPair::new(&gateway.path(""));
    let server = PymodbusServer::ascii(&pair.theirs, 19_200, &[3]);
    let link = format!("kind = \"modbus-ascii\"\nport = \"{}\"", pair.ours.display());
    whole_story(gateway.site(&site(&link)), server);
}

#[test]
fn libmodbus_over_tcp() {
    let port = free_port();
    let mut server = LibmodbusServer::tcp(port);
    server.set(50, 0);
    let link = format!("kind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"");
    let mut gateway = Gateway::new().profile("drive", DRIVE).site(&site(&link));
    gateway.start();
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "online");
    let readings = gateway.run("equipment read drive-1 --json").json();
    assert_eq!(*value(&readings, "speed"), serde_json::json!(101.0));
    assert_eq!(*value(&readings, "wide"), 1020_u64 << 16 | 1021);
    assert_eq!(*value(&readings, "input"), 2030);
    assert_eq!(*value(&readings, "coil_odd"), false);
    server.set(50, 7);
    let open = gateway.until("ticket list --json", |t| t.as_array().is_some_and(|t| !t.is_empty()));
    assert_eq!(open[0]["fault"], "overvoltage");
}

#[test]
fn a_server_that_goes_and_comes_back() {
    let port = free_port();
    let server = PymodbusServer::tcp(port, &[3]);
    let link = format!("kind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"");
    let drive = format!("offline_after = \"1s\"\n{DRIVE}");
    let mut gateway = Gateway::new()
        .file(
            "device-profiles/drive.toml",
            &format!(
                "offline_after = \"1s\"\n[device]\nvendor = \"T\"\nmodel = \"m\"\nkind = \"t\"\n{DRIVE}"
            ),
        )
        .site(&site(&link));
    drop(drive);
    gateway.start();
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "online");
    drop(server);
    // If no server accepts a connection, andon raises `link-away`, and the equipment's alarm is a consequence.
    let away = gateway.until("ticket list --fault link-away --json", |t| t[0]["condition"] == "active");
    assert_eq!(away[0]["equipment"], gateway.run("status --json").json()["links"][0]["name"], "{away}");
    let status = gateway.run("status --json").json();
    assert_eq!(status["links"][0]["state"], "offline");
    assert!(status["links"][0]["message"].as_str().unwrap().contains("127.0.0.1"), "{status}");
    let _server = PymodbusServer::tcp(port, &[3]);
    gateway.until("ticket list --fault link-away --json", |t| t[0]["condition"] == "returned");
    gateway.until("status --json", |s| s["links"][0]["state"] == "online");
    assert!(!gateway.run("history --json").stdout().contains("communication-lost"));
}

#[test]
fn a_refused_register_costs_only_its_own_point() {
    // libmodbus answers exception 2 for registers that it does not have.
    let port = free_port();
    let _server = LibmodbusServer::tcp(port);
    let profile = "[points]\na = { register = \"holding:4090\", type = \"u16\", every = \"200ms\" }\n\
        b = { register = \"holding:4095\", type = \"u16\", every = \"200ms\" }\n\
        c = { register = \"holding:4098\", type = \"u16\", every = \"200ms\" }\n";
    let link = format!("kind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"");
    let mut gateway = Gateway::new().profile("drive", profile).site(&site(&link));
    gateway.start();
    let good = |s: &Value, p: &str| s["points"][p]["quality"] == "good";
    let readings = gateway.until("equipment read drive-1 --last --json", |s| {
        good(s, "a") && good(s, "b") && !s["points"]["c"]["reason"].is_null()
    });
    assert_eq!(
        (&readings["points"]["a"]["value"], &readings["points"]["b"]["value"]),
        (&5090.into(), &5095.into())
    );
    assert!(readings["points"]["c"]["reason"].as_str().unwrap().contains("exception 2"));
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "degraded");
    gateway.run("why drive-1 c").success().says("exception 2");
}

const OVEN: &str = r#"
[modbus]
timeout = "300ms"
[points]
setpoint = { register = "holding:10", type = "i16", scale = 0.1, unit = "degC", every = "500ms", writable = { min = 20, max = 250 } }
ramp = { register = "holding:20", type = "f32", word_order = "little", every = "500ms", writable = { min = 0, max = 100 } }
heater = { register = "coil:5", type = "bool", every = "500ms", writable = true }
mode = { register = "holding:30", type = "enum16", values = { 0 = "off", 1 = "auto" }, every = "500ms", writable = true }
fixed = { register = "holding:40", type = "u16", every = "500ms" }
"#;

/// Writes with functions 5, 6 and 16, or only with 15 and 16; a server of other authors returns each value.
fn write_story(mut gateway: Gateway) {
    gateway.start();
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "online");
    for (point, value, shown) in [
        ("setpoint", "180.5", "180.5 degC"),
        ("ramp", "2.25", "2.25"),
        ("heater", "on", "true"),
        ("heater", "off", "false"),
        ("mode", "auto", "auto"),
    ] {
        let wrote =
            gateway.run(&format!("equipment write drive-1 {point} {value} --reason 'recipe 14' --json"));
        assert_eq!(wrote.success().json()["value"], shown, "{point}");
    }
    let readings = gateway.run("equipment read drive-1 --json").json();
    assert_eq!(*value(&readings, "setpoint"), 180.5);
    assert_eq!(*value(&readings, "ramp"), 2.25);
    assert_eq!(*value(&readings, "heater"), false);
    for (what, code, rule) in [
        ("fixed 1 --reason x", 4, "equipment/not-writable"),
        ("setpoint 251 --reason x", 4, "equipment/out-of-bounds"),
        ("setpoint warm --reason x", 4, "equipment/bad-value"),
        ("setpoint 100 --reason ''", 4, "ticket/bad-text"),
        ("nothing 100 --reason x", 3, "site/no-such-point-or-fault"),
    ] {
        let refused = gateway.run(&format!("equipment write drive-1 {what} --json"));
        refused.exits(code);
        assert!(refused.stderr().contains(rule), "{what}: {}", refused.stderr());
    }
    let journal = std::fs::read_to_string(gateway.data().join("journal/00000001.ndjson")).unwrap();
    assert_eq!(journal.matches("equipment-write-ordered").count(), 5);
    assert_eq!(journal.matches("\"equipment-written\"").count(), 5);
    assert!(journal.contains("recipe 14"));
    gateway.stop();
    let refused = gateway.run("equipment write drive-1 setpoint 100 --reason x --json");
    refused.exits(4);
    assert!(refused.stderr().contains("gateway/needs-daemon"), "{}", refused.stderr());
}

#[test]
fn writes_to_pymodbus_over_tcp_are_read_back() {
    let port = free_port();
    let _server = PymodbusServer::tcp(port, &[3]);
    let link = format!("kind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"");
    write_story(Gateway::new().profile("drive", OVEN).site(&site(&link)));
}

#[test]
fn writes_to_pymodbus_over_ascii_are_read_back() {
    let gateway = Gateway::new().profile("drive", OVEN);
    let pair = PtyPair::new(&gateway.path(""));
    let _server = PymodbusServer::ascii(&pair.theirs, 19_200, &[3]);
    let link = format!("kind = \"modbus-ascii\"\nport = \"{}\"", pair.ours.display());
    write_story(gateway.site(&site(&link)));
}

#[test]
fn writes_to_pymodbus_over_rtu_are_read_back() {
    let profile = OVEN.replace("[modbus]", "[modbus]\nwrite_multiple = true");
    let gateway = Gateway::new().profile("drive", &profile);
    let pair = PtyPair::new(&gateway.path(""));
    let _server = PymodbusServer::rtu(&pair.theirs, 19_200, &[3]);
    let link = format!("kind = \"modbus-rtu\"\nport = \"{}\"", pair.ours.display());
    write_story(gateway.site(&site(&link)));
}

#[test]
fn the_live_view_shows_raw_registers_and_the_other_word_order() {
    let port = free_port();
    let mut server = PymodbusServer::tcp(port, &[3]);
    // The server has 230.2 as a float, in the other word order than the profile.
    server.set(3, 3, 20, 0x3333);
    server.set(3, 3, 21, 0x4366);
    let profile = "[modbus]\ntimeout = \"300ms\"\n[points]\nvoltage = { register = \"holding:20\", type = \"f32\", unit = \"V\", every = \"200ms\" }\n";
    let link = format!("kind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"");
    let mut gateway = Gateway::new().profile("drive", profile).site(&site(&link));
    gateway.start();
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "online");
    let run = gateway.run("equipment read drive-1 --watch --every 100 --times 2");
    run.success();
    let looks: Vec<String> =
        run.stdout().lines().filter(|l| l.contains("voltage")).map(str::to_owned).collect();
    assert_eq!(looks.len(), 2);
    assert!(looks[0].contains("3333 4366") && looks[0].contains("230.2"), "{looks:?}");
    let line = gateway.run("equipment read drive-1 --watch --times 1 --json").success().stdout();
    let json: Value = serde_json::from_str(&line).unwrap();
    assert_eq!(json["points"]["voltage"]["raw"], serde_json::json!([0x3333, 0x4366]));
}

/// Forwards connections to a server. The test can make the open connections dead, without closing them.
struct Proxy {
    port: u16,
    is_dead: Arc<Mutex<Vec<Arc<AtomicBool>>>>,
}

impl Proxy {
    fn to(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self { port: listener.local_addr().unwrap().port(), is_dead: Arc::default() };
        let all = proxy.is_dead.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let dead = Arc::new(AtomicBool::new(false));
                all.lock().unwrap().push(dead.clone());
                let server = TcpStream::connect(("127.0.0.1", server)).unwrap();
                for (mut from, mut to) in [
                    (client.try_clone().unwrap(), server.try_clone().unwrap()),
                    (server.try_clone().unwrap(), client.try_clone().unwrap()),
                ] {
                    let dead = dead.clone();
                    std::thread::spawn(move || {
                        let mut space = [0; 300];
                        while let Ok(count @ 1..) = from.read(&mut space) {
                            // A dead connection accepts all bytes, returns none, and is never closed.
                            if !dead.load(Ordering::SeqCst) && to.write_all(&space[..count]).is_err() {
                                return;
                            }
                        }
                    });
                }
            }
        });
        proxy
    }

    fn let_open_ones_die(&self) {
        for dead in self.is_dead.lock().unwrap().iter() {
            dead.store(true, Ordering::SeqCst);
        }
    }
}

#[test]
fn a_connection_that_dies_without_a_word_is_opened_anew() {
    let port = free_port();
    let _server = PymodbusServer::tcp(port, &[3]);
    let proxy = Proxy::to(port);
    let link = format!("kind = \"modbus-tcp\"\naddress = \"127.0.0.1:{}\"", proxy.port);
    let mut gateway = Gateway::new().profile("drive", DRIVE).site(&site(&link));
    gateway.start();
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "online");
    proxy.let_open_ones_die();
    gateway.until("status --json", |s| s["equipment"][0]["state"] != "online");
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "online");
    assert_eq!(proxy.is_dead.lock().unwrap().len(), 2, "one connection after the other");
}

#[test]
fn a_port_that_comes_back_under_another_name_is_found_by_its_pattern() {
    let gateway = Gateway::new().profile("drive", DRIVE);
    std::fs::create_dir_all(gateway.path("one")).unwrap();
    std::fs::create_dir_all(gateway.path("two")).unwrap();
    let link = format!("kind = \"modbus-rtu\"\nport = \"{}\"", gateway.path("usb-FTDI-*").display());
    let mut gateway = gateway.site(&site(&link));
    let pair = PtyPair::new(&gateway.path("one"));
    let server = PymodbusServer::rtu(&pair.theirs, 19_200, &[3]);
    let name = |n: &str| gateway.path(&format!("usb-FTDI-{n}"));
    let (first, second) = (name("ttyUSB0"), name("ttyUSB1"));
    std::os::unix::fs::symlink(&pair.ours, &first).unwrap();
    gateway.start();
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "online");
    std::fs::remove_file(&first).unwrap();
    drop(server);
    drop(pair);
    gateway.until("status --json", |s| {
        s["links"][0]["state"] == "offline"
            && s["links"][0]["message"].as_str().unwrap().contains("no device matches")
    });
    let pair = PtyPair::new(&gateway.path("two"));
    let _server = PymodbusServer::rtu(&pair.theirs, 19_200, &[3]);
    std::os::unix::fs::symlink(&pair.ours, &second).unwrap();
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "online");
    let readings = gateway.run("equipment read drive-1 --json").json();
    assert_eq!(*value(&readings, "input"), 3430);
}

#[test]
fn a_unit_that_a_bus_does_not_have_is_refused() {
    let link = "kind = \"modbus-rtu\"\nport = \"/dev/null\"";
    for unit in ["0", "248"] {
        let text = site(link).replace("unit = 3", &format!("unit = {unit}"));
        let gateway = Gateway::new().profile("drive", DRIVE).site(&text);
        gateway.run("status").exits(2).says(&format!("unit {unit} cannot be used on a serial line"));
    }
    // On Modbus TCP, the unit ids 0 and 255 mean the device itself (Modbus standard).
    let port = free_port();
    let _server = PymodbusServer::tcp(port, &[255]);
    let link = format!("kind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"");
    let text = site(&link).replace("unit = 3", "unit = 255");
    let profile = "[points]\nspeed = { register = \"holding:10\", type = \"u32\", every = \"200ms\" }\n";
    let mut gateway = Gateway::new().profile("drive", profile).site(&text);
    gateway.start();
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "online");
}
