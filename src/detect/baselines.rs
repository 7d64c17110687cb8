//! The baselines of a site: which samples they get, and whether an excursion stands.

use serde::{Deserialize, Serialize};

use super::baseline::{BaselineChange, Cycle, Model, Watcher};
use super::detector::{Detector, fault_of};
use super::shared::SharedList;
use super::state::Watch;
use crate::expr::{Program, Truth};
use crate::profile::{Baseline, Trigger};
use crate::words::{EquipmentId, EquipmentIndex, FaultName, Finite, Mono, Now, PointIndex};

/// What was learned of a piece of equipment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum BaselineEvent {
    /// What is normal has been learned.
    #[serde(rename = "baseline-learned")]
    Learned {
        /// Of which equipment.
        equipment: EquipmentId,
        /// The baseline: its fault.
        fault: FaultName,
        /// What was learned.
        model: Box<Model>,
    },
    /// Its reference has followed slow drift, or an excursion's end; or its limit has widened or narrowed.
    #[serde(rename = "baseline-followed")]
    Followed {
        /// Of which equipment.
        equipment: EquipmentId,
        /// The baseline: its fault.
        fault: FaultName,
        /// Where it is now, in standard deviations from what was learned.
        reference: Vec<Finite>,
        /// The logarithm of what the limit is widened by now. Nothing of what an earlier version learned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        widened: Option<Finite>,
    },
    /// Somebody had it learned anew.
    #[serde(rename = "baseline-forgotten")]
    Forgotten {
        /// Of which equipment.
        equipment: EquipmentId,
        /// The baseline: its fault.
        fault: FaultName,
        /// Why.
        reason: String,
    },
}

impl BaselineEvent {
    /// The kinds that stand in the journal, as `serde` names them (test: `kinds_are_those_that_are_written`).
    pub const KINDS: &[&str] = &["baseline-learned", "baseline-followed", "baseline-forgotten"];
}

/// One baseline: its watch, and what it knows.
#[derive(Debug, Clone)]
struct Kept {
    watch: usize,
    watcher: Watcher,
    cycle: Phase,
}

/// Where a machine is in its cycle.
#[derive(Debug, Clone, Default, PartialEq)]
enum Phase {
    /// Not known: the next cycle is waited for.
    #[default]
    Unknown,
    /// Between two cycles.
    Between,
    /// In one.
    Within(Cycle),
}

/// Every baseline of a site.
#[derive(Debug, Clone, Default)]
pub(super) struct Baselines {
    kept: SharedList<Kept>,
    /// Those whose first point has just been read.
    pending: Vec<usize>,
    is_asleep: bool,
    events: Vec<BaselineEvent>,
}

impl Phase {
    /// Goes on with what is true now, and what the points are: the sample of a cycle that has just ended.
    fn step(&mut self, is_within: Truth, values: Option<Vec<f64>>, now: Mono) -> Option<Vec<f64>> {
        let (next, ended) = match (std::mem::take(self), is_within, values) {
            (_, Truth::Unknown, _) | (_, _, None) => (Phase::Unknown, None),
            (Phase::Unknown, Truth::True, _) => (Phase::Unknown, None),
            (Phase::Unknown | Phase::Between, Truth::False, _) => (Phase::Between, None),
            (Phase::Between, Truth::True, Some(values)) => (Phase::Within(Cycle::begin(now, values)), None),
            (Phase::Within(mut cycle), Truth::True, Some(values)) => {
                cycle.go_on(now, values);
                (Phase::Within(cycle), None)
            }
            (Phase::Within(cycle), Truth::False, Some(_)) => (Phase::Between, cycle.end(now)),
        };
        *self = next;
        ended
    }
}

impl Baselines {
    /// Takes a baseline in: its number, for its watch and the slot of its first point.
    pub fn add(&mut self, watch: usize, spec: &Baseline) -> usize {
        self.kept.push(Kept { watch, watcher: Watcher::new(spec), cycle: Phase::Unknown });
        self.kept.len() - 1
    }

    /// Baselines of this number get a sample once the answer has been taken in.
    pub fn expect(&mut self, of: &[usize]) {
        for at in of {
            if !self.is_asleep && !self.pending.contains(at) {
                self.pending.push(*at);
            }
        }
    }

    /// While it sleeps no samples are taken.
    pub fn sleep(&mut self, is_asleep: bool) {
        self.is_asleep = is_asleep;
    }

    fn of(&self, watch: &Watch) -> Option<&Watcher> {
        self.kept.get(watch.baseline?).map(|k| &k.watcher)
    }

    fn of_mut(&mut self, watch: &Watch) -> Option<&mut Watcher> {
        self.kept.get_mut(watch.baseline?).map(|k| &mut k.watcher)
    }

    /// An excursion stands since before a restart.
    pub fn restore_excursion(&mut self, watch: &Watch) {
        if let Some(watcher) = self.of_mut(watch) {
            watcher.restore_excursion();
        }
    }

    /// Takes over what another site knows of the same watch.
    pub fn take_over(&mut self, old: &Baselines, from: &Watch, to: &Watch) {
        if let (Some(known), Some(watcher)) = (old.of(from), self.of_mut(to)) {
            watcher.clone_from(known);
        }
    }
}

impl Detector {
    /// What was learned since the last call.
    pub fn take_learned(&mut self) -> Vec<BaselineEvent> {
        std::mem::take(&mut self.baselines.events)
    }

    /// Takes up what was learned before a restart.
    pub fn restore_baseline(&mut self, equipment: &str, fault: &str, model: &Model) {
        let watch = self.watch_of(equipment, fault).and_then(|index| self.watches.get(index));
        if let Some(watcher) = watch.and_then(|w| self.baselines.of_mut(w)) {
            watcher.restore(model);
        }
    }

    /// Learns a baseline anew; an excursion from what it was ends.
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

    /// Every baseline whose first point was in the answer gets its sample, or a pause where there is none.
    pub(super) fn take_samples(&mut self, now: Now) {
        for at in std::mem::take(&mut self.baselines.pending) {
            let Some(watch) = self.baselines.kept.get(at).map(|k| k.watch) else { continue };
            let Some(of) = self.watches.get(watch) else { continue };
            let mut sample = self.sample(of, now.mono);
            if let Some(cycle) = self.cycle_of(of) {
                let truth = self.evaluate(cycle, &of.cycle, now.mono);
                let Some(kept) = self.baselines.kept.get_mut(at) else { continue };
                sample = kept.cycle.step(truth, sample, now.mono);
                if sample.is_none() {
                    // Samples are cycles: what lies between two of them is no pause.
                    continue;
                }
            }
            let Some(kept) = self.baselines.kept.get_mut(at) else { continue };
            let Some(sample) = sample else {
                kept.watcher.pause();
                continue;
            };
            if let Some(change) = kept.watcher.sample(now.mono, &sample)
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

    /// The points of a baseline, while all are known and its regime holds.
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

    /// Whether an excursion stands: unknown while it is learned, outside its regime, and where a point is not known.
    pub(super) fn excursion(&self, watch: &Watch, now: Mono) -> Truth {
        match self.baselines.of(watch).and_then(Watcher::is_excursion) {
            // Between two cycles what the last ones said holds.
            Some(stands) if self.cycle_of(watch).is_some() || self.sample(watch, now).is_some() => {
                Truth::of(stands)
            }
            Some(_) | None => Truth::Unknown,
        }
    }

    /// The points that make an excursion, by their share: `flow 71 %, current 22 %`.
    pub(super) fn ranking(&self, watch: &Watch) -> Option<String> {
        let watcher = self.baselines.of(watch)?;
        let names = self.watched_names(watch);
        let ranked = watcher.ranking();
        let parts = ranked
            .iter()
            .filter_map(|(at, share)| names.get(*at).map(|name| format!("{name} {:.0} %", share * 100.0)));
        Some(parts.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty())
    }

    /// How a baseline stands, for people.
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
