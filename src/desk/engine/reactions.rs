//! The reactions of one room to another. If an alarm is raised, a ticket is opened, counted on or reopened. If an alarm
//! clears, chatters, or is a consequence, its ticket gets a line. If a ticket is acknowledged, its alarm is
//! acknowledged as well.

use std::collections::BTreeMap;

use super::{Change, Desk};
use crate::alarm::{AlarmEvent, AlarmName, AlarmState, Damping, Key};
use crate::desk::rooms::Event;
use crate::detect::{Transition, TransitionKind};
use crate::profile::Fault;
use crate::site::Equipment;
use crate::ticket::{Ticket, TicketEvent, TicketOpening, TicketOrigin, TicketState};
use crate::words::{EquipmentId, FaultName, Now, TicketNumber, Wall};

impl Desk {
    /// Decides a machine change. Returns the time of its events, and the events of all rooms that react.
    pub(super) fn decide_change(&self, now: Now, change: &Change) -> (Now, Vec<Event>) {
        match change {
            Change::Gateway(event) => (now, vec![Event::Gateway(event.clone())]),
            Change::Learned(event) => (now, vec![Event::Baseline(event.clone())]),
            Change::Verified(number) => {
                let watched = self.state.tickets.live.get(number).is_some_and(|t| t.watch_until.is_some());
                let event = Event::Ticket(TicketEvent::FixVerified { number: *number });
                (now, if watched { vec![event] } else { Vec::new() })
            }
            Change::Withdrawn(equipment, fault) => {
                let reason = Some("the configuration no longer names this fault".to_owned());
                (now, self.cleared(equipment, fault, reason))
            }
            Change::LinkAway(link, why, since) => (now, self.link_raised(link, why, *since)),
            Change::LinkBack(link) => {
                (now, self.cleared(&self.site.id_of_link(link), &FaultName::link_away(), None))
            }
            Change::Alarm(event) => (now, vec![Event::Alarm(event.clone())]),
            Change::Damped(key, damping) => (now, self.damped(key, damping)),
            Change::Quiet((equipment, fault)) => (now, self.cleared(equipment, fault, None)),
            Change::Consequence(upstream, key, onset) => (now, self.consequence(upstream, key, *onset)),
            Change::Transition(t, first_up) => {
                let Some(equipment) = self.site.equipment.get(t.equipment.0) else {
                    return (now, Vec::new());
                };
                let Some(fault) = equipment.profile.faults.get(t.fault) else { return (now, Vec::new()) };
                let events = match t.kind {
                    TransitionKind::Raised => self.raised(equipment, fault, t, first_up.as_ref()),
                    TransitionKind::Cleared => self.cleared(&equipment.id, &fault.name, t.text.clone()),
                };
                (t.at, events)
            }
        }
    }

    /// Returns the events of a raised fault: its alarm, and its ticket if the profile wants a ticket.
    fn raised(&self, on: &Equipment, fault: &Fault, t: &Transition, first_up: Option<&Key>) -> Vec<Event> {
        let equipment = &on.id;
        let mut events = vec![Event::Alarm(AlarmEvent::Raised {
            equipment: equipment.clone(),
            fault: fault.name.clone(),
            severity: fault.severity,
            onset: t.onset.wall,
            latch: fault.latch,
            values: t.values.clone(),
            first_up: first_up.map(AlarmName::from),
        })];
        if !fault.ticket {
            return events;
        }
        let version = self.detector.firmware(t.equipment);
        let ticket =
            self.on_ticket(equipment, &fault.name, t.onset.wall, &t.values, |number| TicketOpening {
                number,
                equipment: equipment.clone(),
                fault: fault.name.clone(),
                origin: TicketOrigin::Fault,
                severity: fault.severity,
                summary: t.text.as_ref().map_or_else(
                    || fault.guidance.means.clone(),
                    |x| format!("{x}: {}", fault.guidance.means),
                ),
                code: fault.code.clone(),
                onset: t.onset.wall,
                values: t.values.clone(),
                profile: on.profile.name.to_string(),
                profile_sha256: on.profile.sha256.clone(),
                firmware_notes: self.notes_on(on, fault, version.as_deref()),
                firmware: version.clone(),
                first_up: first_up.map(|key| AlarmName::from(key).to_string()),
            });
        events.push(Event::Ticket(ticket));
        events
    }

    /// Decides the ticket of a raised alarm: count on the live ticket, reopen a fixed or closed one, or open a new one.
    pub(super) fn on_ticket(
        &self,
        equipment: &EquipmentId,
        fault: &FaultName,
        onset: Wall,
        values: &BTreeMap<String, String>,
        opening: impl FnOnce(TicketNumber) -> TicketOpening,
    ) -> TicketEvent {
        match self.state.tickets.of_fault(equipment, fault) {
            Some(old) if matches!(old.state, TicketState::Fixed | TicketState::Closed) => {
                TicketEvent::Reopened {
                    number: old.number,
                    reason: format!("{fault} was raised again after the fix"),
                    fix_ineffective: true,
                    values: values.clone(),
                }
            }
            Some(old) => TicketEvent::Recurred { number: old.number, onset, values: values.clone() },
            None => TicketEvent::Opened(opening(TicketNumber(self.state.tickets.last + 1))),
        }
    }

    /// Returns the names of the firmware notes that explain the fault for this firmware version.
    fn notes_on(&self, on: &Equipment, fault: &Fault, version: Option<&str>) -> Vec<String> {
        let Some(version) = version else { return Vec::new() };
        let notes = self.site.notes_for(on, version).filter(|n| n.explains(fault.name.as_str()));
        notes.map(|n| n.name.clone()).collect()
    }

    /// Returns the events of a cleared fault: its alarm, and its live ticket.
    pub(super) fn cleared(
        &self,
        equipment: &EquipmentId,
        fault: &FaultName,
        reason: Option<String>,
    ) -> Vec<Event> {
        let mut events = vec![Event::Alarm(AlarmEvent::Cleared {
            equipment: equipment.clone(),
            fault: fault.clone(),
            reason,
        })];
        if let Some(t) = self.state.tickets.of_fault(equipment, fault).filter(|t| t.state.is_live()) {
            events.push(Event::Ticket(TicketEvent::Returned { number: t.number }));
        }
        events
    }

    /// Returns the events of a chattering alarm: the summary, and a note on its live ticket.
    pub(super) fn damped(&self, key: &Key, damping: &Damping) -> Vec<Event> {
        let (equipment, fault) = key.clone();
        let mut events = vec![Event::Alarm(AlarmEvent::Damped {
            equipment,
            fault,
            since: damping.since,
            repeats: damping.repeats,
            goes_on: damping.goes_on,
            proposal: damping.proposal.clone(),
        })];
        let ticket = self.state.tickets.of_fault(&key.0, &key.1).filter(|t| t.state.is_live());
        if let Some(ticket) = ticket.filter(|_| damping.repeats > 0) {
            let text = format!("chattered: raised {} times since {}", damping.repeats, damping.since);
            let text =
                if damping.proposal.is_empty() { text } else { format!("{text}; {}", damping.proposal) };
            events.push(Event::Ticket(TicketEvent::Noted { number: ticket.number, text }));
        }
        events
    }

    /// Notes a suppressed alarm on the live ticket of the equipment or link that is down.
    pub(super) fn consequence(&self, upstream: &EquipmentId, key: &Key, onset: Wall) -> Vec<Event> {
        let live = self.state.tickets.live.values().filter(|t| t.state.is_live() && t.equipment == *upstream);
        let worst = live.min_by_key(|t| {
            let is_lost = t.fault == FaultName::communication_lost() || t.fault == FaultName::link_away();
            (!is_lost, t.severity, t.number)
        });
        let Some(ticket) = worst else { return Vec::new() };
        let text = format!(
            "consequence: {} of {}, since {onset}; suppressed while {upstream} is down",
            key.1, key.0
        );
        vec![Event::Ticket(TicketEvent::Noted { number: ticket.number, text })]
    }

    /// Acknowledges the alarm of a ticket, if `events` acknowledge the ticket.
    pub(super) fn acknowledge_alarm(&self, ticket: &Ticket, events: &mut Vec<Event>) {
        let acknowledged =
            events.iter().any(|e| matches!(e, Event::Ticket(TicketEvent::Acknowledged { .. })));
        let Some(key) = ticket.alarm() else { return };
        let unseen =
            self.state.alarms.standing.get(&key).is_some_and(|a| a.state != AlarmState::Acknowledged);
        if acknowledged && unseen {
            let (equipment, fault) = key;
            events.push(Event::Alarm(AlarmEvent::Acknowledged { equipment, fault }));
        }
    }
}
