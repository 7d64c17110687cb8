//! Tickets: a row of a list, a whole ticket, and a row of the history.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::FirmwareNoteV1;
use crate::ticket::{Condition, TicketState};
use crate::words::{Seq, Severity, Wall};

/// A row of the list of tickets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TicketRowV1 {
    /// The number of the ticket.
    pub id: u64,
    /// The id of the equipment.
    pub equipment: String,
    /// The fault; `null` if the ticket has another origin.
    pub fault: Option<String>,
    /// The reason why the ticket exists.
    #[serde(default)]
    pub origin: OriginV1,
    /// The severity of the fault in the profile; of a report, the severity that a person has set.
    pub severity: Severity,
    /// False until a person has set the severity of a report.
    #[serde(default = "yes")]
    pub severity_set: bool,
    /// The state in the lifecycle.
    pub state: TicketState,
    /// Whether the condition of the fault is true; `null` if the ticket has another origin.
    pub condition: Option<Condition>,
    /// The time when the ticket was opened.
    pub opened_at: Wall,
    /// The number of times that the fault was raised.
    pub occurrences: u64,
    /// The person it is assigned to; `None` if it is not assigned.
    pub assignee: Option<String>,
    /// The deadline. Always `None`: this version has no deadlines.
    pub due_at: Option<Wall>,
    /// The meaning of the fault.
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

/// A whole ticket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TicketV1 {
    /// The same fields as a row of the list.
    #[serde(flatten)]
    pub row: TicketRowV1,
    /// The device's own code for the fault; `None` if it has none.
    pub code: Option<String>,
    /// The time when the condition became true, before the delay.
    pub onset: Wall,
    /// The values of the fault's points when it was last raised, as text with units.
    pub values: BTreeMap<String, String>,
    /// The reason why it is on hold; `None` if it is not.
    pub hold_reason: Option<String>,
    /// The possible causes.
    pub causes: Vec<String>,
    /// The safety measures that the work needs.
    pub safety: Vec<String>,
    /// The dangers, then the protections, then the waiting times, each with its label.
    #[serde(default)]
    pub hazards: Vec<HazardV1>,
    /// Statements of the profile that are not confirmed by two sources: first about the device, then about the fault.
    #[serde(default)]
    pub unconfirmed: Vec<String>,
    /// The skills that the work needs.
    pub skills: Vec<String>,
    /// The spare parts that are probably needed.
    pub parts: Vec<PartV1>,
    /// The written procedure; `None` if the profile names none.
    pub sop: Option<String>,
    /// The troubleshooting steps.
    pub steps: Vec<StepV1>,
    /// The cause that the steps led to; `None` if they led to none.
    pub finding: Option<String>,
    /// The repairs, oldest first.
    pub fixes: Vec<FixV1>,
    /// The time when it was closed; `None` if it is not closed.
    pub closed_at: Option<Wall>,
    /// The end of the watch, in which the same fault reopens the ticket; `None` if there is no watch.
    pub watch_until: Option<Wall>,
    /// Earlier repairs of this fault on this equipment.
    pub earlier: Vec<EarlierV1>,
    /// The firmware version when the ticket was opened; `None` if it was unknown.
    #[serde(default)]
    pub firmware: Option<String>,
    /// The known issues of this version that concern the fault.
    #[serde(default)]
    pub firmware_notes: Vec<FirmwareNoteV1>,
    /// The last lines of the log, oldest first.
    pub log: Vec<LogEntryV1>,
    /// The number of lines of the whole log.
    #[serde(default)]
    pub log_lines: usize,
    /// The reason why `log` and `earlier` are missing: the ticket database is behind. `None` if the ticket is complete.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub incomplete: Option<String>,
}

/// A danger, a protection or a waiting time of a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HazardV1 {
    /// The label: `DANGER`, `PROTECTION` or `WAIT`.
    pub label: String,
    /// The text of the profile.
    pub text: String,
}

/// A spare part.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PartV1 {
    /// The stock number.
    pub id: String,
    /// The name of the part.
    pub name: String,
    /// The number of pieces.
    pub quantity: u32,
}

/// A troubleshooting step of a ticket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct StepV1 {
    /// The id of the step in the profile.
    pub id: String,
    /// The question or instruction, or the condition that the gateway checks.
    pub text: String,
    /// True if the gateway can answer the step.
    pub checked_by_gateway: bool,
    /// The answer since work started; `None` if there is none.
    pub answer: Option<String>,
    /// True for the step to answer next.
    pub is_next: bool,
}

/// An earlier repair of the same fault.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EarlierV1 {
    /// The number of the ticket.
    pub ticket: u64,
    /// The time of the repair.
    pub at: Wall,
    /// The cause of the fault.
    pub cause: String,
    /// The action that was taken.
    pub action: String,
    /// True if the fault did not come back during the watch, false if it did; `None` until the watch ends.
    pub effective: Option<bool>,
}

/// A row of the history of tickets.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HistoryRowV1 {
    /// The same fields as a row of the list.
    #[serde(flatten)]
    pub row: TicketRowV1,
    /// The time when it was closed; `None` if it is not closed.
    pub closed_at: Option<Wall>,
    /// The cause in the last repair; `None` without a repair.
    pub cause: Option<String>,
    /// The action of the last repair; `None` without a repair.
    pub action: Option<String>,
    /// The time of the last repair in minutes; `None` if it was not given.
    pub minutes: Option<u32>,
    /// The person who repaired last; `None` without a repair.
    pub by: Option<String>,
    /// True if the fault did not come back during the watch, false if it did; `None` until the watch ends.
    pub effective: Option<bool>,
}

/// A repair.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FixV1 {
    /// The cause of the fault.
    pub cause: String,
    /// The action that was taken.
    pub action: String,
    /// The parts that were used.
    pub parts: Vec<UsedPartV1>,
    /// The repair time in minutes; `None` if it was not given.
    #[serde(default)]
    pub minutes: Option<u32>,
    /// The person who repaired.
    pub by: String,
    /// The time of the record.
    pub at: Wall,
    /// True if the fault did not come back during the watch, false if it did; `None` until the watch ends.
    #[serde(default)]
    pub effective: Option<bool>,
}

/// A part that was used in a repair.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UsedPartV1 {
    /// The stock number.
    pub id: String,
    /// The number of pieces.
    pub quantity: u32,
}

/// A line of a ticket's log.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LogEntryV1 {
    /// The number of the event in the journal.
    pub seq: Seq,
    /// The time of the event.
    pub at: Wall,
    /// The person, or the gateway.
    pub by: String,
    /// The event as a sentence.
    pub text: String,
}
