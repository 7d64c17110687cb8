//! What happens to a write.

use serde::{Deserialize, Serialize};

use crate::words::{EquipmentId, PointName};

/// What was written to a piece of equipment by way of the gateway.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum WriteEvent {
    /// Somebody ordered a write; it is sent after this is on record.
    #[serde(rename = "equipment-write-ordered")]
    Ordered {
        /// To which equipment.
        equipment: EquipmentId,
        /// To which point.
        point: PointName,
        /// The value, with its unit.
        value: String,
        /// What it was before, where that was known.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        before: Option<String>,
        /// As registers, or 0 and 1 for a coil.
        registers: Vec<u16>,
        /// Why.
        reason: String,
    },
    /// It was written and read back the same.
    #[serde(rename = "equipment-written")]
    Done {
        /// To which equipment.
        equipment: EquipmentId,
        /// To which point.
        point: PointName,
        /// The value, with its unit.
        value: String,
    },
    /// It is not known to be written, or is known not to be.
    #[serde(rename = "equipment-write-failed")]
    Failed {
        /// To which equipment.
        equipment: EquipmentId,
        /// To which point.
        point: PointName,
        /// The value, with its unit.
        value: String,
        /// Why, as a sentence.
        message: String,
    },
}

impl WriteEvent {
    /// The kinds that stand in the journal, as `serde` names them (test: `kinds_are_those_that_are_written`).
    pub const KINDS: &[&str] = &["equipment-write-ordered", "equipment-written", "equipment-write-failed"];
}
