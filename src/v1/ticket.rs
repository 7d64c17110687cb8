//! Tickets: in a list, whole, and in the past.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::FirmwareNoteV1;
use crate::ticket::{Condition, TicketState};
use crate::words::{Seq, Severity, Wall};

/// A ticket in a list.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TicketRowV1 {
    /// Its number.
    pub id: u64,
    /// On which equipment.
    pub equipment: String,
    /// The fault; `null` if the ticket has another origin.
    pub fault: Option<String>,
    /// The reason why the ticket exists.
    #[serde(default)]
    pub origin: OriginV1,
    /// The severity.
    pub severity: Severity,
    /// False until a person has set the severity of a report.
    #[serde(default = "yes")]
    pub severity_set: bool,
    /// Where it is in its life.
    pub state: TicketState,
    /// Whether the condition of the fault is true; `null` if the ticket has another origin.
    pub condition: Option<Condition>,
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

/// The reason why a ticket exists.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OriginV1 {
    /// `fault` or `report`.
    pub kind: String,
    /// The name of the fault; `null` for a report.
    pub name: Option<String>,
    /// The number of the ticket that it comes from; `null` if it comes from none.
    pub of: Option<u64>,
}

fn yes() -> bool {
    true
}

impl TicketRowV1 {
    /// The fault, or `reported` for a ticket that a person opened; for a screen.
    #[must_use]
    pub fn subject(&self) -> &str {
        self.fault.as_deref().unwrap_or("reported")
    }
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
    pub fixes: Vec<FixV1>,
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
    pub log: Vec<LogEntryV1>,
    /// How many lines the log has.
    #[serde(default)]
    pub log_lines: usize,
    /// What could not be told because the ticket database is behind; absent when everything is here.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub incomplete: Option<String>,
}

/// A danger, a protection or a waiting time of a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HazardV1 {
    /// `DANGER`, `PROTECTION` or `WAIT`.
    pub label: String,
    /// What it is.
    pub text: String,
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

/// A repair.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FixV1 {
    /// What it came from.
    pub cause: String,
    /// What was done.
    pub action: String,
    /// With which parts.
    pub parts: Vec<UsedPartV1>,
    /// How long it took.
    #[serde(default)]
    pub minutes: Option<u32>,
    /// Who did it.
    pub by: String,
    /// When.
    pub at: Wall,
    /// Whether it held; absent until the watch is over.
    #[serde(default)]
    pub effective: Option<bool>,
}

/// A part that was used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UsedPartV1 {
    /// Its stock number.
    pub id: String,
    /// How many.
    pub quantity: u32,
}

/// A line of a ticket's log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogEntryV1 {
    /// The event's number in the journal.
    pub seq: Seq,
    /// When.
    pub at: Wall,
    /// Who.
    pub by: String,
    /// What, as a sentence.
    pub text: String,
}
