//! What the detector keeps: of each point, each piece of equipment, each fault.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::remembered::Resolved;
use crate::profile::Baseline;
use crate::words::{BadReason, EquipmentIndex, Mono, Now, PointIndex, Reading, Value};

/// Whether a condition came or went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransitionKind {
    /// The condition was true for the whole `on_delay`.
    Raised,
    /// The clear condition was true for the whole `off_delay`.
    Cleared,
}

/// A fault's condition came or went.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// On which equipment.
    pub equipment: EquipmentIndex,
    /// The fault's place in the profile.
    pub fault: usize,
    /// What happened.
    pub kind: TransitionKind,
    /// Since when the condition held; for a clear, since when it did not.
    pub onset: Now,
    /// When it was raised or cleared.
    pub at: Now,
    /// What the fault's points were.
    pub values: BTreeMap<String, String>,
    /// What is to be said of it: the code that is not listed, the points that make an excursion, what suppresses it.
    pub text: Option<String>,
}

#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Slot {
    pub last: Option<Reading>,
    /// Why nothing was read since then, and when that was last.
    pub missed: Option<(Now, BadReason)>,
    pub good_at: Option<Mono>,
    pub good: Option<Value>,
    pub fresh: bool,
    /// A broker had kept the last good value: nobody knows how old it is.
    pub is_retained: bool,
    /// What is remembered of it.
    pub memories: Vec<usize>,
    pub dependents: Vec<usize>,
    /// Baselines that take a sample when it is read.
    pub leads: Vec<usize>,
}

impl Slot {
    /// Takes over what was known of the same point; who depends on it and remembers it is this one's own.
    pub fn take_over(&mut self, known: &Slot) {
        let dependents = std::mem::take(&mut self.dependents);
        let memories = std::mem::take(&mut self.memories);
        let leads = std::mem::take(&mut self.leads);
        *self = Slot { dependents, memories, leads, ..known.clone() };
    }
}

#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub slots: Vec<Slot>,
    pub lost: bool,
    pub last_answer: Option<Now>,
    pub started: Mono,
    pub offline_after: Option<Duration>,
    pub silence: usize,
    pub faults: Vec<usize>,
    pub stale_due: Option<Mono>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Phase {
    Normal { since: Option<Now> },
    Active { clearing: Option<Now> },
}

#[derive(Debug, Clone)]
pub(super) struct Watch {
    pub equipment: EquipmentIndex,
    pub fault: usize,
    pub phase: Phase,
    pub when: Resolved,
    pub clear: Resolved,
    pub unless: Resolved,
    pub cycle: Resolved,
    pub due: Option<Mono>,
    pub baseline: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    Delay(usize),
    Stale(usize),
    Silence(usize),
    Age(usize),
}

impl Watch {
    /// The points whose readings a baseline looks at: the first one, or whatever tells of a cycle.
    pub fn leads(&self, spec: &Baseline) -> BTreeSet<(EquipmentIndex, PointIndex)> {
        let all = self.when.points.iter().flatten().copied();
        match &spec.cycle {
            None => all.take(1).collect(),
            Some(_) => all.chain(self.cycle.points.iter().flatten().copied()).collect(),
        }
    }

    /// Every point it is judged by.
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
