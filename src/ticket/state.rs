//! The state of a ticket.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::{OrdMap, OrdSet};
use serde::{Deserialize, Serialize};

use super::verb::{Answer, CancelReason, UsedPart};
use crate::profile::Fault;
use crate::site::Site;
use crate::words::{
    EquipmentId, FaultName, Refusal, Rule, Seq, Severity, StepId, TicketNumber, Wall, worded,
};

worded! {
    /// The state of a ticket in its lifecycle.
    #[derive(PartialOrd, Ord)]
    pub enum TicketState {
        /// Nobody has acknowledged the ticket.
        Open = "open",
        /// A person acknowledged the ticket.
        Acknowledged = "acknowledged",
        /// A person works on the ticket.
        InProgress = "in-progress",
        /// The work waits for something.
        OnHold = "on-hold",
        /// Repaired, not yet verified.
        Fixed = "fixed",
        /// The repair is verified.
        Closed = "closed",
        /// The fault was raised again, or a person reopened the ticket.
        Reopened = "reopened",
        /// A nuisance alarm, or a duplicate of another ticket.
        Cancelled = "cancelled",
    }
}

impl TicketState {
    /// True if work or verification is left. If the fault is raised again, the occurrence counts on this ticket.
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

worded! {
    /// The reason why a ticket exists.
    #[derive(Default)]
    pub enum TicketOrigin {
        /// andon raised a fault of the equipment's profile.
        #[default]
        Fault = "fault",
        /// A person reported a fault. The fault has a name of its own ([`FaultName::of_report`]), so andon counts no alarm
        /// and no later report on this ticket by itself.
        Report = "report",
    }
}

impl TicketOrigin {
    /// True for the origin of most tickets, which is not written in the journal.
    pub(super) fn is_fault(&self) -> bool {
        *self == Self::Fault
    }
}

/// A repair.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fix {
    /// The cause of the fault.
    pub cause: String,
    /// The action that was taken.
    pub action: String,
    /// The parts that were used.
    pub parts: Vec<UsedPart>,
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

/// A step that was answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The id of the step in the profile.
    pub step: StepId,
    /// The answer.
    pub answer: Answer,
}

/// One line of a ticket's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntry {
    /// The event's number in the journal.
    pub seq: Seq,
    /// The time of the event.
    pub at: Wall,
    /// The person, or the gateway.
    pub by: String,
    /// The event as a sentence.
    pub text: String,
}

/// The record of troubleshooting one fault on one piece of equipment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    /// The ticket's number.
    pub number: TicketNumber,
    /// The equipment.
    pub equipment: EquipmentId,
    /// The fault that the ticket is about; for another origin than a fault, a name of its own.
    pub fault: FaultName,
    /// The reason why the ticket exists.
    #[serde(default)]
    pub origin: TicketOrigin,
    /// True once a person has set the severity of a report.
    #[serde(default)]
    pub severity_set: bool,
    /// The severity of the fault in the profile.
    pub severity: Severity,
    /// The state in the lifecycle.
    pub state: TicketState,
    /// Whether the condition of the fault is true.
    pub condition: Condition,
    /// The meaning of the fault, for people.
    pub summary: String,
    /// The device's own code for the fault; `None` if it has none.
    #[serde(default)]
    pub code: Option<String>,
    /// The time when the ticket was opened.
    pub opened_at: Wall,
    /// The time when the condition became true, before the delay.
    pub onset: Wall,
    /// The time when the fault was last raised.
    pub last_raised_at: Wall,
    /// The number of times that the fault was raised.
    pub occurrences: u64,
    /// The person it is assigned to; `None` if it is not assigned.
    #[serde(default)]
    pub assignee: Option<String>,
    /// The reason why it is on hold; `None` if it is not.
    #[serde(default)]
    pub hold_reason: Option<String>,
    /// The values of the fault's points when it was last raised, as text with units.
    #[serde(default)]
    pub values: BTreeMap<String, String>,
    /// The answered steps, oldest first. Starting work on a reopened ticket clears the list.
    #[serde(default)]
    pub walk: Vec<StepRecord>,
    /// The step to answer next; `None` before the first answer.
    #[serde(default)]
    pub next_step: Option<StepId>,
    /// True if all steps were answered.
    #[serde(default)]
    pub walked: bool,
    /// The cause that the steps led to; `None` if they led to none.
    #[serde(default)]
    pub finding: Option<String>,
    /// The repairs, oldest first.
    #[serde(default)]
    pub fixes: Vec<Fix>,
    /// The time when it was closed; `None` if it is not closed.
    #[serde(default)]
    pub closed_at: Option<Wall>,
    /// The end of the watch, in which the same fault reopens the ticket; `None` if there is no watch.
    #[serde(default)]
    pub watch_until: Option<Wall>,
    /// The reason why it was cancelled; `None` if it was not.
    #[serde(default)]
    pub cancelled: Option<CancelReason>,
    /// The name of the profile in force when the ticket was opened.
    pub profile: String,
    /// The SHA-256 of that profile.
    pub profile_sha256: String,
    /// The firmware version when the ticket was opened; `None` if it was unknown.
    #[serde(default)]
    pub firmware: Option<String>,
    /// The names of firmware notes about this version that concern the fault.
    #[serde(default)]
    pub firmware_notes: Vec<String>,
    /// The number of lines in its log that people added.
    #[serde(default)]
    pub entries: usize,
    /// The number of lines in its log that andon added.
    #[serde(default)]
    pub own_entries: usize,
}

impl Ticket {
    /// Returns the fault and its equipment, for the alarm of this ticket; `None` if the ticket has another origin.
    #[must_use]
    pub fn alarm(&self) -> Option<(EquipmentId, FaultName)> {
        self.origin.is_fault().then(|| (self.equipment.clone(), self.fault.clone()))
    }

    /// Returns the fault in the profile of the equipment; `None` if the site no longer has it, or if the ticket has another
    /// origin.
    #[must_use]
    pub fn fault_in<'a>(&self, site: &'a Site) -> Option<&'a Fault> {
        let (_, on) = site.find(self.equipment.as_str()).filter(|_| self.origin.is_fault())?;
        on.profile.fault(self.fault.as_str())
    }

    /// True if work, verification or watch is left, so the desk keeps the ticket in memory.
    #[must_use]
    pub fn is_held_by_desk(&self) -> bool {
        self.state.is_live() || (self.state == TicketState::Closed && self.watch_until.is_some())
    }
}

/// The tickets with work, verification or watch left.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tickets {
    /// Each ticket by its number.
    pub live: OrdMap<TicketNumber, Arc<Ticket>>,
    /// The numbers of these tickets by equipment and fault.
    by_fault: OrdMap<(EquipmentId, FaultName), OrdSet<TicketNumber>>,
    /// The last number given to a ticket.
    pub last: u64,
}

impl Tickets {
    /// Keeps a ticket, or removes it if nothing is left to do with it.
    pub fn hold(&mut self, ticket: Arc<Ticket>) {
        let alarm = ticket.alarm();
        if ticket.is_held_by_desk() {
            if let Some(alarm) = alarm {
                self.by_fault.entry(alarm).or_default().insert(ticket.number);
            }
            self.live.insert(ticket.number, ticket);
        } else if let Some(alarm) = alarm
            && let Some(numbers) = self.by_fault.get_mut(&alarm)
        {
            numbers.remove(&ticket.number);
            if numbers.is_empty() {
                self.by_fault.remove(&alarm);
            }
        }
    }

    /// Returns the live tickets of a piece of equipment.
    pub fn live_of(&self, equipment: &str) -> impl Iterator<Item = &Arc<Ticket>> {
        self.live.values().filter(move |t| t.state.is_live() && t.equipment.as_str() == equipment)
    }

    /// Returns the live ticket of a piece of equipment that has exactly one.
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

    /// Returns the live ticket of a fault on a piece of equipment, or the closed ticket that is still watched.
    #[must_use]
    pub fn of_fault(&self, equipment: &EquipmentId, fault: &FaultName) -> Option<&Ticket> {
        let numbers = self.by_fault.get(&(equipment.clone(), fault.clone()))?;
        let of: Vec<&Ticket> = numbers.iter().filter_map(|n| self.live.get(n)).map(Arc::as_ref).collect();
        of.iter().copied().find(|t| t.state.is_live()).or_else(|| of.last().copied())
    }
}

/// The end of the watch on a closed ticket, for the timers of the desk; `None` if the ticket is not watched.
#[must_use]
pub fn watch_until(tickets: &Tickets, number: TicketNumber) -> Option<Wall> {
    tickets.live.get(&number).and_then(|ticket| ticket.watch_until)
}
