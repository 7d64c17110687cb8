//! The request of a person about the gateway itself.

/// A request of a person about the gateway itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayVerb {
    /// Accept the damage of the journal, so that it is no longer shown on the first screen.
    AcceptDamage {
        /// The reason, for the journal.
        reason: String,
    },
}
