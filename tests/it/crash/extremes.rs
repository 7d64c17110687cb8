//! Tests extreme values from a broker: a text that is too long and a huge number stop neither the journal nor the next
//! start.

use crate::support::{Gateway, Mosquitto};

const TEXTS: &str = r#"
[points]
msg = { topic = "{topic}/msg", type = "string" }
n = { topic = "{topic}/n", type = "f64" }
[faults.bad]
severity = "major"
when = 'msg != "ok"'
means = "The text is not ok."
[faults.high]
severity = "major"
when = "n > 5"
means = "Too much."
"#;

const LOOP: &str = r#"
[points]
a = { topic = "{topic}/a", type = "f64" }
[baseline.loop]
points = ["a"]
learn = 50
"#;

fn gateway(profile: &str) -> (Gateway, Mosquitto) {
    let gateway = Gateway::new().profile("dev", profile);
    let broker = Mosquitto::new(&gateway.path(""), "allow_anonymous true\nmax_packet_size 500000");
    let link =
        format!("[[link]]\nname = \"b\"\nkind = \"mqtt\"\nurl = \"mqtt://127.0.0.1:{}\"\n", broker.port);
    let equipment = "[[equipment]]\nid = \"e\"\nprofile = \"dev\"\nlink = \"b\"\ntopic = \"dev\"\n";
    let mut gateway = gateway.site(&(link + equipment));
    gateway.start();
    gateway.until("status --json", |s| s["links"][0]["state"] == "online");
    (gateway, broker)
}

/// Publishes a text on the point of the fault `bad`, then raises the other fault, adds a note, and restarts the daemon.
fn after_text(text: &[u8], is_bad: bool) {
    let (mut gateway, broker) = gateway(TEXTS);
    broker.publish("dev/n", "1", &[]);
    broker.publish_from_stdin("dev/msg", text, false);
    let read = "equipment read e --last --json";
    if is_bad {
        // A point without a reading is bad as well, but has no reason.
        let length = text.len().to_string();
        let is_told = |r: &serde_json::Value| r["reason"].as_str().is_some_and(|why| why.contains(&length));
        gateway.until(read, |r| r["points"]["msg"]["quality"] == "bad" && is_told(&r["points"]["msg"]));
    } else {
        gateway.until(read, |r| r["points"]["msg"]["quality"] == "good");
        gateway.until("ticket list --fault bad --json", |t| t.as_array().is_some_and(|t| t.len() == 1));
    }
    broker.publish("dev/n", "9", &[]);
    gateway.until("ticket list --fault high --json", |t| t.as_array().is_some_and(|t| t.len() == 1));
    gateway.run("note 1 hello").success();
    let count = if is_bad { 1 } else { 2 };
    for _ in 0..2 {
        // The store can be a few events behind the journal for a moment.
        let status = gateway.until("status --json", |s| s["store"]["state"] == "ready");
        assert_eq!(status["journal"]["writable"], true);
        assert_eq!(status["journal"]["not_recordable"], 0);
        gateway.run("audit verify").success();
        let tickets = gateway.run("ticket list --json").json();
        assert_eq!(tickets.as_array().unwrap().len(), count, "{tickets}");
        assert!(!gateway.log().contains("a bug of andon"), "{}", gateway.log());
        gateway.stop();
        gateway.start();
    }
}

#[test]
fn a_text_of_200_000_backslashes_is_a_bad_reading_and_nothing_else() {
    after_text(&[b'\\'; 200_000], true);
}

#[test]
fn a_text_of_200_000_control_characters_is_a_bad_reading_and_nothing_else() {
    after_text(&[1; 200_000], true);
}

#[test]
fn a_text_one_byte_over_the_bound_is_a_bad_reading() {
    after_text(&[1; andon::limits::TEXT_VALUE_BYTES_MAX + 1], true);
}

#[test]
fn a_text_at_the_bound_is_a_reading_and_its_alarm_goes_on_record() {
    after_text(&[1; andon::limits::TEXT_VALUE_BYTES_MAX], false);
    after_text(&[b'\\'; andon::limits::TEXT_VALUE_BYTES_MAX], false);
}

#[test]
fn a_huge_sample_does_not_move_what_a_baseline_learns_and_the_next_start_succeeds() {
    let (mut gateway, broker) = gateway(LOOP);
    let sample = |i: i32| if i == 30 { "1.5e200".to_owned() } else { (20 + i % 3).to_string() };
    let lines: String = (0..80).map(|i| sample(i) + "\n").collect();
    broker.publish_from_stdin("dev/a", lines.as_bytes(), true);
    gateway.until("why e loop --json", |w| w.to_string().contains("learned is from 50 samples"));
    gateway.stop();
    let journal = std::fs::read_to_string(gateway.data().join("journal/00000001.ndjson")).unwrap();
    let learned = journal.lines().find(|l| l.contains("\"kind\":\"baseline-learned\"")).unwrap();
    let learned: serde_json::Value = serde_json::from_str(learned).unwrap();
    let scale = learned["data"]["model"]["scale"][0].as_f64();
    assert!(scale.is_some_and(|s| s < 10.0), "{learned}");
    for _ in 0..2 {
        gateway.start();
        gateway.run("status").success();
        gateway.run("audit verify").success();
        gateway.run("why e loop").success().says("learned is from 50 samples");
        gateway.stop();
    }
    gateway.run("status --json").success();
}
