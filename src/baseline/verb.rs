//! What may be asked about baselines.

/// What a person asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BaselineVerb {
    /// Learn anew what is normal.
    Relearn {
        /// The equipment's id, as typed.
        equipment: String,
        /// The baseline, by the name of its fault.
        fault: String,
        /// Why.
        reason: String,
    },
}
