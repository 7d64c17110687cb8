//! What may be asked of alarms.

use crate::words::Wall;

/// What a person asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlarmVerb {
    /// Shelve an alarm until a time.
    Shelve {
        /// The equipment's id, as typed.
        equipment: String,
        /// The fault's name, as typed.
        fault: String,
        /// Until when.
        until: Wall,
        /// Why.
        reason: String,
    },
    /// End shelving before its time.
    Unshelve {
        /// The equipment's id, as typed.
        equipment: String,
        /// The fault's name, as typed.
        fault: String,
        /// Why.
        reason: String,
    },
}

impl AlarmVerb {
    /// The id of the equipment that is meant, as typed.
    #[must_use]
    pub fn equipment(&self) -> &str {
        let (Self::Shelve { equipment, .. } | Self::Unshelve { equipment, .. }) = self;
        equipment
    }
}
