//! The events of taking equipment out of service and back.

use serde::{Deserialize, Serialize};

use crate::words::EquipmentId;

/// A change of whether a piece of equipment is in service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum ServiceEvent {
    /// A person took the equipment out of service.
    #[serde(rename = "equipment-out-of-service")]
    OutOfService {
        /// The equipment.
        equipment: EquipmentId,
        /// The reason that the person gave.
        reason: String,
    },
    /// A person returned the equipment to service.
    #[serde(rename = "equipment-returned-to-service")]
    ReturnedToService {
        /// The equipment.
        equipment: EquipmentId,
        /// The reason that the person gave.
        reason: String,
    },
}

impl ServiceEvent {
    /// The names of these events in the journal, as `serde` writes them (test: `kinds_are_those_that_are_written`).
    pub const KINDS: &[&str] = &["equipment-out-of-service", "equipment-returned-to-service"];
}
