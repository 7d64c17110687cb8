//! Learning what is normal, in bounded memory.

use std::time::Duration;

use super::linear::quantile;
use super::model::{Judge, Model, covariance_of};
use crate::limits;
use crate::profile::Learn;
use crate::words::Mono;

/// The samples of good operation so far: every `stride`-th of them is kept, as it was and as it was smoothed.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Learning {
    points: usize,
    raw: Vec<f64>,
    smooth: Vec<f64>,
    stride: u64,
    /// How many samples there were.
    pub seen: u64,
    /// For how long operation was good.
    pub good_for: Duration,
    last: Option<Mono>,
}

impl Learning {
    pub fn new(points: usize) -> Self {
        let (raw, smooth) = (Vec::new(), Vec::new());
        Self { points, raw, smooth, stride: 1, seen: 0, good_for: Duration::ZERO, last: None }
    }

    /// The next sample does not follow on the last one.
    pub fn pause(&mut self) {
        self.last = None;
    }

    pub fn sample(&mut self, now: Mono, raw: &[f64], smooth: &[f64]) {
        self.good_for += self.last.map_or(Duration::ZERO, |last| now.since(last));
        self.last = Some(now);
        if self.seen.is_multiple_of(self.stride) {
            self.raw.extend_from_slice(raw);
            self.smooth.extend_from_slice(smooth);
            if self.raw.len() >= limits::BASELINE_SAMPLES_KEPT * self.points {
                thin(&mut self.raw, self.points);
                thin(&mut self.smooth, self.points);
                self.stride *= 2;
            }
        }
        self.seen += 1;
    }

    /// Whether enough has been learned.
    pub fn is_over(&self, learn: Learn) -> bool {
        self.seen >= limits::BASELINE_LEARN_MIN
            && match learn {
                Learn::Samples(n) => self.seen >= n,
                Learn::For(d) => self.good_for >= d,
            }
    }

    /// What was learned. The first samples are left out of what is smoothed until it has settled.
    pub fn model(&self, definition: String, smoothing: f64) -> Option<Model> {
        let p = self.points;
        let columns: Vec<Vec<f64>> =
            (0..p).map(|j| self.raw.iter().skip(j).step_by(p).copied().collect()).collect();
        let centre: Vec<f64> = columns.iter().map(|c| quantile(&mut c.clone(), 0.5)).collect();
        let scale: Vec<f64> = columns.iter().zip(&centre).map(|(c, m)| scale_of(c, *m)).collect();
        let standard = |rows: &[f64]| -> Vec<f64> {
            rows.chunks(p)
                .flat_map(|row| row.iter().zip(&centre).zip(&scale).map(|((x, m), s)| (x - m) / s))
                .collect()
        };
        let (raw, smooth) = (standard(&self.raw), standard(&self.smooth));
        let settled = settled_after(smoothing, self.stride, smooth.len() / p);
        let smooth = smooth.get(settled * p..).unwrap_or_default();
        let model = Model {
            definition,
            samples: self.seen,
            covariance: covariance_of(smooth, &raw, p),
            centre,
            scale,
            t2: 1.0,
            error: 1.0,
            reference: vec![0.0; p],
        };
        Judge::with_limits_from(model, smooth)
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
#[expect(clippy::cast_precision_loss, reason = "at most a few thousand samples")]
fn scale_of(column: &[f64], centre: f64) -> f64 {
    let n = column.len().max(1) as f64;
    let mean = column.iter().sum::<f64>() / n;
    let variance = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / n;
    variance.sqrt().max(centre.abs() * 1e-6).max(1e-9)
}
