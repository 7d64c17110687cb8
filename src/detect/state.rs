//! The state that the detector keeps of each point, each piece of equipment and each fault.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::remembered::Resolved;
use crate::profile::Baseline;
use crate::words::{BadReason, EquipmentIndex, Mono, Now, PointIndex, Reading, Value};

/// Whether a fault was raised or cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransitionKind {
    /// The condition was true for the whole `on_delay`.
    Raised,
    /// The clear condition was true for the whole `off_delay`.
    Cleared,
}

/// A fault was raised or cleared.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// The index of the equipment in the site.
    pub equipment: EquipmentIndex,
    /// The index of the fault in the profile.
    pub fault: usize,
    /// Whether the fault was raised or cleared.
    pub kind: TransitionKind,
    /// For a raise: the time since which the condition was true. For a clear: the time since which it was false.
    pub onset: Now,
    /// The time at which the fault was raised or cleared.
    pub at: Now,
    /// The values of the fault's points, as text with units.
    pub values: BTreeMap<String, String>,
    /// A remark: the code that is not listed, the points that cause an excursion, or the condition that suppresses
    /// the fault.
    pub text: Option<String>,
}

/// The state of one point.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Slot {
    /// The last reading, good or bad; `None` before the first.
    pub last: Option<Reading>,
    /// The time and reason of the last attempt to read the point that failed since the last reading; `None` if it did
    /// not fail.
    pub missed: Option<(Now, BadReason)>,
    /// The time of the last good reading; `None` before the first.
    pub good_at: Option<Mono>,
    /// The value of the last good reading.
    pub good: Option<Value>,
    /// True while the last reading is good and not stale.
    pub fresh: bool,
    /// True if the last good value was a retained MQTT message, so its age is unknown.
    pub is_retained: bool,
    /// The indices of the memories that store past values of the point.
    pub memories: Vec<usize>,
    /// The indices of the watches whose conditions use the point.
    pub dependents: Vec<usize>,
    /// The indices of the baselines that take a sample when the point is read.
    pub leads: Vec<usize>,
}

impl Slot {
    /// Takes over the state of the same point in another site. The lists of dependents, memories and baselines stay,
    /// because they contain indices of this site.
    pub fn take_over(&mut self, known: &Slot) {
        let dependents = std::mem::take(&mut self.dependents);
        let memories = std::mem::take(&mut self.memories);
        let leads = std::mem::take(&mut self.leads);
        *self = Slot { dependents, memories, leads, ..known.clone() };
    }
}

/// The state of one piece of equipment. (It has nothing to do with a Modbus unit id or a unit of measure.)
#[derive(Debug, Clone)]
pub(super) struct Unit {
    /// One slot for each point of the profile.
    pub slots: Vec<Slot>,
    pub lost: bool,
    /// The time of the last good answer; `None` before the first.
    pub last_answer: Option<Now>,
    /// The time from which silence counts if there was no answer yet.
    pub started: Mono,
    pub offline_after: Option<Duration>,
    /// The index of the watch for lost communication.
    pub silence: usize,
    /// The indices of the watches of the equipment.
    pub faults: Vec<usize>,
    /// The time when the next reading becomes stale; `None` if there is none.
    pub stale_due: Option<Mono>,
}

/// The state of a fault with its running delay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Phase {
    /// Not raised. `since` is the time when the condition became true, if it is true and `on_delay` runs.
    Normal { since: Option<Now> },
    /// Raised. `clearing` is the time when the clear condition became true, if `off_delay` runs.
    Active { clearing: Option<Now> },
}

/// One fault of one piece of equipment, with the points that its conditions use.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    pub equipment: EquipmentIndex,
    /// The index of the fault in the profile.
    pub fault: usize,
    pub phase: Phase,
    pub when: Resolved,
    /// The points of the clear condition; for a baseline, those of its `while`.
    pub clear: Resolved,
    pub unless: Resolved,
    /// The points of the `cycle` of a baseline.
    pub cycle: Resolved,
    /// The time when the running delay ends; `None` if none runs.
    pub due: Option<Mono>,
    /// The index of its baseline; `None` if the fault has none.
    pub baseline: Option<usize>,
}

/// An action that is due at a known time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// The delay of the watch with this index ends.
    Delay(usize),
    /// A reading of the equipment with this index becomes stale.
    Stale(usize),
    /// The equipment with this index becomes lost unless it answers.
    Silence(usize),
    /// The age in the memory with this index passes its limit.
    Age(usize),
}

impl Watch {
    /// The points whose readings let a baseline take a sample: the first point, or for cycles every point.
    pub fn leads(&self, spec: &Baseline) -> BTreeSet<(EquipmentIndex, PointIndex)> {
        let all = self.when.points.iter().flatten().copied();
        match &spec.cycle {
            None => all.take(1).collect(),
            Some(_) => all.chain(self.cycle.points.iter().flatten().copied()).collect(),
        }
    }

    /// Every point that the conditions of the fault use.
    pub fn places(&self) -> impl Iterator<Item = &(EquipmentIndex, PointIndex)> {
        self.when
            .points
            .iter()
            .chain(&self.clear.points)
            .chain(&self.unless.points)
            .chain(&self.cycle.points)
            .flatten()
    }

    pub fn is_active(&self) -> bool {
        matches!(self.phase, Phase::Active { .. })
    }

    pub fn new(equipment: EquipmentIndex, fault: usize) -> Self {
        Self {
            equipment,
            fault,
            phase: Phase::Normal { since: None },
            when: Resolved::default(),
            clear: Resolved::default(),
            unless: Resolved::default(),
            cycle: Resolved::default(),
            due: None,
            baseline: None,
        }
    }
}
