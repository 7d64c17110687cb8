//! Tests captures: Wireshark's dissectors read andon's captures, and `profile play` decodes captures.

use std::path::Path;
use std::process::Command;

use crate::support::{Gateway, PtyPair, PymodbusServer, free_port};

const DRIVE: &str = "[modbus]\ntimeout = \"300ms\"\n[points]\n\
    speed = { register = \"holding:10\", type = \"u16\", every = \"200ms\", scale = 0.1, unit = \"Hz\" }\n\
    code = { register = \"holding:50\", type = \"u16\", every = \"200ms\" }\n\
    [faults.trip]\nseverity = \"major\"\nwhen = \"code == 7\"\nmeans = \"m\"\n";

fn tshark(file: &Path, args: &[&str]) -> Vec<String> {
    let out = Command::new("tshark").arg("-r").arg(file).args(args).output().unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn site(link: &str) -> String {
    format!(
        "[[link]]\nname = \"l\"\n{link}\n[[equipment]]\nid = \"drive-1\"\nprofile = \"drive\"\nlink = \"l\"\nunit = 3\n"
    )
}

#[test]
fn frames_around_a_fault_leave_as_a_capture_that_wireshark_reads() {
    let port = free_port();
    let mut server = PymodbusServer::tcp(port, &[3]);
    let link = format!("kind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"");
    let mut gateway = Gateway::new().profile("drive", DRIVE).site(&site(&link));
    server.set(3, 3, 50, 0);
    gateway.start();
    gateway.until("status --json", |s| s["equipment"][0]["state"] == "online");
    gateway.run("ticket wire 1 --out t.pcap").exits(3);
    gateway.run("ticket wire 1 --out t.pcap --json").exits(3).says("ticket/no-such-ticket");
    server.set(3, 3, 50, 7);
    gateway.until("ticket list --json", |t| t[0]["fault"] == "trip");
    gateway.run("ticket wire drive-1 --out t.pcap --json").exits(3).says("ticket/no-capture");
    gateway.until("status --json", |s| s["equipment"][0]["requests"].as_u64() > Some(8));
    let file = gateway.path("now.pcap");
    gateway.run("link capture l --out now.pcap").success().says("frames to now.pcap");
    // Wireshark decodes every frame as Modbus on one TCP connection, and finds the value of the trip.
    let packets = tshark(&file, &["-T", "fields", "-e", "_ws.col.Protocol", "-e", "mbtcp.trans_id"]);
    assert!(packets.len() > 4);
    assert!(packets.iter().all(|p| p.starts_with("Modbus/TCP\t")), "{packets:?}");
    assert!(tshark(&file, &["-Y", "tcp.analysis.flags"]).is_empty(), "sequence numbers fit");
    assert!(!tshark(&file, &["-Y", "modbus.regval_uint16 == 7"]).is_empty());
    assert!(
        tshark(
            &file,
            &[
                "-o",
                "ip.check_checksum:TRUE",
                "-o",
                "tcp.check_checksum:TRUE",
                "-Y",
                "ip.checksum.status == 0 or tcp.checksum.status == 0"
            ]
        )
        .is_empty()
    );
    // `profile play` decodes the same values from this file; the ticket keeps its own capture.
    let played = gateway.run("profile play device-profiles/drive.toml now.pcap --unit 3 --json").json();
    let rows = played.as_array().unwrap();
    assert!(rows.iter().any(|r| r["point"] == "speed" && r["value"] == 331.0), "{rows:?}");
    assert!(rows.iter().any(|r| r["point"] == "code" && r["value"] == 7));
    gateway.run("profile play device-profiles/drive.toml now.pcap --unit 9").exits(1);
    gateway.run("profile play device-profiles/drive.toml andon.toml").exits(2).says("not a pcap file");
    crate::support::eventually("the ticket's frames are kept", || {
        let run = gateway.run("ticket wire drive-1 --out ticket.pcap");
        if run.stdout().contains(" frames to ") { Ok(()) } else { Err(run.stderr()) }
    });
    assert!(!tshark(&gateway.path("ticket.pcap"), &["-Y", "modbus.regval_uint16 == 7"]).is_empty());
    gateway.stop();
    gateway.run("ticket wire 1 --out again.pcap").success();
    gateway.run("link capture l --out none.pcap").exits(4).says("gateway/needs-daemon");
}

#[test]
fn a_serial_line_is_modbus_rtu_to_wireshark() {
    let gateway = Gateway::new().profile("drive", DRIVE);
    let pair = PtyPair::new(&gateway.path(""));
    let _server = PymodbusServer::rtu(&pair.theirs, 19_200, &[3]);
    let link = format!("kind = \"modbus-rtu\"\nport = \"{}\"", pair.ours.display());
    let mut gateway = gateway.site(&site(&link));
    gateway.start();
    gateway.until("status --json", |s| s["equipment"][0]["requests"].as_u64() > Some(6));
    gateway.run("link capture l --seconds 60 --out line.pcap").success();
    let decode =
        ["-d", "rtacser.data,mbrtu", "-T", "fields", "-e", "_ws.col.Protocol", "-e", "mbrtu.crc16.status"];
    let packets = tshark(&gateway.path("line.pcap"), &decode);
    assert!(packets.len() > 8);
    assert!(packets.iter().all(|p| p.starts_with("Modbus RTU")), "{packets:?}");
    let played = gateway.run("profile play device-profiles/drive.toml line.pcap --json").json();
    assert!(played.as_array().unwrap().iter().any(|r| r["point"] == "speed" && r["value"] == 331.0));
}

/// Formats the bytes of a frame for `text2pcap`: `I` is from the first port to the second, `O` is the other direction.
fn dump(second: u32, is_to: bool, bytes: &[u8]) -> String {
    let hex: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
    format!("{} 12:00:{second:02}.000000\n000000 {}\n", if is_to { 'I' } else { 'O' }, hex.join(" "))
}

/// Returns a Modbus TCP request that reads one holding register.
fn asked(transaction: u8, register: u8) -> Vec<u8> {
    vec![0, transaction, 0, 0, 0, 6, 3, 3, 0, register, 0, 1]
}

fn told(transaction: u8, value: u8) -> Vec<u8> {
    vec![0, transaction, 0, 0, 0, 5, 3, 3, 2, 0, value]
}

/// Returns a connection with several overlapping requests. The responses have another order, and two of them are in one
/// segment.
fn connection(folder: &Path, client: u16, from: u32, first: u8) -> String {
    let text = [
        dump(from, true, &asked(1, 10)),
        dump(from + 1, true, &asked(2, 50)),
        dump(from + 2, true, &asked(3, 10)),
        dump(from + 3, false, &told(2, 7)),
        dump(from + 4, false, &[told(1, first), told(3, first + 1)].concat()),
    ]
    .concat();
    let (input, output) = (format!("{client}.txt"), format!("{client}.pcap"));
    std::fs::write(folder.join(&input), text).unwrap();
    let ports = format!("{client},502");
    let run = Command::new("text2pcap")
        .current_dir(folder)
        .args(["-q", "-D", "-t", "%H:%M:%S.%f", "-T", &ports, &input, &output])
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    output
}

#[test]
fn captures_of_several_connections_are_decoded_as_wireshark_pairs_them() {
    let gateway = Gateway::new().profile("drive", DRIVE);
    let folder = gateway.path("");
    let parts = [connection(&folder, 40_001, 10, 100), connection(&folder, 40_002, 11, 200)];
    let merged = |kind: &str, out: &str| {
        let run = Command::new("mergecap")
            .current_dir(&folder)
            .args(["-F", kind, "-w", out, &parts[0], &parts[1]])
            .output()
            .unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    };
    merged("pcap", "both.pcap");
    merged("pcapng", "both.pcapng");
    // Wireshark pairs a response with its request by the connection and the transaction id.
    let fields =
        ["-Y", "modbus.regval_uint16", "-T", "fields", "-e", "modbus.regnum16", "-e", "modbus.regval_uint16"];
    let mut wanted: Vec<(u16, u16)> = Vec::new();
    for line in tshark(&folder.join("both.pcap"), &fields) {
        let (registers, values) = line.split_once('\t').unwrap();
        let numbers =
            |text: &str| text.split(',').map(|n| n.trim().parse::<u16>().unwrap()).collect::<Vec<_>>();
        wanted.extend(numbers(registers).into_iter().zip(numbers(values)));
    }
    assert_eq!(wanted.len(), 6, "{wanted:?}");
    for file in ["both.pcap", "both.pcapng"] {
        let run = gateway.run(&format!("profile play device-profiles/drive.toml {file} --json"));
        let rows = run.json();
        let found: Vec<(u16, u16)> = rows
            .as_array()
            .unwrap()
            .iter()
            .map(|r| {
                let value = r["value"].as_f64().unwrap();
                match r["point"].as_str() {
                    Some("speed") => (10, format!("{:.0}", value * 10.0).parse().unwrap()),
                    _ => (50, format!("{value:.0}").parse().unwrap()),
                }
            })
            .collect();
        assert_eq!(found, wanted, "{file}");
        assert_eq!(run.stderr(), "", "nothing is left to be said");
    }
}
