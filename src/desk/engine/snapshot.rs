//! [`Snapshot`]: the state of the desk between two inputs. All questions are answered from a snapshot.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::links::Away;
use super::suppression::{Suppression, SuppressionRules};
use super::{Change, Desk};
use crate::alarm::Key;
use crate::desk::state::State;
use crate::detect::{Detector, TransitionKind};
use crate::site::Site;
use crate::words::{LinkName, Now, Severity, Wall};

/// The state of the desk at one time. It shows the state on disk, and lists separately the changes that wait to be recorded.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// The time of the snapshot.
    pub at: Now,
    /// The site in force.
    pub site: Arc<Site>,
    /// The live state that is on disk; its `seq` is the last event on disk.
    pub state: State,
    /// The detector: the readings of all points, and the state of all conditions.
    pub detector: Detector,
    /// Conditions that are true and whose alarm is suppressed.
    pub suppressed: Vec<Suppressed>,
    /// Conditions that changed while the journal could not be written: the last change of each condition, oldest first.
    pub unrecorded: Vec<Unrecorded>,
    /// The reason why the journal cannot be written; `None` while it can.
    pub not_writable: Option<String>,
    /// The number of machine changes that were dropped because too many waited for the journal.
    pub changes_dropped: u64,
    /// The number of events that could not be recorded because of a bug of andon.
    pub not_recordable: u64,
    away: BTreeMap<LinkName, Away>,
}

/// A condition that is true and whose alarm is suppressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppressed {
    /// The equipment and the fault.
    pub key: Key,
    /// The time when the condition became true, before the delay.
    pub onset: Wall,
    /// The time when the alarm would have been raised.
    pub raised_at: Wall,
}

/// A condition whose change is not recorded because the journal cannot be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unrecorded {
    /// The equipment and the fault.
    pub key: Key,
    /// The severity of the fault in the profile.
    pub severity: Severity,
    /// `Raised` if the condition became true, `Cleared` if it became false.
    pub kind: TransitionKind,
    /// The time of the change of the condition, before the delay.
    pub onset: Wall,
    /// The time when the alarm would have been raised or cleared.
    pub at: Wall,
}

impl Snapshot {
    /// Returns why the alarm of this fault is suppressed in the state on disk; `None` if it is not.
    #[must_use]
    pub fn suppression(&self, key: &Key) -> Option<Suppression> {
        SuppressionRules { site: &self.site, state: &self.state, away: &self.away }.of(key)
    }
}

impl Desk {
    /// Returns a snapshot. State and detector are persistent data structures: the snapshot shares them with the desk, so
    /// its cost does not depend on the size of the site.
    ///
    /// A snapshot is taken only when a route asks. While a snapshot exists, the desk must copy each piece of equipment
    /// that new readings change. Snapshots after every event would therefore cost a copy for every batch of readings.
    #[must_use]
    pub fn snapshot(&self, now: Now) -> Snapshot {
        let suppressed = self.suppressed().filter_map(|(key, condition)| {
            let (onset, raised_at) = condition.alarm_times()?;
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

    /// Returns the last waiting change of each condition, oldest first.
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
