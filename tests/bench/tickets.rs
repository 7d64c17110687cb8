//! Measures the time from the arrival of a reading to its ticket on disk, and the work of a gateway with a million
//! tickets.
//!
//! The environment variable `ANDON_BENCH_TICKETS` sets another number of tickets.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a benchmark"
)]

#[path = "process.rs"]
mod process;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use andon::alarm::AlarmEvent;
use andon::ambient::Clock;
use andon::daemon::{Parts, load_site, start_gateway};
use andon::desk::{Event, Record};
use andon::disk::RealDisk;
use andon::journal::{Cursor, Journal, Line};
use andon::link::{Batch, LinkBoard, LinkSays};
use andon::ticket::{TicketEvent, TicketOpening, TicketOrigin, UsedPart};
use andon::words::{
    Author, EquipmentId, EquipmentIndex, FaultName, PointIndex, Presence, Reading, Seq, Severity,
    TicketNumber, Value, Wall,
};
use process::{Running, Workplace, rest};

const FAULTS: usize = 1000;
const EQUIPMENT: u64 = 100;

fn main() {
    latency();
    let count = std::env::var("ANDON_BENCH_TICKETS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    history(count);
}

// --- from reading to disk ------------------------------------------------------------------------

fn latency() {
    let place = Workplace::new("latency");
    let mut profile = "[device]\nvendor = \"b\"\nmodel = \"b\"\nkind = \"b\"\n[points]\n".to_owned();
    let mut faults = String::new();
    for i in 0..FAULTS {
        writeln!(profile, "x{i} = {{ register = \"holding:{i}\", type = \"u16\", every = \"1h\" }}").unwrap();
        write!(
            faults,
            "[faults.f{i}]\nseverity = \"major\"\nwhen = \"x{i} > 5\"\nmeans = \"Too much of it.\"\n"
        )
        .unwrap();
    }
    place.write("device-profiles/bench.toml", &format!("offline_after = \"10h\"\n{profile}{faults}"));
    place.write("andon.toml", "[gateway]\nname = \"b\"\n[[link]]\nname = \"l\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:1\"\n[[equipment]]\nid = \"e\"\nprofile = \"bench\"\nlink = \"l\"\n");
    let site = load_site(&place.path().join("andon.toml")).unwrap().site.unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut times: Vec<Duration> = runtime.block_on(async {
        let clock = Clock::start();
        let board = LinkBoard::new("l", [EquipmentId::parse("e").unwrap()], clock.now());
        let links = Arc::default();
        let data = place.path().join("data");
        let boards = Some(vec![board]);
        let parts = Parts { site, data, is_read_only: false, clock, boards, links };
        let engine = start_gateway(parts, &mut |_| {}).unwrap();
        let mut times = Vec::new();
        for i in 0..FAULTS {
            let before = engine.gateway.snapshot().await.unwrap().state.seq;
            let at = clock.now();
            let reading = Reading { value: Ok(Value::Integer(6)), at };
            let batch = Batch {
                at,
                equipment: EquipmentIndex(0),
                readings: vec![(PointIndex(i), reading)],
                presence: Presence::Answered,
                done: None,
                site: 0,
            };
            engine.readings.send(LinkSays::Readings(batch)).await.unwrap();
            // Raised and opened: two events.
            while engine.gateway.snapshot().await.unwrap().state.seq.0 < before.0 + 2 {
                tokio::task::yield_now().await;
            }
            times.push(clock.now().mono.since(at.mono));
        }
        assert!(engine.stop().await);
        times
    });
    times.sort_unstable();
    let at = |share: usize| times[times.len() * share / 100 - 1].as_secs_f64() * 1e3;
    println!("tickets: from a reading's arrival to its ticket's fsync, over {FAULTS} faults");
    println!("  p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms", at(50), at(99), at(100));
}

// --- a million tickets ---------------------------------------------------------------------------

struct Written(Record);

impl Line for Written {
    fn seq(&self) -> Seq {
        self.0.seq
    }
    fn line(&self, prev: &str) -> String {
        self.0.to_line(prev).unwrap()
    }
}

/// Number of events of one ticket and its alarm.
const EVENTS: u64 = 8;

/// Returns all events of one ticket and its alarm.
fn life(number: u64, at: Wall) -> Vec<(Author, Event)> {
    let eva = || Author::unproven("eva");
    let n = TicketNumber(number);
    let equipment = EquipmentId::parse(&format!("e{}", number % EQUIPMENT)).unwrap();
    let fault = FaultName::parse(
        ["overvoltage-decelerating", "undervoltage", "module-overheating"]
            [usize::try_from(number % 3).unwrap()],
    )
    .unwrap();
    let values = BTreeMap::from([("fault_code".to_owned(), "6".to_owned())]);
    let raised = AlarmEvent::Raised {
        equipment: equipment.clone(),
        fault: fault.clone(),
        severity: Severity::Major,
        onset: at,
        latch: false,
        values: values.clone(),
        first_up: None,
    };
    let cleared = AlarmEvent::Cleared { equipment: equipment.clone(), fault: fault.clone(), reason: None };
    let opening = TicketOpening {
        number: n,
        equipment,
        fault,
        origin: TicketOrigin::Fault,
        severity: Severity::Major,
        summary: "DC bus voltage too high while decelerating.".to_owned(),
        code: Some("0x06".to_owned()),
        onset: at,
        values,
        profile: "powtran-pi500".to_owned(),
        profile_sha256: "41d7c360ff0ad7a1f23a92be043c2bf0b367694d37166e568421d96ca5e8e4fc".to_owned(),
        firmware: None,
        firmware_notes: Vec::new(),
        first_up: None,
    };
    let ticket = |by: Author, event: TicketEvent| (by, Event::Ticket(event));
    vec![
        (Author::Gateway, Event::Alarm(raised)),
        ticket(Author::Gateway, TicketEvent::Opened(opening)),
        ticket(eva(), TicketEvent::Started { number: n }),
        (Author::Gateway, Event::Alarm(cleared)),
        ticket(Author::Gateway, TicketEvent::Returned { number: n }),
        ticket(
            eva(),
            TicketEvent::Fixed {
                number: n,
                cause: "brake resistor open".to_owned(),
                action: "replaced brake resistor".to_owned(),
                parts: vec![UsedPart { id: "BRAKE-RES".to_owned(), quantity: 1 }],
                minutes: Some(25),
                while_active: None,
            },
        ),
        ticket(eva(), TicketEvent::Closed { number: n, watch_until: at, note: None }),
        ticket(Author::Gateway, TicketEvent::FixVerified { number: n }),
    ]
}

fn write_journal(folder: &std::path::Path, count: u64) {
    let (mut journal, _) = Journal::open(Arc::new(RealDisk), folder, &Cursor::default(), None).unwrap();
    let mut seq = 0;
    let mut batch = Vec::new();
    for number in 1..=count {
        let at = Wall::from_millis(1_700_000_000_000 + i64::try_from(number).unwrap() * 60_000);
        for (by, event) in life(number, at) {
            seq += 1;
            batch.push(Written(Record { seq: Seq(seq), at, by, event }));
        }
        if batch.len() > 6000 || number == count {
            journal.append(&batch).unwrap();
            batch.clear();
        }
    }
}

fn history(count: u64) {
    let place = Workplace::new("history");
    let mut site =
        "[gateway]\nname = \"b\"\n[[link]]\nname = \"l\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:1\"\n"
            .to_owned();
    for i in 0..EQUIPMENT {
        write!(site, "[[equipment]]\nid = \"e{i}\"\nprofile = \"powtran-pi500\"\nlink = \"l\"\nunit = {i}\n")
            .unwrap();
    }
    place.write("andon.toml", &site);
    write_journal(&place.path().join("andon-data/journal"), count);
    let timed = |args: &[&str]| {
        let begun = Instant::now();
        let output = place.andon(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        begun.elapsed()
    };
    println!("tickets: {count} of them, {} events in the journal", count * EVENTS);
    println!("  store rebuilt from the journal     {:8.2} s", timed(&["status"]).as_secs_f64());
    println!("  journal verified                   {:8.2} s", timed(&["audit", "verify"]).as_secs_f64());
    let mut opens: Vec<Duration> = (0..5).map(|_| timed(&["ticket", "list"])).collect();
    opens.sort_unstable();
    println!(
        "  a command without a daemon         {:8.3} s (store opened, checked, closed)",
        opens[2].as_secs_f64()
    );
    let begun = Instant::now();
    let daemon = Running::andon(&place, &["daemon"]);
    while !place.path().join("andon-data/andon.sock").exists() {
        rest(Duration::from_millis(5));
    }
    println!("  daemon ready                       {:8.3} s", begun.elapsed().as_secs_f64());
    let mut times: Vec<Duration> =
        (0..21).map(|i| timed(&["history", "--equipment", &format!("e{i}"), "--json"])).collect();
    times.sort_unstable();
    println!(
        "  history of one piece of equipment  {:8.1} ms, longest {:.1} ms",
        times[10].as_secs_f64() * 1e3,
        times[20].as_secs_f64() * 1e3
    );
    let store = std::fs::read_dir(place.path().join("andon-data/store")).unwrap();
    let bytes: u64 = store.flatten().filter_map(|e| e.metadata().ok()).map(|m| m.len()).sum();
    println!("  store on disk                      {:8} MiB", bytes / 1_048_576);
    let mut lists: Vec<Duration> = (0..21).map(|_| timed(&["ticket", "list", "--state", "closed"])).collect();
    lists.sort_unstable();
    println!("  200 closed tickets listed          {:8.1} ms", lists[10].as_secs_f64() * 1e3);
    // A report of all events.
    let report = ["report", "alarms", "--since", "2023-11-01"];
    println!("  report of all alarms, first        {:8.2} s", timed(&report).as_secs_f64());
    println!("  report of all alarms, again        {:8.1} ms", timed(&report).as_secs_f64() * 1e3);
    println!("  daemon's memory                    {:8.0} MiB", process::memory_mib(daemon.pid()));
    let report_60 = many(&place, daemon.pid(), &["report", "alarms", "--since", "2023-11-02"]);
    println!("  60 reports at once                 {:8.2} s, peak {:.0} MiB", report_60.0, report_60.1);
    let verify_60 = many(&place, daemon.pid(), &["audit", "verify"]);
    println!("  60 checks of the journal at once   {:8.2} s, peak {:.0} MiB", verify_60.0, verify_60.1);
    drop(daemon);
}

/// Runs sixty of one command at the same time. Returns the seconds until the last has ended, and the daemon's peak memory
/// in MiB.
fn many(place: &Workplace, daemon: u32, args: &[&str]) -> (f64, f64) {
    // Reset the peak of the memory (man 5 proc).
    std::fs::write(format!("/proc/{daemon}/clear_refs"), "5").unwrap();
    let begun = Instant::now();
    let all: Vec<_> =
        (0..60).map(|_| place.andon(args).stdout(std::process::Stdio::null()).spawn().unwrap()).collect();
    for mut one in all {
        assert!(one.wait().unwrap().success());
    }
    (begun.elapsed().as_secs_f64(), process::peak_mib(daemon))
}
