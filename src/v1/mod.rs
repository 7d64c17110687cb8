//! The contract: the types of everything that leaves the gateway as JSON, so that a rename inside breaks nobody. Fields are
//! only ever added. [`crate::view`] makes these types of the core's.
//!
//! The words of a state are those of its room. They stand in the journal as well, so they cannot change.
//!
//! ```
//! let text = r#"{ "seq": 7, "at": "2026-11-26T02:14:00Z", "by": "eva", "text": "acknowledged" }"#;
//! let line: andon::v1::LogEntryV1 = serde_json::from_str(text)?;
//! assert_eq!(line.by, "eva");
//! # Ok::<(), serde_json::Error>(())
//! ```

mod alarm;
mod audit;
mod firmware;
mod link;
mod report;
mod samples;
mod scan;
mod ticket;

pub use alarm::{AlarmV1, OperatedV1, OperationKindV1, OperationV1, OutOfServiceV1, ShelvedV1};
pub use audit::{AcceptV1, AuditV1, BreakV1, DamageV1};
pub use firmware::{FirmwareNoteV1, FirmwareV1};
pub use link::{LinkV1, PlanRowV1, PlanV1};
pub use report::{AlarmCountV1, AlarmReportV1, AlarmStandingV1};
pub use samples::{PointHistoryV1, SampleV1, TraceSeriesV1, TraceV1};
pub use scan::{CaptureV1, HeardV1, TriedV1};
pub use ticket::{
    EarlierV1, FixV1, HazardV1, HistoryRowV1, LogEntryV1, OriginV1, PartV1, StepV1, TicketRowV1, TicketV1,
    UsedPartV1,
};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::words::{Outcome, Quality, Remedy, Seq, Wall};

/// What went wrong, in every answer that is not 200.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorV1,
}

/// A refusal or failure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErrorV1 {
    /// The rule's stable code.
    pub rule: String,
    /// What is the case.
    pub message: String,
    /// What would satisfy the rule.
    pub remedies: Vec<Remedy>,
    /// The kind of outcome.
    pub outcome: Outcome,
}

/// `GET /v1/status`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatusV1 {
    /// The gateway's name.
    pub gateway: String,
    /// The program's version.
    pub version: String,
    /// Whether a daemon answers.
    pub daemon: bool,
    /// The gateway's time.
    pub now: Wall,
    /// The journal.
    pub journal: JournalV1,
    /// The ticket database.
    #[serde(default)]
    pub store: StoreV1,
    /// Damaged parts of the journal that nobody has accepted.
    #[serde(default)]
    pub damage: Vec<DamageV1>,
    /// What keeps readings from being recorded, while something does; empty otherwise.
    #[serde(default)]
    pub recorder_message: String,
    /// Every link.
    pub links: Vec<LinkV1>,
    /// Every piece of equipment.
    pub equipment: Vec<EquipmentStatusV1>,
    /// Every alarm that stands, and what is held back.
    pub alarms: Vec<AlarmV1>,
    /// Alarms that are put aside.
    #[serde(default)]
    pub shelved: Vec<ShelvedV1>,
    /// Equipment that is out of service.
    #[serde(default)]
    pub out_of_service: Vec<OutOfServiceV1>,
    /// Live tickets by state.
    pub tickets: BTreeMap<String, usize>,
}

/// The journal's state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JournalV1 {
    /// The last event on disk.
    pub seq: Seq,
    /// Whether it can be written.
    pub writable: bool,
    /// Why not.
    pub message: String,
    /// Machine changes dropped while it could not.
    pub changes_dropped: u64,
    /// Events that could not be recorded because of a bug of andon.
    #[serde(default)]
    pub not_recordable: u64,
}

/// The ticket database's state.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct StoreV1 {
    /// `ready`, `behind`, `rebuilding`, `waits-for-room`, `away`.
    pub state: String,
    /// The last event that it has taken in.
    pub seq: Seq,
    /// How many events it is behind the journal.
    pub behind: u64,
    /// Why it is not ready; empty when it is.
    pub message: String,
}

/// A piece of equipment's state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EquipmentStatusV1 {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `online`, `degraded`, `offline`.
    pub state: String,
    /// Since when.
    pub since: Wall,
    /// Requests sent.
    pub requests: u64,
    /// Failures by kind.
    pub errors: BTreeMap<String, u64>,
    /// What is wrong, as a sentence.
    pub message: String,
    /// Half of the last answers came within this time.
    pub answer_ms_p50: Option<f64>,
    /// 99 of 100 of the last answers came within this time.
    pub answer_ms_p99: Option<f64>,
    /// Turns left out because the line was late.
    pub missed: u64,
}

/// `GET /v1/equipment`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EquipmentV1 {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its profile.
    pub profile: String,
    /// Maker and model.
    pub device: String,
    /// Its link.
    pub link: String,
    /// Its unit.
    pub unit: u8,
    /// Where it stands.
    pub location: String,
    /// A, B or C.
    pub criticality: String,
    /// `online`, `degraded`, `offline`.
    pub state: String,
    /// Its live tickets.
    pub tickets: Vec<u64>,
    /// Its firmware's version, where it is known.
    #[serde(default)]
    pub firmware: Option<String>,
    /// Known issues of that version.
    #[serde(default)]
    pub firmware_notes: Vec<FirmwareNoteV1>,
}

/// `POST /v1/equipment/{id}/points/{point}`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WriteV1 {
    /// The value, as a person writes it.
    pub value: String,
    /// Why.
    pub reason: String,
}

/// What was written and read back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WroteV1 {
    /// To which equipment.
    pub equipment: String,
    /// To which point.
    pub point: String,
    /// The value, with its unit.
    pub value: String,
    /// What it was before, where that was known.
    pub before: Option<String>,
}

/// `POST /v1/reload`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReloadedV1 {
    /// Equipment that goes on as it was, no reading lost.
    pub kept: usize,
    /// Equipment that is new or begins anew.
    pub changed: Vec<String>,
    /// Equipment that is gone.
    pub removed: Vec<String>,
}

/// `GET /v1/equipment/{id}/readings`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadingsV1 {
    /// Its id.
    pub equipment: String,
    /// Every point.
    pub points: BTreeMap<String, PointV1>,
}

/// A point's reading.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PointV1 {
    /// The value; the last good one where the quality is not good.
    pub value: Option<serde_json::Value>,
    /// The unit, empty for none.
    pub unit: String,
    /// Whether it can be trusted.
    pub quality: Quality,
    /// When it was read.
    pub at: Option<Wall>,
    /// The name of an enum's value.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// Named bits.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub bits: BTreeMap<String, bool>,
    /// Why it is bad.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The registers that brought it, for a Modbus point.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub raw: Vec<u16>,
}

/// `GET /v1/why/{equipment}/{name}`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WhyV1 {
    /// Of which equipment.
    pub equipment: String,
    /// The point or fault.
    pub name: String,
    /// Sentences, the most important first.
    pub lines: Vec<String>,
    /// For a point.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub point: Option<PointV1>,
    /// The request that brings it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<String>,
    /// Its registers, as they came.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub registers: Vec<String>,
    /// For a fault: whether it is raised.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub active: Option<bool>,
}
