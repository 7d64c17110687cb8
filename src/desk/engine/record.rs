//! What is known of the record itself: its damage, and what is not on record yet.

use super::{Change, Desk};
use crate::alarm::Key;
use crate::detect::{Transition, TransitionKind};
use crate::gateway::new_damage;
use crate::words::{Damage, Now, Severity};

/// A condition that is true and whose alarm is not on record, because the journal cannot be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Unrecorded {
    /// Equipment and fault.
    pub key: Key,
    /// How bad.
    pub severity: Severity,
    /// How it came.
    pub transition: Transition,
}

impl Desk {
    /// Puts damage on record that is not there yet.
    pub(super) fn record_damage(&mut self, now: Now, found: &[Damage]) {
        for event in new_damage(&self.state.gateway, found) {
            self.machine(now, Change::Gateway(event));
        }
    }

    /// Conditions that became true while the journal could not be written, and still are.
    #[must_use]
    pub fn unrecorded(&self) -> Vec<Unrecorded> {
        let mut found: Vec<Unrecorded> = Vec::new();
        for change in &self.waiting {
            let Change::Transition(t, _) = change else { continue };
            let Some(equipment) = self.site.equipment.get(t.equipment.0) else { continue };
            let Some(fault) = equipment.profile.faults.get(t.fault) else { continue };
            let key = (equipment.id.clone(), fault.name.clone());
            found.retain(|u| u.key != key);
            if t.kind == TransitionKind::Raised {
                found.push(Unrecorded { key, severity: fault.severity, transition: t.as_ref().clone() });
            }
        }
        found
    }

    /// Alarms on record that have cleared meanwhile, while the journal cannot be written.
    #[must_use]
    pub fn is_cleared_unrecorded(&self, key: &Key) -> bool {
        let last = self.waiting.iter().rev().find_map(|change| match change {
            Change::Transition(t, _) => {
                let equipment = self.site.equipment.get(t.equipment.0)?;
                let fault = equipment.profile.faults.get(t.fault)?;
                (equipment.id == key.0 && fault.name == key.1).then_some(t.kind)
            }
            _ => None,
        });
        last == Some(TransitionKind::Cleared)
    }
}
