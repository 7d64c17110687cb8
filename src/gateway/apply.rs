//! Takes events into the state.

use std::sync::Arc;

use super::{Accepted, GatewayEvent, GatewayState, KnownDamage};
use crate::limits;
use crate::words::{Author, Wall};

/// Takes an event into the state. Returns true if the state has changed. It cannot refuse, so every old journal
/// loads.
pub fn apply(state: &mut GatewayState, at: Wall, by: &Author, event: &GatewayEvent) -> bool {
    match event {
        GatewayEvent::ConfigurationLoaded { files } => {
            state.files = Arc::new(files.clone());
            true
        }
        GatewayEvent::JournalDamaged { message, damage } => {
            if state.damage.len() < limits::DAMAGE_KEPT {
                let (message, damage) = (message.clone(), damage.clone());
                state.damage.push_back(KnownDamage { found_at: at, damage, message, accepted: None });
            }
            true
        }
        GatewayEvent::DamageAccepted { reason, .. } => {
            for known in state.damage.iter_mut().filter(|d| d.accepted.is_none()) {
                known.accepted = Some(Accepted { by: by.name().to_owned(), at, reason: reason.clone() });
            }
            true
        }
        GatewayEvent::Started { .. }
        | GatewayEvent::Stopped {}
        | GatewayEvent::Paused { .. }
        | GatewayEvent::ClockStepped { .. } => false,
    }
}
