//! What a person does to alarms, to equipment's being in service, and to what is known as normal.

use crate::words::{Author, Wall};

/// An operation and who asks for it.
#[derive(Debug, Clone, PartialEq)]
pub struct OperationAsk {
    /// Who.
    pub by: Author,
    /// On which equipment.
    pub equipment: String,
    /// What.
    pub operation: Operation,
    /// Why.
    pub reason: String,
}

/// What a person may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// Put an alarm aside until a time.
    Shelve {
        /// Which.
        fault: String,
        /// Until when.
        until: Wall,
    },
    /// Put an alarm aside no longer.
    Unshelve {
        /// Which.
        fault: String,
    },
    /// Take equipment out of service.
    OutOfService,
    /// Return it to service.
    Return,
    /// Learn anew what is normal.
    Relearn {
        /// The baseline: its fault.
        fault: String,
    },
}
