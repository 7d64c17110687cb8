//! Alarms, shelves, equipment out of service, and the operations of people on them.

use serde::{Deserialize, Serialize};

use crate::alarm::AlarmState;
use crate::words::{Severity, Wall};

/// An alarm, or a suppressed condition.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlarmV1 {
    /// The id of the equipment.
    pub equipment: String,
    /// The name of the fault.
    pub fault: String,
    /// The severity of the fault in the profile.
    pub severity: Severity,
    /// The state of ISA-18.2.
    pub state: AlarmState,
    /// The time when the condition became true, before the delay.
    pub onset: Wall,
    /// The time when the alarm was raised. For a suppressed condition: when it would have been raised.
    pub raised_at: Wall,
    /// The first-out alarm of the burst or flood, as equipment and fault; `None` if this alarm was the first or alone.
    #[serde(default)]
    pub first_up: Option<String>,
    /// A remark for people: the alarm chatters, or the reason why it is suppressed. Empty if there is none.
    #[serde(default)]
    pub note: String,
    /// False while the alarm is not in the journal because the journal cannot be written.
    #[serde(default = "is_recorded")]
    pub recorded: bool,
}

fn is_recorded() -> bool {
    true
}

/// A shelved alarm. Its condition can be true or false.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ShelvedV1 {
    /// The id of the equipment.
    pub equipment: String,
    /// The name of the fault.
    pub fault: String,
    /// The end of shelving.
    pub until: Wall,
    /// The person who shelved the alarm.
    pub by: String,
    /// The reason that the person gave.
    pub reason: String,
}

/// A piece of equipment that is out of service.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OutOfServiceV1 {
    /// The id of the equipment.
    pub equipment: String,
    /// The time since when.
    pub since: Wall,
    /// The person who took it out of service.
    pub by: String,
    /// The reason that the person gave.
    pub reason: String,
}

/// `POST /v1/operations`: an operation of a person.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OperationV1 {
    /// The id of the equipment.
    pub equipment: String,
    /// The operation.
    #[serde(flatten)]
    pub operation: OperationKindV1,
    /// The reason that the person gives.
    pub reason: String,
}

/// The kind of an operation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "operation", rename_all = "kebab-case")]
pub enum OperationKindV1 {
    /// Shelve an alarm.
    Shelve {
        /// The name of the fault.
        fault: String,
        /// The duration in milliseconds.
        for_ms: u64,
    },
    /// End the shelving of an alarm before its time.
    Unshelve {
        /// The name of the fault.
        fault: String,
    },
    /// Take the equipment out of service.
    OutOfService,
    /// Return the equipment to service.
    Return,
    /// Forget the learned model of a baseline and learn again.
    Relearn {
        /// The name of the baseline's fault.
        baseline: String,
    },
}

/// The result of an operation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OperatedV1 {
    /// The result, as a sentence.
    pub message: String,
}
