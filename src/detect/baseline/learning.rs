//! Learning what is normal, in bounded memory.
//!
//! The first samples are kept as they come, and smoothed only once their fences are known, so that no wild sample gets
//! into what is smoothed. Of more samples than are kept every second one is let go; from then on each sample is drawn
//! in to the fences of those that are kept before it is smoothed, and the fences are taken anew now and then. A new
//! level of a machine is within them once it makes up a hundredth of the samples that are kept.

use std::collections::BTreeSet;
use std::time::Duration;

use super::fence::Fence;
use super::model::{Judge, Model, ModelDraft, covariance_of};
use super::smoothed;
use crate::limits;
use crate::profile::Learn;
use crate::words::Mono;

/// So many more kept samples, and the fences are taken anew.
const FENCES_EVERY: usize = 64;

/// The samples of good operation so far: every `stride`-th of them is kept, as it was and as it was smoothed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Learning {
    points: usize,
    smoothing: f64,
    raw: Vec<f64>,
    stride: u64,
    /// The kept rows that do not follow on the row before; while every sample is kept.
    begins: BTreeSet<usize>,
    /// What is smoothed; once not every sample is kept.
    settled: Option<Smooth>,
    /// How many samples there were.
    pub seen: u64,
    /// For how long operation was good.
    pub good_for: Duration,
    last: Option<Mono>,
}

/// Samples within their fences, smoothed.
#[derive(Debug, Clone, PartialEq)]
struct Smooth {
    fences: Vec<Fence>,
    rows: Vec<f64>,
    state: Option<Vec<f64>>,
}

impl Smooth {
    /// Smooths every sample so far.
    fn replay(raw: &[f64], points: usize, begins: &BTreeSet<usize>, smoothing: f64) -> Self {
        let fences = Fence::of_rows(raw, points);
        let mut out = Self { fences, rows: Vec::with_capacity(raw.len()), state: None };
        for (at, row) in raw.chunks(points).enumerate() {
            if begins.contains(&at) {
                out.state = None;
            }
            let smooth = out.take(row, smoothing);
            out.rows.extend(smooth);
        }
        out
    }

    fn take(&mut self, raw: &[f64], smoothing: f64) -> Vec<f64> {
        let row: Vec<f64> = raw.iter().zip(&self.fences).map(|(x, fence)| fence.draw_in(*x)).collect();
        smoothed(&mut self.state, &row, smoothing).to_vec()
    }
}

/// What learning came to.
pub(super) struct Learned {
    pub judge: Judge,
    /// Where what is smoothed was at the end, in the points' units.
    pub smooth: Option<Vec<f64>>,
}

impl Learning {
    pub fn new(points: usize, smoothing: f64) -> Self {
        Self {
            points,
            smoothing,
            raw: Vec::new(),
            stride: 1,
            begins: BTreeSet::new(),
            settled: None,
            seen: 0,
            good_for: Duration::ZERO,
            last: None,
        }
    }

    /// The next sample does not follow on the last one.
    pub fn pause(&mut self) {
        self.last = None;
        match &mut self.settled {
            Some(smooth) => smooth.state = None,
            None => {
                self.begins.insert(self.raw.len() / self.points.max(1));
            }
        }
    }

    pub fn sample(&mut self, now: Mono, raw: &[f64]) {
        self.good_for += self.last.map_or(Duration::ZERO, |last| now.since(last));
        self.last = Some(now);
        let smooth = self.settled.as_mut().map(|s| s.take(raw, self.smoothing));
        if self.seen.is_multiple_of(self.stride) {
            self.raw.extend_from_slice(raw);
            if let (Some(settled), Some(smooth)) = (&mut self.settled, smooth) {
                settled.rows.extend(smooth);
                if (self.raw.len() / self.points).is_multiple_of(FENCES_EVERY) {
                    settled.fences = Fence::of_rows(&self.raw, self.points);
                }
            }
            if self.raw.len() >= limits::BASELINE_SAMPLES_KEPT * self.points {
                let mut settled = self.settled.take().unwrap_or_else(|| self.replay());
                self.begins.clear();
                thin(&mut self.raw, self.points);
                thin(&mut settled.rows, self.points);
                self.settled = Some(settled);
                self.stride *= 2;
            }
        }
        self.seen += 1;
    }

    fn replay(&self) -> Smooth {
        Smooth::replay(&self.raw, self.points, &self.begins, self.smoothing)
    }

    /// Whether enough has been learned.
    pub fn is_over(&self, learn: Learn) -> bool {
        self.seen >= limits::BASELINE_LEARN_MIN
            && match learn {
                Learn::Samples(n) => self.seen >= n,
                Learn::For(d) => self.good_for >= d,
            }
    }

    /// What was learned; nothing of samples that nothing can be learned from. The first samples are left out of what
    /// is smoothed until it has settled.
    pub fn model(&self, definition: String) -> Option<Learned> {
        let p = self.points;
        let smooth = self.settled.clone().unwrap_or_else(|| self.replay());
        let fences = Fence::of_rows(&self.raw, p);
        let column = |j: usize| self.raw.iter().skip(j).step_by(p).copied().collect::<Vec<_>>();
        let scale: Vec<f64> = fences.iter().enumerate().map(|(j, f)| scale_of(*f, &column(j))).collect();
        let standard = |rows: &[f64]| -> Vec<f64> {
            let one = |((x, f), s): ((&f64, &Fence), &f64)| (f.draw_in(*x) - f.centre) / s;
            rows.chunks(p).flat_map(|row| row.iter().zip(&fences).zip(&scale).map(one)).collect()
        };
        let (raw, rows) = (standard(&self.raw), standard(&smooth.rows));
        let settled = settled_after(self.smoothing, self.stride, rows.len() / p);
        let rows = rows.get(settled * p..).unwrap_or_default();
        let draft = ModelDraft {
            definition,
            samples: self.seen,
            covariance: covariance_of(rows, &raw, p),
            centre: fences.iter().map(|f| f.centre).collect(),
            scale,
        };
        let model: Model = draft.with_limits_from(rows)?;
        Some(Learned { judge: Judge::new(model)?, smooth: smooth.state })
    }
}

fn thin(rows: &mut Vec<f64>, points: usize) {
    let kept: Vec<f64> = rows.chunks(points).step_by(2).flatten().copied().collect();
    *rows = kept;
}

/// Rows that are left out at the beginning: three times the smoothing, but never more than a quarter.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "smoothing lies between 1 and 1000 samples"
)]
fn settled_after(smoothing: f64, stride: u64, rows: usize) -> usize {
    ((3.0 * smoothing / stride as f64) as usize).min(rows / 4)
}

/// The standard deviation; of a point that did not move, a millionth of what it was, so that any move counts.
fn scale_of(fence: Fence, column: &[f64]) -> f64 {
    fence.deviation(column).max(fence.centre.abs() * 1e-6).max(1e-9)
}
