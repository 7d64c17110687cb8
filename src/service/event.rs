//! What happens to service.

use serde::{Deserialize, Serialize};

use crate::words::EquipmentId;

/// What happened to a piece of equipment's service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum ServiceEvent {
    /// A person took it out of service.
    #[serde(rename = "equipment-out-of-service")]
    OutOfService {
        /// The equipment.
        equipment: EquipmentId,
        /// Why.
        reason: String,
    },
    /// A person returned it to service.
    #[serde(rename = "equipment-returned-to-service")]
    ReturnedToService {
        /// The equipment.
        equipment: EquipmentId,
        /// Why.
        reason: String,
    },
}

impl ServiceEvent {
    /// The kinds that stand in the journal, as `serde` names them (test: `kinds_are_those_that_are_written`).
    pub const KINDS: &[&str] = &["equipment-out-of-service", "equipment-returned-to-service"];
}
