//! Tests serial protocols over two connected pseudo-terminals: a machine that answers, sends lines without a request, stops
//! answering, and is unplugged.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::support::{Gateway, PtyPair};

const PROFILE: &str = r#"offline_after = "2s"
[device]
vendor = "Test"
model = "mill"
kind = "test"
[serial]
baud = 115200
terminator = "\r\n"
[requests.report]
send = "?"
every = "200ms"
timeout = "300ms"
expect = '^<(?<state>[A-Za-z]+)[^|]*\|MPos:(?<x>-?[\d.]+),'
[streams.alarm]
match = '^ALARM:(?<code>\d+)'
[points]
state = { from = "report.state", type = "enum16", values = { 0 = "Idle", 1 = "Run", 2 = "Alarm" } }
x = { from = "report.x", type = "f64", unit = "mm" }
alarm = { from = "alarm.code", type = "u16" }
[codes.alarm]
point = "alarm"
style = "value"
none = [0]
1 = { name = "hard-limit", severity = "critical", means = "A hard limit was hit." }
"#;

struct Mill {
    position: AtomicU32,
    alarm: AtomicBool,
    is_silent: AtomicBool,
}

fn serve(terminal: &Path, mill: Arc<Mill>) {
    let mut port = File::options().read(true).write(true).open(terminal).unwrap();
    std::thread::spawn(move || {
        let mut byte = [0];
        while port.read_exact(&mut byte).is_ok() {
            if byte != *b"?" || mill.is_silent.load(Ordering::SeqCst) {
                continue;
            }
            let mut out =
                format!("<Run|MPos:{}.500,0.000,0.000|FS:0,0>\r\n", mill.position.load(Ordering::SeqCst));
            if mill.alarm.swap(false, Ordering::SeqCst) {
                out = format!("ALARM:1\r\n{out}");
            }
            // Send the response in two pieces, as on a slow line.
            let (a, b) = out.split_at(9);
            if port.write_all(a.as_bytes()).and_then(|()| port.write_all(b.as_bytes())).is_err() {
                return;
            }
        }
    });
}

#[test]
fn a_machine_that_answers_and_streams() {
    let mut gateway = Gateway::new().file("device-profiles/mill.toml", PROFILE);
    let pair = PtyPair::new(&gateway.path(""));
    let mill = Arc::new(Mill {
        position: AtomicU32::new(3),
        alarm: AtomicBool::new(false),
        is_silent: AtomicBool::new(false),
    });
    serve(&pair.theirs, mill.clone());
    gateway = gateway.site(&format!(
        "[[link]]\nname = \"usb\"\nkind = \"serial\"\nport = \"{}\"\n[[equipment]]\nid = \"mill-1\"\nprofile = \"mill\"\nlink = \"usb\"\n",
        pair.ours.display()
    ));
    gateway.start();
    let readings = gateway.until("equipment read mill-1 --last --json", |r| r["points"]["x"]["value"] == 3.5);
    assert_eq!(
        (&readings["points"]["state"]["name"], &readings["points"]["state"]["quality"]),
        (&"Run".into(), &"good".into())
    );
    mill.alarm.store(true, Ordering::SeqCst);
    gateway.until("ticket list --json", |t| t[0]["fault"] == "hard-limit");
    gateway.run("why mill-1 x").success().says("request report").says("<Run|MPos:3.500");
    mill.is_silent.store(true, Ordering::SeqCst);
    gateway.until("ticket list --fault communication-lost --json", |t| t[0]["condition"] == "active");
    mill.position.store(4, Ordering::SeqCst);
    mill.is_silent.store(false, Ordering::SeqCst);
    gateway.until("ticket list --fault communication-lost --json", |t| t[0]["condition"] == "returned");
    gateway.until("equipment read mill-1 --last --json", |r| r["points"]["x"]["value"] == 4.5);
    // Unplug the adapter, and plug it in again.
    drop(pair);
    gateway.until("status --json", |s| s["links"][0]["state"] == "offline");
    let pair = PtyPair::new(&gateway.path(""));
    mill.position.store(5, Ordering::SeqCst);
    serve(&pair.theirs, mill.clone());
    gateway.until("equipment read mill-1 --last --json", |r| r["points"]["x"]["value"] == 5.5);
}

/// Simulates the CO2 sensor: answers with frames of bytes, with noise before the frame, in two pieces, and once with a wrong
/// checksum.
fn serve_bytes(terminal: &Path) {
    let mut port = File::options().read(true).write(true).open(terminal).unwrap();
    std::thread::spawn(move || {
        let mut asked = [0; 9];
        let mut count = 0;
        while port.read_exact(&mut asked).is_ok() {
            // This sensor does not answer requests for its range and its self-calibration.
            if asked[2] != 0x86 {
                continue;
            }
            assert_eq!(asked, [0xFF, 0x01, 0x86, 0, 0, 0, 0, 0, 0x79], "what is sent is sent to the letter");
            count += 1;
            let answer: &[u8] = match count {
                2 => &[0xFF, 0x86, 0x09, 0xC4, 0, 0, 0, 0, 0xAE],
                _ => &[0x00, 0xFF, 0x86, 0x02, 0x20, 0, 0, 0, 0, 0x58],
            };
            let (a, b) = answer.split_at(4);
            if port.write_all(a).and_then(|()| port.write_all(b)).is_err() {
                return;
            }
        }
    });
}

#[test]
fn a_sensor_that_sends_bytes() {
    let gateway = Gateway::new();
    let pair = PtyPair::new(&gateway.path(""));
    serve_bytes(&pair.theirs);
    let mut gateway = gateway.site(&format!(
        "[[link]]\nname = \"usb\"\nkind = \"serial\"\nport = \"{}\"\n[[equipment]]\nid = \"air-1\"\nprofile = \"winsen-mh-z19b\"\nlink = \"usb\"\n",
        pair.ours.display()
    ));
    gateway.start();
    gateway.until("equipment read air-1 --last --json", |r| r["points"]["co2"]["value"] == 544);
    // The frame with the wrong checksum is counted, and its value is never shown.
    let status = gateway.until("status --json", |s| s["equipment"][0]["errors"]["checksum"] == 1);
    assert_eq!(status["equipment"][0]["id"], "air-1");
    let readings =
        gateway.until("equipment read air-1 --last --json", |r| r["points"]["co2"]["quality"] == "good");
    assert_eq!(readings["points"]["co2"]["value"], 544);
    gateway.run("why air-1 co2").success().says("FF 86 02 20 00 00 00 00 58");
}
