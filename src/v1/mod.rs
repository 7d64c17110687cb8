//! The contract: types of their own, so that a rename inside breaks nobody. Fields are only ever added.

mod alarm;
mod audit;
mod firmware;
mod samples;
mod scan;

pub use alarm::{AlarmV1, OperatedV1, OperationKindV1, OperationV1, OutOfServiceV1, ShelvedV1};
pub use audit::{AcceptV1, AuditV1, BreakV1, DamageV1};
pub use firmware::{FirmwareNoteV1, FirmwareV1};
pub use samples::{PointHistoryV1, SampleV1, TraceSeriesV1, TraceV1};
pub use scan::{CaptureV1, HeardV1, TriedV1};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ticket::{Fix, LogEntry};
use crate::words::{Quality, Remedy, Seq, Severity, Wall};

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
    pub outcome: crate::words::Outcome,
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

/// A danger, a protection or a waiting time of a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HazardV1 {
    /// `DANGER`, `PROTECTION` or `WAIT`.
    pub label: String,
    /// What it is.
    pub text: String,
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

/// A link's state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LinkV1 {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Where it leads.
    pub place: String,
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
    /// Share of the time the line was in use since its task began.
    pub line_use: f64,
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

/// A ticket in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TicketRowV1 {
    /// Its number.
    pub id: u64,
    /// On which equipment.
    pub equipment: String,
    /// Which fault.
    pub fault: String,
    /// How bad.
    pub severity: Severity,
    /// Where it is in its life.
    pub state: crate::ticket::TicketState,
    /// Whether the condition stands.
    pub condition: crate::ticket::Condition,
    /// When it was opened.
    pub opened_at: Wall,
    /// How often the fault was raised.
    pub occurrences: u64,
    /// Who shall do it.
    pub assignee: Option<String>,
    /// Until when; deadlines are not part of this version.
    pub due_at: Option<Wall>,
    /// What it means.
    pub summary: String,
}

/// A ticket whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TicketV1 {
    /// As in a list.
    #[serde(flatten)]
    pub row: TicketRowV1,
    /// The device's own code.
    pub code: Option<String>,
    /// Since when the condition held.
    pub onset: Wall,
    /// What the fault's points were.
    pub values: BTreeMap<String, String>,
    /// What it waits for.
    pub hold_reason: Option<String>,
    /// What it may come from.
    pub causes: Vec<String>,
    /// The protection that the work needs.
    pub safety: Vec<String>,
    /// What is dangerous, then the protection, then how long to wait: each with its label.
    #[serde(default)]
    pub hazards: Vec<HazardV1>,
    /// What is not confirmed by two sources: of the device, and of the fault.
    #[serde(default)]
    pub unconfirmed: Vec<String>,
    /// What one must be able to do.
    pub skills: Vec<String>,
    /// What is likely to be needed.
    pub parts: Vec<PartV1>,
    /// The procedure.
    pub sop: Option<String>,
    /// The checks.
    pub steps: Vec<StepV1>,
    /// The cause the checks led to.
    pub finding: Option<String>,
    /// The repairs.
    pub fixes: Vec<Fix>,
    /// When it was closed.
    pub closed_at: Option<Wall>,
    /// Until when the gateway watches.
    pub watch_until: Option<Wall>,
    /// Earlier repairs of this fault on this equipment.
    pub earlier: Vec<EarlierV1>,
    /// The firmware's version when the ticket was opened, where it was known.
    #[serde(default)]
    pub firmware: Option<String>,
    /// Known issues of that version which concern the fault.
    #[serde(default)]
    pub firmware_notes: Vec<FirmwareNoteV1>,
    /// What happened: the last lines, the oldest first.
    pub log: Vec<LogEntry>,
    /// How many lines the log has.
    #[serde(default)]
    pub log_lines: usize,
    /// What could not be told because the ticket database is behind; absent when everything is here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub incomplete: Option<String>,
}

/// A spare part.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PartV1 {
    /// Its stock number.
    pub id: String,
    /// What it is.
    pub name: String,
    /// How many.
    pub quantity: u32,
}

/// A step of a ticket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StepV1 {
    /// Its name.
    pub id: String,
    /// What to do, or what the gateway checks.
    pub text: String,
    /// Whether the gateway answers it.
    pub checked_by_gateway: bool,
    /// Its answer in the present walk.
    pub answer: Option<String>,
    /// Whether it is the next one.
    pub is_next: bool,
}

/// An earlier repair.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EarlierV1 {
    /// Its ticket.
    pub ticket: u64,
    /// When.
    pub at: Wall,
    /// What it came from.
    pub cause: String,
    /// What was done.
    pub action: String,
    /// Whether it held.
    pub effective: Option<bool>,
}

/// A ticket of the past.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HistoryRowV1 {
    /// As in a list.
    #[serde(flatten)]
    pub row: TicketRowV1,
    /// When it was closed.
    pub closed_at: Option<Wall>,
    /// What it came from.
    pub cause: Option<String>,
    /// What was done.
    pub action: Option<String>,
    /// How long it took.
    pub minutes: Option<u32>,
    /// Who did it.
    pub by: Option<String>,
    /// Whether it held; unknown while the gateway watches.
    pub effective: Option<bool>,
}

/// `GET /v1/links/{name}/plan`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanV1 {
    /// The link.
    pub link: String,
    /// Its kind.
    pub kind: String,
    /// Share of its time that the line is in use.
    pub load: f64,
    /// Whether it can carry what is asked of it.
    pub carries: bool,
    /// Its requests.
    pub requests: Vec<PlanRowV1>,
}

/// A planned request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanRowV1 {
    /// Of which equipment.
    pub equipment: String,
    /// Its unit.
    pub unit: u8,
    /// `holding`, `input`, `coil`, `discrete`.
    pub area: String,
    /// The first register, zero-based.
    pub start: u16,
    /// How many.
    pub count: u16,
    /// How many of them a point reads.
    pub used: usize,
    /// How often, in milliseconds.
    pub every_ms: u64,
    /// How long it takes on the line, in milliseconds.
    pub takes_ms: f64,
    /// Whether that was measured, or only assumed.
    #[serde(default)]
    pub measured: bool,
    /// The points it brings.
    pub points: Vec<String>,
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
