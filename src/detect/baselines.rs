//! The baselines of a site: collects the samples of each baseline and reports whether an excursion is active.
//!
//! An excursion is the time in which the points of a baseline no longer behave as learned.

use serde::{Deserialize, Serialize};

use super::baseline::{BaselineChange, Cycle, Model, SampleTime, Watcher};
use super::detector::{Detector, fault_of};
use super::shared::SharedList;
use super::state::Watch;
use crate::expr::{Program, Truth};
use crate::profile::{Baseline, Trigger};
use crate::words::{EquipmentId, EquipmentIndex, FaultName, Finite, Mono, Now, PointIndex};

/// An event about the learned model of one baseline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum BaselineEvent {
    /// A model was learned.
    #[serde(rename = "baseline-learned")]
    Learned {
        /// The equipment.
        equipment: EquipmentId,
        /// The name of the fault that the baseline belongs to.
        fault: FaultName,
        /// The learned model.
        model: Box<Model>,
    },
    /// The reference has followed slow drift or taken over the end of an excursion, or the limit has become wider or
    /// narrower.
    #[serde(rename = "baseline-followed")]
    Followed {
        /// The equipment.
        equipment: EquipmentId,
        /// The name of the fault that the baseline belongs to.
        fault: FaultName,
        /// The reference now: one number for each point, in standard deviations from the learned centre.
        reference: Vec<Finite>,
        /// The natural logarithm of the factor by which the limit is wider now; `None` for a model that an earlier
        /// version learned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        widened: Option<Finite>,
    },
    /// A person discarded the model, so that it is learned again.
    #[serde(rename = "baseline-forgotten")]
    Forgotten {
        /// The equipment.
        equipment: EquipmentId,
        /// The name of the fault that the baseline belongs to.
        fault: FaultName,
        /// The reason that the person gave.
        reason: String,
    },
}

impl BaselineEvent {
    /// The names of these events in the journal, as `serde` writes them (test: `kinds_are_those_that_are_written`).
    pub const KINDS: &[&str] = &["baseline-learned", "baseline-followed", "baseline-forgotten"];
}

/// One baseline: the index of its watch, and its state.
#[derive(Debug, Clone)]
struct BaselineEntry {
    watch: usize,
    watcher: Watcher,
    cycle: CyclePhase,
}

/// The place of a machine in its cycle.
#[derive(Debug, Clone, Default, PartialEq)]
enum CyclePhase {
    /// Unknown; wait for the next cycle to begin.
    #[default]
    Unknown,
    /// Between two cycles.
    Between,
    /// Within a cycle.
    Within(Cycle),
}

/// All baselines of a site.
#[derive(Debug, Clone, Default)]
pub(super) struct Baselines {
    kept: SharedList<BaselineEntry>,
    /// The indices of baselines that take a sample when the present answer is complete.
    pending: Vec<usize>,
    /// True while recorded readings are replayed after a restart: no samples are taken.
    is_asleep: bool,
    /// True in a replay: the times of a recording count, also those before the first gateway.
    is_replay: bool,
    /// The events since the last [`Detector::take_learned`].
    events: Vec<BaselineEvent>,
}

impl CyclePhase {
    /// Goes on with the present truth of `cycle` and the present values. Returns the sample of a cycle that has just
    /// ended.
    fn step(&mut self, is_within: Truth, values: Option<Vec<f64>>, now: Mono) -> Option<Vec<f64>> {
        let (next, ended) = match (std::mem::take(self), is_within, values) {
            (_, Truth::Unknown, _) | (_, _, None) => (CyclePhase::Unknown, None),
            (CyclePhase::Unknown, Truth::True, _) => (CyclePhase::Unknown, None),
            (CyclePhase::Unknown | CyclePhase::Between, Truth::False, _) => (CyclePhase::Between, None),
            (CyclePhase::Between, Truth::True, Some(values)) => {
                (CyclePhase::Within(Cycle::begin(now, values)), None)
            }
            (CyclePhase::Within(mut cycle), Truth::True, Some(values)) => {
                cycle.go_on(now, values);
                (CyclePhase::Within(cycle), None)
            }
            (CyclePhase::Within(cycle), Truth::False, Some(_)) => (CyclePhase::Between, cycle.end(now)),
        };
        *self = next;
        ended
    }
}

impl Baselines {
    /// Adds a baseline. Returns its index, which its watch and the slot of its first point store.
    pub fn add(&mut self, watch: usize, spec: &Baseline) -> usize {
        self.kept.push(BaselineEntry { watch, watcher: Watcher::new(spec), cycle: CyclePhase::Unknown });
        self.kept.len() - 1
    }

    /// Lets these baselines take a sample when the present answer is complete.
    pub fn expect(&mut self, of: &[usize]) {
        for at in of {
            if !self.is_asleep && !self.pending.contains(at) {
                self.pending.push(*at);
            }
        }
    }

    /// While this is set, no samples are taken.
    pub fn sleep(&mut self, is_asleep: bool) {
        self.is_asleep = is_asleep;
    }

    /// Takes all times as right, because they come from a recording.
    pub fn replay(&mut self) {
        self.is_replay = true;
    }

    fn of(&self, watch: &Watch) -> Option<&Watcher> {
        self.kept.get(watch.baseline?).map(|k| &k.watcher)
    }

    fn of_mut(&mut self, watch: &Watch) -> Option<&mut Watcher> {
        self.kept.get_mut(watch.baseline?).map(|k| &mut k.watcher)
    }

    /// Restores an excursion that was active before a restart.
    pub fn restore_excursion(&mut self, watch: &Watch) {
        if let Some(watcher) = self.of_mut(watch) {
            watcher.restore_excursion();
        }
    }

    /// Takes over the state of the same watch from the baselines of another site.
    pub fn take_over(&mut self, old: &Baselines, from: &Watch, to: &Watch) {
        if let (Some(known), Some(watcher)) = (old.of(from), self.of_mut(to)) {
            watcher.clone_from(known);
        }
    }
}

impl Detector {
    /// Returns the events since the last call.
    pub fn take_learned(&mut self) -> Vec<BaselineEvent> {
        std::mem::take(&mut self.baselines.events)
    }

    /// Restores a model that was learned before a restart.
    pub fn restore_baseline(&mut self, equipment: &str, fault: &str, model: &Model) {
        let watch = self.watch_of(equipment, fault).and_then(|index| self.watches.get(index));
        if let Some(watcher) = watch.and_then(|w| self.baselines.of_mut(w)) {
            watcher.restore(model);
        }
    }

    /// Discards a model, so that it is learned again. An active excursion ends.
    pub fn forget_baseline(&mut self, equipment: &str, fault: &str, now: Now) {
        let Some(index) = self.watch_of(equipment, fault) else { return };
        let Some(watch) = self.watches.get(index) else { return };
        let Some(Trigger::Excursion(spec)) = fault_of(&self.site, watch).map(|f| &f.trigger) else { return };
        let (is_active, fresh) = (watch.is_active(), Watcher::new(spec));
        if let Some(watcher) = self.baselines.of_mut(watch) {
            *watcher = fresh;
        }
        if is_active {
            self.leave(index, now, now);
        }
    }

    /// Lets each baseline whose first point was in the answer take a sample; a baseline without a usable sample notes
    /// a pause.
    pub(super) fn take_samples(&mut self, now: Now) {
        if self.baselines.pending.is_empty() {
            return;
        }
        let is_set = self.baselines.is_replay || now.wall.is_set();
        let local = is_set.then(|| now.wall.local(&self.site.zone));
        for at in std::mem::take(&mut self.baselines.pending) {
            let Some(watch) = self.baselines.kept.get(at).map(|k| k.watch) else { continue };
            let Some(of) = self.watches.get(watch) else { continue };
            let mut sample = self.sample(of, now.mono);
            if let Some(cycle) = self.cycle_of(of) {
                let truth = self.evaluate(cycle, &of.cycle, now.mono);
                let Some(kept) = self.baselines.kept.get_mut(at) else { continue };
                sample = kept.cycle.step(truth, sample, now.mono);
                if sample.is_none() {
                    // A sample is a whole cycle, so the time between two cycles is not a pause.
                    continue;
                }
            }
            let Some(kept) = self.baselines.kept.get_mut(at) else { continue };
            let Some(sample) = sample else {
                kept.watcher.pause();
                continue;
            };
            if let Some(change) = kept.watcher.sample(SampleTime { mono: now.mono, local }, &sample)
                && let Some((equipment, fault)) = self.names_of(watch)
            {
                self.baselines.events.push(match change {
                    BaselineChange::Learned(model) => BaselineEvent::Learned { equipment, fault, model },
                    BaselineChange::Followed { reference, widened } => {
                        BaselineEvent::Followed { equipment, fault, reference, widened }
                    }
                });
            }
        }
    }

    /// The values of a baseline's points; `None` if a value is unknown or `while` is not true.
    fn sample(&self, watch: &Watch, now: Mono) -> Option<Vec<f64>> {
        let Trigger::Excursion(spec) = &fault_of(&self.site, watch)?.trigger else { return None };
        if let Some(regime) = &spec.regime
            && self.evaluate(regime, &watch.clear, now) != Truth::True
        {
            return None;
        }
        let unit = self.units.get(watch.equipment.0).filter(|u| !u.lost)?;
        let value = |p: &PointIndex| {
            let slot = unit.slots.get(p.0).filter(|s| s.fresh)?;
            slot.good.as_ref()?.number()
        };
        spec.points.iter().map(value).collect()
    }

    fn cycle_of(&self, watch: &Watch) -> Option<&Program> {
        match &fault_of(&self.site, watch)?.trigger {
            Trigger::Excursion(spec) => spec.cycle.as_ref(),
            Trigger::Condition { .. } | Trigger::Silence => None,
        }
    }

    /// True if an excursion is active. Unknown while the model is learned, while `while` is not true, or if a value
    /// is unknown.
    pub(super) fn excursion(&self, watch: &Watch, now: Mono) -> Truth {
        match self.baselines.of(watch).and_then(Watcher::is_excursion) {
            // Between two cycles the result of the last cycle remains valid.
            Some(stands) if self.cycle_of(watch).is_some() || self.sample(watch, now).is_some() => {
                Truth::of(stands)
            }
            Some(_) | None => Truth::Unknown,
        }
    }

    /// The points that cause an excursion, by their share: `flow 71 %, current 22 %`.
    pub(super) fn ranking(&self, watch: &Watch) -> Option<String> {
        let watcher = self.baselines.of(watch)?;
        let names = self.watched_names(watch);
        let ranked = watcher.ranking();
        let parts = ranked
            .iter()
            .filter_map(|(at, share)| names.get(*at).map(|name| format!("{name} {:.0} %", share * 100.0)));
        Some(parts.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty())
    }

    /// The state of a baseline for people: pairs of name and text.
    pub(super) fn baseline_told(&self, watch: &Watch) -> Vec<(String, String)> {
        let watcher = self.baselines.of(watch);
        watcher.map_or_else(Vec::new, |w| w.told(&self.watched_names(watch)))
    }

    fn watched_names(&self, watch: &Watch) -> Vec<String> {
        let places = watch.when.points.iter().flatten();
        let names: Vec<String> = places.map(|(e, p)| self.point_name(watch.equipment, *e, *p)).collect();
        match fault_of(&self.site, watch).map(|f| &f.trigger) {
            Some(Trigger::Excursion(spec)) => spec.features(&names),
            _ => names,
        }
    }

    fn names_of(&self, watch: usize) -> Option<(EquipmentId, FaultName)> {
        let watch = self.watches.get(watch)?;
        let EquipmentIndex(e) = watch.equipment;
        Some((self.site.equipment.get(e)?.id.clone(), fault_of(&self.site, watch)?.name.clone()))
    }
}
