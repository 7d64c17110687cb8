//! The request of a person to write a point.

/// A request of a person to write a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteVerb {
    /// The equipment's id, as typed.
    pub equipment: String,
    /// The point's name, as typed.
    pub point: String,
    /// The value, as typed.
    pub value: String,
    /// The reason, for the journal.
    pub reason: String,
}
