//! Every event, and the record that carries one. Each kind has a version; a sample of each stands in
//! `tests/samples/journal/` and is read by every later build.

use serde::{Deserialize, Serialize};

use crate::alarm::AlarmEvent;
use crate::detect::BaselineEvent;
use crate::site::FileHash;
use crate::ticket::TicketEvent;
use crate::words::{Author, EquipmentId, PointName, Seq, Wall};

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
    /// At start, the journal did not end where the store says it had been acknowledged.
    #[serde(rename = "gateway-journal-damaged")]
    JournalDamaged {
        /// What was found, as a sentence.
        message: String,
    },
    /// The wall clock was stepped.
    #[serde(rename = "clock-stepped")]
    ClockStepped {
        /// By how many milliseconds, forward when positive.
        by_ms: i64,
    },
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

/// 2025-01-01 in milliseconds since 1970: a wall clock before it was never set, and the line says so.
const CLOCK_SET_SINCE: i64 = 1_735_689_600_000;

/// The version of every event kind of this build.
const VERSION: u32 = 1;

impl Record {
    /// The journal's line, without its newline; `prev` is the SHA-256 of the line before.
    ///
    /// # Errors
    /// Never for records of this program; kinds of later versions are not written.
    pub fn to_line(&self, prev: &str) -> Result<String, serde_json::Error> {
        fn line<E: Serialize>(r: &Record, prev: &str, event: &E) -> Result<String, serde_json::Error> {
            let clock = (r.at.millis() < CLOCK_SET_SINCE).then_some("unset");
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

    /// Reads a journal's line.
    ///
    /// # Errors
    /// When it is no record, or one of a known kind that does not read.
    pub fn from_line(line: &str) -> Result<Self, serde_json::Error> {
        let head: LineIn = serde_json::from_str(line)?;
        let event = match head.kind.split('-').next().unwrap_or("") {
            "ticket" => known(line).map(Event::Ticket),
            "alarm" => known(line).map(Event::Alarm),
            "equipment" => known(line).map(Event::Equipment),
            "baseline" => known(line).map(Event::Baseline),
            "gateway" | "configuration" | "clock" => known(line).map(Event::Gateway),
            _ => Ok(Event::Other { kind: head.kind.clone() }),
        };
        let event = match event {
            Ok(event) => event,
            Err(e) if e.to_string().contains("unknown variant") => Event::Other { kind: head.kind },
            Err(e) => return Err(e),
        };
        Ok(Self { seq: head.seq, at: head.at, by: head.by, event })
    }
}

fn known<'a, E: Deserialize<'a>>(line: &'a str) -> Result<E, serde_json::Error> {
    serde_json::from_str(line)
}
