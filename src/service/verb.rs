//! What may be asked about service.

/// What a person asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ServiceVerb {
    /// Take equipment out of service.
    TakeOut {
        /// The equipment's id, as typed.
        equipment: String,
        /// Why.
        reason: String,
    },
    /// Return equipment to service.
    Return {
        /// The equipment's id, as typed.
        equipment: String,
        /// Why.
        reason: String,
    },
}

impl ServiceVerb {
    /// The id of the equipment that is meant, as typed.
    #[must_use]
    pub fn equipment(&self) -> &str {
        let (Self::TakeOut { equipment, .. } | Self::Return { equipment, .. }) = self;
        equipment
    }
}
