//! The alarms that stand.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use super::{AlarmName, Key};
use crate::words::{EquipmentId, FaultName, Severity, Wall, worded};

worded! {
    /// The alarm states of ISA-18.2 / IEC 62682.
    pub enum AlarmState {
        /// The condition is true, not acknowledged.
        Unacknowledged = "unacknowledged",
        /// The condition is true, acknowledged.
        Acknowledged = "acknowledged",
        /// The condition has cleared; the alarm is latched and not acknowledged.
        ReturnedUnacknowledged = "returned-unacknowledged",
        /// Suppressed by a person until an end.
        Shelved = "shelved",
        /// Suppressed because equipment that this equipment depends on is down.
        SuppressedByDesign = "suppressed-by-design",
        /// Suppressed because its equipment is out of service.
        OutOfService = "out-of-service",
    }
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

/// The alarms that stand, and those that are shelved. Shelving is stored here and not on the alarm, because a fault may be
/// shelved before it is raised.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Alarms {
    /// Alarms that stand, by equipment and fault.
    pub standing: OrdMap<Key, Alarm>,
    /// Faults whose alarms are shelved.
    pub shelves: OrdMap<Key, Shelf>,
}

impl Alarms {
    /// The alarms whose condition stands.
    pub fn active(&self) -> impl Iterator<Item = (&Key, &Alarm)> {
        self.standing.iter().filter(|(_, alarm)| alarm.is_active())
    }
}

/// A shelved alarm: suppressed by a person until an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    /// Until when.
    pub until: Wall,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// The end of shelving, for the timers of the desk; `None` if the alarm is not shelved.
#[must_use]
pub fn shelved_until(alarms: &Alarms, key: &Key) -> Option<Wall> {
    alarms.shelves.get(key).map(|shelf| shelf.until)
}
