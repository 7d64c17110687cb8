//! Restart: restores windows, delays and point values from recorded readings.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::detector::{Detector, programs};
use super::replay::number_as;
use super::state::{Transition, Watch};
use crate::limits;
use crate::profile::Trigger;
use crate::site::Equipment;
use crate::words::{BadReason, EquipmentIndex, Now, PointIndex, Presence, Reading, Wall};

/// A recorded reading of a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Recorded {
    /// The time at which the reading arrived.
    pub at: Wall,
    /// The index of the equipment.
    pub equipment: EquipmentIndex,
    /// The index of the point.
    pub point: PointIndex,
    /// The value; `None` if the reading was bad.
    pub value: Option<f64>,
}

/// All readings of one piece of equipment at one instant.
type Row = Vec<(PointIndex, Option<f64>)>;

/// The time before a restart whose readings are needed for the faults of this equipment: the longest window, time
/// constant and delay.
#[must_use]
pub fn reach(equipment: &Equipment) -> Duration {
    let of = equipment.profile.faults.iter();
    let windows = of.clone().flat_map(programs).flat_map(|p| &p.memories).map(|m| m.kind.reach());
    let delays = of.filter(|f| f.trigger != Trigger::Silence).flat_map(|f| [f.on_delay, f.off_delay]);
    let stale = equipment.profile.points.iter().filter_map(|p| p.stale_after);
    windows.chain(delays).chain(stale).max().unwrap_or_default().min(limits::WARM_MAX)
}

impl Detector {
    /// Replays recorded readings, ordered by time, as if they arrived now, and goes on from that state. Alarms that
    /// were active must be restored before. Only differences from these alarms become transitions. Equipment that was
    /// lost stays lost, and no baseline learns or evaluates these readings.
    pub fn warm(&mut self, recorded: &[Recorded], now: Now) {
        let stood: Vec<bool> = self.watches.iter().map(Watch::is_active).collect();
        let mut rows: BTreeMap<(Wall, EquipmentIndex), Row> = BTreeMap::new();
        for r in recorded.iter().filter(|r| r.at <= now.wall && !self.is_lost(r.equipment)) {
            rows.entry((r.at, r.equipment)).or_default().push((r.point, r.value));
        }
        let mut warmed = BTreeSet::new();
        self.baselines.sleep(true);
        for ((at, equipment), values) in rows {
            let then = Now { mono: now.mono - now.wall.since(at), wall: at };
            let Some(profile) = self.site.equipment.get(equipment.0).map(|e| e.profile.clone()) else {
                continue;
            };
            let reading = |(p, value): (PointIndex, Option<f64>)| {
                let point = profile.points.get(p.0)?;
                let value = value.map(|n| number_as(point, n)).ok_or(BadReason::NotANumber);
                Some((p, Reading { value, at: then }))
            };
            let readings = values.into_iter().filter_map(reading).collect();
            self.readings(then, equipment, readings, Presence::Answered);
            warmed.insert(equipment);
        }
        self.baselines.sleep(false);
        // No request was sent while the daemon was stopped, so the time without answers counts from now.
        for equipment in warmed {
            if let Some(unit) = self.units.get_mut(equipment.0) {
                unit.last_answer = None;
                unit.started = now.mono;
            }
        }
        self.elapsed(now);
        let mut last = BTreeMap::new();
        for t in self.take_transitions() {
            last.insert((t.equipment, t.fault), t);
        }
        for (watch, stood) in self.watches.iter().zip(stood) {
            let told = last.remove(&(watch.equipment, watch.fault));
            if let Some(t) = told.filter(|_| watch.is_active() != stood) {
                self.transitions.push(Transition { at: now, ..t });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::detect::TransitionKind;
    use crate::site::testing::site;
    use crate::words::{Mono, Value};

    const POINTS: &str = "x = { register = 'holding:0', type = 'u16', every = '1s', stale_after = '3s' }";
    const START: u64 = 1000;

    fn now(s: u64) -> Now {
        Now { mono: Mono(s * 1_000_000_000), wall: Wall::from_millis(i64::try_from(s * 1000).unwrap()) }
    }

    /// A detector that starts at 1000 s with readings of `x` recorded before, one per second.
    fn warmed(fault: &str, stood: bool, recorded: impl Iterator<Item = (u64, Option<f64>)>) -> Detector {
        let site = site(POINTS, &format!("[faults.a]\nseverity = 'major'\n{fault}"));
        let mut d = Detector::new(site, now(START));
        if stood {
            d.restore_active("e", "a");
        }
        let (equipment, point) = (EquipmentIndex(0), PointIndex(0));
        let recorded: Vec<Recorded> =
            recorded.map(|(s, value)| Recorded { at: now(s).wall, equipment, point, value }).collect();
        d.warm(&recorded, now(START));
        d
    }

    fn read(d: &mut Detector, s: u64, x: i128) {
        let reading = Reading { value: Ok(Value::Integer(x)), at: now(s) };
        d.readings(now(s), EquipmentIndex(0), vec![(PointIndex(0), reading)], Presence::Answered);
    }

    fn told(d: &mut Detector) -> Vec<(TransitionKind, u64, u64)> {
        let all = d.take_transitions().into_iter().filter(|t| t.equipment == EquipmentIndex(0));
        let seconds = |at: Now| at.mono.0 / 1_000_000_000;
        all.map(|t: Transition| (t.kind, seconds(t.at), seconds(t.onset))).collect()
    }

    const DELAYED: &str = "when = 'x > 5'\non_delay = '20s'";

    #[test]
    fn a_restart_in_the_middle_of_a_delay_goes_on_with_it() {
        let recorded = (990..1000).map(|s| (s, Some(if s < 992 { 1.0 } else { 6.0 })));
        let mut d = warmed(DELAYED, false, recorded);
        assert_eq!(told(&mut d), []);
        for s in 1001..1015 {
            read(&mut d, s, 6);
        }
        assert_eq!(told(&mut d), [(TransitionKind::Raised, 1012, 992)]);
    }

    #[test]
    fn a_restart_that_took_too_long_begins_the_delay_again() {
        let mut d = warmed(DELAYED, false, (980..990).map(|s| (s, Some(6.0))));
        for s in 1001..1025 {
            read(&mut d, s, 6);
        }
        assert_eq!(told(&mut d), [(TransitionKind::Raised, 1021, 1001)]);
    }

    #[test]
    fn windows_come_back() {
        let recorded = (930..1000).map(|s| (s, Some(8.0)));
        let mut d = warmed("when = 'avg(x, 1m) > 5'", false, recorded);
        // The alarm was raised before the restart but not recorded, so it is raised now.
        assert_eq!(told(&mut d), [(TransitionKind::Raised, START, 978)]);
        read(&mut d, 1001, 8);
        assert_eq!(told(&mut d), []);
        let nothing = std::iter::empty();
        let mut cold = warmed("when = 'avg(x, 1m) > 5'", false, nothing);
        read(&mut cold, 1001, 8);
        assert_eq!(told(&mut cold), [], "a window without a past is unknown");
    }

    #[test]
    fn an_alarm_that_stood_stands_or_goes_as_the_recorded_readings_say() {
        let mut d = warmed("when = 'x > 5'", true, (990..1000).map(|s| (s, Some(6.0))));
        assert_eq!(told(&mut d), []);
        let mut d =
            warmed("when = 'x > 5'", true, (990..1000).map(|s| (s, Some(if s < 995 { 6.0 } else { 1.0 }))));
        assert_eq!(told(&mut d), [(TransitionKind::Cleared, START, 995)]);
        let mut d = warmed("when = 'x > 5'", true, (990..1000).map(|s| (s, None)));
        assert_eq!(told(&mut d), [], "bad readings say nothing");
    }

    #[test]
    fn the_time_without_a_daemon_is_no_silence() {
        let mut d = warmed("when = 'x > 5'", false, (900..920).map(|s| (s, Some(1.0))));
        assert_eq!(told(&mut d), []);
        d.elapsed(now(START + 9));
        assert_eq!(told(&mut d), []);
        d.elapsed(now(START + 11));
        assert_eq!(
            told(&mut d),
            [(TransitionKind::Raised, START + 10, START)],
            "it counts from the start on"
        );
    }
}
