//! What happens to alarms.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AlarmName, Key};
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
        /// Profile settings (delay or deadband) that would have prevented the repeats, as text.
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
