//! Every event, and the record that carries one. Each kind has a version; a sample of each stands in
//! `tests/samples/journal/` and is read by every later build.

use serde::{Deserialize, Serialize};

use crate::alarm::AlarmEvent;
use crate::detect::BaselineEvent;
use crate::limits;
use crate::site::FileHash;
use crate::ticket::TicketEvent;
use crate::words::{Author, Damage, EquipmentId, PointName, Seq, Wall};

/// What happened to the gateway itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum GatewayEvent {
    /// The daemon started.
    #[serde(rename = "gateway-started")]
    Started {
        /// The program's version.
        version: String,
        /// The gateway's name.
        name: String,
    },
    /// The daemon stopped in order.
    #[serde(rename = "gateway-stopped")]
    Stopped {},
    /// These files are in force from here on.
    #[serde(rename = "configuration-loaded")]
    ConfigurationLoaded {
        /// Each file with its SHA-256.
        files: Vec<FileHash>,
    },
    /// A part of the journal cannot be read as it was written.
    #[serde(rename = "gateway-journal-damaged")]
    JournalDamaged {
        /// What was found, as a sentence.
        message: String,
        /// The segment, line and events; absent in journals of earlier versions.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        damage: Option<Damage>,
    },
    /// Somebody has taken note of the damage: it is no longer shown on the first screen.
    #[serde(rename = "gateway-damage-accepted")]
    DamageAccepted {
        /// How many damaged parts were known.
        parts: usize,
        /// Why.
        reason: String,
    },
    /// The daemon did not run for a while, as when its machine was suspended. Delays do not count that time.
    #[serde(rename = "gateway-paused")]
    Paused {
        /// For how many milliseconds.
        for_ms: u64,
    },
    /// The wall clock was stepped.
    #[serde(rename = "clock-stepped")]
    ClockStepped {
        /// By how many milliseconds, forward when positive.
        by_ms: i64,
    },
}

impl GatewayEvent {
    /// The kinds that stand in the journal, as `serde` names them (test: `kinds_are_those_that_are_written`).
    pub const KINDS: &[&str] = &[
        "gateway-started",
        "gateway-stopped",
        "configuration-loaded",
        "gateway-journal-damaged",
        "gateway-damage-accepted",
        "gateway-paused",
        "clock-stepped",
    ];
}

/// What was done to a piece of equipment by way of the gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum EquipmentEvent {
    /// Somebody ordered a write; it is sent after this is on record.
    #[serde(rename = "equipment-write-ordered")]
    WriteOrdered {
        /// To which equipment.
        equipment: EquipmentId,
        /// To which point.
        point: PointName,
        /// The value, with its unit.
        value: String,
        /// What it was before, where that was known.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        before: Option<String>,
        /// As registers, or 0 and 1 for a coil.
        registers: Vec<u16>,
        /// Why.
        reason: String,
    },
    /// Somebody took it out of service: its alarms are held back.
    #[serde(rename = "equipment-out-of-service")]
    OutOfService {
        /// Which.
        equipment: EquipmentId,
        /// Why.
        reason: String,
    },
    /// Somebody returned it to service.
    #[serde(rename = "equipment-returned-to-service")]
    ReturnedToService {
        /// Which.
        equipment: EquipmentId,
        /// Why.
        reason: String,
    },
    /// It was written and read back the same.
    #[serde(rename = "equipment-written")]
    Written {
        /// To which equipment.
        equipment: EquipmentId,
        /// To which point.
        point: PointName,
        /// The value, with its unit.
        value: String,
    },
    /// It is not known to be written, or is known not to be.
    #[serde(rename = "equipment-write-failed")]
    WriteFailed {
        /// To which equipment.
        equipment: EquipmentId,
        /// To which point.
        point: PointName,
        /// The value, with its unit.
        value: String,
        /// Why, as a sentence.
        message: String,
    },
}

impl EquipmentEvent {
    /// The kinds that stand in the journal, as `serde` names them (test: `kinds_are_those_that_are_written`).
    pub const KINDS: &[&str] = &[
        "equipment-write-ordered",
        "equipment-out-of-service",
        "equipment-returned-to-service",
        "equipment-written",
        "equipment-write-failed",
    ];
}

/// Something that happened, for good.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// To the gateway.
    Gateway(GatewayEvent),
    /// To an alarm.
    Alarm(AlarmEvent),
    /// To a ticket.
    Ticket(TicketEvent),
    /// To a piece of equipment.
    Equipment(EquipmentEvent),
    /// To what is known as normal.
    Baseline(BaselineEvent),
    /// A kind that a later version wrote; it is kept and passed over.
    Other {
        /// Its kind.
        kind: String,
    },
}

/// An event with its place, time and author.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its number.
    pub seq: Seq,
    /// When.
    pub at: Wall,
    /// Who.
    pub by: Author,
    /// What.
    pub event: Event,
}

#[derive(Serialize)]
struct LineOut<'a, E: Serialize> {
    seq: Seq,
    prev: &'a str,
    at: Wall,
    by: &'a Author,
    v: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    clock: Option<&'static str>,
    #[serde(flatten)]
    event: &'a E,
}

#[derive(Deserialize)]
struct LineIn {
    seq: Seq,
    at: Wall,
    by: Author,
    kind: String,
}

/// The version of every event kind of this build.
const VERSION: u32 = 1;

/// The line of an event, proven to fit and to read back the same; the hash of the line before is filled in last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenLine {
    before: String,
    after: String,
}

impl ProvenLine {
    /// The bytes of the line, the hash included.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.before.len() + 64 + self.after.len()
    }

    /// The journal's line, without its newline; `prev` is the SHA-256 of the line before, in hexadecimal.
    #[must_use]
    pub fn with_prev(&self, prev: &str) -> String {
        [&self.before, prev, &self.after].concat()
    }
}

/// Why an event cannot stand in the journal: a bug of andon, because what comes from outside is bounded before.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotRecordable {
    /// It cannot be written as JSON, or is of a later version.
    #[error("it cannot be written: {0}")]
    NotWritten(String),
    /// The line is longer than [`limits::LINE_BYTES_MAX`].
    #[error("its line has {0} bytes, and {max} is the most", max = limits::LINE_BYTES_MAX)]
    TooLong(usize),
    /// What is read is not what was written.
    #[error("it does not read back as it was written")]
    ReadsOtherwise,
}

/// Why a line of the journal is not an event that this version can take in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event does not read: {0}")]
pub struct NotReadable(String);

impl Record {
    /// The line of this record, proven.
    ///
    /// # Errors
    /// When the event cannot stand in the journal.
    pub fn prove(&self) -> Result<ProvenLine, NotRecordable> {
        /// Stands where the hash of the line before will.
        const HOLE: &str = "?";
        let line = self.to_line(HOLE).map_err(|e| NotRecordable::NotWritten(e.to_string()))?;
        let length = line.len() + 64 - HOLE.len();
        if length > limits::LINE_BYTES_MAX {
            return Err(NotRecordable::TooLong(length));
        }
        if Self::from_line(&line).as_ref() != Ok(self) {
            return Err(NotRecordable::ReadsOtherwise);
        }
        let hole = "\"prev\":\"?";
        let (before, after) = line.split_once(hole).ok_or(NotRecordable::ReadsOtherwise)?;
        Ok(ProvenLine { before: format!("{before}\"prev\":\""), after: after.to_owned() })
    }

    /// The journal's line, without its newline; `prev` is the SHA-256 of the line before.
    ///
    /// # Errors
    /// Never for records of this program; kinds of later versions are not written.
    pub fn to_line(&self, prev: &str) -> Result<String, serde_json::Error> {
        fn line<E: Serialize>(r: &Record, prev: &str, event: &E) -> Result<String, serde_json::Error> {
            let clock = (!r.at.is_set()).then_some("unset");
            serde_json::to_string(&LineOut {
                seq: r.seq,
                prev,
                at: r.at,
                by: &r.by,
                v: VERSION,
                clock,
                event,
            })
        }
        match &self.event {
            Event::Gateway(e) => line(self, prev, e),
            Event::Alarm(e) => line(self, prev, e),
            Event::Ticket(e) => line(self, prev, e),
            Event::Equipment(e) => line(self, prev, e),
            Event::Baseline(e) => line(self, prev, e),
            Event::Other { kind } => Err(serde::ser::Error::custom(format!(
                "{kind} is a later version's event and is not written"
            ))),
        }
    }

    /// Reads a journal's line. A kind that no table lists is kept as [`Event::Other`].
    ///
    /// # Errors
    /// When it is not a record, or one of a known kind that does not read.
    pub fn from_line(line: &str) -> Result<Self, NotReadable> {
        let head: LineIn = known(line)?;
        let kind = head.kind.as_str();
        let event = if TicketEvent::KINDS.contains(&kind) {
            Event::Ticket(known(line)?)
        } else if AlarmEvent::KINDS.contains(&kind) {
            Event::Alarm(known(line)?)
        } else if EquipmentEvent::KINDS.contains(&kind) {
            Event::Equipment(known(line)?)
        } else if BaselineEvent::KINDS.contains(&kind) {
            Event::Baseline(known(line)?)
        } else if GatewayEvent::KINDS.contains(&kind) {
            Event::Gateway(known(line)?)
        } else {
            Event::Other { kind: head.kind }
        };
        Ok(Self { seq: head.seq, at: head.at, by: head.by, event })
    }
}

fn known<'a, E: Deserialize<'a>>(line: &'a str) -> Result<E, NotReadable> {
    serde_json::from_str(line).map_err(|e| NotReadable(e.to_string()))
}
