//! The effects of time alone: readings become stale, ages pass their limits, and silent equipment is reported as
//! lost.

use std::collections::BTreeSet;
use std::time::Duration;

use super::detector::Detector;
use super::state::Due;
use crate::words::{Mono, Now};

impl Detector {
    pub(super) fn grow_stale(&mut self, e: usize, now: Now) {
        let site = self.site.clone();
        let (Some(unit), Some(equipment)) = (self.units.get_mut(e), site.equipment.get(e)) else { return };
        let mut affected = BTreeSet::new();
        let mut next: Option<Mono> = None;
        for (slot, point) in unit.slots.iter_mut().zip(&equipment.profile.points) {
            let Some(good_at) = slot.good_at.filter(|_| slot.fresh) else { continue };
            let Some(at) = stale_at(good_at, point.stale_after) else { continue };
            if at <= now.mono {
                slot.fresh = false;
                self.memories.reading(&slot.memories, now.mono, None, &mut Vec::new());
                affected.extend(slot.dependents.iter().copied());
            } else {
                next = Some(next.map_or(at, |n| n.min(at)));
            }
        }
        unit.stale_due = next;
        if let Some(at) = next {
            self.due.insert((at, Due::Stale(e)));
        }
        for w in affected {
            self.judge(w, now);
        }
    }

    /// An `age` has passed the limit it is compared with.
    pub(super) fn grow_old(&mut self, memory: usize, now: Now) {
        let Some((e, p)) = self.memories.passed(memory) else { return };
        let Some(slot) = self.units.get(e.0).and_then(|u| u.slots.get(p.0)) else { return };
        for w in slot.dependents.clone() {
            self.judge(w, now);
        }
    }

    pub(super) fn grow_silent(&mut self, e: usize, now: Now) {
        let Some(unit) = self.units.get_mut(e) else { return };
        if unit.lost {
            return;
        }
        let since = unit.last_answer.map_or(unit.started, |n| n.mono);
        let Some(limit) = unit.offline_after else { return };
        let at = since + limit;
        if at > now.mono {
            self.due.insert((at, Due::Silence(e)));
            return;
        }
        self.lose(e, now.at(since), now);
    }

    pub(super) fn lose(&mut self, e: usize, onset: Now, now: Now) {
        let Some(unit) = self.units.get_mut(e).filter(|u| !u.lost) else { return };
        unit.lost = true;
        self.memories.lose(&unit.slots, now.mono);
        let affected: BTreeSet<usize> =
            unit.slots.iter().flat_map(|s| s.dependents.iter().copied()).collect();
        let silence = unit.silence;
        self.enter(silence, onset, now);
        for w in affected {
            self.judge(w, now);
        }
    }
}

/// The first instant at which a reading is too old. A reading whose age is equal to the limit is still valid.
pub(super) fn stale_at(good_at: Mono, stale_after: Option<Duration>) -> Option<Mono> {
    Some(good_at + stale_after? + Duration::from_nanos(1))
}
