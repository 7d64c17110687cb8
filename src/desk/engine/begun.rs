//! The beginning: standing alarms are taken up, and windows and delays where something was recorded.

use super::{Change, Desk};
use crate::alarm::Key;
use crate::detect::Recorded;
use crate::gateway::GatewayEvent;
use crate::words::{Damage, EquipmentId, Now};

impl Desk {
    /// Takes up standing alarms for a single command: nothing is recorded, nothing is read.
    pub fn take_up(&mut self) {
        self.reads = false;
        for ((equipment, fault), _) in self.state.alarms.active() {
            self.detector.restore_active(equipment.as_str(), fault.as_str());
        }
    }

    /// Begins as a daemon: records the start and the files in force, takes up standing alarms.
    /// `damage` are the parts of the journal that cannot be read.
    pub fn start(&mut self, now: Now, version: &str, damage: &[Damage]) {
        self.machine(
            now,
            Change::Gateway(GatewayEvent::Started {
                version: version.to_owned(),
                name: self.site.name.clone(),
            }),
        );
        self.record_damage(now, damage);
        self.record_files(now);
        self.take_up_or_withdraw(now, |_| true);
        self.end_turn();
    }

    /// Goes on with the alarms that stand on this equipment; those whose fault is no longer named are withdrawn.
    pub(super) fn take_up_or_withdraw(&mut self, now: Now, is_meant: impl Fn(&EquipmentId) -> bool) {
        let standing: Vec<Key> = self.state.alarms.active().map(|(key, _)| key.clone()).collect();
        for (equipment, fault) in standing.into_iter().filter(|(id, _)| is_meant(id)) {
            if !self.detector.restore_active(equipment.as_str(), fault.as_str())
                && !self.restore_link(&equipment, &fault, now)
            {
                self.machine(now, Change::Withdrawn(equipment, fault));
            }
        }
    }

    /// Takes up windows and delays from what was recorded before a restart. To be called after [`Self::start`].
    pub fn warm(&mut self, now: Now, recorded: &[Recorded]) {
        self.detector.warm(recorded, now);
        self.take_transitions(now);
        self.end_turn();
    }
}
