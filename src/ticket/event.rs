//! The events of tickets. Variants and fields are only ever added, so every old journal loads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::state::TicketOrigin;
use super::verb::{Answer, CancelReason, UsedPart};
use crate::words::{EquipmentId, FaultName, Severity, StepId, TicketNumber, Wall};

/// The content of a new ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TicketOpening {
    /// The ticket's number.
    pub number: TicketNumber,
    /// The equipment.
    pub equipment: EquipmentId,
    /// The fault; of a report, `report-N`.
    pub fault: FaultName,
    /// The reason why the ticket exists; not written for a fault.
    #[serde(skip_serializing_if = "TicketOrigin::is_fault", default)]
    pub origin: TicketOrigin,
    /// The severity of the fault in the profile.
    pub severity: Severity,
    /// The meaning of the fault, for people.
    pub summary: String,
    /// The device's own code for the fault; `None` if it has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// The time when the condition became true, before the delay.
    pub onset: Wall,
    /// The values of the fault's points when it was raised, as text with units.
    pub values: BTreeMap<String, String>,
    /// The name of the profile in force.
    pub profile: String,
    /// The SHA-256 of that profile.
    pub profile_sha256: String,
    /// The firmware version; `None` if it is unknown.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub firmware: Option<String>,
    /// The names of firmware notes about this version that concern the fault.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub firmware_notes: Vec<String>,
    /// The first-out alarm of the burst or flood, as equipment and fault; `None` if this alarm was the first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_up: Option<String>,
}

/// An event of a ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum TicketEvent {
    /// A fault was raised, and there was no live ticket for it.
    #[serde(rename = "ticket-opened")]
    Opened(TicketOpening),
    /// The fault was raised again.
    #[serde(rename = "ticket-recurred")]
    Recurred { number: TicketNumber, onset: Wall, values: BTreeMap<String, String> },
    /// The condition cleared by itself.
    #[serde(rename = "ticket-returned")]
    Returned { number: TicketNumber },
    /// A person acknowledged the ticket.
    #[serde(rename = "ticket-acknowledged")]
    Acknowledged { number: TicketNumber },
    /// The ticket was assigned to a person.
    #[serde(rename = "ticket-assigned")]
    Assigned { number: TicketNumber, person: String },
    /// A person started work.
    #[serde(rename = "ticket-started")]
    Started { number: TicketNumber },
    /// A person put the ticket on hold.
    #[serde(rename = "ticket-held")]
    Held { number: TicketNumber, reason: String },
    /// A person added a note.
    #[serde(rename = "ticket-noted")]
    Noted { number: TicketNumber, text: String },
    /// A step was answered.
    #[serde(rename = "ticket-step-answered")]
    StepAnswered {
        number: TicketNumber,
        step: StepId,
        question: String,
        answer: Answer,
        checked_by_gateway: bool,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        note: Option<String>,
        #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
        values: BTreeMap<String, String>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        next: Option<StepId>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        finding: Option<String>,
    },
    /// A person recorded a repair.
    #[serde(rename = "ticket-fixed")]
    Fixed {
        number: TicketNumber,
        cause: String,
        action: String,
        parts: Vec<UsedPart>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        minutes: Option<u32>,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        while_active: Option<String>,
    },
    /// A person closed the ticket. Until `watch_until` the same fault reopens it.
    #[serde(rename = "ticket-closed")]
    Closed {
        number: TicketNumber,
        watch_until: Wall,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        note: Option<String>,
    },
    /// The ticket was reopened: by a person, or because the fault was raised again.
    #[serde(rename = "ticket-reopened")]
    Reopened {
        number: TicketNumber,
        reason: String,
        fix_ineffective: bool,
        #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
        values: BTreeMap<String, String>,
    },
    /// A person cancelled the ticket.
    #[serde(rename = "ticket-cancelled")]
    Cancelled {
        number: TicketNumber,
        reason: CancelReason,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        note: Option<String>,
    },
    /// The fault was not raised again until the end of the watch.
    #[serde(rename = "ticket-fix-verified")]
    FixVerified { number: TicketNumber },
    /// A person reported the fault of this ticket too.
    #[serde(rename = "ticket-reported-again")]
    ReportedAgain { number: TicketNumber, text: String },
    /// A person set the severity of a report.
    #[serde(rename = "ticket-severity-set")]
    SeveritySet { number: TicketNumber, severity: Severity },
}

impl TicketEvent {
    /// The names of these events in the journal, as `serde` writes them (test: `kinds_are_those_that_are_written`).
    pub const KINDS: &[&str] = &[
        "ticket-opened",
        "ticket-recurred",
        "ticket-returned",
        "ticket-acknowledged",
        "ticket-assigned",
        "ticket-started",
        "ticket-held",
        "ticket-noted",
        "ticket-step-answered",
        "ticket-fixed",
        "ticket-closed",
        "ticket-reopened",
        "ticket-cancelled",
        "ticket-fix-verified",
        "ticket-reported-again",
        "ticket-severity-set",
    ];

    /// The number of the ticket that the event belongs to.
    #[must_use]
    pub fn number(&self) -> TicketNumber {
        match self {
            TicketEvent::Opened(opening) => opening.number,
            TicketEvent::Recurred { number, .. }
            | TicketEvent::Returned { number }
            | TicketEvent::Acknowledged { number }
            | TicketEvent::Assigned { number, .. }
            | TicketEvent::Started { number }
            | TicketEvent::Held { number, .. }
            | TicketEvent::Noted { number, .. }
            | TicketEvent::ReportedAgain { number, .. }
            | TicketEvent::SeveritySet { number, .. }
            | TicketEvent::StepAnswered { number, .. }
            | TicketEvent::Fixed { number, .. }
            | TicketEvent::Closed { number, .. }
            | TicketEvent::Reopened { number, .. }
            | TicketEvent::Cancelled { number, .. }
            | TicketEvent::FixVerified { number } => *number,
        }
    }
}
