//! Alarms: those that stand, those held back, and what people do about them.

use serde::{Deserialize, Serialize};

use crate::alarm::AlarmState;
use crate::words::{Severity, Wall};

/// An alarm that stands, or a condition that is held back.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlarmV1 {
    /// On which equipment.
    pub equipment: String,
    /// Which fault.
    pub fault: String,
    /// How bad.
    pub severity: Severity,
    /// Its ISA-18.2 state.
    pub state: AlarmState,
    /// Since when the condition held.
    pub onset: Wall,
    /// When it was raised; for what is held back, when it would have been.
    pub raised_at: Wall,
    /// The first alarm of the burst or flood in which it came: equipment and fault.
    #[serde(default)]
    pub first_up: Option<String>,
    /// What else is to be said: that it chatters, or what holds it back.
    #[serde(default)]
    pub note: String,
    /// Whether it is on record; not while the journal cannot be written.
    #[serde(default = "is_recorded")]
    pub recorded: bool,
}

fn is_recorded() -> bool {
    true
}

/// An alarm that is put aside, whether its condition is there or not.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShelvedV1 {
    /// On which equipment.
    pub equipment: String,
    /// Which fault.
    pub fault: String,
    /// Until when.
    pub until: Wall,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// Equipment that is out of service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OutOfServiceV1 {
    /// Which.
    pub equipment: String,
    /// Since when.
    pub since: Wall,
    /// By whom.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// `POST /v1/operations`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OperationV1 {
    /// On which equipment.
    pub equipment: String,
    /// What.
    #[serde(flatten)]
    pub operation: OperationKindV1,
    /// Why.
    pub reason: String,
}

/// What is to be done.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case")]
pub enum OperationKindV1 {
    /// Put an alarm aside.
    Shelve {
        /// Which.
        fault: String,
        /// For so many milliseconds.
        for_ms: u64,
    },
    /// Put it aside no longer.
    Unshelve {
        /// Which.
        fault: String,
    },
    /// Take the equipment out of service.
    OutOfService,
    /// Return it to service.
    Return,
    /// Learn anew what is normal.
    Relearn {
        /// The baseline.
        baseline: String,
    },
}

/// What was done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OperatedV1 {
    /// As a sentence.
    pub message: String,
}
