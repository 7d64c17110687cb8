//! Takes events into the state.

use imbl::OrdMap;

use super::{Alarm, AlarmEvent, AlarmState, Alarms, Key, Shelf};
use crate::words::{Author, Wall};

/// Takes an event into the state. It cannot refuse, so every old journal loads.
pub fn apply(alarms: &mut Alarms, at: Wall, by: &Author, event: &AlarmEvent) {
    let key = event.key();
    match event {
        AlarmEvent::Shelved { until, reason, .. } => {
            let by = by.name().to_owned();
            alarms.shelves.insert(key, Shelf { until: *until, by, reason: reason.clone() });
        }
        AlarmEvent::Unshelved { .. } => {
            alarms.shelves.remove(&key);
        }
        AlarmEvent::Raised { .. }
        | AlarmEvent::Cleared { .. }
        | AlarmEvent::Acknowledged { .. }
        | AlarmEvent::Chattering { .. }
        | AlarmEvent::Damped { .. } => stand(&mut alarms.standing, key, at, event),
    }
}

fn stand(alarms: &mut OrdMap<Key, Alarm>, key: Key, at: Wall, event: &AlarmEvent) {
    if let AlarmEvent::Raised { severity, onset, latch, first_up, .. } = event {
        let (equipment, fault) = key.clone();
        let alarm = Alarm {
            equipment,
            fault,
            severity: *severity,
            state: AlarmState::Unacknowledged,
            onset: *onset,
            raised_at: at,
            latch: *latch,
            first_up: first_up.clone(),
            chattering: None,
        };
        alarms.insert(key, alarm);
        return;
    }
    let Some(alarm) = alarms.get_mut(&key) else { return };
    match event {
        AlarmEvent::Cleared { .. } if alarm.latch && alarm.state == AlarmState::Unacknowledged => {
            alarm.state = AlarmState::ReturnedUnacknowledged;
        }
        AlarmEvent::Acknowledged { .. } if alarm.is_active() => alarm.state = AlarmState::Acknowledged,
        AlarmEvent::Cleared { .. } | AlarmEvent::Acknowledged { .. } => {
            alarms.remove(&key);
        }
        AlarmEvent::Chattering { .. } => alarm.chattering = Some(0),
        AlarmEvent::Damped { repeats, goes_on, .. } => {
            alarm.chattering = goes_on.then_some(alarm.chattering.unwrap_or(0) + repeats);
        }
        AlarmEvent::Raised { .. } | AlarmEvent::Shelved { .. } | AlarmEvent::Unshelved { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use crate::words::{EquipmentId, FaultName, Severity};

    fn raised(latch: bool) -> AlarmEvent {
        AlarmEvent::Raised {
            equipment: EquipmentId::parse("e").unwrap(),
            fault: FaultName::parse("f").unwrap(),
            severity: Severity::Major,
            onset: Wall::from_millis(0),
            latch,
            values: BTreeMap::new(),
            first_up: None,
        }
    }

    fn key() -> (EquipmentId, FaultName) {
        (EquipmentId::parse("e").unwrap(), FaultName::parse("f").unwrap())
    }

    #[test]
    fn a_latched_alarm_stays_until_acknowledged() {
        let at = Wall::from_millis(1);
        let (equipment, fault) = key();
        let cleared =
            AlarmEvent::Cleared { equipment: equipment.clone(), fault: fault.clone(), reason: None };
        let acknowledged = AlarmEvent::Acknowledged { equipment, fault };
        let mut alarms = Alarms::default();
        for event in [raised(true), cleared.clone()] {
            apply(&mut alarms, at, &Author::Gateway, &event);
        }
        assert_eq!(alarms.standing[&key()].state, AlarmState::ReturnedUnacknowledged);
        apply(&mut alarms, at, &Author::Gateway, &acknowledged);
        assert!(alarms.standing.is_empty());
        for event in [raised(false), cleared.clone()] {
            apply(&mut alarms, at, &Author::Gateway, &event);
        }
        assert!(alarms.standing.is_empty());
        for event in [raised(true), acknowledged, cleared] {
            apply(&mut alarms, at, &Author::Gateway, &event);
        }
        assert!(alarms.standing.is_empty());
    }
}
