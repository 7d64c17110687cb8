//! What may be asked.

/// What a person asks to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteVerb {
    /// The equipment's id, as typed.
    pub equipment: String,
    /// The point's name, as typed.
    pub point: String,
    /// The value, as typed.
    pub value: String,
    /// Why.
    pub reason: String,
}
