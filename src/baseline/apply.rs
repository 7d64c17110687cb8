//! Takes events into the state.

use std::sync::Arc;

use super::{BaselineEvent, BaselineState};
use crate::words::{EquipmentId, FaultName};

/// Takes an event into the state, and returns the equipment and fault whose model has changed. It cannot refuse, so
/// every old journal loads.
pub fn apply(state: &mut BaselineState, event: &BaselineEvent) -> (EquipmentId, FaultName) {
    let (BaselineEvent::Learned { equipment, fault, .. }
    | BaselineEvent::Followed { equipment, fault, .. }
    | BaselineEvent::Forgotten { equipment, fault, .. }) = event;
    let key = (equipment.clone(), fault.clone());
    match event {
        BaselineEvent::Learned { model, .. } => {
            state.models.insert(key.clone(), Arc::new(model.as_ref().clone()));
        }
        BaselineEvent::Followed { reference, widened, .. } => {
            if let Some(model) = state.models.get_mut(&key) {
                let model = Arc::make_mut(model);
                model.reference.clone_from(reference);
                model.widened = *widened;
            }
        }
        BaselineEvent::Forgotten { .. } => {
            state.models.remove(&key);
        }
    }
    key
}
