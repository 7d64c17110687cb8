//! The requests of a person about service.

/// A request of a person about service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceVerb {
    /// Take equipment out of service.
    TakeOut {
        /// The equipment's id, as typed.
        equipment: String,
        /// The reason, for the journal.
        reason: String,
    },
    /// Return equipment to service.
    Return {
        /// The equipment's id, as typed.
        equipment: String,
        /// The reason, for the journal.
        reason: String,
    },
}

impl ServiceVerb {
    /// The equipment's id, as typed.
    #[must_use]
    pub fn equipment(&self) -> &str {
        let (Self::TakeOut { equipment, .. } | Self::Return { equipment, .. }) = self;
        equipment
    }
}
