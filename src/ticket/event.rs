//! What happened to a ticket, for good. Variants and fields are only ever added: every journal loads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::verb::{Answer, CancelReason, UsedPart};
use crate::words::{EquipmentId, FaultName, Severity, StepId, TicketNumber, Wall};

/// What a ticket is opened with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TicketOpening {
    /// Its number.
    pub number: TicketNumber,
    /// On which equipment.
    pub equipment: EquipmentId,
    /// Which fault.
    pub fault: FaultName,
    /// How bad.
    pub severity: Severity,
    /// What it means.
    pub summary: String,
    /// The device's own code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub code: Option<String>,
    /// Since when the condition held.
    pub onset: Wall,
    /// What the fault's points were.
    pub values: BTreeMap<String, String>,
    /// The profile in force.
    pub profile: String,
    /// Its SHA-256.
    pub profile_sha256: String,
    /// The firmware's version, where it was known.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub firmware: Option<String>,
    /// Notes of known issues of that version which concern the fault, by name.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub firmware_notes: Vec<String>,
    /// The first alarm of the burst or flood in which it came: equipment and fault.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_up: Option<String>,
}

/// Something that happened to a ticket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
#[expect(missing_docs, reason = "the fields are those of the commands")]
pub enum TicketEvent {
    /// A fault was raised and no ticket for it was live.
    #[serde(rename = "ticket-opened")]
    Opened(TicketOpening),
    /// The fault was raised again.
    #[serde(rename = "ticket-recurred")]
    Recurred { number: TicketNumber, onset: Wall, values: BTreeMap<String, String> },
    /// The condition cleared by itself.
    #[serde(rename = "ticket-returned")]
    Returned { number: TicketNumber },
    /// Somebody has seen it.
    #[serde(rename = "ticket-acknowledged")]
    Acknowledged { number: TicketNumber },
    /// Somebody shall do it.
    #[serde(rename = "ticket-assigned")]
    Assigned { number: TicketNumber, person: String },
    /// Somebody works on it.
    #[serde(rename = "ticket-started")]
    Started { number: TicketNumber },
    /// It waits.
    #[serde(rename = "ticket-held")]
    Held { number: TicketNumber, reason: String },
    /// Something to remember.
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
    /// It is repaired.
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
    /// The fix is verified; the gateway watches until then.
    #[serde(rename = "ticket-closed")]
    Closed {
        number: TicketNumber,
        watch_until: Wall,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        note: Option<String>,
    },
    /// It is not over.
    #[serde(rename = "ticket-reopened")]
    Reopened {
        number: TicketNumber,
        reason: String,
        fix_ineffective: bool,
        #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
        values: BTreeMap<String, String>,
    },
    /// It was no work.
    #[serde(rename = "ticket-cancelled")]
    Cancelled {
        number: TicketNumber,
        reason: CancelReason,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        note: Option<String>,
    },
    /// The fault stayed away for the watch.
    #[serde(rename = "ticket-fix-verified")]
    FixVerified { number: TicketNumber },
}

impl TicketEvent {
    /// The kinds that stand in the journal, as `serde` names them (test: `kinds_are_those_that_are_written`).
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
    ];

    /// Which ticket.
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
            | TicketEvent::StepAnswered { number, .. }
            | TicketEvent::Fixed { number, .. }
            | TicketEvent::Closed { number, .. }
            | TicketEvent::Reopened { number, .. }
            | TicketEvent::Cancelled { number, .. }
            | TicketEvent::FixVerified { number } => *number,
        }
    }
}
