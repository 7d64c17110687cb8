//! [`State`]: the result of applying all events in order, without finished tickets. The desk and the store apply events
//! with the same function, so a restart gives the same state.

use std::sync::Arc;

use super::event::Record;
use super::rooms::Event;
use crate::alarm::{self, AlarmEvent, Alarms, Key};
use crate::baseline::{self, BaselineState};
use crate::gateway::{self, GatewayState};
use crate::service::{self, ServiceState};
use crate::ticket::{self, LogEntry, Ticket, Tickets};
use crate::words::{Seq, TicketNumber};

/// The part of the state that an event changed, for the store.
#[derive(Debug, Clone, PartialEq)]
pub enum Touched {
    /// The shelved alarms, or the equipment that is out of service.
    Service,
    /// The ticket after the event, and the new line of its log.
    Ticket(Arc<Ticket>, LogEntry),
    /// This alarm. After the event it is in the state, or was removed.
    Alarm(Key),
    /// The learned model of this baseline. After the event it is in the state, or was removed.
    Baseline(Key),
    /// The files in force, or the damage of the journal.
    Gateway,
    /// Nothing that the store keeps.
    Nothing,
}

/// The live state. It is a persistent data structure: a clone is cheap and shares all unchanged parts. The desk keeps two
/// versions, the decided state and the state on disk.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// The number of the last event applied.
    pub seq: Seq,
    /// The tickets with work, verification or watch left.
    pub tickets: Tickets,
    /// The alarms, and the shelves.
    pub alarms: Alarms,
    /// The equipment that is out of service.
    pub service: ServiceState,
    /// The learned models.
    pub baselines: BaselineState,
    /// The files in force, and the damage of the journal.
    pub gateway: GatewayState,
}

impl State {
    /// Applies a record. For a ticket that is not in this state, `stored` returns it from the store.
    pub fn apply(
        &mut self,
        record: &Record,
        stored: &mut dyn FnMut(TicketNumber) -> Option<Ticket>,
    ) -> Touched {
        let Record { seq, at, by, event } = record;
        self.seq = *seq;
        match event {
            Event::Ticket(event) => {
                let touched = ticket::take(&mut self.tickets, (*seq, *at, by), event, stored);
                touched.map_or(Touched::Nothing, |(ticket, entry)| Touched::Ticket(ticket, entry))
            }
            Event::Alarm(event) => {
                alarm::apply(&mut self.alarms, *at, by, event);
                match event {
                    AlarmEvent::Shelved { .. } | AlarmEvent::Unshelved { .. } => Touched::Service,
                    AlarmEvent::Raised { .. }
                    | AlarmEvent::Cleared { .. }
                    | AlarmEvent::Acknowledged { .. }
                    | AlarmEvent::Chattering { .. }
                    | AlarmEvent::Damped { .. } => Touched::Alarm(event.key()),
                }
            }
            Event::Service(event) => {
                service::apply(&mut self.service, *at, by, event);
                Touched::Service
            }
            Event::Baseline(event) => Touched::Baseline(baseline::apply(&mut self.baselines, event)),
            Event::Gateway(event) => {
                let is_changed = gateway::apply(&mut self.gateway, *at, by, event);
                if is_changed { Touched::Gateway } else { Touched::Nothing }
            }
            // A write leaves nothing in the state: after a restart, an order that was under way is not sent again.
            Event::Write(_) | Event::Other { .. } => Touched::Nothing,
        }
    }
}
