//! The learned models that are in use.

use std::sync::Arc;

use imbl::OrdMap;

use crate::detect::Model;
use crate::words::{EquipmentId, FaultName};

/// The learned models of normal operation.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct BaselineState {
    /// Each model by equipment and fault. Equipment that is still learning has no entry.
    pub models: OrdMap<(EquipmentId, FaultName), Arc<Model>>,
}
