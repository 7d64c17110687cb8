//! What is normal, as learned, and how far a sample is from it.
//!
//! Points are standardised by what was learned. Their smoothed deviations from a slow reference are judged on several
//! scales; the farthest says how far a sample is from normal. The limit widens a little with each sample beyond it and
//! narrows with each within it (adaptive conformal inference, Gibbs and Candes 2021, of the limit's logarithm), so that
//! two samples in a hundred come to lie beyond it.

use serde::{Deserialize, Serialize};

use super::BEGINS_AFTER;
use super::smooth::{Smooth, lengths};
use super::statistics::{Statistics, Usual};
use crate::profile::Baseline;
use crate::words::Finite;

/// A point's deviation counts up to so many standard deviations, so that one that is far off does not hide the others.
pub(super) const DEVIATION_MAX: f64 = 20.0;
/// The same, for what an earlier version learned.
const DEVIATION_MAX_BEFORE: f64 = 15.0;
/// By how much the limits of the longer scales are wider: there a deviation that lasts is noise of the reference too.
const LONGER_WIDER: f64 = 1.75;
/// One sample alone brings a scale at most to this part of its limit, as deviation, by the time an excursion would begin:
/// a spike is not an excursion.
const SPIKE_SHARE: f64 = 0.5;
/// The reference's weight of a sample, in parts of the learning period: its time constant is a quarter of it.
pub(super) const REFERENCE_WEIGHT: f64 = 4.0;
/// The same, for what an earlier version learned: two and a half learning periods.
const REFERENCE_WEIGHT_BEFORE: f64 = 0.4;
/// By how much a sample beyond the limit widens it, as a logarithm, in parts of the learning period.
const WIDENS_BY: f64 = 0.5;
/// The share of samples that may lie beyond the limit.
const BEYOND_SHARE: f64 = 0.02;
/// The limit widens up to three times.
pub(super) const WIDENED_MAX: f64 = 1.098_612_288_668_109_8;

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
    /// Of the points smoothed on the shortest scale, standardised, their wandering included; row by row.
    pub covariance: Vec<Finite>,
    /// What T2 stayed below in 95 % of the learned samples.
    pub t2: Finite,
    /// What the prediction error stayed below in 95 % of them.
    pub error: Finite,
    /// Where the slow reference is now, in standard deviations from the centre.
    pub reference: Vec<Finite>,
    /// What the largest squared deviation of a point stayed below in 95 % of them. Nothing of what an earlier version
    /// learned, which judges by one scale and a fixed limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<Finite>,
    /// The longer scales.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub longer: Vec<LongerScale>,
    /// The logarithm of what the limit is widened by now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub widened: Option<Finite>,
}

/// What was learned of a longer scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LongerScale {
    /// As [`Model::covariance`].
    pub covariance: Vec<Finite>,
    /// As [`Model::t2`].
    pub t2: Finite,
    /// As [`Model::error`].
    pub error: Finite,
    /// As [`Model::most`].
    pub most: Finite,
}

impl Model {
    /// Whether an earlier version learned it.
    #[must_use]
    pub fn is_of_before(&self) -> bool {
        self.most.is_none()
    }

    /// Each scale's covariance, and what its statistics usually are.
    fn scales(&self) -> impl Iterator<Item = (&[Finite], Usual)> {
        let most = self.most.map_or(f64::INFINITY, Finite::get);
        let shortest = Usual { t2: self.t2.get(), error: self.error.get(), most };
        let longer = self.longer.iter().map(|scale| {
            let usual = Usual { t2: scale.t2.get(), error: scale.error.get(), most: scale.most.get() };
            (scale.covariance.as_slice(), usual)
        });
        std::iter::once((self.covariance.as_slice(), shortest)).chain(longer)
    }
}

/// How far a sample is from normal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Distance {
    /// The largest of the statistics, as a multiple of what 95 % of the learned samples stayed below.
    pub strength: f64,
    /// Each point's share of it.
    pub shares: Vec<f64>,
    /// Each point's deviation on the scale that says most, in its standard deviations.
    pub deviations: Vec<f64>,
}

/// A model ready to judge.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Judge {
    /// What was learned, as it was learned.
    pub model: Model,
    /// Where the slow reference is now, in standard deviations from the centre.
    pub reference: Vec<f64>,
    /// The logarithm of what the limit is widened by now.
    pub widened: f64,
    deviation_max: f64,
    lengths: Vec<f64>,
    scales: Vec<Scale>,
}

/// What is judged by on one scale.
#[derive(Debug, Clone, PartialEq)]
struct Scale {
    statistics: Statistics,
    usual: Usual,
    /// By how much its limit is wider.
    wider: f64,
    /// What one sample of each point counts for at most.
    spike: Vec<f64>,
}

impl Scale {
    fn new(statistics: Statistics, usual: Usual, is_shortest: bool, limit: f64, length: f64) -> Self {
        let wider = if is_shortest { 1.0 } else { LONGER_WIDER };
        let keeps = (1.0 - 1.0 / length).powi(BEGINS_AFTER.cast_signed() - 1) / length;
        let reaches = SPIKE_SHARE * (limit * wider * usual.most).sqrt() / keeps;
        let spike = statistics.spread.iter().map(|spread| spread * reaches).collect();
        Self { statistics, usual, wider, spike }
    }
}

impl Judge {
    /// Nothing of a model that nothing can be judged by.
    pub fn new(model: Model, spec: &Baseline) -> Option<Self> {
        let p = model.centre.len();
        let fits = model.scale.len() == p && model.reference.len() == p;
        if !fits || p == 0 || !model.scale.iter().all(|s| s.get() > 0.0) {
            return None;
        }
        let deviation_max = if model.is_of_before() { DEVIATION_MAX_BEFORE } else { DEVIATION_MAX };
        let lengths = lengths(spec.smooth);
        let scale = |(k, ((covariance, usual), length)): (usize, ((&[Finite], Usual), &f64))| {
            let is_usable =
                covariance.len() == p * p && [usual.t2, usual.error, usual.most].iter().all(|x| *x > 0.0);
            let statistics = is_usable.then(|| Statistics::new(&plain(covariance), p, deviation_max))?;
            Some(Scale::new(statistics?, usual, k == 0, spec.limit, *length))
        };
        let scales: Vec<_> = model.scales().zip(&lengths).enumerate().map(scale).collect::<Option<_>>()?;
        let widened = model.widened.map_or(0.0, Finite::get).clamp(0.0, WIDENED_MAX);
        Some(Self { reference: plain(&model.reference), widened, deviation_max, lengths, scales, model })
    }

    /// What is smoothed, from nothing. While an excursion stands it begins with the mean of what comes: from zero the
    /// excursion would seem to end.
    pub fn begin(&self, is_in_excursion: bool) -> Smooth {
        let (p, scales) = (self.reference.len(), self.scales.len());
        if is_in_excursion { Smooth::by_mean(p, scales) } else { Smooth::at(&vec![0.0; p], scales) }
    }

    /// The reference's weight of a sample, unless a time constant says another.
    #[expect(clippy::cast_precision_loss, reason = "a number of samples")]
    pub fn reference_weight(&self) -> f64 {
        let of = if self.model.is_of_before() { REFERENCE_WEIGHT_BEFORE } else { REFERENCE_WEIGHT };
        of / (self.model.samples.max(1) as f64)
    }

    /// A sample's deviations from the reference, in standard deviations. Each counts up to [`DEVIATION_MAX`], so that
    /// a wild sample moves what is smoothed by one sample's worth and is forgotten soon after.
    pub fn deviations(&self, raw: &[f64]) -> Vec<f64> {
        let off = self.standard(raw).into_iter().zip(&self.reference).map(|(z, r)| z - r);
        let spread = |j: usize| self.scales.first()?.statistics.spread.get(j).copied();
        let max = |j: usize| self.deviation_max * spread(j).unwrap_or(1.0).max(1.0);
        off.enumerate().map(|(j, o)| within(o, max(j))).collect()
    }

    /// A sample in standard deviations from the centre.
    pub fn standard(&self, raw: &[f64]) -> Vec<f64> {
        let m = &self.model;
        raw.iter().zip(&m.centre).zip(&m.scale).map(|((x, c), s)| (x - c.get()) / s.get()).collect()
    }

    /// Takes deviations into what is smoothed.
    pub fn smooth(&self, smooth: &mut Smooth, off: &[f64]) {
        smooth.take(&self.lengths, |k, j| {
            let spike = self.scales.get(k).and_then(|s| s.spike.get(j));
            within(off.get(j).copied().unwrap_or(0.0), spike.copied().unwrap_or(f64::INFINITY))
        });
    }

    /// How far smoothed deviations from the reference are from normal.
    pub fn distance(&self, smooth: &Smooth) -> Distance {
        let judged = self.scales.iter().zip(&smooth.scales).map(|(scale, deviations)| {
            let mut judged = scale.statistics.judge(deviations, &scale.usual);
            judged.strength /= scale.wider;
            (judged, deviations)
        });
        let Some((judged, deviations)) = judged.max_by(|(a, _), (b, _)| a.strength.total_cmp(&b.strength))
        else {
            return Distance { strength: 0.0, shares: Vec::new(), deviations: Vec::new() };
        };
        let whole = judged.parts.iter().map(|x| x.max(0.0)).sum::<f64>().max(f64::MIN_POSITIVE);
        Distance {
            strength: judged.strength,
            shares: judged.parts.iter().map(|x| x.max(0.0) / whole).collect(),
            deviations: deviations.clone(),
        }
    }

    /// The limit learns from a sample that lay beyond it, or within it. That of an earlier version is fixed.
    #[expect(clippy::cast_precision_loss, reason = "a number of samples")]
    pub fn learn_limit(&mut self, is_beyond: bool) {
        if !self.model.is_of_before() {
            let step = f64::from(u8::from(is_beyond)) - BEYOND_SHARE;
            let weight = WIDENS_BY / self.model.samples.max(1) as f64;
            self.widened = (self.widened + weight * step).clamp(0.0, WIDENED_MAX);
        }
    }
}

fn plain(numbers: &[Finite]) -> Vec<f64> {
    numbers.iter().map(|x| x.get()).collect()
}

/// The number, or the bound that it is beyond.
fn within(x: f64, most: f64) -> f64 {
    x.max(-most).min(most)
}
