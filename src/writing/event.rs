//! The events of a write.

use serde::{Deserialize, Serialize};

use crate::words::{EquipmentId, PointName};

/// An event of a write to equipment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum WriteEvent {
    /// A person ordered a write. It is sent after this event is recorded.
    #[serde(rename = "equipment-write-ordered")]
    Ordered {
        /// The equipment.
        equipment: EquipmentId,
        /// The point.
        point: PointName,
        /// The value to write, with its unit.
        value: String,
        /// The value before the write, with its unit; `None` if it was unknown.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        before: Option<String>,
        /// The value as registers, or 0 or 1 for a coil.
        registers: Vec<u16>,
        /// The reason that the person gave.
        reason: String,
    },
    /// The write was sent, and the same value was read back.
    #[serde(rename = "equipment-written")]
    Done {
        /// The equipment.
        equipment: EquipmentId,
        /// The point.
        point: PointName,
        /// The written value, with its unit.
        value: String,
    },
    /// The write is not confirmed: it failed, or its result is unknown.
    #[serde(rename = "equipment-write-failed")]
    Failed {
        /// The equipment.
        equipment: EquipmentId,
        /// The point.
        point: PointName,
        /// The value to write, with its unit.
        value: String,
        /// The reason, as a sentence.
        message: String,
    },
}

impl WriteEvent {
    /// The names of these events in the journal, as `serde` writes them (test: `kinds_are_those_that_are_written`).
    pub const KINDS: &[&str] = &["equipment-write-ordered", "equipment-written", "equipment-write-failed"];
}
