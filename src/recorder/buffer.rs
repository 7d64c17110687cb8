//! The buffer of samples that are not on disk yet.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Sample;
use crate::limits;
use crate::profile::Profile;
use crate::site::Equipment;
use crate::words::{EquipmentId, PointIndex, Wall};

/// The responses of one piece of equipment, in the order of their arrival.
#[derive(Debug, Clone)]
pub(super) struct Group {
    pub equipment: EquipmentId,
    pub profile: Arc<Profile>,
    /// The time of each response, in milliseconds since 1970.
    pub times: Vec<i64>,
    /// For each response: the index in `shapes` of the points it contained.
    shape_of: Vec<u32>,
    /// Each distinct list of points that occurred together in a response.
    shapes: Vec<Vec<u16>>,
    /// The values of all responses, one after the other; a bad reading is NaN.
    values: Vec<f64>,
    /// For each point with a deadband: time and value of the last sample that was kept.
    kept: BTreeMap<u16, (i64, f64)>,
}

impl Group {
    fn new(of: &Equipment) -> Self {
        Self {
            equipment: of.id.clone(),
            profile: of.profile.clone(),
            times: Vec::new(),
            shape_of: Vec::new(),
            shapes: Vec::new(),
            values: Vec::new(),
            kept: BTreeMap::new(),
        }
    }

    /// Adds a response at time `at` (milliseconds since 1970). Returns the number of samples that were kept.
    fn note(&mut self, at: i64, samples: impl Iterator<Item = (PointIndex, f64)>) -> usize {
        let before = self.values.len();
        let mut shape = Vec::new();
        for (PointIndex(p), value) in samples {
            let (Some(point), Ok(p)) = (self.profile.points.get(p), u16::try_from(p)) else { continue };
            if point.deadband > 0.0 {
                let near = |(then, last): &(i64, f64)| {
                    let is_recent =
                        Wall::from_millis(at).since(Wall::from_millis(*then)) < limits::RECORDER_AT_LEAST;
                    is_recent && (value - last).abs() < point.deadband
                };
                if self.kept.get(&p).is_some_and(near) {
                    continue;
                }
                self.kept.insert(p, (at, value));
            }
            shape.push(p);
            self.values.push(value);
        }
        if shape.is_empty() {
            return 0;
        }
        // A response usually has the same points as the previous response, so search backwards.
        let known = self.shapes.iter().rposition(|s| *s == shape);
        let place = known.unwrap_or_else(|| {
            self.shapes.push(shape);
            self.shapes.len() - 1
        });
        self.shape_of.push(u32::try_from(place).unwrap_or(u32::MAX));
        self.times.push(at);
        self.values.len() - before
    }

    /// Returns the samples sorted by point: one series for each point of the profile, in the order of the profile.
    pub fn columns(&self) -> Vec<Series> {
        let mut columns = vec![Series::default(); self.profile.points.len()];
        let mut values = self.values.iter();
        for (place, shape) in self.shape_of.iter().enumerate() {
            for p in self.shapes.get(*shape as usize).into_iter().flatten() {
                let (Some(value), Some(series)) = (values.next(), columns.get_mut(usize::from(*p))) else {
                    continue;
                };
                series.push(u32::try_from(place).unwrap_or(u32::MAX), *value);
            }
        }
        columns
    }
}

/// The values of one point; a bad reading is NaN.
#[derive(Debug, Clone, Default)]
pub(super) struct Series {
    pub values: Vec<f64>,
    /// Index in `Group::times` of the first value.
    first: u32,
    /// Index in `Group::times` of each value; `None` while the values belong to consecutive responses.
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

    /// Returns the index in `Group::times` that follows the last value, if all responses are consecutive.
    fn next(&self) -> u32 {
        self.first + u32::try_from(self.values.len()).unwrap_or(u32::MAX)
    }

    /// Returns the indexes of the values in `Group::times`.
    pub fn places(&self) -> Places<'_> {
        match &self.places {
            Some(places) => Places::Listed(places),
            None => Places::Run(self.first as usize, self.values.len()),
        }
    }
}

/// A set of responses, as indexes in `Group::times`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Places<'a> {
    /// Consecutive indexes: the first index and the count.
    Run(usize, usize),
    /// A list of indexes.
    Listed(&'a [u32]),
}

impl Places<'_> {
    /// Returns the times of these responses, in milliseconds since 1970. `all` is `Group::times`.
    pub fn times(self, all: &[i64]) -> Vec<i64> {
        match self {
            Places::Run(first, count) => all.get(first..first + count).unwrap_or_default().to_vec(),
            Places::Listed(places) => places.iter().filter_map(|p| all.get(*p as usize).copied()).collect(),
        }
    }
}

/// The samples of many pieces of equipment.
#[derive(Debug, Clone, Default)]
pub(super) struct Buffer {
    open: BTreeMap<EquipmentId, Group>,
    /// Groups of equipment whose profile has changed since (a reload).
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
        let group = self.open.entry(of.id.clone()).or_insert_with(|| Group::new(of));
        self.samples += group.note(at.millis(), samples);
    }

    pub fn find(
        &self,
        (since, until): (Wall, Wall),
        is_wanted: &dyn Fn(&str, &str) -> bool,
        each: &mut dyn FnMut(&str, &str, Sample),
    ) {
        for group in self.groups() {
            let equipment = group.equipment.as_str();
            let wanted = group.profile.points.iter().map(|p| is_wanted(equipment, p.name.as_str()));
            let wanted: Vec<bool> = wanted.collect();
            if !wanted.contains(&true) {
                continue;
            }
            for ((series, point), is_wanted) in group.columns().iter().zip(&group.profile.points).zip(wanted)
            {
                let point = point.name.as_str();
                if !is_wanted {
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

/// Returns the sample if its time is in the wanted period (`since <= at < until`).
pub(super) fn sample(at: i64, value: f64, since: Wall, until: Wall) -> Option<Sample> {
    let at = Wall::from_millis(at);
    let is_within = since <= at && at < until;
    is_within.then_some(Sample { at, value: (!value.is_nan()).then_some(value) })
}
