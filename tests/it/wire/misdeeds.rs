//! Tests each misdeed with its own server, on TCP and RTU: no good reading is ever wrong, and polling recovers by itself.
//!
//! Every point has a fault that any other good value than the right value raises. So a wrong value leaves a ticket, and
//! the test cannot miss it.

use std::fmt::Write as _;
use std::time::Duration;

use crate::support::misbehaving::{ALL, Conduct, Misdeed, register, serve_rtu, serve_tcp};
use crate::support::{Gateway, PtyPair, eventually, pause};

const POINTS: [u16; 9] = [0, 1, 2, 100, 101, 102, 200, 300, 301];
const TIMES: u32 = 10;

fn profile(unit: u8) -> String {
    let mut text = "[modbus]\nmax_gap = 0\ntimeout = \"200ms\"\nretries = 0\n[points]\n".to_owned();
    for n in POINTS {
        writeln!(text, "p{n} = {{ register = \"holding:{n}\", type = \"u16\", every = \"150ms\" }}").unwrap();
    }
    for n in POINTS {
        let own = register(unit, n);
        write!(text, "[faults.wrong-p{n}]\nseverity = \"critical\"\nwhen = \"p{n} != {own}\"\n").unwrap();
    }
    text
}

fn gateway() -> Gateway {
    Gateway::new().profile("unit-1", &profile(1)).profile("unit-2", &profile(2))
}

fn site(link: &str) -> String {
    let mut text = format!("[[link]]\nname = \"line\"\n{link}\n");
    for unit in [1, 2] {
        write!(
            text,
            "[[equipment]]\nid = \"unit-{unit}\"\nprofile = \"unit-{unit}\"\nlink = \"line\"\nunit = {unit}\n"
        )
        .unwrap();
    }
    text
}

/// Returns the kind of error under which `status` must count the misdeed; `None` if it need not be counted.
fn counted(misdeed: Misdeed, is_tcp: bool) -> Option<&'static str> {
    match misdeed {
        Misdeed::Silent | Misdeed::Late => Some("timeout"),
        Misdeed::ForeignUnit | Misdeed::ForeignFunction => Some("foreign"),
        Misdeed::Short | Misdeed::Long => Some("length"),
        Misdeed::Truncated => Some("garbled"),
        Misdeed::Garbled => Some(if is_tcp { "foreign" } else { "garbled" }),
        Misdeed::Closed => Some(if is_tcp { "closed" } else { "timeout" }),
        Misdeed::StrangeException => Some("exception-119"),
        Misdeed::Busy => Some("exception-6"),
        Misdeed::OneBehind | Misdeed::Doubled | Misdeed::Echoed | Misdeed::OnlyEcho | Misdeed::Noise => None,
    }
}

fn endures(mut gateway: Gateway, conduct: &Conduct, is_tcp: bool) {
    let misdeed = conduct.misdeed;
    gateway.start();
    eventually(&format!("{misdeed:?} is over"), || {
        if conduct.is_over() { Ok(()) } else { Err(gateway.run("status").stdout()) }
    });
    let since = gateway.run("status --json").json()["now"].as_str().unwrap().to_owned();
    for unit in [1, 2] {
        gateway.until(&format!("equipment read unit-{unit} --last --json"), |r| {
            POINTS.iter().all(|n| {
                let p = &r["points"][format!("p{n}")];
                let is_new = p["at"].as_str().is_some_and(|at| *at > *since);
                is_new && p["quality"] == "good" && p["value"] == u64::from(register(unit, *n))
            })
        });
    }
    let tickets = gateway.run("history --json").json();
    let wrong: Vec<&str> = tickets
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|t| t["fault"].as_str())
        .filter(|f| f.starts_with("wrong"))
        .collect();
    assert_eq!(wrong, Vec::<&str>::new(), "{misdeed:?}: a wrong value had good quality");
    let status = gateway.run("status --json").json();
    if let Some(kind) = counted(misdeed, is_tcp) {
        let all = [
            &status["links"][0]["errors"],
            &status["equipment"][0]["errors"],
            &status["equipment"][1]["errors"],
        ];
        assert!(
            all.iter().any(|e| e[kind].as_u64() > Some(0)),
            "{misdeed:?} is not counted as {kind}: {status:#}"
        );
    }
}

/// The longest time without a fresh value of a living unit while three of ten responses are misdeeds, in milliseconds. 2 s
/// is more than four polls.
const FRESH: i64 = 2000;
/// The longest time without a fresh value after the misdeeds have ended, in milliseconds.
const FRESH_AFTER: i64 = 1000;
const MISDEEDS_FOR: Duration = Duration::from_secs(10);
/// Extra time for late responses on a serial line, in milliseconds: no unit can be asked while a late response is still
/// expected, and four late responses can follow each other by chance.
const LATE_ON_SERIAL: i64 = 4 * 350;

/// Waits, and returns the largest delay of this thread in this time, in milliseconds. The computer is busy with other
/// tests, and the daemon is delayed by the same time.
fn pause_and_watch(time: Duration) -> i64 {
    const TICK: Duration = Duration::from_millis(20);
    let mut late = 0;
    let mut passed = Duration::ZERO;
    while passed < time {
        let begun = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        pause(TICK);
        let tick = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap().saturating_sub(begun);
        late = late.max(i64::try_from(tick.saturating_sub(TICK).as_millis()).unwrap());
        passed += tick.max(TICK);
    }
    late
}

/// Returns the times at which any value of a unit was read, in milliseconds, from the recorder.
fn read_at(gateway: &Gateway, unit: u8) -> Vec<i64> {
    let mut all: Vec<i64> = Vec::new();
    for n in POINTS {
        let found = gateway.run(&format!("equipment history unit-{unit} p{n} --since 10m --json")).json();
        for sample in found["samples"].as_array().unwrap() {
            let [at, value] = sample.as_array().unwrap().as_slice() else { panic!("{sample}") };
            let is_own = value.as_f64().is_some_and(|v| (v - f64::from(register(unit, n))).abs() < 0.5);
            assert!(value.is_null() || is_own, "p{n} of unit {unit} was {value}");
            if is_own {
                all.push(millis(at.as_str().unwrap()));
            }
        }
    }
    all.sort_unstable();
    all
}

fn millis(time: &str) -> i64 {
    time.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

fn now_of(gateway: &Gateway) -> i64 {
    millis(gateway.run("status --json").json()["now"].as_str().unwrap())
}

/// Returns the longest time without a fresh value between two times, in milliseconds.
fn longest(times: &[i64], from: i64, to: i64) -> i64 {
    let within = times.iter().copied().filter(|t| (from..to).contains(t));
    let edges: Vec<i64> = std::iter::once(from).chain(within).chain([to]).collect();
    edges.windows(2).map(|w| w[1] - w[0]).max().unwrap()
}

/// Checks that every unit stays fresh and no value is wrong during random misdeeds.
fn stays_fresh(mut gateway: Gateway, conduct: &Conduct, is_tcp: bool) {
    let misdeed = conduct.misdeed;
    gateway.start();
    for unit in [1, 2] {
        gateway.until(&format!("equipment read unit-{unit} --last --json"), |r| {
            POINTS.iter().all(|n| r["points"][format!("p{n}")]["value"].is_number())
        });
    }
    let begun = now_of(&gateway);
    let late = pause_and_watch(MISDEEDS_FOR);
    conduct.end();
    let ended = now_of(&gateway);
    let late = late.max(pause_and_watch(Duration::from_secs(3)));
    // One read has several waits, and each wait may be delayed by `late`.
    let slack = 4 * late + if misdeed == Misdeed::Late && !is_tcp { LATE_ON_SERIAL } else { 0 };
    let over = now_of(&gateway);
    for unit in [1, 2] {
        let times = read_at(&gateway, unit);
        let worst = longest(&times, begun, ended);
        assert!(
            worst <= FRESH + slack,
            "{misdeed:?}: unit {unit} was {worst} ms without a fresh value, slack {slack}: {times:?}"
        );
        let after = longest(&times, ended, over);
        assert!(
            after <= FRESH_AFTER + slack,
            "{misdeed:?}: unit {unit} was {after} ms without one after they ended, slack {slack}"
        );
    }
    let tickets = gateway.run("history --json").stdout();
    assert!(!tickets.contains("wrong-p"), "{misdeed:?}: a wrong value had good quality");
}

fn tcp(misdeed: Misdeed) {
    for conduct in [Conduct::new(misdeed, TIMES), Conduct::at_random(misdeed, 30)] {
        let port = serve_tcp(conduct.clone());
        let link = format!("kind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"");
        let gateway = gateway().site(&site(&link));
        if conduct.is_random() {
            stays_fresh(gateway, &conduct, true)
        } else {
            endures(gateway, &conduct, true)
        }
    }
}

fn rtu(misdeed: Misdeed) {
    for conduct in [Conduct::new(misdeed, TIMES), Conduct::at_random(misdeed, 30)] {
        let gateway = gateway();
        let pair = PtyPair::new(&gateway.path(""));
        serve_rtu(&pair.theirs, conduct.clone());
        let link = format!("kind = \"modbus-rtu\"\nport = \"{}\"\nbaud = 115200", pair.ours.display());
        let gateway = gateway.site(&site(&link));
        if conduct.is_random() {
            stays_fresh(gateway, &conduct, false)
        } else {
            endures(gateway, &conduct, false)
        }
    }
}

macro_rules! misdeeds {
    ($($name:ident: $misdeed:ident,)*) => {
        mod over_tcp {
            $(#[test] fn $name() { super::tcp(super::Misdeed::$misdeed); })*
        }
        mod over_rtu {
            $(#[test] fn $name() { super::rtu(super::Misdeed::$misdeed); })*
        }
        #[test]
        fn every_misdeed_has_its_tests() {
            assert_eq!([$(Misdeed::$misdeed),*], ALL);
        }
    };
}

misdeeds! {
    silent: Silent,
    late: Late,
    one_behind: OneBehind,
    foreign_unit: ForeignUnit,
    foreign_function: ForeignFunction,
    short: Short,
    long: Long,
    doubled: Doubled,
    echoed: Echoed,
    only_echo: OnlyEcho,
    truncated: Truncated,
    garbled: Garbled,
    noise: Noise,
    closed: Closed,
    strange_exception: StrangeException,
    busy: Busy,
}
