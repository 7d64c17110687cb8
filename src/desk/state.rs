//! Everything the journal's events add up to, as far as it is still live. The desk and the store fold with
//! the same function, so a restart from either comes to the same.

use std::sync::Arc;

use imbl::{OrdMap, OrdSet};

use serde::{Deserialize, Serialize};

use super::event::{EquipmentEvent, Event, GatewayEvent, Record};
use crate::alarm::{self, AlarmEvent, Alarms, Key, Shelf};
use crate::detect::{BaselineEvent, Model};
use crate::limits;
use crate::site::FileHash;
use crate::ticket::{self, LogEntry, Ticket, TicketEvent};
use crate::words::{Damage, EquipmentId, FaultName, Seq, TicketNumber, Wall};

/// What an event touched, for the store.
#[derive(Debug, Clone, PartialEq)]
pub enum Touched {
    /// Which alarms are put aside, or which equipment is out of service.
    Service,
    /// A ticket as it is now, and the line that its log has got.
    Ticket(Arc<Ticket>, LogEntry),
    /// An alarm; absent when it no longer stands.
    Alarm(EquipmentId, FaultName),
    /// What is known as normal; absent when it is no longer.
    Baseline(EquipmentId, FaultName),
    /// The files in force, or what is damaged.
    Gateway,
    /// Nothing that is kept.
    Nothing,
}

/// Why equipment is out of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutOfService {
    /// Since when.
    pub since: Wall,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// A part of the journal that cannot be read, as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownDamage {
    /// When it was recorded.
    pub found_at: Wall,
    /// Where and what; absent in what earlier versions recorded.
    pub damage: Option<Damage>,
    /// What was found, as a sentence.
    pub message: String,
    /// Who accepted it, and why; `None` while it waits for that.
    pub accepted: Option<Accepted>,
}

/// Who took note of damage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// Who.
    pub by: String,
    /// When.
    pub at: Wall,
    /// Why.
    pub reason: String,
}

/// The live state: a persistent value. A clone costs nothing and shares what has not changed, so what is decided and what
/// is durable are two handles on one structure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// The last event taken in.
    pub seq: Seq,
    /// Tickets with work, verification or watch left.
    pub tickets: OrdMap<TicketNumber, Arc<Ticket>>,
    /// The numbers of those tickets by equipment and fault.
    pub by_fault: OrdMap<Key, OrdSet<TicketNumber>>,
    /// Alarms that stand.
    pub alarms: Alarms,
    /// Alarms that are put aside.
    pub shelves: OrdMap<Key, Shelf>,
    /// Equipment that is out of service.
    pub out_of_service: OrdMap<EquipmentId, OutOfService>,
    /// What has been learned as normal.
    pub baselines: OrdMap<Key, Arc<Model>>,
    /// The last ticket number given out.
    pub last_ticket: u64,
    /// The files in force.
    pub files: Arc<Vec<FileHash>>,
    /// Damaged parts of the journal that are on record, the first [`limits::DAMAGE_KEPT`] of them.
    pub damage: imbl::Vector<KnownDamage>,
}

impl State {
    /// Takes a record in. A ticket that is no longer held is asked of `stored`.
    pub fn apply(
        &mut self,
        record: &Record,
        stored: &mut dyn FnMut(TicketNumber) -> Option<Ticket>,
    ) -> Touched {
        self.seq = record.seq;
        match &record.event {
            Event::Gateway(GatewayEvent::ConfigurationLoaded { files }) => {
                self.files = Arc::new(files.clone());
                Touched::Gateway
            }
            Event::Gateway(GatewayEvent::JournalDamaged { message, damage }) => {
                if self.damage.len() < limits::DAMAGE_KEPT {
                    let (message, damage) = (message.clone(), damage.clone());
                    self.damage.push_back(KnownDamage {
                        found_at: record.at,
                        damage,
                        message,
                        accepted: None,
                    });
                }
                Touched::Gateway
            }
            Event::Gateway(GatewayEvent::DamageAccepted { reason, .. }) => {
                let by = record.by.name();
                for known in self.damage.iter_mut().filter(|d| d.accepted.is_none()) {
                    known.accepted =
                        Some(Accepted { by: by.to_owned(), at: record.at, reason: reason.clone() });
                }
                Touched::Gateway
            }
            Event::Gateway(
                GatewayEvent::Started { .. }
                | GatewayEvent::Stopped {}
                | GatewayEvent::Paused { .. }
                | GatewayEvent::ClockStepped { .. },
            )
            | Event::Other { .. } => Touched::Nothing,
            Event::Equipment(event) => self.apply_service(record, event),
            Event::Alarm(event) => self.apply_alarm(record, event),
            Event::Ticket(event) => self.apply_ticket(record, event, stored),
            Event::Baseline(event) => self.apply_baseline(event),
        }
    }

    fn apply_alarm(&mut self, record: &Record, event: &AlarmEvent) -> Touched {
        let key = event.key();
        match event {
            AlarmEvent::Shelved { until, reason, .. } => {
                let by = record.by.name().to_owned();
                self.shelves.insert(key, Shelf { until: *until, by, reason: reason.clone() });
                Touched::Service
            }
            AlarmEvent::Unshelved { .. } => {
                self.shelves.remove(&key);
                Touched::Service
            }
            AlarmEvent::Raised { .. }
            | AlarmEvent::Cleared { .. }
            | AlarmEvent::Acknowledged { .. }
            | AlarmEvent::Chattering { .. }
            | AlarmEvent::Damped { .. } => {
                alarm::apply(&mut self.alarms, record.at, event);
                let (equipment, fault) = key;
                Touched::Alarm(equipment, fault)
            }
        }
    }

    fn apply_service(&mut self, record: &Record, event: &EquipmentEvent) -> Touched {
        match event {
            EquipmentEvent::OutOfService { equipment, reason } => {
                let (by, reason) = (record.by.name().to_owned(), reason.clone());
                let out = OutOfService { since: record.at, by, reason };
                self.out_of_service.insert(equipment.clone(), out);
                Touched::Service
            }
            EquipmentEvent::ReturnedToService { equipment, .. } => {
                self.out_of_service.remove(equipment);
                Touched::Service
            }
            EquipmentEvent::WriteOrdered { .. }
            | EquipmentEvent::Written { .. }
            | EquipmentEvent::WriteFailed { .. } => Touched::Nothing,
        }
    }

    fn apply_baseline(&mut self, event: &BaselineEvent) -> Touched {
        let (BaselineEvent::Learned { equipment, fault, .. }
        | BaselineEvent::Followed { equipment, fault, .. }
        | BaselineEvent::Forgotten { equipment, fault, .. }) = event;
        let key = (equipment.clone(), fault.clone());
        match event {
            BaselineEvent::Learned { model, .. } => {
                self.baselines.insert(key, Arc::new(model.as_ref().clone()));
            }
            BaselineEvent::Followed { reference, widened, .. } => {
                if let Some(model) = self.baselines.get_mut(&key) {
                    let model = Arc::make_mut(model);
                    model.reference.clone_from(reference);
                    model.widened = *widened;
                }
            }
            BaselineEvent::Forgotten { .. } => {
                self.baselines.remove(&key);
            }
        }
        Touched::Baseline(equipment.clone(), fault.clone())
    }

    fn apply_ticket(
        &mut self,
        record: &Record,
        event: &TicketEvent,
        stored: &mut dyn FnMut(TicketNumber) -> Option<Ticket>,
    ) -> Touched {
        let number = event.number();
        let (ticket, entry) = match event {
            TicketEvent::Opened(opening) => {
                self.last_ticket = self.last_ticket.max(number.0);
                ticket::opened(record.seq, record.at, &record.by, opening)
            }
            _ => {
                // Of a ticket whose opening cannot be read there is nothing to change.
                let held = self.tickets.remove(&number).map(Arc::unwrap_or_clone);
                let Some(mut t) = held.or_else(|| stored(number)) else {
                    return Touched::Nothing;
                };
                let entry = ticket::apply(&mut t, record.seq, record.at, &record.by, event);
                (t, entry)
            }
        };
        let ticket = Arc::new(ticket);
        self.hold(ticket.clone());
        Touched::Ticket(ticket, entry)
    }

    /// Keeps a ticket, or lets go of it once nothing is left to do with it.
    pub fn hold(&mut self, ticket: Arc<Ticket>) {
        let key = (ticket.equipment.clone(), ticket.fault.clone());
        if ticket.is_held_by_desk() {
            self.by_fault.entry(key).or_default().insert(ticket.number);
            self.tickets.insert(ticket.number, ticket);
        } else if let Some(numbers) = self.by_fault.get_mut(&key) {
            numbers.remove(&ticket.number);
            if numbers.is_empty() {
                self.by_fault.remove(&key);
            }
        }
    }

    /// The live ticket for a fault on a piece of equipment, or the closed one that is still watched.
    #[must_use]
    pub fn ticket_for(&self, equipment: &EquipmentId, fault: &FaultName) -> Option<&Ticket> {
        let numbers = self.by_fault.get(&(equipment.clone(), fault.clone()))?;
        let of: Vec<&Ticket> = numbers.iter().filter_map(|n| self.tickets.get(n)).map(Arc::as_ref).collect();
        of.iter().copied().find(|t| t.state.is_live()).or_else(|| of.last().copied())
    }
}
