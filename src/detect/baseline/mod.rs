//! One baseline of one piece of equipment: learns how its points behave in normal operation, and finds excursions.
//!
//! *Must not know* alarms, or the passing of time except through its samples. A point that repeats from day to day
//! has a daily profile, which is subtracted from its samples. The reference is the present normal value of the points.
//! It follows slow drift in bounded steps, and not during an excursion. An excursion begins after several samples in a
//! row beyond the limit. It ends when the distance is below half of the limit, or below a share of the excursion's own
//! height. The reference then takes over the deviation that is left. For some samples after that it may move back to
//! its old value if the points do. Changes of the state that must survive a restart are returned, for the journal.

mod after;
mod cycle;
mod daily;
#[cfg(test)]
mod days;
mod fence;
mod learning;
mod linear;
mod model;
#[cfg(test)]
mod naive;
mod smooth;
mod statistics;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod through;
#[cfg(test)]
mod wild;

use std::time::Duration;

use after::AfterExcursion;
pub(super) use cycle::Cycle;
pub use daily::DailyProfile;
use learning::{Learning, follow_weight};
use model::{Distance, PreparedModel};
pub use model::{LongerScale, Model};
use smooth::Smooth;

use crate::limits;
use crate::profile::{Baseline, Follow, Learn};
use crate::words::{Finite, LocalTime, Mono, render_duration};

/// The number of samples in a row beyond the limit that begin an excursion.
const BEGINS_AFTER: u32 = 3;
/// An excursion ends below this share of the limit,
const ENDS_BELOW_LIMIT: f64 = 0.5;
/// or below this share of its own height,
const ENDS_BELOW_HEIGHT: f64 = 0.3;
/// for this number of samples in a row.
const ENDS_AFTER: u32 = 2;
/// The weight of one sample in the height of an excursion, so that a spike does not set the height.
const HEIGHT_WEIGHT: f64 = 0.1;
/// The largest move of the reference, in standard deviations per time constant. A faster move is not treated as
/// drift.
const FOLLOWED_MAX: f64 = 2.0;
/// The move of the reference, in standard deviations, after which it is recorded again.
const RECORDED_AFTER: f64 = 0.25;
/// The change of the logarithm of the limit's factor after which it is recorded again.
const WIDENED_RECORDED_AFTER: f64 = 0.1;
/// The minimum time between two records, because each is a line in the journal.
const RECORDED_EVERY: Duration = Duration::from_secs(600);

/// A change of a baseline that must be recorded.
#[derive(Debug, Clone, PartialEq)]
pub enum BaselineChange {
    /// The model was learned.
    Learned(Box<Model>),
    /// The reference or the limit has moved.
    Followed {
        /// The reference now, in standard deviations from the centre.
        reference: Vec<Finite>,
        /// The natural logarithm of the factor by which the limit is wider now; `None` for a limit that does not
        /// adapt.
        widened: Option<Finite>,
    },
}

/// The time of a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SampleTime {
    pub mono: Mono,
    /// The local time of the gateway; `None` if its clock is not set.
    pub local: Option<LocalTime>,
}

#[derive(Debug, Clone, PartialEq)]
enum WatcherPhase {
    Learning(Box<Learning>),
    Watching(Box<PreparedModel>),
}

/// One baseline of one piece of equipment: its definition, and its state (learning, or the learned model).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Watcher {
    spec: Baseline,
    phase: WatcherPhase,
    /// The smoothed deviations from the reference; `None` while learning and after a pause.
    smooth: Option<Smooth>,
    /// The number of samples in a row that contradict the present state (excursion or normal).
    against: u32,
    /// The height of the active excursion, as a multiple of the limit; `None` without an excursion.
    excursion: Option<f64>,
    after: Option<AfterExcursion>,
    distance: Option<Distance>,
    /// True if the last sample was not evaluated, because its time of day was not known.
    is_without_time: bool,
    last: Option<Mono>,
    recorded: LastRecorded,
}

/// The values that were recorded last.
#[derive(Debug, Clone, PartialEq, Default)]
struct LastRecorded {
    at: Option<Mono>,
    reference: Vec<f64>,
    widened: f64,
}

impl Watcher {
    pub fn new(spec: &Baseline) -> Self {
        Self {
            phase: WatcherPhase::Learning(Box::new(Learning::new(spec))),
            spec: spec.clone(),
            smooth: None,
            against: 0,
            excursion: None,
            after: None,
            distance: None,
            is_without_time: false,
            last: None,
            recorded: LastRecorded::default(),
        }
    }

    /// Restores a model that was learned before, if it has the same definition. A model that an earlier version
    /// learned is still evaluated by the rules of that version.
    pub fn restore(&mut self, model: &Model) {
        let is_of_this = model.definition == self.spec.definition
            || model.is_of_earlier_version()
                && self.spec.definition_before() == Some(model.definition.as_str());
        if is_of_this && let Some(judge) = PreparedModel::new(model.clone(), &self.spec) {
            self.watch(judge, None, None);
        }
    }

    fn watch(&mut self, judge: PreparedModel, smooth: Option<Smooth>, at: Option<Mono>) {
        self.recorded = LastRecorded { at, reference: judge.reference.clone(), widened: judge.widened };
        self.smooth = smooth;
        self.phase = WatcherPhase::Watching(Box::new(judge));
    }

    /// Restores an excursion that was active before a restart.
    pub fn restore_excursion(&mut self) {
        self.excursion = Some(0.0);
    }

    /// Notes that the next sample does not follow directly after the last one: `while` was not true, or a value was
    /// unknown.
    pub fn pause(&mut self) {
        (self.smooth, self.against, self.last) = (None, 0, None);
        if let WatcherPhase::Learning(learning) = &mut self.phase {
            learning.pause();
        }
    }

    /// Takes a sample: the values of the points in their order. A sample with a number that is not finite counts as a
    /// pause, and so does a sample without a local time if the model has a daily profile.
    pub fn sample(&mut self, at: SampleTime, raw: &[f64]) -> Option<BaselineChange> {
        let raw = self.comparable(at, raw);
        self.is_without_time = raw.is_none();
        let Some(raw) = raw.filter(|raw| raw.iter().all(|x| x.is_finite())) else {
            self.pause();
            return None;
        };
        let now = at.mono;
        let passed = self.last.replace(now).map_or(Duration::ZERO, |last| now.since(last));
        match &mut self.phase {
            WatcherPhase::Learning(learning) => {
                learning.sample(at, &raw);
                if !learning.is_over(self.spec.learn) {
                    return None;
                }
                let Some(learned) = learning.model(&self.spec) else {
                    // These numbers overflow and allow no model, so learning begins again.
                    **learning = Learning::new(&self.spec);
                    return None;
                };
                let model = learned.judge.model.clone();
                self.watch(learned.judge, learned.smooth, Some(now));
                Some(BaselineChange::Learned(Box::new(model)))
            }
            WatcherPhase::Watching(judge) => {
                let off = judge.deviations(&raw);
                let stands = self.excursion.is_some() || judge.model.is_of_earlier_version();
                let smooth = self.smooth.get_or_insert_with(|| judge.begin(stands));
                judge.smooth(smooth, &off);
                let distance = judge.distance(smooth);
                let strength = distance.strength / (self.spec.limit * judge.widened.exp());
                self.distance = Some(distance);
                match self.excursion {
                    None => {
                        match (&mut self.after, self.spec.follow) {
                            (Some(after), _) => {
                                let is_over = after.sample(&mut judge.reference, smooth, &off);
                                self.after.take_if(|_| is_over);
                            }
                            (None, Follow::Never) => {}
                            (None, Follow::AsLearned) => follow(judge, &off, judge.reference_weight()),
                            (None, Follow::Over(time)) => follow(judge, &off, follow_weight(passed, time)),
                        }
                        self.against = if strength > 1.0 { self.against + 1 } else { 0 };
                        if self.against >= BEGINS_AFTER {
                            (self.excursion, self.after, self.against) = (Some(strength), None, 0);
                        }
                    }
                    Some(height) => {
                        let height = height + HEIGHT_WEIGHT * (strength - height).max(0.0);
                        self.excursion = Some(height);
                        let is_below = strength < ENDS_BELOW_LIMIT.max(ENDS_BELOW_HEIGHT * height);
                        self.against = if is_below { self.against + 1 } else { 0 };
                        if self.against >= ENDS_AFTER {
                            (self.excursion, self.against) = (None, 0);
                            self.after = (self.spec.follow != Follow::Never)
                                .then(|| AfterExcursion::begin(&mut judge.reference, smooth));
                        }
                    }
                }
                judge.learn_limit(strength > 1.0);
                self.change_to_record(now)
            }
        }
    }

    /// The sample without the daily profiles; `None` if a profile is learned and the local time is not known.
    fn comparable(&self, at: SampleTime, raw: &[f64]) -> Option<Vec<f64>> {
        match &self.phase {
            WatcherPhase::Learning(_) => Some(raw.to_vec()),
            WatcherPhase::Watching(judge) => judge.without_daily(raw, at.local),
        }
    }

    fn change_to_record(&mut self, now: Mono) -> Option<BaselineChange> {
        let WatcherPhase::Watching(judge) = &self.phase else { return None };
        let has_moved = judge
            .reference
            .iter()
            .zip(&self.recorded.reference)
            .any(|(n, t)| (n - t).abs() >= RECORDED_AFTER)
            || (judge.widened - self.recorded.widened).abs() >= WIDENED_RECORDED_AFTER;
        if !has_moved || self.recorded.at.is_some_and(|at| now.since(at) < RECORDED_EVERY) {
            return None;
        }
        self.recorded =
            LastRecorded { at: Some(now), reference: judge.reference.clone(), widened: judge.widened };
        let widened = Finite::new(judge.widened).filter(|_| !judge.model.is_of_earlier_version());
        Some(BaselineChange::Followed { reference: Finite::all(&judge.reference)?, widened })
    }

    /// True if an excursion is active; `None` while learning.
    pub fn is_excursion(&self) -> Option<bool> {
        match self.phase {
            WatcherPhase::Learning(_) => None,
            WatcherPhase::Watching(_) => Some(self.excursion.is_some()),
        }
    }

    /// The indices of the points with their share of the last sample's distance, largest first. Shares under 5 % are
    /// left out.
    pub fn ranking(&self) -> Vec<(usize, f64)> {
        let shares = self.distance.iter().flat_map(|d| d.shares.iter().copied().enumerate());
        let mut all: Vec<(usize, f64)> = shares.filter(|(_, share)| *share >= 0.05).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all
    }

    /// The state for people: pairs of name and text. `names` are the names of the points.
    pub fn told(&self, names: &[String]) -> Vec<(String, String)> {
        match &self.phase {
            WatcherPhase::Learning(learning) => {
                let so_far = match self.spec.learn {
                    Learn::Samples(n) => format!("{} of {n} samples of normal operation", learning.seen),
                    Learn::For(d) => format!(
                        "{} of {} of normal operation",
                        render_duration(learning.good_for),
                        render_duration(d)
                    ),
                };
                vec![("learned".to_owned(), so_far)]
            }
            WatcherPhase::Watching(judge) => self.watching_told(judge, names),
        }
    }

    fn watching_told(&self, judge: &PreparedModel, names: &[String]) -> Vec<(String, String)> {
        let line = |name: &str, text: String| (name.to_owned(), text);
        let mut lines = vec![line("learned", format!("from {} samples", judge.model.samples))];
        if judge.model.samples < limits::BASELINE_SAMPLES_ADVISED {
            lines.push(line("learned from few samples", few_samples()));
        }
        if judge.model.is_of_earlier_version() {
            let text = "an earlier version of andon learned this model, and andon evaluates it by the rules of that version; \
                        `andon equipment relearn` learns it by the present rules";
            lines.push(line("learned before", text.to_owned()));
        }
        if !judge.model.daily.is_empty() {
            lines.push(line("a daily profile", self.daily_told(&judge.model, names)));
        }
        let Some(d) = &self.distance else { return lines };
        let widened = judge.widened.exp();
        let strength = d.strength / (self.spec.limit * widened);
        lines.push(line("distance from normal", format!("{strength:.2} of its limit")));
        if widened >= 1.05 {
            let text = format!("{widened:.1} times as wide as learned, because samples were often beyond it");
            lines.push(line("limit", text));
        }
        lines.extend(names.iter().zip(&d.deviations).zip(&d.shares).map(|((name, z), share)| {
            line(name, format!("{z:+.1} standard deviations, {:.0} % of it", share * 100.0))
        }));
        lines
    }

    fn daily_told(&self, model: &Model, names: &[String]) -> String {
        let of: Vec<&str> = model.daily.iter().filter_map(|d| Some(names.get(d.point)?.as_str())).collect();
        let unset = "; the clock of the gateway is not set, so andon does not evaluate the samples";
        format!("used for: {}{}", of.join(", "), if self.is_without_time { unset } else { "" })
    }
}

fn few_samples() -> String {
    format!("fewer than {} samples describe normal operation only roughly", limits::BASELINE_SAMPLES_ADVISED)
}

/// Moves the reference towards a sample, by a bounded step.
fn follow(judge: &mut PreparedModel, off: &[f64], weight: f64) {
    let step = |o: &f64| weight * o.clamp(-FOLLOWED_MAX, FOLLOWED_MAX);
    judge.reference.iter_mut().zip(off).for_each(|(r, o)| *r += step(o));
}
