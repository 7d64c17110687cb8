//! The daily profile of a point: its usual deviation from its median at each local hour.
//!
//! A value that rises every day (the temperature of a hall, the load of a shift) has a wide range over the day. A
//! fault in the night can lie inside this range. The profile is subtracted from the samples, so that a sample is
//! compared with the usual value at its own time of day.
//!
//! A profile is used only for a point that repeats from day to day: each day is predicted from the other days, and
//! the prediction must be clearly better than the median. While andon learns, it subtracts the profile of the other
//! days. The profile of all days has seen the samples of this day and would leave deviations that are too small, and
//! so limits that are too narrow.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::fence::{Fence, median};
use crate::words::{Finite, LocalTime};

/// The number of hours of a day.
const HOURS: usize = 24;
/// The least time from the first to the last learned sample.
pub(super) const LASTS_MIN: Duration = Duration::from_secs(3 * 86_400);
/// The longest mean time between two samples.
pub(super) const EVERY_MAX: Duration = Duration::from_secs(2 * 3600);
/// The least number of local days with samples.
const DAYS_MIN: usize = 3;
/// The largest squared error of the prediction from the other days, as a share of the squared error of the median.
const USED_BELOW: f64 = 0.7;
/// At most one sample in this many may be from a time at which the clock was not set.
const UNTIMED_IN: usize = 100;
/// The number of groups of days. Each group is left out once. Up to this number of days, a group is one day. The
/// bound keeps the time short that the end of the learning takes.
const GROUPS: i64 = 32;

/// The daily profile of one point, as the journal stores it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DailyProfile {
    /// The index of the point in the sample.
    pub point: usize,
    /// The usual deviation from the median in the middle of each local hour, from 0:30 to 23:30, in the unit of the
    /// point.
    pub hours: Vec<Finite>,
}

/// The deviations of a day: one number for the middle of each local hour, linear between them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Swing(Vec<f64>);

impl Swing {
    /// The stored profile; `None` if it does not have 24 numbers.
    pub fn stored(profile: &DailyProfile) -> Option<Self> {
        (profile.hours.len() == HOURS).then(|| Self(profile.hours.iter().map(|x| x.get()).collect()))
    }

    /// The profile of samples: the median of each hour, smoothed round the clock, minus its own median. An hour
    /// without samples lies on the line between its neighbours. `None` without samples.
    fn of<'a>(samples: impl Iterator<Item = &'a (LocalTime, f64)>) -> Option<Self> {
        let mut hours: [Vec<f64>; HOURS] = Default::default();
        for (at, x) in samples {
            hours.get_mut(whole(at.hour())).into_iter().for_each(|hour| hour.push(*x));
        }
        let medians: Vec<_> = hours.iter_mut().map(|x| (!x.is_empty()).then(|| median(x))).collect();
        let medians = Self(filled(&medians)?);
        let smoothed = |h| (medians.hour(h + HOURS - 1) + 2.0 * medians.hour(h) + medians.hour(h + 1)) / 4.0;
        let smoothed: Vec<f64> = (0..HOURS).map(smoothed).collect();
        let middle = median(&mut smoothed.clone());
        Some(Self(smoothed.iter().map(|x| x - middle).collect()))
    }

    fn hour(&self, at: usize) -> f64 {
        self.0.get(at % HOURS).copied().unwrap_or(0.0)
    }

    /// The deviation at a local time.
    pub fn at(&self, local: LocalTime) -> f64 {
        // Counted from the middle of the last hour of the day before.
        let place = local.hour() + 0.5;
        let (before, share) = (whole(place) + HOURS - 1, place.fract());
        self.hour(before) * (1.0 - share) + self.hour(before + 1) * share
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 0 to 25")]
fn whole(hour: f64) -> usize {
    hour as usize
}

/// Fills the hours without a number, on the line between their neighbours round the clock; `None` if no hour has a
/// number.
#[expect(clippy::cast_precision_loss, reason = "at most 24 hours")]
fn filled(hours: &[Option<f64>]) -> Option<Vec<f64>> {
    let n = hours.len();
    // The nearest hour with a number, and its distance; `step` is 1 to look forwards, and n - 1 to look backwards.
    let nearest = |from: usize, step: usize| {
        let at = |k: usize| hours.get((from + k * step) % n).copied().flatten();
        (0..n).find_map(|k| Some((k as f64, at(k)?)))
    };
    let one = |h: usize| {
        let ((back, before), (ahead, after)) = (nearest(h, n - 1)?, nearest(h, 1)?);
        Some(if back > 0.0 { (before * ahead + after * back) / (back + ahead) } else { before })
    };
    (0..n).map(one).collect()
}

/// The daily profiles that were learned.
pub(super) struct DailyLearned {
    /// One for each point that has a profile; at least one.
    pub profiles: Vec<DailyProfile>,
    /// For each stored row, the profile of the other days at the row's time; 0 for a point without a profile.
    pub left_out: Vec<f64>,
}

impl DailyLearned {
    /// Learns from rows of `p` numbers and their times. `None` if no point has a profile.
    pub fn of(rows: &[f64], p: usize, times: &[Option<LocalTime>]) -> Option<Self> {
        let days: BTreeSet<i64> = times.iter().flatten().map(|at| at.day()).collect();
        let untimed = times.iter().filter(|at| at.is_none()).count();
        if days.len() < DAYS_MIN || untimed * UNTIMED_IN > times.len() {
            return None;
        }
        let groups: BTreeMap<i64, i64> = days.into_iter().zip((0..GROUPS).cycle()).collect();
        let mut out = Self { profiles: Vec::new(), left_out: vec![0.0; rows.len()] };
        for (point, fence) in Fence::of_rows(rows, p).into_iter().enumerate() {
            // Fractions of the reach lie between -1 and 1, so no extreme sample counts much and no sum overflows.
            let part = |x: &f64| (fence.draw_in(*x) - fence.centre) / fence.reach;
            let column: Vec<f64> = rows.iter().skip(point).step_by(p).map(part).collect();
            let Some((Swing(hours), left_out)) = repeating(&column, times, &groups) else { continue };
            let in_unit: Vec<f64> = hours.iter().map(|x| x * fence.reach).collect();
            let Some(hours) = Finite::all(&in_unit) else { continue };
            out.profiles.push(DailyProfile { point, hours });
            let cells = out.left_out.iter_mut().skip(point).step_by(p);
            cells.zip(left_out).for_each(|(cell, x)| *cell = x * fence.reach);
        }
        (!out.profiles.is_empty()).then_some(out)
    }
}

/// The profile of one point, and for each sample the profile of the other days. `None` if the other days do not
/// predict a day clearly better than the median does.
fn repeating(
    column: &[f64],
    times: &[Option<LocalTime>],
    groups: &BTreeMap<i64, i64>,
) -> Option<(Swing, Vec<f64>)> {
    let timed = times.iter().zip(column).filter_map(|(at, x)| Some(((*at)?, *x)));
    let timed: Vec<(LocalTime, f64)> = timed.filter(|(_, x)| x.is_finite()).collect();
    let group = |at: LocalTime| groups.get(&at.day()).copied().unwrap_or(0);
    let others = |left_out: i64| Swing::of(timed.iter().filter(|(at, _)| group(*at) != left_out));
    let all: BTreeSet<i64> = groups.values().copied().collect();
    let without: BTreeMap<i64, Swing> =
        all.into_iter().map(|g| Some((g, others(g)?))).collect::<Option<_>>()?;
    let predict = |at: LocalTime| without.get(&group(at)).map_or(0.0, |swing| swing.at(at));
    let predicted: Vec<f64> = times.iter().map(|at| at.map_or(0.0, predict)).collect();
    let of_median: f64 = column.iter().map(|x| x * x).sum();
    let of_others: f64 = column.iter().zip(&predicted).map(|(x, y)| (x - y) * (x - y)).sum();
    let is_better = of_median > 0.0 && of_others <= USED_BELOW * of_median;
    is_better.then(|| Some((Swing::of(timed.iter())?, predicted)))?
}
