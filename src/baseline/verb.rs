//! The request of a person about a baseline.

/// A request of a person about a baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaselineVerb {
    /// Discard the learned model and learn it again.
    Relearn {
        /// The equipment's id, as typed.
        equipment: String,
        /// The name of the fault that the baseline belongs to, as typed.
        fault: String,
        /// The reason, for the journal.
        reason: String,
    },
}
