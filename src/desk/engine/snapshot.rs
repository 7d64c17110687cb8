//! The desk as it stands between two inputs: the value that questions are answered from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::links::Away;
use super::suppression::{Hidden, Suppression};
use super::{Change, Desk};
use crate::alarm::Key;
use crate::desk::state::State;
use crate::detect::{Detector, TransitionKind};
use crate::site::Site;
use crate::words::{LinkName, Now, Severity, Wall};

/// What the desk knows, as a value. It shows only what is on disk, and says separately what waits to be recorded.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// When it was taken.
    pub at: Now,
    /// The site in force.
    pub site: Arc<Site>,
    /// The live state as it is on disk; its `seq` is the last event there.
    pub state: State,
    /// The detector: points, and why faults are or are not raised.
    pub detector: Detector,
    /// Conditions that are true and whose alarm is suppressed.
    pub suppressed: Vec<Suppressed>,
    /// Conditions that changed while the journal could not be written: the last change of each, the oldest first.
    pub unrecorded: Vec<Unrecorded>,
    /// Why the journal cannot be written; `None` while it can.
    pub not_writable: Option<String>,
    /// Machine changes that were dropped because too many waited for the journal.
    pub changes_dropped: u64,
    /// Events that could not be recorded because of a bug.
    pub not_recordable: u64,
    away: BTreeMap<LinkName, Away>,
}

/// A condition that is true and whose alarm is suppressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressed {
    /// Equipment and fault.
    pub key: Key,
    /// Since when the condition is true.
    pub onset: Wall,
    /// When its alarm would have been raised.
    pub raised_at: Wall,
}

/// A condition that changed and whose change is not on record, because the journal cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unrecorded {
    /// Equipment and fault.
    pub key: Key,
    /// The severity of the fault.
    pub severity: Severity,
    /// Whether the condition came or went.
    pub kind: TransitionKind,
    /// Since when it is so.
    pub onset: Wall,
    /// When the alarm would have been raised or cleared.
    pub at: Wall,
}

impl Snapshot {
    /// Why the alarm of this fault is suppressed by what is on record; `None` if it is not.
    #[must_use]
    pub fn hidden(&self, key: &Key) -> Option<Hidden> {
        Suppression { site: &self.site, state: &self.state, away: &self.away }.of(key)
    }
}

impl Desk {
    /// The desk as it stands. State and detector are persistent values, so this costs some handles, whatever the size of the
    /// site.
    ///
    /// A snapshot is taken when somebody asks. One that were published after every commit would keep handles on the values
    /// before, and so force a copy of each piece of equipment that the next batch of readings touches.
    #[must_use]
    pub fn snapshot(&self, now: Now) -> Snapshot {
        let suppressed = self.held().filter_map(|(key, held)| {
            let (onset, raised_at) = held.came()?;
            Some(Suppressed { key: key.clone(), onset, raised_at })
        });
        Snapshot {
            at: now,
            site: self.site.clone(),
            state: self.durable.clone(),
            detector: self.detector.clone(),
            suppressed: suppressed.collect(),
            unrecorded: self.unrecorded(),
            not_writable: self.not_writable.clone(),
            changes_dropped: self.changes_dropped,
            not_recordable: self.not_recordable,
            away: self.away.clone(),
        }
    }

    fn unrecorded(&self) -> Vec<Unrecorded> {
        let mut seen = BTreeSet::new();
        let last = self.waiting.iter().rev().filter_map(|change| {
            let Change::Transition(t, _) = change else { return None };
            let equipment = self.site.equipment.get(t.equipment.0)?;
            let fault = equipment.profile.faults.get(t.fault)?;
            let key = (equipment.id.clone(), fault.name.clone());
            let (severity, kind, onset, at) = (fault.severity, t.kind, t.onset.wall, t.at.wall);
            seen.insert(key.clone()).then_some(Unrecorded { key, severity, kind, onset, at })
        });
        let mut last: Vec<Unrecorded> = last.collect();
        last.reverse();
        last
    }
}
