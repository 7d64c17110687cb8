//! Learns a model of normal operation in bounded memory.
//!
//! The first samples are stored as they arrive, and are smoothed only when their fences are known, so that no extreme
//! sample enters the smoothed values. When the memory is full, every second stored sample is dropped. From then on
//! each sample is limited to the fences of the stored samples before it is smoothed, and the fences are computed
//! again from time to time. A new level of a machine lies within the fences as soon as a hundredth of the stored
//! samples has it.
//!
//! The limits come from deviations of the same kind as those evaluated later: from a reference that moved along.
//! Smoothing is linear, so the smoothed samples minus the smoothed reference are the smoothed deviations. The
//! reference is computed from the stored samples at the end. The daily profile is known only at the end, too, and is
//! then subtracted from the stored samples in the same way.

use std::collections::BTreeSet;
use std::time::Duration;

use super::SampleTime;
use super::daily::{DailyLearned, EVERY_MAX, LASTS_MIN};
use super::fence::Fence;
use super::model::{DEVIATION_MAX, LongerScale, Model, PreparedModel, REFERENCE_WEIGHT};
use super::smooth::{Smooth, lengths};
use super::statistics::{Statistics, Usual, covariance_of, wander_of};
use crate::limits;
use crate::profile::{Baseline, Follow, Learn};
use crate::words::{Finite, LocalTime, Mono};

/// The number of newly stored samples after which the fences are computed again.
const FENCES_EVERY: usize = 64;
/// The reference begins at the mean of this many stored samples,
const REFERENCE_BEGINS_WITH: usize = 20;
/// without this many of the lowest and of the highest, because machines often begin with a spike.
const REFERENCE_BEGINS_WITHOUT: usize = 2;

/// The samples of normal operation so far: every `stride`-th sample is stored, raw and smoothed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Learning {
    points: usize,
    lengths: Vec<f64>,
    raw: Vec<f64>,
    /// The local time of each stored sample; `None` if the clock was not set.
    times: Vec<Option<LocalTime>>,
    stride: u64,
    /// The indices of stored rows that do not follow directly after the row before.
    begins: BTreeSet<usize>,
    /// The running smoothing; `None` as long as every sample is stored.
    settled: Option<Smoothing>,
    /// The number of samples so far.
    pub seen: u64,
    /// The time of normal operation so far.
    pub good_for: Duration,
    /// The time of the first sample.
    begun: Option<Mono>,
    last: Option<Mono>,
}

/// Samples limited by their fences and smoothed on each scale. After a pause each scale begins at the centres of the
/// fences.
#[derive(Debug, Clone, PartialEq)]
struct Smoothing {
    /// One fence for each point.
    fences: Vec<Fence>,
    /// The stored rows of each scale.
    rows: Vec<Vec<f64>>,
    /// The smoothed values; `None` after a pause.
    state: Option<Smooth>,
}

impl Smoothing {
    /// Smooths all samples so far.
    fn replay(raw: &[f64], points: usize, begins: &BTreeSet<usize>, lengths: &[f64]) -> Self {
        let rows = lengths.iter().map(|_| Vec::with_capacity(raw.len())).collect();
        let mut out = Self { fences: Fence::of_rows(raw, points), rows, state: None };
        for (at, row) in raw.chunks(points).enumerate() {
            if begins.contains(&at) {
                out.state = None;
            }
            out.take(row, lengths);
            out.keep();
        }
        out
    }

    fn take(&mut self, raw: &[f64], lengths: &[f64]) {
        let row: Vec<f64> = raw.iter().zip(&self.fences).map(|(x, fence)| fence.draw_in(*x)).collect();
        let centre = || self.fences.iter().map(|f| f.centre).collect::<Vec<_>>();
        let state = self.state.get_or_insert_with(|| Smooth::at(&centre(), lengths.len()));
        state.take(lengths, |_, j| row.get(j).copied().unwrap_or(0.0));
    }

    /// Subtracts a path, smoothed on scale `k`, from the stored rows of this scale and from its present values.
    fn take_off(&mut self, k: usize, path: &[f64], points: usize) {
        let rows = self.rows.get_mut(k).into_iter().flatten();
        rows.zip(path).for_each(|(s, x)| *s -= x);
        let last = path.rchunks(points).next().unwrap_or_default();
        let state = self.state.iter_mut().filter_map(|state| state.scales.get_mut(k)).flatten();
        state.zip(last).for_each(|(s, x)| *s -= x);
    }

    fn keep(&mut self) {
        let Some(state) = &self.state else { return };
        self.rows.iter_mut().zip(&state.scales).for_each(|(rows, s)| rows.extend_from_slice(s));
    }
}

/// The result of learning.
pub(super) struct Learned {
    pub judge: PreparedModel,
    /// The smoothed deviations at the end; `None` if the last sample was followed by a pause.
    pub smooth: Option<Smooth>,
}

impl Learning {
    pub fn new(spec: &Baseline) -> Self {
        Self {
            points: spec.width(),
            lengths: lengths(spec.smooth),
            raw: Vec::new(),
            times: Vec::new(),
            stride: 1,
            begins: BTreeSet::new(),
            settled: None,
            seen: 0,
            good_for: Duration::ZERO,
            begun: None,
            last: None,
        }
    }

    /// Notes that the next sample does not follow directly after the last one.
    pub fn pause(&mut self) {
        self.last = None;
        self.begins.insert(self.raw.len() / self.points.max(1));
        if let Some(smoothing) = &mut self.settled {
            smoothing.state = None;
        }
    }

    pub fn sample(&mut self, now: SampleTime, raw: &[f64]) {
        self.good_for += self.last.map_or(Duration::ZERO, |last| now.mono.since(last));
        self.begun.get_or_insert(now.mono);
        self.last = Some(now.mono);
        if let Some(settled) = &mut self.settled {
            settled.take(raw, &self.lengths);
        }
        if self.seen.is_multiple_of(self.stride) {
            self.raw.extend_from_slice(raw);
            self.times.push(now.local);
            if let Some(settled) = &mut self.settled {
                settled.keep();
                if (self.raw.len() / self.points).is_multiple_of(FENCES_EVERY) {
                    settled.fences = Fence::of_rows(&self.raw, self.points);
                }
            }
            if self.raw.len() >= limits::BASELINE_SAMPLES_KEPT * self.points {
                self.thin();
            }
        }
        self.seen += 1;
    }

    /// Drops every second stored row.
    fn thin(&mut self) {
        let mut settled = self.settled.take().unwrap_or_else(|| self.replay(&self.raw));
        for rows in settled.rows.iter_mut().chain([&mut self.raw]) {
            let kept: Vec<f64> = rows.chunks(self.points).step_by(2).flatten().copied().collect();
            *rows = kept;
        }
        self.times = self.times.iter().step_by(2).copied().collect();
        self.begins = self.begins.iter().map(|at| at.div_ceil(2)).collect();
        self.settled = Some(settled);
        self.stride *= 2;
    }

    fn replay(&self, raw: &[f64]) -> Smoothing {
        Smoothing::replay(raw, self.points, &self.begins, &self.lengths)
    }

    /// The daily profiles, if the learning was long enough and the samples were close enough to show one.
    fn daily(&self) -> Option<DailyLearned> {
        let lasted = self.last?.since(self.begun?);
        let every = self.good_for.div_f64(strides(self.seen.max(1)));
        let is_enough = lasted >= LASTS_MIN && every <= EVERY_MAX;
        is_enough.then(|| DailyLearned::of(&self.raw, self.points, &self.times))?
    }

    /// The smoothed samples, without the daily profiles of the other days.
    fn smoothing(&self, raw: &[f64], daily: Option<&DailyLearned>) -> Smoothing {
        let Some(settled) = &self.settled else { return self.replay(raw) };
        let mut smoothing = settled.clone();
        for (k, length) in self.lengths.iter().enumerate() {
            let Some(path) = daily.map(|d| self.smoothed(&d.left_out, *length)) else { break };
            smoothing.take_off(k, &path, self.points);
        }
        smoothing
    }

    /// True if enough samples or time have been learned.
    pub fn is_over(&self, learn: Learn) -> bool {
        self.seen >= limits::BASELINE_LEARN_MIN
            && match learn {
                Learn::Samples(n) => self.seen >= n,
                Learn::For(d) => self.good_for >= d,
            }
    }

    /// The learned model; `None` if the samples do not allow one. The first samples are not used until the smoothing
    /// has settled.
    pub fn model(&self, spec: &Baseline) -> Option<Learned> {
        let p = self.points;
        let daily = self.daily();
        let mut raw = self.raw.clone();
        daily.iter().for_each(|d| raw.iter_mut().zip(&d.left_out).for_each(|(x, usual)| *x -= usual));
        let smoothing = self.smoothing(&raw, daily.as_ref());
        let fences = Fence::of_rows(&raw, p);
        let column = |j: usize| raw.iter().skip(j).step_by(p).copied().collect::<Vec<_>>();
        let scale: Vec<f64> = fences.iter().enumerate().map(|(j, f)| scale_of(*f, &column(j))).collect();
        let standard = |rows: &[f64]| -> Vec<f64> {
            let one = |((x, f), s): ((&f64, &Fence), &f64)| (f.draw_in(*x) - f.centre) / s;
            rows.chunks(p).flat_map(|row| row.iter().zip(&fences).zip(&scale).map(one)).collect()
        };
        let raw = standard(&raw);
        let wander = wander_of(&raw, p);
        let reference = self.reference(&raw, spec.follow);
        let mut learned = Vec::with_capacity(self.lengths.len());
        let mut smooth = smoothing.state;
        for (k, (rows, length)) in smoothing.rows.iter().zip(&self.lengths).enumerate() {
            let mut rows = standard(rows);
            let ran_along = self.smoothed(&reference.path, *length);
            rows.iter_mut().zip(&ran_along).for_each(|(s, r)| *s -= r);
            let from = settled_after(*length, self.stride, rows.len() / p);
            learned.push(scale_learned(rows.get(from * p..).unwrap_or_default(), &wander, p)?);
            if let Some(of) = smooth.as_mut().and_then(|s| s.scales.get_mut(k)) {
                let last = ran_along.rchunks(p).next().unwrap_or_default();
                *of = standard(of).iter().zip(last).map(|(s, r)| s - r).collect();
            }
        }
        let mut learned = learned.into_iter();
        let shortest = learned.next()?;
        let model = Model {
            definition: spec.definition.clone(),
            samples: self.seen,
            centre: fences.iter().map(|f| Finite::new(f.centre)).collect::<Option<_>>()?,
            scale: Finite::all(&scale)?,
            covariance: shortest.covariance,
            t2: shortest.t2,
            error: shortest.error,
            reference: Finite::all(&reference.now)?,
            most: Some(shortest.most),
            longer: learned.collect(),
            widened: None,
            daily: daily.map_or_else(Vec::new, |d| d.profiles),
        };
        Some(Learned { judge: PreparedModel::new(model, spec)?, smooth })
    }

    /// The reference before each stored row.
    fn reference(&self, standard: &[f64], follow: Follow) -> Reference {
        let p = self.points;
        let weight = self.reference_weight(follow);
        let mut now = vec![0.0; p];
        if self.is_fast(weight) {
            let first = |j: usize| standard.iter().skip(j).step_by(p).take(REFERENCE_BEGINS_WITH).copied();
            now = (0..p).map(|j| middle_mean(first(j).collect())).collect();
        }
        let weight = 1.0 - (1.0 - weight).powf(strides(self.stride));
        let mut path = Vec::with_capacity(standard.len());
        for row in standard.chunks(p) {
            path.extend_from_slice(&now);
            now.iter_mut().zip(row).for_each(|(r, x)| *r += (x - *r) * weight);
        }
        Reference { path, now }
    }

    /// The weight of one sample in the reference.
    fn reference_weight(&self, follow: Follow) -> f64 {
        let samples = strides(self.seen.max(1));
        match follow {
            Follow::Never => 0.0,
            Follow::AsLearned => REFERENCE_WEIGHT / samples,
            Follow::Over(time) => follow_weight(self.good_for.div_f64(samples), time),
        }
    }

    /// A reference that moves within the learning period begins at the start of the period. A slower reference begins
    /// at the middle level of the period.
    fn is_fast(&self, weight: f64) -> bool {
        weight * strides(self.seen) >= REFERENCE_WEIGHT * 0.999
    }

    /// The reference, smoothed like the samples: from the centre after each pause.
    fn smoothed(&self, path: &[f64], length: f64) -> Vec<f64> {
        let (one, all) = (1.0 / length, 1.0 - (1.0 - 1.0 / length).powf(strides(self.stride)));
        let mut now = vec![0.0; self.points];
        let mut out = Vec::with_capacity(path.len());
        for (at, row) in path.chunks(self.points).enumerate() {
            let begins = at == 0 || self.begins.contains(&at);
            if begins {
                now.fill(0.0);
            }
            let weight = if begins { one } else { all };
            now.iter_mut().zip(row).for_each(|(s, r)| *s += (r - *s) * weight);
            out.extend_from_slice(&now);
        }
        out
    }
}

/// The reference during learning, in standard deviations from the centre.
struct Reference {
    /// One row for each stored sample: the reference before the sample moved it.
    path: Vec<f64>,
    now: Vec<f64>,
}

/// The weight of a sample that arrived `passed` after the one before, for a reference with this time constant. The
/// weight is never larger than with the shortest learning period.
pub(super) fn follow_weight(passed: Duration, time: Duration) -> f64 {
    let most = REFERENCE_WEIGHT / strides(limits::BASELINE_LEARN_MIN);
    (passed.as_secs_f64() / time.as_secs_f64().max(1e-3)).min(most)
}

/// Learns one scale from its smoothed deviations.
fn scale_learned(rows: &[f64], wander: &[f64], p: usize) -> Option<LongerScale> {
    let covariance: Vec<f64> = covariance_of(rows, p).iter().zip(wander).map(|(a, b)| a + b).collect();
    let Usual { t2, error, most } = Statistics::new(&covariance, p, DEVIATION_MAX)?.usual(rows);
    Some(LongerScale {
        covariance: Finite::all(&covariance)?,
        t2: Finite::new(t2)?,
        error: Finite::new(error)?,
        most: Finite::new(most)?,
    })
}

/// The number of rows that are not used at the beginning: three times the smoothing, but never more than a quarter of
/// all.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "smoothing lies between 1 and 9000 samples"
)]
fn settled_after(length: f64, stride: u64, rows: usize) -> usize {
    ((3.0 * length / strides(stride)) as usize).min(rows / 4)
}

#[expect(clippy::cast_precision_loss, reason = "a number of samples")]
fn strides(samples: u64) -> f64 {
    samples as f64
}

/// The mean of the values without the lowest and highest; 0 if no values remain.
fn middle_mean(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let most = values.len().saturating_sub(REFERENCE_BEGINS_WITHOUT);
    let middle = values.get(REFERENCE_BEGINS_WITHOUT..most).unwrap_or_default();
    let (sum, count) = middle.iter().fold((0.0, 0.0_f64), |(sum, count), x| (sum + x, count + 1.0));
    sum / count.max(1.0)
}

/// The standard deviation. For a point that did not move it is a millionth of its value, so that any move counts.
fn scale_of(fence: Fence, column: &[f64]) -> f64 {
    fence.deviation(column).max(fence.centre.abs() * 1e-6).max(1e-9)
}
