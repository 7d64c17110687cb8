//! Which equipment is out of service.

use imbl::OrdMap;
use serde::{Deserialize, Serialize};

use crate::words::{EquipmentId, Wall};

/// Why a piece of equipment is out of service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutOfService {
    /// Since when.
    pub since: Wall,
    /// Who took it out.
    pub by: String,
    /// Why.
    pub reason: String,
}

/// The equipment that is out of service. Everything else is in service.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ServiceState {
    /// By equipment.
    pub out: OrdMap<EquipmentId, OutOfService>,
}
