//! The requests of a person about a ticket.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Ticket;
use crate::words::{Severity, StepId, TicketNumber, worded};

worded! {
    /// The answer to a step.
    pub enum Answer {
        /// The answer to the step's question is yes.
        Yes = "yes",
        /// The answer to the step's question is no.
        No = "no",
        /// Not answered; the steps go on as after `yes`.
        Skip = "skip",
    }
}

/// The reason why a ticket is cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CancelReason {
    /// The alarm was not caused by a fault.
    Nuisance,
    /// Another ticket with this number has the work.
    DuplicateOf(TicketNumber),
}

/// A part that was used in a repair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedPart {
    /// The stock number.
    pub id: String,
    /// The number of pieces.
    pub quantity: u32,
}

/// A request of a person about a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case")]
pub enum TicketVerb {
    /// Acknowledge the ticket.
    Acknowledge,
    /// Assign the ticket to a person.
    Assign {
        /// The person's name.
        person: String,
    },
    /// Start work on the ticket.
    Start,
    /// Put the ticket on hold.
    Hold {
        /// The reason.
        reason: String,
    },
    /// Add a note.
    Note {
        /// The text of the note.
        text: String,
    },
    /// Report the fault of a live ticket once more.
    ReportAgain {
        /// The equipment's id, as typed; it must be the ticket's.
        equipment: String,
        /// The observation of the person.
        text: String,
    },
    /// Set the severity of a report.
    Severity {
        /// The new severity.
        severity: Severity,
    },
    /// Answer a step. Without an answer the gateway checks the step.
    Step {
        /// The id of the step.
        step: StepId,
        /// The answer; `None` if the gateway must check.
        #[serde(default)]
        answer: Option<Answer>,
        /// A note for the log; `None` if none was given.
        #[serde(default)]
        note: Option<String>,
    },
    /// Record a repair.
    Fix {
        /// The cause of the fault.
        cause: String,
        /// The action that was taken.
        action: String,
        /// The parts that were used.
        #[serde(default)]
        parts: Vec<UsedPart>,
        /// The repair time in minutes; `None` if it was not given.
        #[serde(default)]
        minutes: Option<u32>,
        /// The reason why the repair is recorded while the fault is still active; `None` if it has cleared.
        #[serde(default)]
        while_active: Option<String>,
    },
    /// Close the ticket: the repair is verified.
    Close {
        /// A note for the log; `None` if none was given.
        #[serde(default)]
        note: Option<String>,
    },
    /// Reopen a fixed or closed ticket.
    Reopen {
        /// The reason.
        reason: String,
    },
    /// Cancel the ticket.
    Cancel {
        /// The reason.
        reason: CancelReason,
        /// A note for the log; `None` if none was given.
        #[serde(default)]
        note: Option<String>,
    },
}

/// Identifies a ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The ticket with this number.
    Number(TicketNumber),
    /// The only live ticket of this equipment; the equipment's id as typed.
    Equipment(String),
}

/// A request of a person to this module.
#[derive(Debug, Clone, PartialEq)]
pub enum TicketAsk {
    /// A change of a ticket.
    Change(TicketChange),
    /// A fault that a person reports; it opens a ticket.
    Report(TicketReport),
}

/// A fault that a person has observed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketReport {
    /// The equipment's id, as typed.
    pub equipment: String,
    /// The observation.
    pub text: String,
}

/// A request about a ticket, with the facts that only the store knows.
#[derive(Debug, Clone, PartialEq)]
pub struct TicketChange {
    /// The ticket.
    pub target: Target,
    /// The request.
    pub verb: TicketVerb,
    /// The ticket from the store, for a ticket that the desk no longer holds; `None` if it was not
    /// read.
    pub stored: Option<Arc<Ticket>>,
    /// True if the ticket named in `cancel duplicate --of` exists in the store.
    pub duplicate_exists: bool,
}
