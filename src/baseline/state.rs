//! The models that are in force.

use std::sync::Arc;

use imbl::OrdMap;

use crate::detect::Model;
use crate::words::{EquipmentId, FaultName};

/// What has been learned as normal, by equipment and fault.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BaselineState {
    /// The models.
    pub models: OrdMap<(EquipmentId, FaultName), Arc<Model>>,
}
