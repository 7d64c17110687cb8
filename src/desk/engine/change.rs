//! What the engine decides about: changes that nobody asked for, and events that are not on disk yet.

use std::sync::Arc;

use super::asked::OnRecord;
use crate::alarm::{AlarmEvent, Damping, Key};
use crate::desk::command::Token;
use crate::detect::{BaselineEvent, Transition};
use crate::gateway::GatewayEvent;
use crate::ticket::{LogEntry, Ticket};
use crate::words::{EquipmentId, FaultName, LinkName, Now, Seq, TicketNumber, Wall};

/// A change that nobody asked for.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// With the first-up it came after.
    Transition(Box<Transition>, Option<Key>),
    Alarm(AlarmEvent),
    Damped(Key, Box<Damping>),
    /// A chattering alarm has gone.
    Quiet(Key),
    /// A condition is held back while this equipment is down, since then.
    Consequence(EquipmentId, Key, Wall),
    Verified(TicketNumber),
    Gateway(GatewayEvent),
    Learned(BaselineEvent),
    Withdrawn(EquipmentId, FaultName),
    /// A link has been away for long enough: why, and since when.
    LinkAway(LinkName, String, Now),
    LinkBack(LinkName),
}

/// Why events were decided.
#[derive(Debug)]
pub(super) enum Origin {
    Machine(Change),
    /// With what is done once the events are on record.
    Asked(Token, OnRecord),
}

/// Events that are decided and not on disk yet.
#[derive(Debug)]
pub(super) struct Unwritten {
    pub(super) last: Seq,
    pub(super) origin: Origin,
    /// Baselines that are learned anew once this is on record.
    pub(super) forgets: Vec<Key>,
    /// The ticket as the events leave it, with the lines of its log: the reply, once they are on disk.
    pub(super) result: Option<(Arc<Ticket>, Vec<LogEntry>)>,
}
