//! A fault's live state on one piece of equipment, in the states of ISA-18.2 / IEC 62682.
//!
//! A person asks with an [`AlarmVerb`]; [`decide`] answers with an [`AlarmEvent`] or a refusal. [`apply`] takes an event into
//! the [`Alarms`] and cannot refuse, so every old journal loads. The module is told of conditions and does not know readings.

mod apply;
mod burst;
mod chatter;
mod decide;
mod event;
pub mod report;
mod state;
mod verb;

pub use apply::apply;
pub use burst::Bursts;
pub use chatter::{Chatter, Damping, Told};
pub use decide::{decide, unshelved};
pub use event::AlarmEvent;
pub use state::{Alarm, AlarmState, Alarms, Shelf, shelved_until};
pub use verb::AlarmVerb;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::words::{EquipmentId, FaultName};

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
