//! How far smoothed deviations of one scale are from normal, by three statistics.
//!
//! Hotelling's T2 (of smoothed data: Lowry et al. 1992) on a covariance shrunk towards its diagonal (Ledoit and Wolf
//! 2004), the squared error of predicting each point from the others (Jackson and Mudholkar 1979 for its use beside T2),
//! and the largest squared deviation of a single point. Contributions as Miller, Swanson and Heckler 1998.

use super::linear::{inverse, quantile, times};

/// How much of the correlations is taken away for T2: those of a short stretch hold only roughly.
const SHRINK_T2: f64 = 0.8;
/// How much of them is taken away for the prediction of a point from the others, which lives of them.
const SHRINK_PREDICTION: f64 = 0.2;
/// By how much the limit of the prediction error is wider than that of T2.
const PREDICTION_WIDER: f64 = 2.5;
/// Stretches into which learning is divided to see how far the points wander.
const STRETCHES: usize = 16;
/// By how much wandering is widened, as standard deviation: what is learned in hours wanders further in weeks.
const WANDER: f64 = 2.0;
/// The least variance of a smoothed, standardised point.
const VARIANCE_MIN: f64 = 0.01;
/// The limits are multiples of what this share of the learned samples stays below.
const LEARNED_SHARE: f64 = 0.95;

/// What the statistics of 95 % of the learned samples stayed below.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Usual {
    /// Hotelling's T2.
    pub t2: f64,
    /// The error of prediction.
    pub error: f64,
    /// The largest squared deviation of one point; infinite where it is not looked at.
    pub most: f64,
}

/// The statistics of one scale.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Statistics {
    /// Each point's standard deviation while smoothed.
    pub spread: Vec<f64>,
    inverse: Vec<f64>,
    /// Column by column; each row gives the error of predicting a point from the others, in units of what it should be.
    prediction: Vec<f64>,
    deviation_max: f64,
}

/// How far a sample is from normal on one scale.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judged {
    /// The largest statistic, as a multiple of its usual size.
    pub strength: f64,
    /// Each point's part of the statistic that says most of it.
    pub parts: Vec<f64>,
}

impl Statistics {
    /// Of a covariance row by row; nothing where nothing can be judged by it.
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
        // It is symmetric: its rows are its columns.
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

    /// Each point's part of T2.
    fn t2(&self, v: &[f64]) -> Vec<f64> {
        times(&self.inverse, v).iter().zip(v).map(|(a, b)| a * b).collect()
    }

    /// Each point's error of prediction, squared.
    fn errors(&self, v: &[f64]) -> Vec<f64> {
        times(&self.prediction, v).iter().map(|e| e * e).collect()
    }

    /// What the statistics of the learned rows usually are.
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

    /// How far smoothed deviations are from normal.
    pub fn judge(&self, deviation: &[f64], usual: &Usual) -> Judged {
        let v = self.bounded(deviation);
        let t2 = self.t2(&v);
        let by_t2 = t2.iter().sum::<f64>() / usual.t2;
        if v.len() == 1 {
            // One point has no others to be predicted from, and is the largest by itself.
            return Judged { strength: by_t2, parts: t2 };
        }
        let by_point = by_t2.max(largest(&v) / usual.most);
        let errors = self.errors(&v);
        let by_error = errors.iter().sum::<f64>() / (usual.error * PREDICTION_WIDER);
        if by_point >= by_error {
            Judged { strength: by_point, parts: t2 }
        } else {
            Judged { strength: by_error, parts: errors }
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

/// What the points' means wandered from stretch to stretch, widened.
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
