//! Everything the journal's events add up to, as far as it is still live. The desk and the store fold with
//! the same function, so a restart from either comes to the same.

use std::sync::Arc;

use super::event::Record;
use super::rooms::Event;
use crate::alarm::{self, AlarmEvent, Alarms, Key};
use crate::baseline::{self, BaselineState};
use crate::gateway::{self, GatewayState};
use crate::service::{self, ServiceState};
use crate::ticket::{self, LogEntry, Ticket, Tickets};
use crate::words::{Seq, TicketNumber};

/// What an event touched, for the store.
#[derive(Debug, Clone, PartialEq)]
pub enum Touched {
    /// Which alarms are shelved, or which equipment is out of service.
    Service,
    /// A ticket as it is now, and the line that its log has got.
    Ticket(Arc<Ticket>, LogEntry),
    /// An alarm; absent when it no longer stands.
    Alarm(Key),
    /// What is known as normal; absent when it is no longer.
    Baseline(Key),
    /// The files in force, or what is damaged.
    Gateway,
    /// Nothing that is kept.
    Nothing,
}

/// The live state: a persistent value. A clone costs nothing and shares what has not changed, so what is decided and what
/// is durable are two handles on one structure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct State {
    /// The last event taken in.
    pub seq: Seq,
    /// Tickets with work, verification or watch left.
    pub tickets: Tickets,
    /// Alarms that stand, and those that are shelved.
    pub alarms: Alarms,
    /// Equipment that is out of service.
    pub service: ServiceState,
    /// What has been learned as normal.
    pub baselines: BaselineState,
    /// The gateway itself.
    pub gateway: GatewayState,
}

impl State {
    /// Takes a record in. A ticket that is no longer held is asked of `stored`.
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
            // Nothing of a write is kept: an order that was under way at a restart is not sent again.
            Event::Write(_) | Event::Other { .. } => Touched::Nothing,
        }
    }
}
