//! Makes a journal with known tickets. Each ticket belongs to its own equipment: ticket N to `eN`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use andon::alarm::AlarmEvent;
use andon::desk::{Event, Record};
use andon::disk::RealDisk;
use andon::journal::{Cursor, Journal, Line};
use andon::ticket::{TicketEvent, TicketOpening, TicketOrigin};
use andon::words::{Author, EquipmentId, FaultName, Seq, Severity, TicketNumber, Wall};
use serde_json::Value;

use crate::support::Gateway;
use crate::support::manner::{Manner, MannerServer};

pub const TICKETS: u64 = 8;
/// Tickets up to this number are closed; the other tickets are live.
pub const CLOSED: u64 = 5;

struct Written(Record);

impl Line for Written {
    fn seq(&self) -> Seq {
        self.0.seq
    }
    fn line(&self, prev: &str) -> String {
        self.0.to_line(prev).unwrap()
    }
}

fn life(number: u64, at: Wall) -> Vec<(Author, Event)> {
    let eva = || Author::unproven("eva");
    let n = TicketNumber(number);
    let equipment = EquipmentId::parse(&format!("e{number}")).unwrap();
    let fault = FaultName::parse("communication-lost").unwrap();
    let raised = AlarmEvent::Raised {
        equipment: equipment.clone(),
        fault: fault.clone(),
        severity: Severity::Major,
        onset: at,
        latch: false,
        values: BTreeMap::new(),
        first_up: None,
    };
    let opened = TicketOpening {
        number: n,
        equipment: equipment.clone(),
        fault: fault.clone(),
        origin: TicketOrigin::Fault,
        severity: Severity::Major,
        summary: format!("Ticket {number}."),
        code: None,
        onset: at,
        values: BTreeMap::new(),
        profile: "lost".to_owned(),
        profile_sha256: "41d7c360ff0ad7a1f23a92be043c2bf0b367694d37166e568421d96ca5e8e4fc".to_owned(),
        firmware: None,
        firmware_notes: Vec::new(),
        first_up: None,
    };
    let mut events = vec![
        (Author::Gateway, Event::Alarm(raised)),
        (Author::Gateway, Event::Ticket(TicketEvent::Opened(opened))),
        (eva(), Event::Ticket(TicketEvent::Noted { number: n, text: format!("a note of {number}") })),
    ];
    if number <= CLOSED {
        let fixed = TicketEvent::Fixed {
            number: n,
            cause: "cable".to_owned(),
            action: "replaced".to_owned(),
            parts: Vec::new(),
            minutes: Some(5),
            while_active: None,
        };
        events.extend([
            (eva(), Event::Ticket(TicketEvent::Started { number: n })),
            (Author::Gateway, Event::Alarm(AlarmEvent::Cleared { equipment, fault, reason: None })),
            (Author::Gateway, Event::Ticket(TicketEvent::Returned { number: n })),
            (eva(), Event::Ticket(fixed)),
            (eva(), Event::Ticket(TicketEvent::Closed { number: n, watch_until: at, note: None })),
            (Author::Gateway, Event::Ticket(TicketEvent::FixVerified { number: n })),
        ]);
    }
    events
}

/// A data directory that a test can restore to its first state.
pub struct Plant {
    pub gateway: Gateway,
    /// The journal's files in the first state: name and bytes.
    pub journal: BTreeMap<String, Vec<u8>>,
    store: Vec<(PathBuf, Vec<u8>)>,
    /// Every ticket by its number, as printed by `andon history --json`.
    whole: BTreeMap<u64, Value>,
    /// Every ticket by its number, as printed by `andon ticket show --json`.
    shown: BTreeMap<u64, Value>,
}

impl Plant {
    /// Makes a plant whose journal has `segments` segments.
    pub fn new(segments: usize) -> Self {
        let port = MannerServer::start(|_| Manner::Silence).port;
        let mut site =
            format!("[[link]]\nname = \"nowhere\"\nkind = \"modbus-tcp\"\naddress = \"127.0.0.1:{port}\"\n");
        for i in 1..=TICKETS {
            write!(site, "[[equipment]]\nid = \"e{i}\"\nprofile = \"lost\"\nlink = \"nowhere\"\n").unwrap();
        }
        let profile = "[points]\nx = { register = \"holding:0\", type = \"u16\" }\n";
        let gateway = Gateway::new().profile("lost", profile).site(&site);
        let profile = std::fs::read_to_string(gateway.path("device-profiles/lost.toml")).unwrap();
        let gateway =
            gateway.file("device-profiles/lost.toml", &format!("offline_after = \"10h\"\n{profile}"));
        let folder = gateway.data().join("journal");
        let (mut journal, _) = Journal::open(Arc::new(RealDisk), &folder, &Cursor::default(), None).unwrap();
        // The events of the tickets are mixed: each round writes the next event of each ticket.
        let at = Wall::from_millis(1_700_000_000_000);
        let mut lives: Vec<_> = (1..=TICKETS).map(|n| life(n, at).into_iter()).collect();
        let mut lines = Vec::new();
        while let Some(round) = Some(lives.iter_mut().filter_map(Iterator::next).collect::<Vec<_>>())
            && !round.is_empty()
        {
            for (by, event) in round {
                let seq = Seq(lines.len() as u64 + 1);
                lines.push(Written(Record { seq, at, by, event }));
            }
        }
        journal.append(&lines).unwrap();
        drop(journal);
        let text = std::fs::read_to_string(folder.join("00000001.ndjson")).unwrap();
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        for (i, part) in lines.chunks(lines.len().div_ceil(segments)).enumerate() {
            std::fs::write(folder.join(format!("{:08}.ndjson", i + 1)), part.concat()).unwrap();
        }
        gateway.run("audit verify").success();
        let mut plant = Self {
            journal: files(&folder),
            store: Vec::new(),
            whole: BTreeMap::new(),
            shown: BTreeMap::new(),
            gateway,
        };
        plant.whole = plant.history();
        assert_eq!(plant.whole.len() as u64, TICKETS);
        for n in 1..=TICKETS {
            plant.shown.insert(n, plant.gateway.run(&format!("ticket show {n} --json")).json());
        }
        let store = plant.gateway.data().join("store");
        for (name, bytes) in files(&store) {
            plant.store.push((store.join(name), bytes));
        }
        plant
    }

    /// Returns the lines of the journal with their file names and newlines, in the order of the events.
    pub fn lines(&self) -> Vec<(String, String)> {
        let of = |(name, bytes): (&String, &Vec<u8>)| {
            let text = String::from_utf8(bytes.clone()).unwrap();
            text.split_inclusive('\n').map(|l| (name.clone(), l.to_owned())).collect::<Vec<_>>()
        };
        self.journal.iter().flat_map(of).collect()
    }

    /// Makes the data directory again, with these files in the journal, with or without the store.
    pub fn lay(&self, journal: &BTreeMap<String, Vec<u8>>, with_store: bool) {
        let data = self.gateway.data();
        std::fs::remove_dir_all(&data).unwrap();
        std::fs::create_dir_all(data.join("journal")).unwrap();
        for (name, bytes) in journal {
            std::fs::write(data.join("journal").join(name), bytes).unwrap();
        }
        if with_store {
            std::fs::create_dir_all(data.join("store/blobs")).unwrap();
            for (path, bytes) in &self.store {
                std::fs::write(path, bytes).unwrap();
            }
        }
    }

    /// Returns every ticket of `andon history`, by its number.
    pub fn history(&self) -> BTreeMap<u64, Value> {
        let rows = self.gateway.run("history --json").json();
        rows.as_array().unwrap().iter().map(|r| (r["id"].as_u64().unwrap(), r.clone())).collect()
    }

    /// Checks that every ticket that is not in `concerned` is unchanged.
    #[track_caller]
    pub fn others_are_whole(&self, concerned: &BTreeSet<u64>, what: &str) {
        let history = self.history();
        for (n, row) in self.whole.iter().filter(|(n, _)| !concerned.contains(n)) {
            assert_eq!(history.get(n), Some(row), "ticket {n}, {what}");
        }
    }

    /// Checks that `ticket show` prints a ticket that is not in `concerned` unchanged.
    #[track_caller]
    pub fn another_is_shown(&self, concerned: &BTreeSet<u64>, what: &str) {
        let Some(n) = (1..=TICKETS).rev().find(|n| !concerned.contains(n)) else { return };
        let shown = self.gateway.run(&format!("ticket show {n} --json")).json();
        assert_eq!(shown, self.shown[&n], "{what}");
    }

    /// Checks that no file of the journal is shorter than before, and that no earlier byte has changed.
    #[track_caller]
    pub fn nothing_is_cut(&self, journal: &BTreeMap<String, Vec<u8>>, what: &str) {
        let now = files(&self.gateway.data().join("journal"));
        for (name, bytes) in journal {
            assert!(now.get(name).is_some_and(|n| n.starts_with(bytes)), "{name} was changed, {what}");
        }
    }

    /// Checks that no event number occurs on two different lines of the journal.
    #[track_caller]
    pub fn no_number_is_given_twice(&self, what: &str) {
        let mut seen: BTreeMap<u64, String> = BTreeMap::new();
        for (name, bytes) in files(&self.gateway.data().join("journal")) {
            if name.len() != "00000001.ndjson".len() {
                continue;
            }
            for line in String::from_utf8_lossy(&bytes).lines() {
                let Ok(value) = serde_json::from_str::<Value>(line) else { continue };
                let Some(seq) = value["seq"].as_u64() else { continue };
                let before = seen.insert(seq, line.to_owned());
                assert!(before.is_none_or(|b| b == line), "event {seq} in {name}, {what}");
            }
        }
    }
}

/// Returns the plain files of a folder: name and bytes.
pub fn files(folder: &std::path::Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let plain = entries.filter(|e| e.file_type().unwrap().is_file());
    plain.map(|e| (e.file_name().into_string().unwrap(), std::fs::read(e.path()).unwrap())).collect()
}

/// Returns the number of the ticket that a line of the journal is about.
pub fn ticket_of(line: &str) -> Option<u64> {
    let value: Value = serde_json::from_str(line.trim()).unwrap();
    let data = &value["data"];
    data["number"].as_u64().or_else(|| data["equipment"].as_str()?.strip_prefix('e')?.parse().ok())
}
