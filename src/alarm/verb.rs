//! The requests of a person about alarms.

use crate::words::Wall;

/// A request of a person about alarms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AlarmVerb {
    /// Shelve an alarm for a limited time.
    Shelve {
        /// The equipment's id, as typed.
        equipment: String,
        /// The fault's name, as typed.
        fault: String,
        /// The end of shelving.
        until: Wall,
        /// The reason, for the journal.
        reason: String,
    },
    /// End shelving before its time.
    Unshelve {
        /// The equipment's id, as typed.
        equipment: String,
        /// The fault's name, as typed.
        fault: String,
        /// The reason, for the journal.
        reason: String,
    },
}

impl AlarmVerb {
    /// The equipment's id, as typed.
    #[must_use]
    pub fn equipment(&self) -> &str {
        let (Self::Shelve { equipment, .. } | Self::Unshelve { equipment, .. }) = self;
        equipment
    }
}
