//! A fault's live state on one piece of equipment, in the states of ISA-18.2 / IEC 62682.
//!
//! *Must not know* readings: it is told of conditions. State comes back from the journal.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::words::{EquipmentId, FaultName, Severity, Wall};

/// What happened to an alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum AlarmEvent {
    /// The condition held for its delay.
    #[serde(rename = "alarm-raised")]
    Raised {
        /// On which equipment.
        equipment: EquipmentId,
        /// Which fault.
        fault: FaultName,
        /// How bad.
        severity: Severity,
        /// Since when the condition held.
        onset: Wall,
        /// Kept until acknowledged.
        latch: bool,
        /// What the fault's points were.
        values: BTreeMap<String, String>,
    },
    /// The condition has gone for its delay.
    #[serde(rename = "alarm-cleared")]
    Cleared {
        /// On which equipment.
        equipment: EquipmentId,
        /// Which fault.
        fault: FaultName,
        /// Why it was cleared other than by its condition.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reason: Option<String>,
    },
    /// Somebody has seen it.
    #[serde(rename = "alarm-acknowledged")]
    Acknowledged {
        /// On which equipment.
        equipment: EquipmentId,
        /// Which fault.
        fault: FaultName,
    },
}

/// The states of ISA-18.2 that this version knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmState {
    /// Active, not acknowledged.
    Unacknowledged,
    /// Active, acknowledged.
    Acknowledged,
    /// Gone, latched, not acknowledged.
    ReturnedUnacknowledged,
}

/// One alarm that stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// On which equipment.
    pub equipment: EquipmentId,
    /// Which fault.
    pub fault: FaultName,
    /// How bad.
    pub severity: Severity,
    /// Its state.
    pub state: AlarmState,
    /// Since when the condition held.
    pub onset: Wall,
    /// When it was raised.
    pub raised_at: Wall,
    /// Kept until acknowledged.
    pub latch: bool,
}

impl Alarm {
    /// Whether the condition stands.
    #[must_use]
    pub fn is_active(&self) -> bool {
        match self.state {
            AlarmState::Unacknowledged | AlarmState::Acknowledged => true,
            AlarmState::ReturnedUnacknowledged => false,
        }
    }
}

/// Every alarm that stands, by equipment and fault.
pub type Alarms = BTreeMap<(EquipmentId, FaultName), Alarm>;

/// Takes an event in. Cannot refuse: an old journal always loads.
pub fn apply(alarms: &mut Alarms, at: Wall, event: &AlarmEvent) {
    match event {
        AlarmEvent::Raised { equipment, fault, severity, onset, latch, .. } => {
            let alarm = Alarm {
                equipment: equipment.clone(),
                fault: fault.clone(),
                severity: *severity,
                state: AlarmState::Unacknowledged,
                onset: *onset,
                raised_at: at,
                latch: *latch,
            };
            alarms.insert((equipment.clone(), fault.clone()), alarm);
        }
        AlarmEvent::Cleared { equipment, fault, .. } => {
            let key = (equipment.clone(), fault.clone());
            if let Some(alarm) = alarms.get_mut(&key) {
                if alarm.latch && alarm.state == AlarmState::Unacknowledged {
                    alarm.state = AlarmState::ReturnedUnacknowledged;
                } else {
                    alarms.remove(&key);
                }
            }
        }
        AlarmEvent::Acknowledged { equipment, fault } => {
            let key = (equipment.clone(), fault.clone());
            if let Some(alarm) = alarms.get_mut(&key) {
                if alarm.is_active() {
                    alarm.state = AlarmState::Acknowledged;
                } else {
                    alarms.remove(&key);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raised(latch: bool) -> AlarmEvent {
        AlarmEvent::Raised {
            equipment: EquipmentId::parse("e").unwrap(),
            fault: FaultName::parse("f").unwrap(),
            severity: Severity::Major,
            onset: Wall::from_millis(0),
            latch,
            values: BTreeMap::new(),
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
        let mut alarms = Alarms::new();
        for event in [raised(true), cleared.clone()] {
            apply(&mut alarms, at, &event);
        }
        assert_eq!(alarms[&key()].state, AlarmState::ReturnedUnacknowledged);
        apply(&mut alarms, at, &acknowledged);
        assert!(alarms.is_empty());
        for event in [raised(false), cleared.clone()] {
            apply(&mut alarms, at, &event);
        }
        assert!(alarms.is_empty());
        for event in [raised(true), acknowledged, cleared] {
            apply(&mut alarms, at, &event);
        }
        assert!(alarms.is_empty());
    }
}
