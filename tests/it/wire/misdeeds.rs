//! One server a misdeed, on both wires: no reading of good quality is ever wrong, and polling recovers by itself.
//!
//! Every point has a fault that is raised by any good value other than its own: a wrong value would leave a ticket
//! for good, so no moment is missed.

use std::fmt::Write as _;

use crate::support::misbehaving::{ALL, Conduct, Misdeed, register, serve_rtu, serve_tcp};
use crate::support::{Gateway, PtyPair, eventually};

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

/// How the misdeed must show in `status`: the kind under which it is counted, where it must be counted at all.
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

fn tcp(misdeed: Misdeed) {
    let conduct = Conduct::new(misdeed, TIMES);
    let port = serve_tcp(conduct.clone());
    let link = format!("kind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"");
    endures(gateway().site(&site(&link)), &conduct, true);
}

fn rtu(misdeed: Misdeed) {
    let conduct = Conduct::new(misdeed, TIMES);
    let gateway = gateway();
    let pair = PtyPair::new(&gateway.path(""));
    serve_rtu(&pair.theirs, conduct.clone());
    let link = format!("kind = \"modbus-rtu\"\nport = \"{}\"\nbaud = 115200", pair.ours.display());
    endures(gateway.site(&site(&link)), &conduct, false);
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
