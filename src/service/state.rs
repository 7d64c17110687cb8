//! The equipment that is out of service.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::words::{EquipmentId, Wall};

/// One piece of equipment that is out of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutOfService {
    /// The time when it was taken out of service.
    pub since: Wall,
    /// The person who took it out of service.
    pub by: String,
    /// The reason that the person gave.
    pub reason: String,
}

/// The equipment that is out of service. All other equipment is in service.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServiceState {
    /// Each entry by equipment.
    pub out: OrdMap<EquipmentId, OutOfService>,
}
