//! The start of the desk: active alarms are restored from the state, then delays and time windows from recorded readings.

use super::{Change, Desk};
use crate::alarm::Key;
use crate::detect::Recorded;
use crate::gateway::GatewayEvent;
use crate::words::{Damage, EquipmentId, Now};

impl Desk {
    /// Starts for a single command: restores the active alarms. Nothing is recorded, and no equipment is read.
    pub fn start_without_daemon(&mut self) {
        self.reads = false;
        for ((equipment, fault), _) in self.state.alarms.active() {
            self.detector.restore_active(equipment.as_str(), fault.as_str());
        }
    }

    /// Starts as a daemon: records the start and the files in force, and restores the active alarms. `damage` lists the
    /// parts of the journal that cannot be read.
    pub fn start(&mut self, now: Now, version: &str, damage: &[Damage]) {
        self.machine_change(
            now,
            Change::Gateway(GatewayEvent::Started {
                version: version.to_owned(),
                name: self.site.name.clone(),
            }),
        );
        self.record_damage(now, damage);
        self.record_files(now);
        self.restore_or_withdraw(now, |_| true);
        self.end_turn();
    }

    /// Restores the active alarms of the equipment for which `is_meant` is true. An alarm whose fault is no longer
    /// configured is withdrawn: it clears with a reason.
    pub(super) fn restore_or_withdraw(&mut self, now: Now, is_meant: impl Fn(&EquipmentId) -> bool) {
        let active: Vec<Key> = self.state.alarms.active().map(|(key, _)| key.clone()).collect();
        for (equipment, fault) in active.into_iter().filter(|(id, _)| is_meant(id)) {
            if !self.detector.restore_active(equipment.as_str(), fault.as_str())
                && !self.restore_link(&equipment, &fault, now)
            {
                self.machine_change(now, Change::Withdrawn(equipment, fault));
            }
        }
    }

    /// Restores time windows and delays from the readings recorded before a restart. Call it after [`Self::start`].
    pub fn warm(&mut self, now: Now, recorded: &[Recorded]) {
        self.detector.warm(recorded, now);
        self.take_transitions(now);
        self.end_turn();
    }
}
