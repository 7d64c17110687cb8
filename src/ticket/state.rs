//! A ticket as it stands.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use super::verb::{Answer, CancelReason, UsedPart};
use crate::words::{
    EquipmentId, FaultName, Refusal, Rule, Seq, Severity, StepId, TicketNumber, Wall, worded,
};

worded! {
    /// The state of a ticket in its lifecycle.
    #[derive(PartialOrd, Ord)]
    pub enum TicketState {
        /// Nobody has acknowledged the ticket.
        Open = "open",
        /// Somebody has seen the ticket.
        Acknowledged = "acknowledged",
        /// Somebody works on the ticket.
        InProgress = "in-progress",
        /// The work waits for something.
        OnHold = "on-hold",
        /// Repaired, not yet verified.
        Fixed = "fixed",
        /// The repair is verified.
        Closed = "closed",
        /// The fault came back, or a person reopened the ticket.
        Reopened = "reopened",
        /// A nuisance alarm, or a duplicate of another ticket.
        Cancelled = "cancelled",
    }
}

impl TicketState {
    /// Whether work or verification is left: a repeat counts on this ticket.
    #[must_use]
    pub fn is_live(self) -> bool {
        match self {
            TicketState::Open
            | TicketState::Acknowledged
            | TicketState::InProgress
            | TicketState::OnHold
            | TicketState::Fixed
            | TicketState::Reopened => true,
            TicketState::Closed | TicketState::Cancelled => false,
        }
    }
}

worded! {
    /// Whether the condition of the ticket's fault is true.
    pub enum Condition {
        /// The condition is true.
        Active = "active",
        /// The condition has cleared.
        Returned = "returned",
    }
}

/// A repair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// What it came from.
    pub cause: String,
    /// What was done.
    pub action: String,
    /// With which parts.
    pub parts: Vec<UsedPart>,
    /// How long it took.
    #[serde(default)]
    pub minutes: Option<u32>,
    /// Who did it.
    pub by: String,
    /// When.
    pub at: Wall,
    /// Whether it held: unknown until the watch is over.
    #[serde(default)]
    pub effective: Option<bool>,
}

/// A step that was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// Which.
    pub step: StepId,
    /// How.
    pub answer: Answer,
}

/// One line of a ticket's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The event's number in the journal.
    pub seq: Seq,
    /// When.
    pub at: Wall,
    /// Who.
    pub by: String,
    /// What, as a sentence.
    pub text: String,
}

/// The record of troubleshooting one fault on one piece of equipment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    /// Its number.
    pub number: TicketNumber,
    /// On which equipment.
    pub equipment: EquipmentId,
    /// Which fault.
    pub fault: FaultName,
    /// How bad.
    pub severity: Severity,
    /// Where it is in its life.
    pub state: TicketState,
    /// Whether the condition stands.
    pub condition: Condition,
    /// What it means.
    pub summary: String,
    /// The device's own code.
    #[serde(default)]
    pub code: Option<String>,
    /// When it was opened.
    pub opened_at: Wall,
    /// Since when the condition held.
    pub onset: Wall,
    /// When the fault was last raised.
    pub last_raised_at: Wall,
    /// How often the fault was raised.
    pub occurrences: u64,
    /// Who shall do it.
    #[serde(default)]
    pub assignee: Option<String>,
    /// What it waits for.
    #[serde(default)]
    pub hold_reason: Option<String>,
    /// What the fault's points were at the last raise.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// The steps answered since the walk began.
    #[serde(default)]
    pub walk: Vec<StepRecord>,
    /// The step to answer next; absent before the first answer.
    #[serde(default)]
    pub next_step: Option<StepId>,
    /// Whether the walk came to its end.
    #[serde(default)]
    pub walked: bool,
    /// The cause the walk led to.
    #[serde(default)]
    pub finding: Option<String>,
    /// The repairs, the last one last.
    #[serde(default)]
    pub fixes: Vec<Fix>,
    /// When it was closed.
    #[serde(default)]
    pub closed_at: Option<Wall>,
    /// Until when the gateway watches for its coming back.
    #[serde(default)]
    pub watch_until: Option<Wall>,
    /// Why it was cancelled.
    #[serde(default)]
    pub cancelled: Option<CancelReason>,
    /// The profile in force at opening, with its SHA-256.
    pub profile: String,
    /// SHA-256 of that profile.
    pub profile_sha256: String,
    /// The firmware's version at opening, where it was known.
    #[serde(default)]
    pub firmware: Option<String>,
    /// Notes of known issues of that version which concern the fault, by name.
    #[serde(default)]
    pub firmware_notes: Vec<String>,
    /// Lines of its log that people added.
    #[serde(default)]
    pub entries: usize,
    /// Lines of its log that andon added.
    #[serde(default)]
    pub own_entries: usize,
}

impl Ticket {
    /// Whether the gateway still has to do with it: work, verification or watch is left.
    #[must_use]
    pub fn is_held_by_desk(&self) -> bool {
        self.state.is_live() || (self.state == TicketState::Closed && self.watch_until.is_some())
    }
}

/// The tickets that work, verification or a watch is left for.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tickets {
    /// By number.
    pub live: OrdMap<TicketNumber, Arc<Ticket>>,
    /// Their numbers by equipment and fault.
    by_fault: OrdMap<(EquipmentId, FaultName), OrdSet<TicketNumber>>,
    /// The last number given out.
    pub last: u64,
}

impl Tickets {
    /// Keeps a ticket, or lets go of it once nothing is left to do with it.
    pub fn hold(&mut self, ticket: Arc<Ticket>) {
        let key = (ticket.equipment.clone(), ticket.fault.clone());
        if ticket.is_held_by_desk() {
            self.by_fault.entry(key).or_default().insert(ticket.number);
            self.live.insert(ticket.number, ticket);
        } else if let Some(numbers) = self.by_fault.get_mut(&key) {
            numbers.remove(&ticket.number);
            if numbers.is_empty() {
                self.by_fault.remove(&key);
            }
        }
    }

    /// The live tickets of a piece of equipment.
    pub fn live_of(&self, equipment: &str) -> impl Iterator<Item = &Arc<Ticket>> {
        self.live.values().filter(move |t| t.state.is_live() && t.equipment.as_str() == equipment)
    }

    /// The live ticket of a piece of equipment that has exactly one.
    ///
    /// # Errors
    /// When it has none or several.
    pub fn only_live(&self, equipment: &str) -> Result<&Arc<Ticket>, Refusal> {
        let live: Vec<&Arc<Ticket>> = self.live_of(equipment).collect();
        match live.as_slice() {
            [only] => Ok(only),
            [] => Err(Refusal::new(Rule::NoLiveTicket, format!("{equipment} has no live ticket"))
                .command("see its past", format!("andon history --equipment {equipment}"))),
            several => {
                let numbers: Vec<String> =
                    several.iter().map(|t| format!("{} ({})", t.number, t.fault)).collect();
                let text = format!("{equipment} has {} live tickets", several.len());
                Err(Refusal::new(Rule::SeveralLiveTickets, text)
                    .remedy(format!("name one by number: {}", numbers.join(", "))))
            }
        }
    }

    /// The live ticket for a fault on a piece of equipment, or the closed one that is still watched.
    #[must_use]
    pub fn of_fault(&self, equipment: &EquipmentId, fault: &FaultName) -> Option<&Ticket> {
        let numbers = self.by_fault.get(&(equipment.clone(), fault.clone()))?;
        let of: Vec<&Ticket> = numbers.iter().filter_map(|n| self.live.get(n)).map(Arc::as_ref).collect();
        of.iter().copied().find(|t| t.state.is_live()).or_else(|| of.last().copied())
    }
}
