//! Reload of the configuration: takes over the state of unchanged equipment, with its running delays.

use super::detector::Detector;
use super::state::{Due, Phase};
use crate::words::EquipmentIndex;

impl Detector {
    /// Takes over the state of equipment that is the same in both detectors: pairs of its index in `old` and in
    /// `self`. All other equipment begins without a past.
    pub fn take_over(&mut self, old: &Detector, same: &[(EquipmentIndex, EquipmentIndex)]) {
        for (from, to) in same {
            let (Some(before), Some(unit)) = (old.units.get(from.0), self.units.get_mut(to.0)) else {
                continue;
            };
            for (slot, known) in unit.slots.iter_mut().zip(&before.slots) {
                slot.take_over(known);
            }
            unit.lost = before.lost;
            unit.last_answer = before.last_answer;
            unit.started = before.started;
            unit.stale_due = before.stale_due;
            if let Some(at) = before.stale_due {
                self.due.insert((at, Due::Stale(to.0)));
            }
            for (memory, at) in self.memories.take_over(&old.memories, *from, *to) {
                self.due.insert((at, Due::Age(memory)));
            }
            let faults: Vec<(usize, usize)> =
                before.faults.iter().copied().zip(unit.faults.iter().copied()).collect();
            for (from, to) in faults {
                let (Some(known), Some(watch)) = (old.watches.get(from), self.watches.get_mut(to)) else {
                    continue;
                };
                watch.phase = known.phase;
                watch.due = known.due;
                self.baselines.take_over(&old.baselines, known, watch);
                if let Some(at) = known.due {
                    self.due.insert((at, Due::Delay(to)));
                }
            }
        }
        // A condition may use a point of other equipment, which is unknown until it is read.
        let now_unknown: Vec<usize> = (0..self.watches.len()).filter(|w| self.names_unread(*w)).collect();
        for index in now_unknown {
            if let Some(watch) = self.watches.get_mut(index)
                && let Phase::Normal { since: Some(_) } | Phase::Active { clearing: Some(_) } = watch.phase
            {
                if let Some(at) = watch.due.take() {
                    self.due.remove(&(at, Due::Delay(index)));
                }
                watch.phase = match watch.phase {
                    Phase::Normal { .. } => Phase::Normal { since: None },
                    Phase::Active { .. } => Phase::Active { clearing: None },
                };
            }
        }
    }

    fn names_unread(&self, watch: usize) -> bool {
        self.watches.get(watch).is_some_and(|w| {
            w.places().any(|(e, p)| {
                let slot = self.units.get(e.0).and_then(|u| u.slots.get(p.0));
                slot.is_none_or(|s| s.last.is_none())
            })
        })
    }
}
