//! Takes events into the state.

use super::{OutOfService, ServiceEvent, ServiceState};
use crate::words::{Author, Wall};

/// Takes an event into the state. It cannot refuse, so every old journal loads.
pub fn apply(state: &mut ServiceState, at: Wall, by: &Author, event: &ServiceEvent) {
    match event {
        ServiceEvent::OutOfService { equipment, reason } => {
            let out = OutOfService { since: at, by: by.name().to_owned(), reason: reason.clone() };
            state.out.insert(equipment.clone(), out);
        }
        ServiceEvent::ReturnedToService { equipment, .. } => {
            state.out.remove(equipment);
        }
    }
}
