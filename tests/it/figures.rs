//! Tests the figures on screens: each is compared with a figure that the test calculates in another way.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::{Duration, Instant};

use crate::support::{Gateway, Paced, eventually, pause};

const PUMP: &str = "[modbus]\ntimeout = \"2600ms\"\nretries = 0\n[points]\n\
    level = { register = \"holding:0\", type = \"u16\", every = \"1s\" }\n";

#[expect(clippy::disallowed_methods, reason = "the test needs its own clock for the comparison")]
fn clock() -> Instant {
    Instant::now()
}

#[test]
fn use_requests_answer_times_errors_and_missed_turns_are_those_of_the_line() {
    const ANSWER: f64 = 0.200;
    let server = Paced::start(Duration::from_millis(200));
    let mut gateway = Gateway::pump(server.port, PUMP);
    let before = clock();
    gateway.start();
    let served = clock();
    eventually("it is polled", || {
        let count = server.asked(1).len();
        if count >= 6 { Ok(()) } else { Err(count.to_string()) }
    });
    let sent = server.asked(1).len();
    let since_served = served.elapsed_by();
    let status = gateway.run("status --json").json();
    let since_before = before.elapsed_by();
    let (link, pump) = (&status["links"][0], &status["equipment"][0]);
    // There were six answers of 200 ms in a little more than five seconds.
    let (least, most) = (5.0 * ANSWER / since_before, 7.0 * (ANSWER + 0.05) / since_served);
    let line_use = link["line_use"].as_f64().unwrap();
    assert!((least..=most).contains(&line_use), "{line_use} is not in {least}..{most}");
    // The last request may still wait for its answer.
    let counts = [sent as u64 - 1, sent as u64];
    assert!(counts.contains(&link["requests"].as_u64().unwrap()), "{link}, {sent} sent");
    assert!(counts.contains(&pump["requests"].as_u64().unwrap()), "{pump}, {sent} sent");
    let median = pump["answer_ms_p50"].as_f64().unwrap();
    assert!((200.0..245.0).contains(&median), "{median}");
    assert_eq!((&pump["errors"], &pump["missed"]), (&serde_json::json!({}), &0.into()));
    let shown = gateway.run("link list").stdout();
    let percent = shown.split_whitespace().zip(shown.split_whitespace().skip(1)).find(|(_, w)| *w == "%");
    let percent: f64 = percent.expect("a share").0.parse().unwrap();
    assert!((10.0..26.0).contains(&percent), "{shown}");
    // With a period of 1 s, an answer after 1.7 s makes the read at 1 s missed. No answer within 2.6 s makes the reads at 1 s
    // and 2 s missed.
    server.delay_once(Duration::from_millis(1500));
    gateway.until("status --json", |s| s["equipment"][0]["missed"] == 1);
    server.be_silent(1);
    gateway.until("status --json", |s| s["equipment"][0]["missed"] == 3);
    let status =
        gateway.until("status --json", |s| s["equipment"][0]["answer_ms_p99"].as_f64() > Some(1700.0));
    assert_eq!(status["equipment"][0]["errors"], serde_json::json!({"timeout": 1}));
    assert_eq!(status["links"][0]["errors"], serde_json::json!({"timeout": 1}));
    assert_eq!(status["equipment"][0]["missed"], 3);
}

trait ElapsedBy {
    fn elapsed_by(&self) -> f64;
}

impl ElapsedBy for Instant {
    fn elapsed_by(&self) -> f64 {
        (clock() - *self).as_secs_f64()
    }
}

#[test]
fn the_plan_of_a_line_is_what_a_hand_computes() {
    let profile = "[points]\na = { register = \"holding:0\", type = \"f32\", every = \"1s\" }\n\
        b = { register = \"holding:10\", type = \"f32\", every = \"1s\" }\n\
        c = { register = \"coil:0\", type = \"bool\", every = \"2s\" }\n";
    let gateway = Gateway::new().profile("pump", profile).site(
        "[[link]]\nname = \"bus\"\nkind = \"modbus-rtu\"\nport = \"/dev/null\"\nbaud = 9600\nparity = \"even\"\n\
         [[equipment]]\nid = \"p-1\"\nprofile = \"pump\"\nlink = \"bus\"\nunit = 1\n\
         [[equipment]]\nid = \"p-2\"\nprofile = \"pump\"\nlink = \"bus\"\nunit = 2\n",
    );
    let plan = gateway.run("link plan bus --json").json();
    let rows = plan["requests"].as_array().unwrap();
    let shown: Vec<(u64, u64, u64, f64)> = rows
        .iter()
        .map(|r| {
            let number = |key: &str| r[key].as_u64().unwrap();
            (number("unit"), number("count"), number("used"), r["takes_ms"].as_f64().unwrap())
        })
        .collect();
    // A character has 11 bits and takes 1.1458 ms. A request has 8 characters, its response 5 characters and the data. Two
    // silences of 3.5 characters and 5 ms for the device are added. 12 registers: 37 characters; one coil: 14 characters.
    let character = 11.0 / 9600.0 * 1000.0;
    let (registers, coil) = (44.0 * character + 5.0, 21.0 * character + 5.0);
    let expected = [(1, 12, 4, registers), (1, 1, 1, coil), (2, 12, 4, registers), (2, 1, 1, coil)];
    let mut shown_sorted = shown.clone();
    shown_sorted.sort_by(|a, b| (a.0, b.1).cmp(&(b.0, a.1)));
    for (shown, expected) in shown_sorted.iter().zip(expected) {
        assert_eq!((shown.0, shown.1, shown.2), (expected.0, expected.1, expected.2), "{shown_sorted:?}");
        assert!((shown.3 - expected.3).abs() < 0.01, "{shown:?} is not {expected:?}");
    }
    let load = 2.0 * (registers / 1000.0 + coil / 2000.0);
    assert!((plan["load"].as_f64().unwrap() - load).abs() < 1e-4, "{plan} is not {load}");
    assert_eq!(rows.len(), 4);
}

#[test]
fn the_use_of_a_serial_line_and_the_tickets_of_its_equipment_are_what_happened() {
    // One request per second with an answer after 300 ms uses three tenths of the line's time.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut byte = [0];
        while stream.read_exact(&mut byte).is_ok() {
            if byte == *b"?" {
                pause(Duration::from_millis(300));
                stream.write_all(b"V:7\r\n").unwrap();
            }
        }
    });
    let profile = "[device]\nvendor = \"Test\"\nmodel = \"gauge\"\nkind = \"test\"\n\
        [serial]\nterminator = \"\\r\\n\"\n\
        [requests.value]\nsend = \"?\"\nevery = \"1s\"\ntimeout = \"900ms\"\nexpect = '^V:(?<v>\\d+)'\n\
        [points]\nv = { from = \"value.v\", type = \"u16\" }\n\
        [faults.high]\nseverity = \"major\"\nwhen = \"v > 5\"\nmeans = \"m\"\n";
    let mut gateway = Gateway::new().file("device-profiles/gauge.toml", profile).site(&format!(
        "[[link]]\nname = \"l\"\nkind = \"serial\"\naddress = \"127.0.0.1:{port}\"\n\
         [[equipment]]\nid = \"gauge-1\"\nprofile = \"gauge\"\nlink = \"l\"\n"
    ));
    let before = clock();
    gateway.start();
    let served = clock();
    gateway.until("status --json", |s| s["equipment"][0]["requests"].as_u64() >= Some(6));
    let since_served = served.elapsed_by();
    let link = gateway.run("link list --json").json()[0].clone();
    let line_use = link["line_use"].as_f64().unwrap();
    let (least, most) = (5.0 * 0.3 / before.elapsed_by(), 7.0 * 0.36 / since_served);
    assert!((least..=most).contains(&line_use), "{line_use} is not in {least}..{most}");
    let equipment = gateway.run("equipment list --json").json()[0].clone();
    assert_eq!((&equipment["tickets"], &equipment["state"]), (&serde_json::json!([1]), &"online".into()));
    let shown = gateway.run("equipment show gauge-1 --json").json();
    assert!(shown.to_string().contains("\"tickets\":[1]"), "{shown}");
}
