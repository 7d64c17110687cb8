//! Tests whole screens of a small plant without a daemon, with 100 columns and without colour.
//!
//! Dates and times are replaced by texts of the same width. All tickets were opened two days and half an hour ago.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use andon::alarm::AlarmEvent;
use andon::desk::{Event, Record};
use andon::disk::RealDisk;
use andon::journal::{Cursor, Journal, Line};
use andon::ticket::{TicketEvent, TicketOpening, TicketOrigin};
use andon::words::{Author, EquipmentId, FaultName, Seq, Severity, TicketNumber, Wall};

use crate::support::Gateway;

const PRESS: &str = r#"
offline_after = "10h"

[points]
oil_temperature = { register = "holding:0", type = "i16", scale = 0.1, unit = "degC", every = "10h" }
oil_level = { register = "holding:1", type = "u16", unit = "%", every = "10h" }

[faults.oil-too-hot]
severity = "critical"
when = "oil_temperature > 70"
means = "The hydraulic oil is too hot: its film no longer protects the pump."
danger = "Hot oil under pressure scalds."
safety = ["loto:hydraulic"]
wait = "15min"
steps = [
  { id = "cooler", do = "Does the fan of the oil cooler turn?", yes = "level", no = "cause:Fan of the oil cooler" },
  { id = "level", do = "Is the oil level between the marks?", yes = "done", no = "cause:Too little oil" },
]

[faults.oil-low]
severity = "minor"
when = "oil_level < 20"
means = "There is little oil in the tank."
"#;

struct Written(Record);

impl Line for Written {
    fn seq(&self) -> Seq {
        self.0.seq
    }
    fn line(&self, prev: &str) -> String {
        self.0.to_line(prev).unwrap()
    }
}

/// Returns the events of an alarm and of the ticket that it opened.
fn opened(
    at: Wall,
    number: u64,
    equipment: &str,
    fault: &str,
    severity: Severity,
    means: &str,
    value: &str,
) -> [Event; 2] {
    let equipment = EquipmentId::parse(equipment).unwrap();
    let fault = FaultName::parse(fault).unwrap();
    let values = BTreeMap::from([("oil_temperature".to_owned(), value.to_owned())]);
    let raised = AlarmEvent::Raised {
        equipment: equipment.clone(),
        fault: fault.clone(),
        severity,
        onset: at,
        latch: false,
        values: values.clone(),
        first_up: None,
    };
    let opening = TicketOpening {
        number: TicketNumber(number),
        equipment,
        fault,
        origin: TicketOrigin::Fault,
        severity,
        summary: means.to_owned(),
        code: None,
        onset: at,
        values,
        profile: "press".to_owned(),
        profile_sha256: "41d7c360ff0ad7a1f23a92be043c2bf0b367694d37166e568421d96ca5e8e4fc".to_owned(),
        firmware: None,
        firmware_notes: Vec::new(),
        first_up: None,
    };
    [Event::Alarm(raised), Event::Ticket(TicketEvent::Opened(opening))]
}

/// Returns a plant with two presses. One is too hot, and a person works on it. The other was too hot and is repaired, and
/// now has too little oil.
fn plant() -> Gateway {
    let mut site = "[[link]]\nname = \"hall\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:9\"\n".to_owned();
    for id in ["press-7", "press-8"] {
        site.push_str(&format!("[[equipment]]\nid = \"{id}\"\nprofile = \"press\"\nlink = \"hall\"\n"));
    }
    let gateway = Gateway::new().profile("press", "").site(&site);
    let head = std::fs::read_to_string(gateway.path("device-profiles/press.toml")).unwrap();
    let (offline, rest) = PRESS.split_once("[points]").unwrap();
    let gateway = gateway.file("device-profiles/press.toml", &format!("{offline}{head}[points]{rest}"));
    let folder = gateway.data().join("journal");
    let (mut journal, _) = Journal::open(Arc::new(RealDisk), &folder, &Cursor::default(), None).unwrap();
    let hot = "The hydraulic oil is too hot: its film no longer protects the pump.";
    let low = "There is little oil in the tank.";
    let since_1970 = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let opened_for = Duration::from_secs((2 * 24 * 60 + 30) * 60);
    let at = Wall::from_millis(i64::try_from((since_1970 - opened_for).as_millis()).unwrap());
    let mut events = Vec::new();
    events.extend(opened(at, 1, "press-8", "oil-too-hot", Severity::Critical, hot, "71.2 degC"));
    let (equipment, fault) =
        (EquipmentId::parse("press-8").unwrap(), FaultName::parse("oil-too-hot").unwrap());
    events.push(Event::Alarm(AlarmEvent::Cleared { equipment, fault, reason: None }));
    events.push(Event::Ticket(TicketEvent::Returned { number: TicketNumber(1) }));
    events.extend(opened(at, 2, "press-7", "oil-too-hot", Severity::Critical, hot, "74.5 degC"));
    events.extend(opened(at, 3, "press-8", "oil-low", Severity::Minor, low, "48.0 degC"));
    let lines: Vec<Written> = (1..)
        .zip(events)
        .map(|(seq, event)| Written(Record { seq: Seq(seq), at, by: Author::Gateway, event }))
        .collect();
    journal.append(&lines).unwrap();
    for command in [
        "start 1",
        "fix 1 --cause 'Fan of the oil cooler' --action 'Changed its capacitor' --part CAP-4UF --minutes 35",
        "close 1 --note 'ran for an hour'",
        "ack 2",
        "start 2",
        "ticket step 2 cooler yes",
        "note 2 'the oil smells burnt'",
        "alarm shelve press-7 oil-low --for 2h --reason 'refilled at noon'",
        "equipment out-of-service press-8 --reason 'new hose'",
    ] {
        gateway.run(command).success();
    }
    gateway
}

/// Returns the output of a command, with all dates and times replaced.
fn screen(gateway: &Gateway, args: &str) -> String {
    let run = gateway.run(args);
    run.success();
    let date = regex::Regex::new(r"\b\d{4}-\d{2}-\d{2}\b").unwrap();
    let time = regex::Regex::new(r"\b\d{2}:\d{2}:\d{2}\b").unwrap();
    let text = date.replace_all(&run.stdout(), "YYYY-MM-DD").into_owned();
    time.replace_all(&text, "hh:mm:ss").lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

#[test]
fn screens_of_a_plant_are_as_they_were() {
    let gateway = plant();
    for (name, args) in [
        ("now", ""),
        ("status", "status"),
        ("ticket-list", "ticket list"),
        ("ticket-list-closed", "ticket list --state closed"),
        ("ticket-show", "ticket show 2"),
        ("ticket-show-closed", "ticket show 1"),
        ("alarm-list", "alarm list"),
        ("history", "history"),
        ("why-fault", "why press-7 oil-too-hot"),
        ("equipment-list", "equipment list"),
        ("link-list", "link list"),
    ] {
        insta::assert_snapshot!(name, screen(&gateway, args));
    }
}
