//! A fault's live state on one piece of equipment, in the states of ISA-18.2 / IEC 62682.
//!
//! *Must not know* readings: it is told of conditions. State comes back from the journal.

mod burst;
mod chatter;
pub mod report;

pub use burst::Bursts;
pub use chatter::{Chatter, Damping, Told};

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::words::{EquipmentId, FaultName, Severity, Wall};

/// A fault on a piece of equipment, by their names.
pub type Key = (EquipmentId, FaultName);

/// Names an alarm within an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmName {
    /// On which equipment.
    pub equipment: EquipmentId,
    /// Which fault.
    pub fault: FaultName,
}

impl From<&Key> for AlarmName {
    fn from((equipment, fault): &Key) -> Self {
        Self { equipment: equipment.clone(), fault: fault.clone() }
    }
}

impl fmt::Display for AlarmName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.equipment, self.fault)
    }
}

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
        /// The first alarm of the burst or flood in which it came; absent for that one itself.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        first_up: Option<AlarmName>,
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
    /// Somebody put it aside for a while.
    #[serde(rename = "alarm-shelved")]
    Shelved {
        /// On which equipment.
        equipment: EquipmentId,
        /// Which fault.
        fault: FaultName,
        /// Until when.
        until: Wall,
        /// Why.
        reason: String,
    },
    /// It is put aside no longer.
    #[serde(rename = "alarm-unshelved")]
    Unshelved {
        /// On which equipment.
        equipment: EquipmentId,
        /// Which fault.
        fault: FaultName,
        /// Why before its end; absent at its end.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reason: Option<String>,
        /// How often its condition came meanwhile.
        held_back: u64,
    },
    /// It comes and goes too often: from here on its repeats are counted, not told.
    #[serde(rename = "alarm-chattering")]
    Chattering {
        /// On which equipment.
        equipment: EquipmentId,
        /// Which fault.
        fault: FaultName,
    },
    /// What it did while its repeats were counted.
    #[serde(rename = "alarm-damped")]
    Damped {
        /// On which equipment.
        equipment: EquipmentId,
        /// Which fault.
        fault: FaultName,
        /// Since when they are counted.
        since: Wall,
        /// How often its condition came in that time.
        repeats: u64,
        /// Whether they are counted on.
        goes_on: bool,
        /// What would keep it calm.
        proposal: String,
    },
}

impl AlarmEvent {
    /// The kinds that stand in the journal, as `serde` names them (test: `kinds_are_those_that_are_written`).
    pub const KINDS: &[&str] = &[
        "alarm-raised",
        "alarm-cleared",
        "alarm-acknowledged",
        "alarm-shelved",
        "alarm-unshelved",
        "alarm-chattering",
        "alarm-damped",
    ];

    /// Whose it is.
    #[must_use]
    pub fn key(&self) -> Key {
        let (AlarmEvent::Raised { equipment, fault, .. }
        | AlarmEvent::Cleared { equipment, fault, .. }
        | AlarmEvent::Acknowledged { equipment, fault }
        | AlarmEvent::Shelved { equipment, fault, .. }
        | AlarmEvent::Unshelved { equipment, fault, .. }
        | AlarmEvent::Chattering { equipment, fault }
        | AlarmEvent::Damped { equipment, fault, .. }) = self;
        (equipment.clone(), fault.clone())
    }
}

/// The states of ISA-18.2 / IEC 62682.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlarmState {
    /// Active, not acknowledged.
    Unacknowledged,
    /// Active, acknowledged.
    Acknowledged,
    /// Gone, latched, not acknowledged.
    ReturnedUnacknowledged,
    /// Put aside by a person, until an end.
    Shelved,
    /// Held back because of what else is known: what it depends on is down.
    SuppressedByDesign,
    /// Its equipment is out of service.
    OutOfService,
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
    /// The first alarm of the burst or flood in which it came.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_up: Option<AlarmName>,
    /// How often its condition came since its repeats are counted; absent while they are told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub chattering: Option<u64>,
}

impl Alarm {
    /// Whether the condition stands.
    #[must_use]
    pub fn is_active(&self) -> bool {
        match self.state {
            AlarmState::Unacknowledged | AlarmState::Acknowledged => true,
            // The others are what hides an alarm, never its own state.
            AlarmState::ReturnedUnacknowledged
            | AlarmState::Shelved
            | AlarmState::SuppressedByDesign
            | AlarmState::OutOfService => false,
        }
    }
}

/// Every alarm that stands, by equipment and fault.
pub type Alarms = imbl::OrdMap<Key, Alarm>;

/// An alarm that is put aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    /// Until when.
    pub until: Wall,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Takes an event in. Cannot refuse: an old journal always loads.
pub fn apply(alarms: &mut Alarms, at: Wall, event: &AlarmEvent) {
    let key = event.key();
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
        // Shelves are kept by themselves: an alarm may be put aside before it comes.
        AlarmEvent::Raised { .. } | AlarmEvent::Shelved { .. } | AlarmEvent::Unshelved { .. } => {}
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
