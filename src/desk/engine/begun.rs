//! The beginning: standing alarms are taken up, and windows and delays where something was recorded.

use super::{Change, Desk};
use crate::detect::Recorded;
use crate::gateway::GatewayEvent;
use crate::words::{Damage, Now};

impl Desk {
    /// Takes up standing alarms for a single command: nothing is recorded, nothing is read.
    pub fn take_up(&mut self) {
        self.reads = false;
        let standing: Vec<_> = self
            .state
            .alarms
            .standing
            .iter()
            .filter(|(_, a)| a.is_active())
            .map(|(k, _)| k.clone())
            .collect();
        for (equipment, fault) in standing {
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
        let standing: Vec<_> = self
            .state
            .alarms
            .standing
            .iter()
            .filter(|(_, a)| a.is_active())
            .map(|(k, _)| k.clone())
            .collect();
        for (equipment, fault) in standing {
            if !self.detector.restore_active(equipment.as_str(), fault.as_str())
                && !self.restore_link(&equipment, &fault, now)
            {
                self.machine(now, Change::Withdrawn(equipment, fault));
            }
        }
        self.end_turn();
    }

    /// Takes up windows and delays from what was recorded before a restart. To be called after [`Self::start`].
    pub fn warm(&mut self, now: Now, recorded: &[Recorded]) {
        self.detector.warm(recorded, now);
        self.take_transitions(now);
        self.end_turn();
    }
}
