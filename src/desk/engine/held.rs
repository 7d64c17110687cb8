//! Suppressed alarms: conditions that are true but raise no alarm, because the alarm is shelved, its equipment is out of
//! service, equipment that it depends on is down, or the alarm chatters. If the condition is still true when the
//! suppression ends, the alarm is raised.

use std::time::Duration;

use super::suppression::{Hidden, Suppression};
use super::{Change, Desk};
use crate::alarm::{AlarmEvent, Key, Told};
use crate::detect::{Transition, TransitionKind};
use crate::limits;
use crate::site::Site;
use crate::words::{EquipmentId, Mono, Now, Wall};

/// A condition that is held back.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Held {
    /// The transition that raised the suppressed condition; `None` when the condition is false.
    pub(super) transition: Option<Transition>,
    /// How often it came.
    pub times: u64,
    /// Whether what it depends on was down.
    by_design: bool,
    /// Since when nothing holds it back any more, where what it depends on has come back.
    free_since: Option<Mono>,
}

impl Held {
    /// Since when the condition is there, and when it would have been raised; nothing when it has gone.
    pub(super) fn came(&self) -> Option<(Wall, Wall)> {
        self.transition.as_ref().map(|t| (t.onset.wall, t.at.wall))
    }

    /// When it is raised after all: what depends on what has come back is given a while to come back itself.
    fn raised_at(&self) -> Option<Mono> {
        let grace = if self.by_design { limits::HELD_GRACE } else { Duration::ZERO };
        Some(self.free_since? + grace)
    }
}

impl Desk {
    /// A condition came or went.
    pub(super) fn condition(&mut self, now: Now, t: Transition) {
        let Some((key, value)) = self.key_of(&t) else { return };
        match t.kind {
            TransitionKind::Raised => {
                if let Some(hidden) = self.hidden(&key) {
                    self.hold(now, &key, t, hidden.upstream);
                } else if self.chatter.changed(&key, true, t.at, value) != Told::No {
                    self.tell(now, &key, t);
                }
            }
            TransitionKind::Cleared => {
                if let Some(held) = self.held.get_mut(&key).filter(|h| h.transition.is_some()) {
                    held.transition = None;
                } else if self.chatter.changed(&key, false, t.at, value) != Told::No {
                    self.machine(now, Change::Transition(Box::new(t), None));
                }
            }
        }
        // What came is told first: whoever reads the record sees the third time, then that it is counted from here on.
        self.note_chattering(now, &key);
    }

    fn tell(&mut self, now: Now, key: &Key, t: Transition) {
        let first_up = self.bursts.raised(t.at.mono, key);
        self.machine(now, Change::Transition(Box::new(t), first_up));
    }

    fn note_chattering(&mut self, now: Now, key: &Key) {
        let is_told = self.state.alarms.standing.get(key).is_none_or(|a| a.chattering.is_some());
        if !is_told && self.chatter.is_counting(key) {
            let (equipment, fault) = key.clone();
            self.machine(now, Change::Alarm(AlarmEvent::Chattering { equipment, fault }));
        }
    }

    fn hold(&mut self, now: Now, key: &Key, t: Transition, upstream: Option<EquipmentId>) {
        let onset = t.onset.wall;
        let held = self.held.entry(key.clone()).or_insert(Held {
            transition: None,
            times: 0,
            by_design: false,
            free_since: None,
        });
        held.transition = Some(t);
        held.free_since = None;
        held.by_design |= upstream.is_some();
        held.times += 1;
        // The first time is written where the technician looks: on the ticket of what is down.
        let is_first = held.times == 1;
        if let Some(upstream) = upstream.filter(|id| is_first && !self.is_link_to_be_raised(id)) {
            self.machine(now, Change::Consequence(upstream, key.clone(), onset));
        }
    }

    /// Raises what is there and no longer held back.
    pub(super) fn release(&mut self, now: Now) {
        // What holds something back changes by events alone: between two of them only a grace can end.
        let is_due = self.held.values().filter_map(Held::raised_at).any(|at| at <= now.mono);
        if self.released_at == Some(self.state.seq) && !is_due {
            return;
        }
        self.released_at = Some(self.state.seq);
        let mut free = Vec::new();
        for key in self.held.keys().cloned().collect::<Vec<_>>() {
            let is_hidden = self.hidden(&key).is_some();
            let Some(held) = self.held.get_mut(&key) else { continue };
            held.free_since = if is_hidden { None } else { held.free_since.or(Some(now.mono)) };
            if held.raised_at().is_some_and(|at| at <= now.mono) {
                free.push(key);
            }
        }
        for key in free {
            let Some(held) = self.held.remove(&key) else { continue };
            let Some(t) = held.transition else { continue };
            self.tell(now, &key, Transition { at: now, ..t });
        }
    }

    /// How often a suppressed condition became true.
    pub(super) fn held_back(&self, key: &Key) -> u64 {
        self.held.get(key).map_or(0, |held| held.times)
    }

    /// When a suppressed alarm is to be raised, or a chattering one to be reported.
    pub(super) fn next_held(&self) -> Option<Mono> {
        let free = self.held.values().filter_map(Held::raised_at);
        free.chain(self.chatter.next_due()).min()
    }

    /// After a reload: conditions of equipment that goes on stay held back, the others come anew.
    pub(super) fn keep_held(&mut self, site: &Site, is_same: impl Fn(&str) -> bool) {
        self.held.retain(|(id, _), held| {
            let index = site.find(id.as_str()).map(|(index, _)| index);
            if let (Some(t), Some(index)) = (&mut held.transition, index) {
                t.equipment = index;
            }
            is_same(id.as_str())
        });
    }

    /// Tells what chattering alarms did, where that is due.
    pub(super) fn tell_damped(&mut self, now: Now) {
        while let Some((key, damping)) = self.chatter.take_due(now) {
            self.machine(now, Change::Damped(key.clone(), Box::new(damping.clone())));
            if !damping.goes_on && !damping.is_on {
                self.machine(now, Change::Quiet(key));
            }
            self.chatter.forget(now.mono);
        }
    }

    /// Why an alarm of this fault is suppressed, by what is decided; `None` if it is not.
    pub(super) fn hidden(&self, key: &Key) -> Option<Hidden> {
        Suppression { site: &self.site, state: &self.state, away: &self.away }.of(key)
    }

    /// Conditions that are there and held back, with how often they came.
    pub(super) fn held(&self) -> impl Iterator<Item = (&Key, &Held)> {
        self.held.iter().filter(|(_, h)| h.transition.is_some())
    }

    fn key_of(&self, t: &Transition) -> Option<(Key, Option<f64>)> {
        let equipment = self.site.equipment.get(t.equipment.0)?;
        let fault = equipment.profile.faults.get(t.fault)?;
        Some(((equipment.id.clone(), fault.name.clone()), only_number(t)))
    }
}

/// What the fault's point was, where it has only one and that is a number.
fn only_number(t: &Transition) -> Option<f64> {
    let mut values = t.values.values();
    let only = values.next().filter(|_| values.next().is_none())?;
    only.split(' ').next()?.parse().ok()
}
