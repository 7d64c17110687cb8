//! The types of everything that leaves the gateway as JSON: the contract with other programs.
//!
//! Fields are only ever added, so a program that reads this JSON continues to work after an update. The types of the
//! core can be renamed freely, because [`crate::view`] converts them to these types. The words of a state come from its
//! room: the journal has the same words, so they never change.
//!
//! ```
//! let text = r#"{ "seq": 7, "at": "2026-11-26T02:14:00Z", "by": "eva", "text": "acknowledged" }"#;
//! let line: andon::v1::LogEntryV1 = serde_json::from_str(text)?;
//! assert_eq!(line.by, "eva");
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! The routes of [`crate::api`] send these types, and `client` and `cli` read them.

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

/// The body of every response whose status is not 200.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErrorBody {
    /// The error.
    pub error: ErrorV1,
}

/// A refusal or a failure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ErrorV1 {
    /// The stable code of the rule.
    pub rule: String,
    /// The problem, as a sentence.
    pub message: String,
    /// The actions that would satisfy the rule.
    pub remedies: Vec<Remedy>,
    /// The kind of outcome; it gives the exit code.
    pub outcome: Outcome,
}

/// `GET /v1/status`: the state of the whole gateway.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StatusV1 {
    /// The name of the gateway.
    pub gateway: String,
    /// The version of andon.
    pub version: String,
    /// True if a daemon answers, false for a command without a daemon.
    pub daemon: bool,
    /// The time of the gateway.
    pub now: Wall,
    /// The journal.
    pub journal: JournalV1,
    /// The ticket database.
    #[serde(default)]
    pub store: StoreV1,
    /// The damaged parts of the journal that nobody has accepted.
    #[serde(default)]
    pub damage: Vec<DamageV1>,
    /// The reason why readings are not recorded; empty if all are recorded.
    #[serde(default)]
    pub recorder_message: String,
    /// All links.
    pub links: Vec<LinkV1>,
    /// All equipment.
    pub equipment: Vec<EquipmentStatusV1>,
    /// The alarms, and the suppressed conditions.
    pub alarms: Vec<AlarmV1>,
    /// The shelved alarms.
    #[serde(default)]
    pub shelved: Vec<ShelvedV1>,
    /// The equipment that is out of service.
    #[serde(default)]
    pub out_of_service: Vec<OutOfServiceV1>,
    /// The number of live tickets in each state.
    pub tickets: BTreeMap<String, usize>,
}

/// The state of the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct JournalV1 {
    /// The number of the last event on disk.
    pub seq: Seq,
    /// True if the journal can be written.
    pub writable: bool,
    /// The reason why it cannot be written; empty if it can.
    pub message: String,
    /// The number of machine changes that were dropped because too many waited for the journal.
    pub changes_dropped: u64,
    /// The number of events that could not be recorded because of a bug of andon.
    #[serde(default)]
    pub not_recordable: u64,
}

/// The state of the ticket database.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct StoreV1 {
    /// The state: `ready`, `behind`, `rebuilding`, `waits-for-room` or `away`.
    pub state: String,
    /// The number of the last event that the database contains.
    pub seq: Seq,
    /// The number of events that the journal has and the database does not.
    pub behind: u64,
    /// The reason why it is not ready; empty if it is.
    pub message: String,
}

/// The state of a piece of equipment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EquipmentStatusV1 {
    /// The id of the equipment.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// The state: `online`, `degraded`, `offline` or `out-of-service`.
    pub state: String,
    /// The time of the last change of the link's view of the equipment.
    pub since: Wall,
    /// The number of requests sent since the daemon started.
    pub requests: u64,
    /// The number of failed requests by kind of failure.
    pub errors: BTreeMap<String, u64>,
    /// The state as a sentence.
    pub message: String,
    /// The median response time in milliseconds; `None` without responses.
    pub answer_ms_p50: Option<f64>,
    /// The 99th percentile of the response time in milliseconds; `None` without responses.
    pub answer_ms_p99: Option<f64>,
    /// The number of reads that were skipped.
    pub missed: u64,
}

/// `GET /v1/equipment`: a piece of equipment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EquipmentV1 {
    /// The id of the equipment.
    pub id: String,
    /// The name for people.
    pub name: String,
    /// The name of the profile.
    pub profile: String,
    /// The manufacturer and the model.
    pub device: String,
    /// The name of the link.
    pub link: String,
    /// The Modbus unit id.
    pub unit: u8,
    /// The place in the plant.
    pub location: String,
    /// The criticality: `A`, `B` or `C`.
    pub criticality: String,
    /// The state: `online`, `degraded`, `offline` or `out-of-service`.
    pub state: String,
    /// The numbers of the live tickets.
    pub tickets: Vec<u64>,
    /// The firmware version; `None` if it is unknown.
    #[serde(default)]
    pub firmware: Option<String>,
    /// The known issues of this version.
    #[serde(default)]
    pub firmware_notes: Vec<FirmwareNoteV1>,
}

/// `POST /v1/equipment/{id}/points/{point}`: a write to equipment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WriteV1 {
    /// The value as a person writes it.
    pub value: String,
    /// The reason that the person gives.
    pub reason: String,
}

/// The result of a write: the value was written and read back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WroteV1 {
    /// The id of the equipment.
    pub equipment: String,
    /// The name of the point.
    pub point: String,
    /// The value with its unit.
    pub value: String,
    /// The previous value; `None` if it was unknown.
    pub before: Option<String>,
}

/// `POST /v1/reload`: the result of a reload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReloadedV1 {
    /// The number of pieces of equipment that are unchanged. They lose no reading.
    pub kept: usize,
    /// The ids of new or changed equipment.
    pub changed: Vec<String>,
    /// The ids of equipment that is no longer configured.
    pub removed: Vec<String>,
}

/// `GET /v1/equipment/{id}/readings`: the last readings of a piece of equipment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ReadingsV1 {
    /// The id of the equipment.
    pub equipment: String,
    /// The readings by point.
    pub points: BTreeMap<String, PointV1>,
}

/// The last reading of a point.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PointV1 {
    /// The value. If `quality` is not good: the last good value, or `None`.
    pub value: Option<serde_json::Value>,
    /// The unit of measure; empty if there is none.
    pub unit: String,
    /// The quality of the value.
    pub quality: Quality,
    /// The time of the reading; `None` if there was none.
    pub at: Option<Wall>,
    /// The name of the value, for an enumeration.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub name: Option<String>,
    /// The named bits, for a bit field.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub bits: BTreeMap<String, bool>,
    /// The reason why the quality is not good.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reason: Option<String>,
    /// The registers of the value, for a Modbus point.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub raw: Vec<u16>,
}

/// `GET /v1/why/{equipment}/{name}`: the explanation of a value or a fault.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WhyV1 {
    /// The id of the equipment.
    pub equipment: String,
    /// The name of the point or fault.
    pub name: String,
    /// The explanation in sentences, the most important first.
    pub lines: Vec<String>,
    /// The reading; `None` for a fault.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub point: Option<PointV1>,
    /// The request whose response contained the point; `None` if there was none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<String>,
    /// The registers of the point in the response, in hexadecimal.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub registers: Vec<String>,
    /// True if the fault is raised; `None` for a point.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub active: Option<bool>,
}
