//! Changes that nobody asked for, as events: alarms raised and cleared, tickets opened for them.

use std::collections::BTreeMap;

use super::{Change, Desk};
use crate::alarm::{AlarmEvent, AlarmName, Key};
use crate::desk::rooms::Event;
use crate::detect::{Transition, TransitionKind};
use crate::profile::Fault;
use crate::site::Equipment;
use crate::ticket::{TicketEvent, TicketOpening, TicketState};
use crate::words::{EquipmentId, EquipmentIndex, FaultName, Now, TicketNumber, Wall};

impl Desk {
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
        let version = self.firmware(t.equipment);
        let ticket =
            self.on_ticket(equipment, &fault.name, t.onset.wall, &t.values, |number| TicketOpening {
                number,
                equipment: equipment.clone(),
                fault: fault.name.clone(),
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

    /// What an alarm does to the fault's ticket: counts on the live one, reopens one that was fixed, or opens a new one.
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
                    reason: format!("{fault} came back after the fix"),
                    fix_ineffective: true,
                    values: values.clone(),
                }
            }
            Some(old) => TicketEvent::Recurred { number: old.number, onset, values: values.clone() },
            None => TicketEvent::Opened(opening(TicketNumber(self.state.tickets.last + 1))),
        }
    }

    /// A piece of equipment's firmware version: as it tells, else as somebody wrote it down.
    #[must_use]
    pub fn firmware(&self, equipment: EquipmentIndex) -> Option<String> {
        let e = self.site.equipment.get(equipment.0)?;
        let told = e.profile.firmware.as_ref().and_then(|firmware| {
            let value = self.detector.point_state(equipment, firmware.point, self.last)?.value?;
            firmware.version(&value.to_string())
        });
        told.or_else(|| e.firmware.clone())
    }

    fn notes_on(&self, on: &Equipment, fault: &Fault, version: Option<&str>) -> Vec<String> {
        let Some(version) = version else { return Vec::new() };
        let notes = self.site.notes_for(on, version).filter(|n| n.explains(fault.name.as_str()));
        notes.map(|n| n.name.clone()).collect()
    }

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
}
