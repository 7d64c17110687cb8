//! The wire on record: read by Wireshark's own dissectors, and played back to the decoder.

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
    gateway.run("link capture l --out now.pcap").success().says("frames in now.pcap");
    // Every frame is Modbus to Wireshark, on one connection in step, and the trip's value is in it.
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
    // The decoder reads the same from it, whoever reads it; the ticket keeps its own.
    let played = gateway.run("profile play device-profiles/drive.toml now.pcap --unit 3 --json").json();
    let rows = played.as_array().unwrap();
    assert!(rows.iter().any(|r| r["point"] == "speed" && r["value"] == 331.0), "{rows:?}");
    assert!(rows.iter().any(|r| r["point"] == "code" && r["value"] == 7));
    gateway.run("profile play device-profiles/drive.toml now.pcap --unit 9").exits(1);
    gateway.run("profile play device-profiles/drive.toml andon.toml").exits(2).says("not a pcap file");
    crate::support::eventually("the ticket's frames are kept", || {
        let run = gateway.run("ticket wire drive-1 --out ticket.pcap");
        if run.stdout().contains("frames in") { Ok(()) } else { Err(run.stderr()) }
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
