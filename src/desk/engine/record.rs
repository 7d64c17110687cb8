//! Damage of the journal, as it is put on record.

use super::{Change, Desk};
use crate::gateway::new_damage;
use crate::words::{Damage, Now};

impl Desk {
    /// Puts damage on record that is not there yet.
    pub(super) fn record_damage(&mut self, now: Now, found: &[Damage]) {
        for event in new_damage(&self.state.gateway, found) {
            self.machine(now, Change::Gateway(event));
        }
    }
}
