//! The state of each fault on each piece of equipment, in the alarm states of ISA-18.2 / IEC 62682.
//!
//! The detector reports that a condition became true or false, and the desk records that as an [`AlarmEvent`]. A
//! person asks with an [`AlarmVerb`], and [`decide`] answers with an event or a refusal. [`apply`] takes an event
//! into the [`Alarms`] and cannot refuse, so every old journal loads. This module knows conditions only, not
//! readings.
//!
//! ```
//! use andon::alarm::{AlarmEvent, AlarmState, Alarms, apply};
//! use andon::words::{Author, EquipmentId, FaultName, Severity, Wall};
//!
//! let equipment = EquipmentId::parse("press-7").unwrap();
//! let fault = FaultName::parse("oil-hot").unwrap();
//! let raised = AlarmEvent::Raised {
//!     equipment: equipment.clone(),
//!     fault: fault.clone(),
//!     severity: Severity::Major,
//!     onset: Wall::from_millis(0),
//!     latch: false,
//!     values: [("oil".to_owned(), "81 degC".to_owned())].into(),
//!     first_up: None,
//! };
//! let mut alarms = Alarms::default();
//! apply(&mut alarms, Wall::from_millis(5000), &Author::Gateway, &raised);
//! assert_eq!(alarms.standing[&(equipment, fault)].state, AlarmState::Unacknowledged);
//! ```

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

/// An alarm is identified by its equipment and its fault.
pub type Key = (EquipmentId, FaultName);

/// The name of an alarm, as an event stores it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlarmName {
    /// The equipment.
    pub equipment: EquipmentId,
    /// The fault.
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
