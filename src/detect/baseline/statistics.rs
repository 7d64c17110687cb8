//! The distance of smoothed deviations from normal on one scale, by three statistics.
//!
//! These are Hotelling's T2 (of smoothed data: Lowry et al. 1992) on a covariance shrunk towards its diagonal (Ledoit
//! and Wolf 2004), the squared error of predicting each point from the others (Jackson and Mudholkar 1979 for its use
//! beside T2), and the largest squared deviation of a single point. The contributions of the points are computed as
//! in Miller, Swanson and Heckler 1998.

use super::linear::{inverse, quantile, times};

/// The share of the correlations that is removed for T2, because correlations learned in a short time are only
/// roughly right.
const SHRINK_T2: f64 = 0.8;
/// The share of the correlations that is removed for the prediction of a point from the others, which depends on
/// them.
const SHRINK_PREDICTION: f64 = 0.2;
/// The factor by which the limit of the prediction error is wider than that of T2.
const PREDICTION_WIDER: f64 = 2.5;
/// The number of parts of the learning period that show how far the points wander.
const STRETCHES: usize = 16;
/// The factor for the wandering, as standard deviation: in weeks a point wanders further than in hours of learning.
const WANDER: f64 = 2.0;
/// The least variance of a smoothed, standardised point.
const VARIANCE_MIN: f64 = 0.01;
/// The limits are multiples of the value that this share of the learned samples does not exceed.
const LEARNED_SHARE: f64 = 0.95;

/// The values of the statistics that 95 % of the learned samples did not exceed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usual {
    /// Hotelling's T2.
    pub t2: f64,
    /// The prediction error.
    pub error: f64,
    /// The largest squared deviation of one point; infinite if this statistic is not used.
    pub most: f64,
}

/// The statistics of one scale.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statistics {
    /// The standard deviation of each smoothed point.
    pub spread: Vec<f64>,
    inverse: Vec<f64>,
    /// Column by column. Each row gives the error of predicting a point from the others, in units of its expected
    /// size.
    prediction: Vec<f64>,
    deviation_max: f64,
}

/// The distance from normal on one scale.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ScaleDistance {
    /// The largest statistic, as a multiple of its usual size.
    pub strength: f64,
    /// The part of each point in the largest statistic.
    pub parts: Vec<f64>,
}

impl Statistics {
    /// Prepares the statistics of a covariance, given row by row; `None` if the covariance has no inverse.
    pub fn new(covariance: &[f64], p: usize, deviation_max: f64) -> Option<Self> {
        let spread: Vec<f64> = covariance.iter().step_by(p + 1).map(|v| v.max(VARIANCE_MIN).sqrt()).collect();
        let shrunk = |by: f64| -> Vec<f64> {
            let of = |k: usize| spread.get(k).copied().unwrap_or(1.0);
            let cell = |(at, covariance): (usize, &f64)| match (at / p, at % p) {
                (i, j) if i == j => 1.0,
                (i, j) => (1.0 - by) * covariance / (of(i) * of(j)),
            };
            covariance.iter().enumerate().map(cell).collect()
        };
        let precision = inverse(&shrunk(SHRINK_PREDICTION), p)?;
        let own: Vec<f64> = precision.iter().step_by(p + 1).map(|own| own.sqrt()).collect();
        // The matrix is symmetric, so its rows are its columns.
        let column = |of: &[f64]| of.iter().zip(&own).map(|(x, own)| x / own).collect::<Vec<_>>();
        let prediction: Vec<f64> = precision.chunks(p).flat_map(column).collect();
        let inverse = inverse(&shrunk(SHRINK_T2), p)?;
        let is_finite = prediction.iter().chain(&inverse).chain(&spread).all(|x| x.is_finite());
        is_finite.then_some(Self { spread, inverse, prediction, deviation_max })
    }

    fn bounded(&self, deviation: &[f64]) -> Vec<f64> {
        let one = |(d, s): (&f64, &f64)| (d / s).clamp(-self.deviation_max, self.deviation_max);
        deviation.iter().zip(&self.spread).map(one).collect()
    }

    /// The part of each point in T2.
    fn t2(&self, v: &[f64]) -> Vec<f64> {
        times(&self.inverse, v).iter().zip(v).map(|(a, b)| a * b).collect()
    }

    /// The squared prediction error of each point.
    fn errors(&self, v: &[f64]) -> Vec<f64> {
        times(&self.prediction, v).iter().map(|e| e * e).collect()
    }

    /// The usual sizes of the statistics, from the learned rows.
    pub fn usual(&self, rows: &[f64]) -> Usual {
        let p = self.spread.len().max(1);
        let (mut t2, mut error, mut most) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows.chunks(p) {
            let v = self.bounded(row);
            t2.push(self.t2(&v).iter().sum::<f64>());
            error.push(self.errors(&v).iter().sum::<f64>());
            most.push(largest(&v));
        }
        let usual = |values: &mut [f64]| quantile(values, LEARNED_SHARE).max(f64::MIN_POSITIVE);
        Usual { t2: usual(&mut t2), error: usual(&mut error), most: usual(&mut most) }
    }

    /// The distance of smoothed deviations from normal.
    pub fn evaluate(&self, deviation: &[f64], usual: &Usual) -> ScaleDistance {
        let v = self.bounded(deviation);
        let t2 = self.t2(&v);
        let by_t2 = t2.iter().sum::<f64>() / usual.t2;
        if v.len() == 1 {
            // A single point cannot be predicted from others, and is itself the largest.
            return ScaleDistance { strength: by_t2, parts: t2 };
        }
        let by_point = by_t2.max(largest(&v) / usual.most);
        let errors = self.errors(&v);
        let by_error = errors.iter().sum::<f64>() / (usual.error * PREDICTION_WIDER);
        if by_point >= by_error {
            ScaleDistance { strength: by_point, parts: t2 }
        } else {
            ScaleDistance { strength: by_error, parts: errors }
        }
    }
}

fn largest(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).fold(0.0, f64::max)
}

/// Sums of products, row by row.
fn products(rows: &[f64], p: usize) -> Vec<f64> {
    let mut sums = vec![0.0; p * p];
    for row in rows.chunks(p) {
        for (of, x) in sums.chunks_mut(p).zip(row) {
            of.iter_mut().zip(row).for_each(|(sum, y)| *sum += x * y);
        }
    }
    sums
}

/// The covariance of smoothed deviations from the reference.
#[expect(clippy::cast_precision_loss, reason = "at most a few thousand samples")]
pub(super) fn covariance_of(deviations: &[f64], p: usize) -> Vec<f64> {
    let rows = (deviations.len() / p).max(1) as f64;
    products(deviations, p).iter().map(|sum| sum / rows).collect()
}

/// The wandering of the points' means between parts of the learning period, enlarged by [`WANDER`].
#[expect(clippy::cast_precision_loss, reason = "at most a few thousand samples")]
pub(super) fn wander_of(standard: &[f64], p: usize) -> Vec<f64> {
    let length = (standard.len() / p / STRETCHES).max(1);
    let stretches = standard.chunks_exact(length * p);
    let count = stretches.len().max(1) as f64;
    let mut means: Vec<f64> = stretches
        .flat_map(|s| (0..p).map(|j| s.iter().skip(j).step_by(p).sum::<f64>() / length as f64))
        .collect();
    let column = |means: &[f64], j: usize| means.iter().skip(j).step_by(p).sum::<f64>() / count;
    let middle: Vec<f64> = (0..p).map(|j| column(&means, j)).collect();
    for mean in means.chunks_mut(p) {
        mean.iter_mut().zip(&middle).for_each(|(x, middle)| *x -= middle);
    }
    let widened = WANDER * WANDER / (count.max(2.0) - 1.0);
    products(&means, p).iter().map(|sum| sum * widened).collect()
}
