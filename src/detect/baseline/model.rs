//! The learned model of normal operation, and the distance of a sample from it.
//!
//! Points are divided by their learned standard deviation. Their smoothed deviations from a slow reference are
//! evaluated on several scales, and the largest result is the distance of the sample. The limit becomes a little
//! wider with each sample beyond it and a little narrower with each sample within it, so that in the long run two
//! samples in a hundred lie beyond it (adaptive conformal inference, Gibbs and Candes 2021, applied to the logarithm
//! of the limit).

use serde::{Deserialize, Serialize};

use super::BEGINS_AFTER;
use super::daily::{DailyProfile, Swing};
use super::smooth::{Smooth, lengths};
use super::statistics::{Statistics, Usual};
use crate::profile::Baseline;
use crate::words::{Finite, LocalTime};

/// The largest deviation that counts for one point, in standard deviations, so that one extreme point does not hide
/// the others.
pub(super) const DEVIATION_MAX: f64 = 20.0;
/// The same for a model that an earlier version learned.
const DEVIATION_MAX_EARLIER: f64 = 15.0;
/// The factor by which the limits of the longer scales are wider, because slow noise of the reference also shows
/// there.
const LONGER_WIDER: f64 = 1.75;
/// The largest share of a scale's limit that a single sample can cause, as deviation, at the time when an excursion
/// would begin: a spike is not an excursion.
const SPIKE_SHARE: f64 = 0.5;
/// The weight of a sample in the reference, times the number of learned samples: the time constant of the reference
/// is a quarter of the learning period.
pub(super) const REFERENCE_WEIGHT: f64 = 4.0;
/// The same for a model that an earlier version learned: two and a half learning periods.
const REFERENCE_WEIGHT_EARLIER: f64 = 0.4;
/// The step by which a sample beyond the limit widens it, as a logarithm, times the number of learned samples.
const WIDENS_BY: f64 = 0.5;
/// The share of samples that may lie beyond the limit.
const BEYOND_SHARE: f64 = 0.02;
/// The logarithm of the largest factor for the limit, which is 3.
pub(super) const WIDENED_MAX: f64 = 1.098_612_288_668_109_8;

/// A learned model: everything that the evaluation needs and that is stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// The text of the definition in the profile. A model with another definition is not used.
    pub definition: String,
    /// The number of samples that the model was learned from.
    pub samples: u64,
    /// The median of each point, in its unit.
    pub centre: Vec<Finite>,
    /// The standard deviation of each point, in its unit.
    pub scale: Vec<Finite>,
    /// The covariance of the points on the shortest scale, standardised and smoothed, with their wandering; row by
    /// row.
    pub covariance: Vec<Finite>,
    /// The value of T2 that 95 % of the learned samples did not exceed.
    pub t2: Finite,
    /// The prediction error that 95 % of the learned samples did not exceed.
    pub error: Finite,
    /// The reference now, in standard deviations from the centre.
    pub reference: Vec<Finite>,
    /// The largest squared deviation of a single point that 95 % of the learned samples did not exceed. `None` in a
    /// model that an earlier version learned: such a model uses one scale and a fixed limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub most: Option<Finite>,
    /// The longer scales; empty in a model that an earlier version learned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub longer: Vec<LongerScale>,
    /// The natural logarithm of the factor by which the limit is wider now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub widened: Option<Finite>,
    /// The daily profiles of the points that have one. Each is subtracted from a sample before the median is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub daily: Vec<DailyProfile>,
}

/// The learned numbers of one longer scale.
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
    /// True if an earlier version learned the model.
    #[must_use]
    pub fn is_of_earlier_version(&self) -> bool {
        self.most.is_none()
    }

    /// The covariance and the usual statistics of each scale.
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

/// The distance of a sample from normal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Distance {
    /// The largest statistic, as a multiple of the value that 95 % of the learned samples did not exceed.
    pub strength: f64,
    /// The share of each point in the distance, from 0 to 1.
    pub shares: Vec<f64>,
    /// The deviation of each point on the scale with the largest result, in standard deviations.
    pub deviations: Vec<f64>,
}

/// A model prepared for evaluation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PreparedModel {
    /// The model as it was learned.
    pub model: Model,
    /// The reference now, in standard deviations from the centre.
    pub reference: Vec<f64>,
    /// The natural logarithm of the factor by which the limit is wider now.
    pub widened: f64,
    deviation_max: f64,
    lengths: Vec<f64>,
    scales: Vec<Scale>,
    /// The daily profiles, by index of the point.
    swings: Vec<(usize, Swing)>,
}

/// The evaluation on one scale.
#[derive(Debug, Clone, PartialEq)]
struct Scale {
    statistics: Statistics,
    usual: Usual,
    /// The factor by which the limit of this scale is wider.
    wider: f64,
    /// The largest deviation that one sample of each point can count for, in standard deviations.
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

impl PreparedModel {
    /// Prepares a model; `None` if it cannot be evaluated.
    pub fn new(model: Model, spec: &Baseline) -> Option<Self> {
        let p = model.centre.len();
        let fits = model.scale.len() == p && model.reference.len() == p;
        if !fits || p == 0 || !model.scale.iter().all(|s| s.get() > 0.0) {
            return None;
        }
        let deviation_max = if model.is_of_earlier_version() { DEVIATION_MAX_EARLIER } else { DEVIATION_MAX };
        let lengths = lengths(spec.smooth);
        let scale = |(k, ((covariance, usual), length)): (usize, ((&[Finite], Usual), &f64))| {
            let is_usable =
                covariance.len() == p * p && [usual.t2, usual.error, usual.most].iter().all(|x| *x > 0.0);
            let statistics = is_usable.then(|| Statistics::new(&plain(covariance), p, deviation_max))?;
            Some(Scale::new(statistics?, usual, k == 0, spec.limit, *length))
        };
        let scales: Vec<_> = model.scales().zip(&lengths).enumerate().map(scale).collect::<Option<_>>()?;
        let widened = model.widened.map_or(0.0, Finite::get).clamp(0.0, WIDENED_MAX);
        let swing = |d: &DailyProfile| Some((d.point, Swing::stored(d).filter(|_| d.point < p)?));
        let swings = model.daily.iter().map(swing).collect::<Option<_>>()?;
        let reference = plain(&model.reference);
        Some(Self { reference, widened, deviation_max, lengths, scales, swings, model })
    }

    /// The start of the smoothing. During an excursion it starts with the mean of the next samples: if it started at
    /// zero, the excursion would seem to end.
    pub fn begin(&self, is_in_excursion: bool) -> Smooth {
        let (p, scales) = (self.reference.len(), self.scales.len());
        if is_in_excursion { Smooth::by_mean(p, scales) } else { Smooth::at(&vec![0.0; p], scales) }
    }

    /// The weight of a sample in the reference, if the profile gives no time constant.
    #[expect(clippy::cast_precision_loss, reason = "a number of samples")]
    pub fn reference_weight(&self) -> f64 {
        let of = if self.model.is_of_earlier_version() { REFERENCE_WEIGHT_EARLIER } else { REFERENCE_WEIGHT };
        of / (self.model.samples.max(1) as f64)
    }

    /// A sample without the daily profiles. `None` if the model has profiles and the local time is not known.
    pub fn without_daily(&self, raw: &[f64], local: Option<LocalTime>) -> Option<Vec<f64>> {
        let mut raw = raw.to_vec();
        for (point, swing) in &self.swings {
            let usual = swing.at(local?);
            raw.get_mut(*point).into_iter().for_each(|x| *x -= usual);
        }
        Some(raw)
    }

    /// The deviations of a sample from the reference, in standard deviations. Each is limited to [`DEVIATION_MAX`],
    /// so that an extreme sample counts as one sample and is soon forgotten.
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

    /// Adds deviations to the smoothed ones.
    pub fn smooth(&self, smooth: &mut Smooth, off: &[f64]) {
        smooth.take(&self.lengths, |k, j| {
            let spike = self.scales.get(k).and_then(|s| s.spike.get(j));
            within(off.get(j).copied().unwrap_or(0.0), spike.copied().unwrap_or(f64::INFINITY))
        });
    }

    /// The distance of smoothed deviations from normal.
    pub fn distance(&self, smooth: &Smooth) -> Distance {
        let judged = self.scales.iter().zip(&smooth.scales).map(|(scale, deviations)| {
            let mut judged = scale.statistics.evaluate(deviations, &scale.usual);
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

    /// Adapts the limit to a sample beyond or within it. The limit of a model from an earlier version is fixed.
    #[expect(clippy::cast_precision_loss, reason = "a number of samples")]
    pub fn learn_limit(&mut self, is_beyond: bool) {
        if !self.model.is_of_earlier_version() {
            let step = f64::from(u8::from(is_beyond)) - BEYOND_SHARE;
            let weight = WIDENS_BY / self.model.samples.max(1) as f64;
            self.widened = (self.widened + weight * step).clamp(0.0, WIDENED_MAX);
        }
    }
}

fn plain(numbers: &[Finite]) -> Vec<f64> {
    numbers.iter().map(|x| x.get()).collect()
}

/// Limits a number to the range from `-most` to `most`.
fn within(x: f64, most: f64) -> f64 {
    x.max(-most).min(most)
}
