//! Normal behaviour, learned and watched: one baseline of one piece of equipment.
//!
//! *Must not know* alarms or time's passing other than through its samples. A reference follows slow drift, by bounded
//! steps and never while an excursion stands. An excursion begins after some samples beyond the limit in a row, and
//! ends once most of it is gone: below half of the limit, or below a share of its own height. What is then left the
//! reference takes over; for some samples it may yet go back towards where it was, where the points do. State that must outlive a restart is told as changes, for the journal.

mod cycle;
mod fence;
mod learning;
mod linear;
mod model;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod wild;

pub(super) use cycle::Cycle;
use learning::Learning;
pub use model::Model;
use model::{Distance, Judge};

use crate::profile::{Baseline, Learn};
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
/// So many samples after an excursion's end the reference may go back.
const BACK_SAMPLES: u32 = 20;
/// By this part of the deviation at each of them.
const BACK_WEIGHT: f64 = 0.1;
/// The reference's time constant, in lengths of the learning period.
const REFERENCE_LENGTHS: f64 = 2.5;
/// The largest move of the reference, in standard deviations per time constant. A faster move is not treated as drift.
const FOLLOWED_MAX: f64 = 2.0;
/// A reference that has moved by this many standard deviations is told, to be kept.
const TOLD_AFTER: f64 = 0.25;

/// What is to be kept of a baseline.
#[derive(Debug, Clone, PartialEq)]
pub enum BaselineChange {
    /// It has been learned.
    Learned(Box<Model>),
    /// Its reference has moved: where it is now, in standard deviations from the centre.
    Followed(Vec<Finite>),
}

#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Learning(Learning),
    Watching(Box<Judge>),
}

/// One baseline of one piece of equipment: its definition, and its state (learning, or the learned model).
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Watcher {
    spec: Baseline,
    phase: Phase,
    /// The smoothed deviations from the reference; nothing while it learns.
    smooth: Option<Vec<f64>>,
    /// Samples in a row that speak against how it stands.
    against: u32,
    /// The height of the excursion that stands.
    excursion: Option<f64>,
    after: Option<After>,
    distance: Option<Distance>,
    told: Vec<f64>,
}

impl Watcher {
    pub fn new(spec: &Baseline) -> Self {
        Self {
            phase: Phase::Learning(Learning::new(spec.width(), spec.smooth)),
            spec: spec.clone(),
            smooth: None,
            against: 0,
            excursion: None,
            after: None,
            distance: None,
            told: vec![0.0; spec.width()],
        }
    }

    /// Takes up what was learned before; not what was learned of something else.
    pub fn restore(&mut self, model: &Model) {
        if model.definition != self.spec.definition {
            return;
        }
        if let Some(judge) = Judge::new(model.clone()) {
            self.told.clone_from(&judge.reference);
            self.phase = Phase::Watching(Box::new(judge));
            self.smooth = None;
        }
    }

    /// An excursion stands since before a restart.
    pub fn restore_excursion(&mut self) {
        self.excursion = Some(0.0);
    }

    /// Samples that follow do not follow on the last one: the regime was another, or a point was not known.
    pub fn pause(&mut self) {
        (self.smooth, self.against) = (None, 0);
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
        match &mut self.phase {
            Phase::Learning(learning) => {
                learning.sample(now, raw);
                if !learning.is_over(self.spec.learn) {
                    return None;
                }
                let Some(learned) = learning.model(self.spec.definition.clone()) else {
                    // Nothing can be learned of numbers that overflow: it begins again.
                    *learning = Learning::new(self.spec.width(), self.spec.smooth);
                    return None;
                };
                let model = learned.judge.model.clone();
                self.smooth = learned.smooth.map(|s| learned.judge.deviations(&s));
                self.phase = Phase::Watching(Box::new(learned.judge));
                Some(BaselineChange::Learned(Box::new(model)))
            }
            Phase::Watching(judge) => {
                let off = judge.deviations(raw);
                let smooth = smoothed(&mut self.smooth, &off, self.spec.smooth);
                let distance = judge.distance(smooth);
                let strength = distance.strength / self.spec.limit;
                self.distance = Some(distance);
                match self.excursion {
                    None => {
                        match &mut self.after {
                            Some(after) => {
                                let is_over = after.sample(&mut judge.reference, smooth, &off);
                                self.after.take_if(|_| is_over);
                            }
                            None if self.spec.follows => follow(judge, &off),
                            None => {}
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
                            self.after =
                                self.spec.follows.then(|| After::an_excursion(&mut judge.reference, smooth));
                        }
                    }
                }
                self.told_anew()
            }
        }
    }

    fn told_anew(&mut self) -> Option<BaselineChange> {
        let Phase::Watching(judge) = &self.phase else { return None };
        let now = &judge.reference;
        if now.iter().zip(&self.told).all(|(n, t)| (n - t).abs() < TOLD_AFTER) {
            return None;
        }
        self.told.clone_from(now);
        judge.told_reference().map(BaselineChange::Followed)
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
            Phase::Watching(judge) => {
                let mut lines = vec![("learned".to_owned(), format!("from {} samples", judge.model.samples))];
                if let Some(d) = &self.distance {
                    let strength = d.strength / self.spec.limit;
                    lines.push(("distance from normal".to_owned(), format!("{strength:.2} of its limit")));
                    lines.extend(names.iter().zip(&d.deviations).zip(&d.shares).map(|((name, z), share)| {
                        let text = format!("{z:+.1} standard deviations, {:.0} % of it", share * 100.0);
                        (name.clone(), text)
                    }));
                }
                lines
            }
        }
    }
}

/// Takes a sample into what is smoothed: its weight is one over the smoothing.
fn smoothed<'a>(state: &'a mut Option<Vec<f64>>, new: &[f64], smoothing: f64) -> &'a mut [f64] {
    let s = state.get_or_insert_with(|| new.to_vec());
    s.iter_mut().zip(new).for_each(|(s, x)| *s += (x - *s) / smoothing);
    s
}

/// The reference moves towards a sample, by a bounded step.
#[expect(clippy::cast_precision_loss, reason = "a number of samples")]
fn follow(judge: &mut Judge, off: &[f64]) {
    let weight = 1.0 / (REFERENCE_LENGTHS * judge.model.samples as f64);
    judge
        .reference
        .iter_mut()
        .zip(off)
        .for_each(|(r, o)| *r += weight * o.clamp(-FOLLOWED_MAX, FOLLOWED_MAX));
}

/// The reference after an excursion: between where it was before and where the excursion left the points.
#[derive(Debug, Clone, PartialEq)]
struct After {
    before: Vec<f64>,
    left_at: Vec<f64>,
    samples: u32,
}

impl After {
    /// The reference takes over what is left.
    fn an_excursion(reference: &mut [f64], smooth: &mut [f64]) -> Self {
        let before = reference.to_vec();
        for (r, s) in reference.iter_mut().zip(smooth) {
            *r += std::mem::take(s);
        }
        Self { before, left_at: reference.to_vec(), samples: 0 }
    }

    /// Lets the reference go back where the points do. Returns whether that is over.
    fn sample(&mut self, reference: &mut [f64], smooth: &mut [f64], off: &[f64]) -> bool {
        let bounds = self.before.iter().zip(&self.left_at);
        for (((r, s), o), (a, b)) in reference.iter_mut().zip(smooth).zip(off).zip(bounds) {
            let moved = (*r + BACK_WEIGHT * o).clamp(a.min(*b), a.max(*b)) - *r;
            *r += moved;
            *s -= moved;
        }
        self.samples += 1;
        self.samples >= BACK_SAMPLES
    }
}
