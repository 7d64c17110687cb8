//! Normal behaviour, learned and watched: one baseline of one piece of equipment.
//!
//! *Must not know* alarms or time's passing other than through its samples. A reference follows slow drift, by bounded
//! steps and never while an excursion stands. An excursion begins after some samples beyond the limit in a row, and
//! ends once most of it is gone: below half of the limit, or below a share of its own height. What is then left the
//! reference takes over; for some samples it may yet go back towards where it was, where the points do. State that must
//! outlive a restart is told as changes, for the journal.

mod after;
mod cycle;
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

use after::After;
pub(super) use cycle::Cycle;
use learning::{Learning, follow_weight};
use model::{Distance, Judge};
pub use model::{LongerScale, Model};
use smooth::Smooth;

use crate::limits;
use crate::profile::{Baseline, Follow, Learn};
use crate::words::{Finite, Mono, render_duration};

/// Samples beyond the limit in a row that begin an excursion.
const BEGINS_AFTER: u32 = 3;
/// An excursion ends below this part of the limit,
const ENDS_BELOW_LIMIT: f64 = 0.5;
/// or below this part of its own height.
const ENDS_BELOW_HEIGHT: f64 = 0.3;
/// for so many samples in a row.
const ENDS_AFTER: u32 = 2;
/// The weight of a sample in an excursion's height: a spike is not its height.
const HEIGHT_WEIGHT: f64 = 0.1;
/// The largest move of the reference, in standard deviations per time constant. A faster move is not treated as drift.
const FOLLOWED_MAX: f64 = 2.0;
/// A reference that has moved by this many standard deviations is told, to be kept.
const TOLD_AFTER: f64 = 0.25;
/// So is a limit whose logarithm has moved by so much.
const WIDENED_TOLD_AFTER: f64 = 0.1;
/// But not sooner than so long after what was told before: each is a line of the journal.
const TOLD_EVERY: Duration = Duration::from_secs(600);

/// What is to be kept of a baseline.
#[derive(Debug, Clone, PartialEq)]
pub enum BaselineChange {
    /// It has been learned.
    Learned(Box<Model>),
    /// Its reference, or its limit, has moved.
    Followed {
        /// Where the reference is now, in standard deviations from the centre.
        reference: Vec<Finite>,
        /// The logarithm of what the limit is widened by now; nothing of a limit that does not learn.
        widened: Option<Finite>,
    },
}

#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Learning(Box<Learning>),
    Watching(Box<Judge>),
}

/// One baseline of one piece of equipment: its definition, and its state (learning, or the learned model).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Watcher {
    spec: Baseline,
    phase: Phase,
    /// The smoothed deviations from the reference; nothing while it learns, and after a pause.
    smooth: Option<Smooth>,
    /// Samples in a row that speak against how it stands.
    against: u32,
    /// The height of the excursion that stands.
    excursion: Option<f64>,
    after: Option<After>,
    distance: Option<Distance>,
    last: Option<Mono>,
    told: Told,
}

/// What was told last.
#[derive(Debug, Clone, PartialEq, Default)]
struct Told {
    at: Option<Mono>,
    reference: Vec<f64>,
    widened: f64,
}

impl Watcher {
    pub fn new(spec: &Baseline) -> Self {
        Self {
            phase: Phase::Learning(Box::new(Learning::new(spec))),
            spec: spec.clone(),
            smooth: None,
            against: 0,
            excursion: None,
            after: None,
            distance: None,
            last: None,
            told: Told::default(),
        }
    }

    /// Takes up what was learned before; not what was learned of something else. What an earlier version learned goes on
    /// as it was judged then.
    pub fn restore(&mut self, model: &Model) {
        let is_of_this = model.definition == self.spec.definition
            || model.is_of_before() && self.spec.definition_before() == Some(model.definition.as_str());
        if is_of_this && let Some(judge) = Judge::new(model.clone(), &self.spec) {
            self.watch(judge, None, None);
        }
    }

    fn watch(&mut self, judge: Judge, smooth: Option<Smooth>, at: Option<Mono>) {
        self.told = Told { at, reference: judge.reference.clone(), widened: judge.widened };
        self.smooth = smooth;
        self.phase = Phase::Watching(Box::new(judge));
    }

    /// An excursion stands since before a restart.
    pub fn restore_excursion(&mut self) {
        self.excursion = Some(0.0);
    }

    /// Samples that follow do not follow on the last one: the regime was another, or a point was not known.
    pub fn pause(&mut self) {
        (self.smooth, self.against, self.last) = (None, 0, None);
        if let Phase::Learning(learning) = &mut self.phase {
            learning.pause();
        }
    }

    /// Takes a sample: the points in their order. One with a number that is not finite is none.
    pub fn sample(&mut self, now: Mono, raw: &[f64]) -> Option<BaselineChange> {
        if raw.iter().any(|x| !x.is_finite()) {
            self.pause();
            return None;
        }
        let passed = self.last.replace(now).map_or(Duration::ZERO, |last| now.since(last));
        match &mut self.phase {
            Phase::Learning(learning) => {
                learning.sample(now, raw);
                if !learning.is_over(self.spec.learn) {
                    return None;
                }
                let Some(learned) = learning.model(&self.spec) else {
                    // Nothing can be learned of numbers that overflow: it begins again.
                    **learning = Learning::new(&self.spec);
                    return None;
                };
                let model = learned.judge.model.clone();
                self.watch(learned.judge, learned.smooth, Some(now));
                Some(BaselineChange::Learned(Box::new(model)))
            }
            Phase::Watching(judge) => {
                let off = judge.deviations(raw);
                let stands = self.excursion.is_some() || judge.model.is_of_before();
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
                                .then(|| After::an_excursion(&mut judge.reference, smooth));
                        }
                    }
                }
                judge.learn_limit(strength > 1.0);
                self.told_anew(now)
            }
        }
    }

    fn told_anew(&mut self, now: Mono) -> Option<BaselineChange> {
        let Phase::Watching(judge) = &self.phase else { return None };
        let has_moved =
            judge.reference.iter().zip(&self.told.reference).any(|(n, t)| (n - t).abs() >= TOLD_AFTER)
                || (judge.widened - self.told.widened).abs() >= WIDENED_TOLD_AFTER;
        if !has_moved || self.told.at.is_some_and(|at| now.since(at) < TOLD_EVERY) {
            return None;
        }
        self.told = Told { at: Some(now), reference: judge.reference.clone(), widened: judge.widened };
        let widened = Finite::new(judge.widened).filter(|_| !judge.model.is_of_before());
        Some(BaselineChange::Followed { reference: Finite::all(&judge.reference)?, widened })
    }

    /// Whether an excursion stands; nothing while it learns.
    pub fn is_excursion(&self) -> Option<bool> {
        match self.phase {
            Phase::Learning(_) => None,
            Phase::Watching(_) => Some(self.excursion.is_some()),
        }
    }

    /// The points by their share of the last sample's distance, largest first; those under a twentieth are left out.
    pub fn ranking(&self) -> Vec<(usize, f64)> {
        let shares = self.distance.iter().flat_map(|d| d.shares.iter().copied().enumerate());
        let mut all: Vec<(usize, f64)> = shares.filter(|(_, share)| *share >= 0.05).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all
    }

    /// How it stands, for people: what, and what it comes to. Names are those of the points.
    pub fn told(&self, names: &[String]) -> Vec<(String, String)> {
        match &self.phase {
            Phase::Learning(learning) => {
                let so_far = match self.spec.learn {
                    Learn::Samples(n) => format!("{} of {n} samples of good operation", learning.seen),
                    Learn::For(d) => format!(
                        "{} of {} of good operation",
                        render_duration(learning.good_for),
                        render_duration(d)
                    ),
                };
                vec![("learned".to_owned(), so_far)]
            }
            Phase::Watching(judge) => self.watching_told(judge, names),
        }
    }

    fn watching_told(&self, judge: &Judge, names: &[String]) -> Vec<(String, String)> {
        let line = |name: &str, text: String| (name.to_owned(), text);
        let mut lines = vec![line("learned", format!("from {} samples", judge.model.samples))];
        if judge.model.samples < limits::BASELINE_SAMPLES_ADVISED {
            lines.push(line("learned from few samples", few_samples()));
        }
        if judge.model.is_of_before() {
            let text = "an earlier version of andon learned this, and it is judged as that version did; \
                        `andon equipment relearn` learns it in the present way";
            lines.push(line("learned before", text.to_owned()));
        }
        let Some(d) = &self.distance else { return lines };
        let widened = judge.widened.exp();
        let strength = d.strength / (self.spec.limit * widened);
        lines.push(line("distance from normal", format!("{strength:.2} of its limit")));
        if widened >= 1.05 {
            let text = format!("{widened:.1} times as wide as learned, because samples often lay beyond it");
            lines.push(line("limit", text));
        }
        lines.extend(names.iter().zip(&d.deviations).zip(&d.shares).map(|((name, z), share)| {
            line(name, format!("{z:+.1} standard deviations, {:.0} % of it", share * 100.0))
        }));
        lines
    }
}

fn few_samples() -> String {
    format!("fewer than {} samples say little of what is normal", limits::BASELINE_SAMPLES_ADVISED)
}

/// The reference moves towards a sample, by a bounded step.
fn follow(judge: &mut Judge, off: &[f64], weight: f64) {
    let step = |o: &f64| weight * o.clamp(-FOLLOWED_MAX, FOLLOWED_MAX);
    judge.reference.iter_mut().zip(off).for_each(|(r, o)| *r += step(o));
}
