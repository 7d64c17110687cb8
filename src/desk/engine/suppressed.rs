//! Suppressed alarms: conditions that are true but raise no alarm, because the alarm is shelved, its equipment is out of
//! service, or equipment or a link upstream is down. If the condition is still true when the suppression ends, the alarm
//! is raised. The changes of a chattering alarm are also counted or reported here.

use std::time::Duration;

use super::suppression::{Suppression, SuppressionRules};
use super::{Change, Desk};
use crate::alarm::{AlarmEvent, Key, Told};
use crate::detect::{Transition, TransitionKind};
use crate::limits;
use crate::site::Site;
use crate::words::{EquipmentId, Mono, Now, Wall};

/// A condition that became true while its alarm was suppressed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct SuppressedCondition {
    /// The transition that raised the suppressed condition; `None` when the condition is false.
    pub(super) transition: Option<Transition>,
    /// The number of times that the condition became true while its alarm was suppressed.
    pub times: u64,
    /// True if equipment or a link upstream was down, at least for a while.
    by_design: bool,
    /// The time since which nothing suppresses the alarm; `None` while something does.
    free_since: Option<Mono>,
}

impl SuppressedCondition {
    /// Returns the onset, and the time when the alarm would have been raised; `None` when the condition is false.
    pub(super) fn alarm_times(&self) -> Option<(Wall, Wall)> {
        self.transition.as_ref().map(|t| (t.onset.wall, t.at.wall))
    }

    /// Returns the time at which the alarm is raised. Dependent equipment has [`limits::SUPPRESSION_GRACE`] to recover first.
    fn release_at(&self) -> Option<Mono> {
        let grace = if self.by_design { limits::SUPPRESSION_GRACE } else { Duration::ZERO };
        Some(self.free_since? + grace)
    }
}

impl Desk {
    /// Takes a condition that became true or false: it is reported, counted, or suppressed.
    pub(super) fn condition(&mut self, now: Now, t: Transition) {
        let Some((key, value)) = self.key_of(&t) else { return };
        match t.kind {
            TransitionKind::Raised => {
                if let Some(suppression) = self.suppression(&key) {
                    self.suppress(now, &key, t, suppression.upstream);
                } else if self.chatter.changed(&key, true, t.at, value) != Told::No {
                    self.report_raised(now, &key, t);
                }
            }
            TransitionKind::Cleared => {
                if let Some(condition) = self.suppressed.get_mut(&key).filter(|c| c.transition.is_some()) {
                    condition.transition = None;
                } else if self.chatter.changed(&key, false, t.at, value) != Told::No {
                    self.machine_change(now, Change::Transition(Box::new(t), None));
                }
            }
        }
        // The journal first gets the last reported change, and then the event that only counts follow.
        self.note_chattering(now, &key);
    }

    /// Raises an alarm. If other alarms were raised shortly before, it is joined to their first-out alarm.
    fn report_raised(&mut self, now: Now, key: &Key, t: Transition) {
        let first_up = self.bursts.raised(t.at.mono, key);
        self.machine_change(now, Change::Transition(Box::new(t), first_up));
    }

    /// Records once that an alarm has begun to chatter.
    fn note_chattering(&mut self, now: Now, key: &Key) {
        let is_recorded = self.state.alarms.standing.get(key).is_none_or(|a| a.chattering.is_some());
        if !is_recorded && self.chatter.is_counting(key) {
            let (equipment, fault) = key.clone();
            self.machine_change(now, Change::Alarm(AlarmEvent::Chattering { equipment, fault }));
        }
    }

    /// Keeps a condition whose alarm is suppressed. `upstream` is the equipment or link that is down; `None` if a person
    /// suppressed the alarm.
    fn suppress(&mut self, now: Now, key: &Key, t: Transition, upstream: Option<EquipmentId>) {
        let onset = t.onset.wall;
        let condition = self.suppressed.entry(key.clone()).or_insert(SuppressedCondition {
            transition: None,
            times: 0,
            by_design: false,
            free_since: None,
        });
        condition.transition = Some(t);
        condition.free_since = None;
        condition.by_design |= upstream.is_some();
        condition.times += 1;
        // The first time is noted on the ticket of the equipment or link that is down: the technician reads that ticket.
        let is_first = condition.times == 1;
        if let Some(upstream) = upstream.filter(|id| is_first && !self.is_link_to_be_raised(id)) {
            self.machine_change(now, Change::Consequence(upstream, key.clone(), onset));
        }
    }

    /// Raises the alarms whose condition is true and which nothing suppresses any more.
    pub(super) fn release(&mut self, now: Now) {
        // A suppression ends only by an event. Between two events only a grace time can end.
        let is_due =
            self.suppressed.values().filter_map(SuppressedCondition::release_at).any(|at| at <= now.mono);
        if self.released_seq == Some(self.state.seq) && !is_due {
            return;
        }
        self.released_seq = Some(self.state.seq);
        let mut free = Vec::new();
        for key in self.suppressed.keys().cloned().collect::<Vec<_>>() {
            let is_suppressed = self.suppression(&key).is_some();
            let Some(condition) = self.suppressed.get_mut(&key) else { continue };
            condition.free_since = if is_suppressed { None } else { condition.free_since.or(Some(now.mono)) };
            if condition.release_at().is_some_and(|at| at <= now.mono) {
                free.push(key);
            }
        }
        for key in free {
            let Some(condition) = self.suppressed.remove(&key) else { continue };
            let Some(t) = condition.transition else { continue };
            self.report_raised(now, &key, Transition { at: now, ..t });
        }
    }

    /// Returns the number of times that the condition became true while its alarm was suppressed.
    pub(super) fn held_back(&self, key: &Key) -> u64 {
        self.suppressed.get(key).map_or(0, |condition| condition.times)
    }

    /// Returns the time at which the next suppressed alarm is raised, or the next summary of a chattering alarm is due.
    pub(super) fn next_suppressed(&self) -> Option<Mono> {
        let free = self.suppressed.values().filter_map(SuppressedCondition::release_at);
        free.chain(self.chatter.next_due()).min()
    }

    /// After a reload: keeps the suppressed conditions of unchanged equipment. Other conditions are evaluated again.
    pub(super) fn keep_suppressed(&mut self, site: &Site, is_same: impl Fn(&str) -> bool) {
        self.suppressed.retain(|(id, _), condition| {
            let index = site.find(id.as_str()).map(|(index, _)| index);
            if let (Some(t), Some(index)) = (&mut condition.transition, index) {
                t.equipment = index;
            }
            is_same(id.as_str())
        });
    }

    /// Records the summaries of chattering alarms that are due.
    pub(super) fn report_damped(&mut self, now: Now) {
        while let Some((key, damping)) = self.chatter.take_due(now) {
            self.machine_change(now, Change::Damped(key.clone(), Box::new(damping.clone())));
            if !damping.goes_on && !damping.is_on {
                self.machine_change(now, Change::Quiet(key));
            }
            self.chatter.forget(now.mono);
        }
    }

    /// Returns why the alarm of this fault is suppressed in the decided state; `None` if it is not.
    pub(super) fn suppression(&self, key: &Key) -> Option<Suppression> {
        SuppressionRules { site: &self.site, state: &self.state, away: &self.away }.of(key)
    }

    /// Returns the conditions that are true and whose alarm is suppressed.
    pub(super) fn suppressed(&self) -> impl Iterator<Item = (&Key, &SuppressedCondition)> {
        self.suppressed.iter().filter(|(_, c)| c.transition.is_some())
    }

    /// Returns the equipment and fault of a transition, and the value of the fault's point.
    fn key_of(&self, t: &Transition) -> Option<(Key, Option<f64>)> {
        let equipment = self.site.equipment.get(t.equipment.0)?;
        let fault = equipment.profile.faults.get(t.fault)?;
        Some(((equipment.id.clone(), fault.name.clone()), only_number(t)))
    }
}

/// Returns the value of the fault's point at the transition; `None` if it uses several points, or the value is a text.
fn only_number(t: &Transition) -> Option<f64> {
    let mut values = t.values.values();
    let only = values.next().filter(|_| values.next().is_none())?;
    only.split(' ').next()?.parse().ok()
}
