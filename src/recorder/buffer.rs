//! Samples on their way to the disk.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Sample;
use crate::limits;
use crate::profile::Profile;
use crate::site::Equipment;
use crate::words::{EquipmentId, PointIndex, Wall};

/// The answers of one piece of equipment: their times, and for each point what it was at which of them.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub equipment: EquipmentId,
    pub profile: Arc<Profile>,
    pub times: Vec<i64>,
    /// By point.
    pub series: Vec<Series>,
}

/// What a point was; a bad reading is NaN.
#[derive(Debug, Clone, Default)]
pub(super) struct Series {
    pub values: Vec<f64>,
    /// The place of the first value's answer among the times.
    first: u32,
    /// The places of all of them, where an answer without the point came in between.
    places: Option<Vec<u32>>,
}

impl Series {
    fn push(&mut self, place: u32, value: f64) {
        if self.values.is_empty() {
            self.first = place;
        }
        let next = self.next();
        match &mut self.places {
            Some(places) => places.push(place),
            None if place == next => {}
            None => {
                let mut places: Vec<u32> = (self.first..next).collect();
                places.push(place);
                self.places = Some(places);
            }
        }
        self.values.push(value);
    }

    fn next(&self) -> u32 {
        self.first + u32::try_from(self.values.len()).unwrap_or(u32::MAX)
    }

    /// The places of its answers among the times.
    pub fn places(&self) -> Places<'_> {
        match &self.places {
            Some(places) => Places::Listed(places),
            None => Places::Run(self.first as usize, self.values.len()),
        }
    }

    fn last(&self) -> Option<(u32, f64)> {
        let place = self.places.as_ref().and_then(|p| p.last().copied());
        Some((place.unwrap_or_else(|| self.next().saturating_sub(1)), *self.values.last()?))
    }
}

/// Answers, by their places among the times of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Places<'a> {
    /// From one on, so many.
    Run(usize, usize),
    /// These.
    Listed(&'a [u32]),
}

impl Places<'_> {
    /// Their times.
    pub fn times(self, all: &[i64]) -> Vec<i64> {
        match self {
            Places::Run(first, count) => all.get(first..first + count).unwrap_or_default().to_vec(),
            Places::Listed(places) => places.iter().filter_map(|p| all.get(*p as usize).copied()).collect(),
        }
    }
}

/// Samples of many pieces of equipment.
#[derive(Debug, Clone, Default)]
pub(super) struct Buffer {
    open: BTreeMap<EquipmentId, Group>,
    /// Groups whose equipment has another profile since.
    closed: Vec<Group>,
    samples: usize,
}

impl Buffer {
    pub fn samples(&self) -> usize {
        self.samples
    }

    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.closed.iter().chain(self.open.values())
    }

    pub fn note(&mut self, of: &Equipment, at: Wall, samples: impl Iterator<Item = (PointIndex, f64)>) {
        let is_other = |g: &&Group| !Arc::ptr_eq(&g.profile, &of.profile);
        if self.open.get(&of.id).as_ref().is_some_and(is_other)
            && let Some(old) = self.open.remove(&of.id)
        {
            self.closed.push(old);
        }
        let group = self.open.entry(of.id.clone()).or_insert_with(|| Group {
            equipment: of.id.clone(),
            profile: of.profile.clone(),
            times: Vec::new(),
            series: vec![Series::default(); of.profile.points.len()],
        });
        let place = u32::try_from(group.times.len()).unwrap_or(u32::MAX);
        let before = self.samples;
        for (PointIndex(p), value) in samples {
            let deadband = of.profile.points.get(p).map_or(0.0, |point| point.deadband);
            let Some(series) = group.series.get_mut(p) else { continue };
            let is_recent = |place: u32| {
                let last = group.times.get(place as usize).copied().unwrap_or(i64::MIN);
                at.since(Wall::from_millis(last)) < limits::RECORDER_AT_LEAST
            };
            let is_near = |(place, last): (u32, f64)| (value - last).abs() < deadband && is_recent(place);
            if deadband > 0.0 && series.last().is_some_and(is_near) {
                continue;
            }
            series.push(place, value);
            self.samples += 1;
        }
        if self.samples > before {
            group.times.push(at.millis());
        }
    }

    pub fn find(
        &self,
        (since, until): (Wall, Wall),
        is_wanted: &dyn Fn(&str, &str) -> bool,
        each: &mut dyn FnMut(&str, &str, Sample),
    ) {
        for group in self.groups() {
            let equipment = group.equipment.as_str();
            for (series, point) in group.series.iter().zip(&group.profile.points) {
                let point = point.name.as_str();
                if series.values.is_empty() || !is_wanted(equipment, point) {
                    continue;
                }
                for (at, value) in series.places().times(&group.times).into_iter().zip(&series.values) {
                    if let Some(found) = sample(at, *value, since, until) {
                        each(equipment, point, found);
                    }
                }
            }
        }
    }
}

/// A sample, if it is within what is wanted.
pub(super) fn sample(at: i64, value: f64, since: Wall, until: Wall) -> Option<Sample> {
    let at = Wall::from_millis(at);
    let is_within = since <= at && at < until;
    is_within.then_some(Sample { at, value: (!value.is_nan()).then_some(value) })
}
