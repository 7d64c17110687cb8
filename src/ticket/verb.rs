//! What somebody asks of a ticket.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Ticket;
use crate::words::{StepId, TicketNumber, worded};

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

/// Why a ticket is cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CancelReason {
    /// The alarm was no fault.
    Nuisance,
    /// Another ticket has it.
    DuplicateOf(TicketNumber),
}

/// A part that was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsedPart {
    /// Its stock number.
    pub id: String,
    /// How many.
    pub quantity: u32,
}

/// A ticket verb and what goes with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verb", rename_all = "kebab-case")]
pub enum TicketVerb {
    /// I have seen it.
    Acknowledge,
    /// This person shall do it.
    Assign {
        /// Who.
        person: String,
    },
    /// I work on it.
    Start,
    /// It waits.
    Hold {
        /// For what.
        reason: String,
    },
    /// For the record.
    Note {
        /// What.
        text: String,
    },
    /// A step is answered; without an answer the gateway checks.
    Step {
        /// Which.
        step: StepId,
        /// How.
        #[serde(default)]
        answer: Option<Answer>,
        /// For the record.
        #[serde(default)]
        note: Option<String>,
    },
    /// It is repaired.
    Fix {
        /// What it came from.
        cause: String,
        /// What was done.
        action: String,
        /// With which parts.
        #[serde(default)]
        parts: Vec<UsedPart>,
        /// How long it took.
        #[serde(default)]
        minutes: Option<u32>,
        /// Why it is recorded while the fault is still active.
        #[serde(default)]
        while_active: Option<String>,
    },
    /// The fix is verified.
    Close {
        /// For the record.
        #[serde(default)]
        note: Option<String>,
    },
    /// It is not over.
    Reopen {
        /// Why.
        reason: String,
    },
    /// It is no work.
    Cancel {
        /// Why.
        reason: CancelReason,
        /// For the record.
        #[serde(default)]
        note: Option<String>,
    },
}

/// Which ticket is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The one of this number.
    Number(TicketNumber),
    /// The only live one of this equipment, by the id that was typed.
    Equipment(String),
}

/// A ticket's verb, the ticket that is meant, and what only the store knows of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TicketAsk {
    /// Which ticket.
    pub target: Target,
    /// What.
    pub verb: TicketVerb,
    /// The ticket from the store, when the desk may no longer hold it.
    pub stored: Option<Arc<Ticket>>,
    /// True if the ticket named in `cancel duplicate --of` exists in the store.
    pub duplicate_exists: bool,
}
