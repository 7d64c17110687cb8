//! Tests a ticket with a thousand long notes: the store grows linearly, and the answers stay small.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use super::{lost_equipment, tickets};
use crate::support::Gateway;

const NOTES: usize = 1000;
const BYTES: usize = 8000;

/// Adds all notes over one connection, because starting a thousand processes would take too long.
fn note_all(gateway: &Gateway) {
    let mut stream = UnixStream::connect(gateway.data().join("andon.sock")).unwrap();
    let mut asked = String::new();
    for i in 0..NOTES {
        asked.clear();
        let text = format!("note {i} {}", "x".repeat(BYTES));
        let body = format!("{{\"verb\":\"note\",\"text\":\"{text}\"}}");
        write!(
            asked,
            "POST /v1/tickets/1 HTTP/1.1\r\nhost: andon\r\nandon-person: eva\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        stream.write_all(asked.as_bytes()).unwrap();
        answer(&mut stream, i);
    }
}

/// Reads one answer completely.
fn answer(stream: &mut UnixStream, i: usize) {
    let mut got = Vec::new();
    let mut part = vec![0; 64 * 1024];
    loop {
        let read = stream.read(&mut part).unwrap();
        assert!(read > 0, "note {i}: {}", String::from_utf8_lossy(&got));
        got.extend_from_slice(&part[..read]);
        let text = String::from_utf8_lossy(&got);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        assert!(head.starts_with("HTTP/1.1 200"), "note {i}: {text}");
        let length = head.lines().find_map(|l| l.strip_prefix("content-length: ")).unwrap();
        if body.len() >= length.parse::<usize>().unwrap() {
            return;
        }
    }
}

#[test]
fn a_thousand_long_notes_cost_the_store_three_times_their_bytes_and_answers_stay_small() {
    let mut gateway = lost_equipment(Gateway::new(), 1);
    gateway.start();
    tickets(&gateway, 1);
    note_all(&gateway);
    let more = gateway.run("note 1 'one more' --json");
    more.success();
    assert!(more.output.stdout.len() < 300_000, "{} bytes", more.output.stdout.len());
    let shown = gateway.run("ticket show 1").success().stdout();
    assert!(shown.contains("one more") && shown.len() < 1_000_000, "{} bytes", shown.len());
    assert!(shown.contains("earlier") || shown.contains("before"), "{}", &shown[..2000]);
    gateway.stop();
    let store = super::made::files(&gateway.data().join("store"));
    let bytes: usize = store.values().map(Vec::len).sum();
    let blobs: usize = super::made::files(&gateway.data().join("store/blobs")).values().map(Vec::len).sum();
    assert!(bytes + blobs <= 3 * NOTES * BYTES, "the store takes {bytes} bytes and {blobs} in blobs");
    gateway.run("audit verify").success();
}
