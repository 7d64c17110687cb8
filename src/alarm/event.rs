//! The events of alarms, as the journal stores them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AlarmName, Key};
use crate::words::{EquipmentId, FaultName, Severity, Wall};

/// An event of one alarm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum AlarmEvent {
    /// The condition was true for the whole `on_delay`.
    #[serde(rename = "alarm-raised")]
    Raised {
        /// The equipment.
        equipment: EquipmentId,
        /// The fault.
        fault: FaultName,
        /// The severity of the fault in the profile.
        severity: Severity,
        /// The time when the condition became true, before the delay.
        onset: Wall,
        /// True if the alarm stays active until a person acknowledges it.
        latch: bool,
        /// The values of the fault's points when the alarm was raised, as text with units.
        values: BTreeMap<String, String>,
        /// The first-out alarm of the burst or flood; `None` if this alarm is the first.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        first_up: Option<AlarmName>,
    },
    /// The condition was false for the whole `off_delay`.
    #[serde(rename = "alarm-cleared")]
    Cleared {
        /// The equipment.
        equipment: EquipmentId,
        /// The fault.
        fault: FaultName,
        /// The reason, if the alarm was cleared for another reason than its condition; otherwise `None`.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reason: Option<String>,
    },
    /// A person acknowledged the alarm.
    #[serde(rename = "alarm-acknowledged")]
    Acknowledged {
        /// The equipment.
        equipment: EquipmentId,
        /// The fault.
        fault: FaultName,
    },
    /// A person shelved the alarm for a limited time.
    #[serde(rename = "alarm-shelved")]
    Shelved {
        /// The equipment.
        equipment: EquipmentId,
        /// The fault.
        fault: FaultName,
        /// The end of shelving.
        until: Wall,
        /// The reason that the person gave.
        reason: String,
    },
    /// Shelving has ended.
    #[serde(rename = "alarm-unshelved")]
    Unshelved {
        /// The equipment.
        equipment: EquipmentId,
        /// The fault.
        fault: FaultName,
        /// The reason if a person ended it before its time; `None` at its end.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        reason: Option<String>,
        /// The number of times that the condition became true while the alarm was shelved.
        held_back: u64,
    },
    /// The alarm chatters: from here on its repeats are counted and not reported.
    #[serde(rename = "alarm-chattering")]
    Chattering {
        /// The equipment.
        equipment: EquipmentId,
        /// The fault.
        fault: FaultName,
    },
    /// A summary of the repeats of a chattering alarm.
    #[serde(rename = "alarm-damped")]
    Damped {
        /// The equipment.
        equipment: EquipmentId,
        /// The fault.
        fault: FaultName,
        /// The start of the time that the summary covers.
        since: Wall,
        /// The number of repeats in that time.
        repeats: u64,
        /// True if the repeats are counted further.
        goes_on: bool,
        /// Profile settings (delay or deadband) that would have prevented the repeats, as text.
        proposal: String,
    },
}

impl AlarmEvent {
    /// The names of these events in the journal, as `serde` writes them (test: `kinds_are_those_that_are_written`).
    pub const KINDS: &[&str] = &[
        "alarm-raised",
        "alarm-cleared",
        "alarm-acknowledged",
        "alarm-shelved",
        "alarm-unshelved",
        "alarm-chattering",
        "alarm-damped",
    ];

    /// The alarm that the event belongs to.
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
