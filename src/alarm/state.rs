//! The current alarms.

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

/// One current alarm: its condition is true, or it is latched and not acknowledged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// The equipment.
    pub equipment: EquipmentId,
    /// The fault.
    pub fault: FaultName,
    /// The severity of the fault in the profile.
    pub severity: Severity,
    /// The present state.
    pub state: AlarmState,
    /// The time when the condition became true, before the delay.
    pub onset: Wall,
    /// The time when the alarm was raised.
    pub raised_at: Wall,
    /// True if the alarm stays until a person acknowledges it.
    pub latch: bool,
    /// The first-out alarm of the burst or flood; `None` if this alarm is the first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub first_up: Option<AlarmName>,
    /// The number of repeats since they are only counted; `None` while each change is reported.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub chattering: Option<u64>,
}

impl Alarm {
    /// True if the condition is true.
    #[must_use]
    pub fn is_active(&self) -> bool {
        match self.state {
            AlarmState::Unacknowledged | AlarmState::Acknowledged => true,
            // The last three states suppress an alarm; they are never the state of a current alarm.
            AlarmState::ReturnedUnacknowledged
            | AlarmState::Shelved
            | AlarmState::SuppressedByDesign
            | AlarmState::OutOfService => false,
        }
    }
}

/// The current alarms, and the shelves. A shelf is stored here and not on the alarm, because a fault may be shelved
/// before it is raised.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Alarms {
    /// The current alarms.
    pub standing: OrdMap<Key, Alarm>,
    /// The shelved faults. A shelved fault need not be active.
    pub shelves: OrdMap<Key, Shelf>,
}

impl Alarms {
    /// The alarms whose condition is true.
    pub fn active(&self) -> impl Iterator<Item = (&Key, &Alarm)> {
        self.standing.iter().filter(|(_, alarm)| alarm.is_active())
    }
}

/// A shelved fault: a person suppresses its alarm until an end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shelf {
    /// The end of shelving.
    pub until: Wall,
    /// The person who shelved it.
    pub by: String,
    /// The reason that the person gave.
    pub reason: String,
}

/// The end of shelving, for the timers of the desk; `None` if the alarm is not shelved.
#[must_use]
pub fn shelved_until(alarms: &Alarms, key: &Key) -> Option<Wall> {
    alarms.shelves.get(key).map(|shelf| shelf.until)
}
