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
    /// By point: the answer's place among the times, and the value; a bad reading is NaN.
    pub series: Vec<Vec<(u32, f64)>>,
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
            series: vec![Vec::new(); of.profile.points.len()],
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
            let is_near = |(place, last): &(u32, f64)| (value - last).abs() < deadband && is_recent(*place);
            if series.last().is_some_and(is_near) {
                continue;
            }
            series.push((place, value));
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
                if series.is_empty() || !is_wanted(equipment, point) {
                    continue;
                }
                for (place, value) in series {
                    let Some(at) = group.times.get(*place as usize) else { continue };
                    if let Some(found) = sample(*at, *value, since, until) {
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
