//! Damage of the journal becomes an event.

use super::{Change, Desk};
use crate::gateway::new_damage;
use crate::words::{Damage, Now};

impl Desk {
    /// Records the damage that is not recorded yet.
    pub(super) fn record_damage(&mut self, now: Now, found: &[Damage]) {
        for event in new_damage(&self.state.gateway, found) {
            self.machine_change(now, Change::Gateway(event));
        }
    }
}
