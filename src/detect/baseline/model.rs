//! What is normal, as learned, and how far a sample is from it.
//!
//! Points are standardised by what was learned; their covariance is that of the smoothed samples plus what the
//! points wandered while learning, widened. Two statistics, each against a limit that comes from the learned samples:
//! Hotelling's T2 of the smoothed deviations (as MEWMA: Lowry et al. 1992) on a covariance shrunk towards its diagonal
//! (Ledoit and Wolf 2004), and the squared error of predicting each point from the others (Jackson and Mudholkar 1979
//! for its use beside T2). Contributions as Miller, Swanson and Heckler 1998.

use serde::{Deserialize, Serialize};

use super::linear::{inverse, quantile, times};
use crate::words::Finite;

/// How much of the correlations is taken away for T2: those of a short stretch hold only roughly.
const SHRINK_T2: f64 = 0.8;
/// How much of them is taken away for the prediction of a point from the others, which lives of them.
const SHRINK_PREDICTION: f64 = 0.2;
/// By how much the limit of the prediction error is wider than that of T2.
const PREDICTION_WIDER: f64 = 2.5;
/// Stretches into which learning is divided to see how far the points wander.
const STRETCHES: usize = 16;
/// By how much wandering is widened, as standard deviation: what is learned in hours wanders further in weeks.
const WANDER: f64 = 1.5;
/// The least variance of a smoothed, standardised point.
const VARIANCE_MIN: f64 = 0.01;
/// A point's deviation counts up to so many standard deviations, so that one that is far off does not hide the others.
const DEVIATION_MAX: f64 = 15.0;
/// The limits are multiples of what this share of the learned samples stays below.
const LEARNED_SHARE: f64 = 0.95;

/// What was learned: enough to judge by, and to be kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// What was asked to be learned; a model of another definition is not taken.
    pub definition: String,
    /// How many samples were learned from.
    pub samples: u64,
    /// Each point's median, in its unit.
    pub centre: Vec<Finite>,
    /// Each point's standard deviation, in its unit.
    pub scale: Vec<Finite>,
    /// Of the smoothed, standardised points, their wandering included; row by row.
    pub covariance: Vec<Finite>,
    /// What T2 stayed below in 95 % of the learned samples.
    pub t2: Finite,
    /// What the prediction error stayed below in 95 % of them.
    pub error: Finite,
    /// Where the slow reference is now, in standard deviations from the centre.
    pub reference: Vec<Finite>,
}

/// How far a sample is from normal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Distance {
    /// The larger of the statistics, as a multiple of what 95 % of the learned samples stayed below.
    pub strength: f64,
    /// Each point's share of it.
    pub shares: Vec<f64>,
    /// Each point's deviation, in its standard deviations.
    pub deviations: Vec<f64>,
}

/// A model before its numbers are known to be finite.
#[derive(Debug, Clone)]
pub(super) struct ModelDraft {
    pub definition: String,
    pub samples: u64,
    pub centre: Vec<f64>,
    pub scale: Vec<f64>,
    pub covariance: Vec<f64>,
}

impl ModelDraft {
    /// Takes the limits from the learned samples, smoothed and standardised; nothing where a number is not finite.
    pub fn with_limits_from(self, smooth: &[f64]) -> Option<Model> {
        let one = Finite::new(1.0)?;
        let mut model = Model {
            definition: self.definition,
            samples: self.samples,
            reference: vec![Finite::default(); self.centre.len()],
            centre: Finite::all(&self.centre)?,
            scale: Finite::all(&self.scale)?,
            covariance: Finite::all(&self.covariance)?,
            t2: one,
            error: one,
        };
        let judge = Judge::new(model.clone())?;
        let both = smooth.chunks(judge.spread.len()).map(|row| judge.statistics(row));
        let (mut t2, mut error): (Vec<f64>, Vec<f64>) =
            both.map(|(t2, error)| (t2.iter().sum::<f64>(), error.iter().sum::<f64>())).unzip();
        model.t2 = Finite::new(quantile(&mut t2, LEARNED_SHARE).max(f64::MIN_POSITIVE))?;
        model.error = Finite::new(quantile(&mut error, LEARNED_SHARE).max(f64::MIN_POSITIVE))?;
        Some(model)
    }
}

/// A model ready to judge.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judge {
    /// What was learned, as it was learned.
    pub model: Model,
    /// Where the slow reference is now, in standard deviations from the centre.
    pub reference: Vec<f64>,
    spread: Vec<f64>,
    inverse: Vec<f64>,
    /// Each row gives the error of predicting a point from the others, in units of what it should be.
    prediction: Vec<f64>,
}

impl Judge {
    /// Nothing of a model that nothing can be judged by.
    pub fn new(model: Model) -> Option<Self> {
        let p = model.centre.len();
        let fits = model.scale.len() == p && model.reference.len() == p && model.covariance.len() == p * p;
        let positive = |x: &Finite| x.get() > 0.0;
        if !fits
            || p == 0
            || !model.scale.iter().all(positive)
            || ![model.t2, model.error].iter().all(positive)
        {
            return None;
        }
        let plain = |numbers: &[Finite]| -> Vec<f64> { numbers.iter().map(|x| x.get()).collect() };
        let covariance = plain(&model.covariance);
        let spread: Vec<f64> = covariance.iter().step_by(p + 1).map(|v| v.max(VARIANCE_MIN).sqrt()).collect();
        let shrunk = |by: f64| -> Vec<f64> {
            let row = |i: usize| {
                let (spread, covariance) = (&spread, &covariance);
                (0..p).map(move |j| match i == j {
                    true => 1.0,
                    false => {
                        let of = |k: usize| spread.get(k).copied().unwrap_or(1.0);
                        (1.0 - by) * covariance.get(i * p + j).copied().unwrap_or(0.0) / (of(i) * of(j))
                    }
                })
            };
            (0..p).flat_map(row).collect()
        };
        let precision = inverse(&shrunk(SHRINK_PREDICTION), p)?;
        let prediction: Vec<f64> = precision
            .chunks(p)
            .zip(precision.iter().step_by(p + 1))
            .flat_map(|(row, own)| row.iter().map(|x| x / own.sqrt()))
            .collect();
        let inverse = inverse(&shrunk(SHRINK_T2), p)?;
        let is_finite = prediction.iter().chain(&inverse).all(|x| x.is_finite());
        is_finite.then(|| Self { reference: plain(&model.reference), inverse, prediction, spread, model })
    }

    /// Where the reference is now, for the journal.
    pub fn told_reference(&self) -> Option<Vec<Finite>> {
        Finite::all(&self.reference)
    }

    /// A sample's deviations from the reference, in standard deviations. Each counts up to [`DEVIATION_MAX`], so that
    /// a wild sample moves what is smoothed by one sample's worth and is forgotten soon after.
    pub fn deviations(&self, raw: &[f64]) -> Vec<f64> {
        let off = self.standard(raw).into_iter().zip(&self.reference).map(|(z, r)| z - r);
        off.zip(&self.spread).map(|(o, spread)| within(o, DEVIATION_MAX * spread.max(1.0))).collect()
    }

    /// A sample in standard deviations from the centre.
    pub fn standard(&self, raw: &[f64]) -> Vec<f64> {
        let m = &self.model;
        raw.iter().zip(&m.centre).zip(&m.scale).map(|((x, c), s)| (x - c.get()) / s.get()).collect()
    }

    /// Each point's part of T2 and of the prediction error.
    fn statistics(&self, deviation: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let v = self.bounded(deviation);
        let t2 = times(&self.inverse, &v).iter().zip(&v).map(|(a, b)| a * b).collect();
        let error = times(&self.prediction, &v).iter().map(|e| e * e).collect();
        (t2, error)
    }

    fn bounded(&self, deviation: &[f64]) -> Vec<f64> {
        let one = |(d, s): (&f64, &f64)| (d / s).clamp(-DEVIATION_MAX, DEVIATION_MAX);
        deviation.iter().zip(&self.spread).map(one).collect()
    }

    /// How far smoothed deviations from the reference are from normal.
    pub fn distance(&self, deviation: &[f64]) -> Distance {
        let (t2, error) = self.statistics(deviation);
        let by_t2 = t2.iter().sum::<f64>() / self.model.t2.get();
        let by_error = error.iter().sum::<f64>() / (self.model.error.get() * PREDICTION_WIDER);
        // One point has no others to be predicted from.
        let parts = if by_t2 >= by_error || t2.len() == 1 { t2 } else { error };
        let whole: f64 = parts.iter().map(|x| x.max(0.0)).sum();
        let strength = if parts.len() == 1 { by_t2 } else { by_t2.max(by_error) };
        Distance {
            strength,
            shares: parts.iter().map(|x| x.max(0.0) / whole.max(f64::MIN_POSITIVE)).collect(),
            deviations: deviation.to_vec(),
        }
    }
}

/// The number, or the bound that it is beyond.
fn within(x: f64, most: f64) -> f64 {
    x.max(-most).min(most)
}

/// The covariance of the smoothed samples, plus what the points' means wandered from stretch to stretch.
#[expect(clippy::cast_precision_loss, reason = "at most a few thousand samples")]
pub(super) fn covariance_of(smooth: &[f64], raw: &[f64], p: usize) -> Vec<f64> {
    let rows = (smooth.len() / p).max(1) as f64;
    let length = (raw.len() / p / STRETCHES).max(1);
    let stretches = raw.chunks_exact(length * p);
    let means: Vec<Vec<f64>> = stretches
        .map(|s| (0..p).map(|j| s.iter().skip(j).step_by(p).sum::<f64>() / length as f64).collect())
        .collect();
    let n = means.len().max(2) as f64;
    let middle: Vec<f64> = (0..p)
        .map(|j| means.iter().filter_map(|m| m.get(j)).sum::<f64>() / means.len().max(1) as f64)
        .collect();
    let product = |row: &[f64], i: usize, j: usize, middle: &[f64]| -> f64 {
        let of = |k: usize| row.get(k).unwrap_or(&0.0) - middle.get(k).unwrap_or(&0.0);
        of(i) * of(j)
    };
    let cell = |i: usize, j: usize| -> f64 {
        let within: f64 = smooth.chunks(p).map(|row| product(row, i, j, &[])).sum();
        let wander: f64 = means.iter().map(|m| product(m, i, j, &middle)).sum();
        within / rows + WANDER * WANDER * wander / (n - 1.0)
    };
    (0..p * p).map(|at| cell(at / p, at % p)).collect()
}
