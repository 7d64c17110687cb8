//! [`Change`]: a change that no person asked for. [`Unwritten`]: decided events that are not on disk yet.

use std::sync::Arc;

use super::asked::OnRecord;
use crate::alarm::{AlarmEvent, Damping, Key};
use crate::desk::command::Token;
use crate::detect::{BaselineEvent, Transition};
use crate::gateway::GatewayEvent;
use crate::ticket::{LogEntry, Ticket};
use crate::words::{EquipmentId, FaultName, LinkName, Now, Seq, TicketNumber, Wall};

/// A machine change: no person asked for it.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// A condition changed. The key is the first-out alarm of the burst or flood; `None` if this alarm is the first.
    Transition(Box<Transition>, Option<Key>),
    Alarm(AlarmEvent),
    Damped(Key, Box<Damping>),
    /// A chattering alarm became quiet, and its condition is false.
    Quiet(Key),
    /// An alarm is suppressed because this equipment or link is down; with the onset of its condition.
    Consequence(EquipmentId, Key, Wall),
    Verified(TicketNumber),
    Gateway(GatewayEvent),
    Learned(BaselineEvent),
    Withdrawn(EquipmentId, FaultName),
    /// A link has no connection: the reason, and the time since when.
    LinkAway(LinkName, String, Now),
    LinkBack(LinkName),
}

/// The reason why events were decided.
#[derive(Debug)]
pub(super) enum Origin {
    Machine(Change),
    /// A request of a person, with the action to do when the events are on disk.
    Asked(Token, OnRecord),
}

/// Events that are decided and not on disk yet.
#[derive(Debug)]
pub(super) struct Unwritten {
    pub(super) last: Seq,
    pub(super) origin: Origin,
    /// Baselines to learn again when the events are on disk.
    pub(super) forgets: Vec<Key>,
    /// The ticket after the events, with its new log lines. It is the reply when the events are on disk.
    pub(super) result: Option<(Arc<Ticket>, Vec<LogEntry>)>,
}
