//! Everything the journal's events add up to, as far as it is still live. The desk and the store fold with
//! the same function, so a restart from either comes to the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::event::{EquipmentEvent, Event, GatewayEvent, Record};
use crate::alarm::{self, AlarmEvent, Alarms, Key, Shelf};
use crate::detect::{BaselineEvent, Model};
use crate::site::FileHash;
use crate::ticket::{self, Ticket, TicketEvent};
use crate::words::{EquipmentId, FaultName, Seq, TicketNumber, Wall};

/// What an event touched, for the store.
#[derive(Debug, Clone, PartialEq)]
pub enum Touched {
    /// Which alarms are put aside, or which equipment is out of service.
    Service,
    /// A ticket, as it is now.
    Ticket(Box<Ticket>),
    /// An alarm; absent when it no longer stands.
    Alarm(EquipmentId, FaultName),
    /// What is known as normal; absent when it is no longer.
    Baseline(EquipmentId, FaultName),
    /// The files in force.
    Files,
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

/// The live state.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// The last event taken in.
    pub seq: Seq,
    /// Tickets with work, verification or watch left.
    pub tickets: BTreeMap<TicketNumber, Ticket>,
    /// Alarms that stand.
    pub alarms: Alarms,
    /// Alarms that are put aside.
    pub shelves: BTreeMap<Key, Shelf>,
    /// Equipment that is out of service.
    pub out_of_service: BTreeMap<EquipmentId, OutOfService>,
    /// What has been learned as normal.
    pub baselines: BTreeMap<Key, Model>,
    /// The last ticket number given out.
    pub last_ticket: u64,
    /// The files in force.
    pub files: Vec<FileHash>,
    /// The soonest end of a watch.
    pub next_watch: Option<Wall>,
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
                self.files.clone_from(files);
                Touched::Files
            }
            Event::Gateway(_) | Event::Other { .. } => Touched::Nothing,
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
                self.baselines.insert(key, model.as_ref().clone());
            }
            BaselineEvent::Followed { reference, .. } => {
                if let Some(model) = self.baselines.get_mut(&key) {
                    model.reference.clone_from(reference);
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
        let ticket = match event {
            TicketEvent::Opened(opening) => {
                self.last_ticket = self.last_ticket.max(number.0);
                Some(ticket::opened(record.seq, record.at, &record.by, opening))
            }
            _ => {
                let mut found = self.tickets.remove(&number).or_else(|| stored(number));
                if let Some(t) = &mut found {
                    ticket::apply(t, record.seq, record.at, &record.by, event);
                }
                found
            }
        };
        let Some(ticket) = ticket else { return Touched::Nothing };
        let watched = matches!(
            event,
            TicketEvent::Closed { .. } | TicketEvent::Reopened { .. } | TicketEvent::FixVerified { .. }
        );
        let touched = Touched::Ticket(Box::new(ticket.clone()));
        if ticket.is_held_by_desk() {
            self.tickets.insert(number, ticket);
        }
        if watched {
            self.next_watch = self.tickets.values().filter_map(|t| t.watch_until).min();
        }
        touched
    }

    /// The live ticket for a fault on a piece of equipment, or the closed one that is still watched.
    #[must_use]
    pub fn ticket_for(&self, equipment: &EquipmentId, fault: &FaultName) -> Option<&Ticket> {
        let of = |t: &&Ticket| t.equipment == *equipment && t.fault == *fault;
        self.tickets
            .values()
            .filter(of)
            .find(|t| t.state.is_live())
            .or_else(|| self.tickets.values().rev().find(of))
    }
}
