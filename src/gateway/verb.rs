//! What may be asked of the gateway itself.

/// What a person asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GatewayVerb {
    /// Take note of the journal's damage, so that it is no longer shown on the first screen.
    AcceptDamage {
        /// Why.
        reason: String,
    },
}
