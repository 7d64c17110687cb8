//! Proposes changes of a profile from a recording of normal operation: limits, delays and deadbands that would have
//! prevented the false alarms.

use std::time::Duration;

use super::replay::Replayed;
use crate::expr::Threshold;
use crate::profile::{Fault, Profile, Trigger};
use crate::words::{FaultName, PointIndex, Wall};

/// The range of a point in the recording.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Seen {
    /// The number of good readings.
    pub readings: u64,
    /// The smallest value.
    pub least: f64,
    /// The largest value.
    pub greatest: f64,
    first: Option<Wall>,
    last: Option<Wall>,
    value: f64,
    fell: bool,
}

impl Seen {
    /// Takes a good reading.
    pub fn note(&mut self, at: Wall, value: f64) {
        if self.readings == 0 {
            (self.least, self.greatest, self.first) = (value, value, Some(at));
        } else {
            self.fell |= value < self.value;
        }
        self.least = self.least.min(value);
        self.greatest = self.greatest.max(value);
        self.readings += 1;
        (self.value, self.last) = (value, Some(at));
    }

    fn range(&self) -> f64 {
        self.greatest - self.least
    }

    fn period(&self) -> Duration {
        let all = self.last.zip(self.first).map_or(Duration::ZERO, |(last, first)| last.since(first));
        all / u32::try_from(self.readings.saturating_sub(1).max(1)).unwrap_or(u32::MAX)
    }
}

/// A proposed change of a profile.
#[derive(Debug, Clone, PartialEq)]
pub enum Proposal {
    /// A longer delay of a fault.
    Delay {
        /// The name of the fault.
        fault: FaultName,
        /// The proposed `on_delay`.
        on_delay: Duration,
        /// The reason for the proposal.
        reason: String,
    },
    /// Another limit in the condition of a fault.
    Limit {
        /// The name of the fault.
        fault: FaultName,
        /// The present limit.
        from: f64,
        /// The proposed limit.
        to: f64,
        /// The reason for the proposal.
        reason: String,
    },
    /// A new fault for a point that no fault uses.
    Add {
        /// The proposed name.
        fault: FaultName,
        /// The name of the point.
        point: String,
        /// The limit, and whether the fault is raised above or below it.
        threshold: Threshold,
        /// The value at which the fault clears: one deadband away from the limit.
        clear: f64,
        /// The proposed `on_delay`.
        on_delay: Duration,
    },
    /// A false alarm for which andon cannot propose a change.
    Look {
        /// The name of the fault.
        fault: FaultName,
        /// The advice to the person.
        reason: String,
    },
}

/// The longest alarm that a delay can prevent. For a longer alarm another limit is proposed.
const BRIEF: Duration = Duration::from_secs(300);
/// The smallest number of readings from which a range is meaningful.
const READINGS_MIN: u64 = 100;
/// The distance of a proposed limit from the range of the values, as a share of the range.
const MARGIN: f64 = 0.1;
/// The distance of `clear` from the limit, as a share of the range.
const DEADBAND: f64 = 0.05;

/// Proposes changes of a profile from the alarms that a recording of normal operation raised. `seen` has one entry
/// for each point of the profile.
#[must_use]
pub fn suggest(profile: &Profile, false_alarms: &[Replayed], seen: &[Seen], end: Wall) -> Vec<Proposal> {
    let of_faults = profile.faults.iter().filter_map(|fault| {
        let own: Vec<&Replayed> = false_alarms.iter().filter(|r| r.fault == fault.name).collect();
        (!own.is_empty()).then(|| proposal_for(profile, fault, &own, seen, end))
    });
    let judged = profile.judged_points();
    let free = profile.points.iter().zip(seen).enumerate();
    let of_points = free.filter(|(i, (point, _))| point.is_number() && !judged.contains(&PointIndex(*i)));
    let added = of_points.flat_map(|(_, (point, seen))| limits_for(point.name.as_str(), seen));
    of_faults.chain(added).collect()
}

/// The change that would prevent the alarms of one fault.
fn proposal_for(
    profile: &Profile,
    fault: &Fault,
    false_alarms: &[&Replayed],
    seen: &[Seen],
    end: Wall,
) -> Proposal {
    let name = fault.name.clone();
    let longest_time =
        false_alarms.iter().map(|r| r.cleared_at.unwrap_or(end).since(r.onset)).max().unwrap_or_default();
    let count = if false_alarms.len() == 1 {
        "1 false alarm".to_owned()
    } else {
        format!("{} false alarms", false_alarms.len())
    };
    let longest = crate::words::render_duration(longest_time);
    let found = format!("{count} in normal operation, longest {longest}");
    if longest_time < BRIEF {
        return Proposal::Delay {
            fault: name,
            on_delay: whole_seconds(longest_time.mul_f64(1.5)),
            reason: found,
        };
    }
    let Trigger::Condition { when, .. } = &fault.trigger else {
        return Proposal::Look {
            fault: name,
            reason: format!("{found}: learn for longer, or use a larger `limit`"),
        };
    };
    let points = when.operands.iter().filter(|o| o.equipment.is_none());
    let held: Vec<(usize, Threshold)> = points
        .filter_map(|o| profile.point(&o.point))
        .flat_map(|(at, p)| when.thresholds_of(None, p.name.as_str()).into_iter().map(move |t| (at.0, t)))
        .collect();
    match held.as_slice() {
        [(at, t)] if seen.get(*at).is_some_and(|s| s.readings > 0) => {
            let s = seen.get(*at).copied().unwrap_or_default();
            let to = if t.is_above {
                rounded(s.greatest + MARGIN * s.range(), s.range(), true)
            } else {
                rounded(s.least - MARGIN * s.range(), s.range(), false)
            };
            Proposal::Limit { fault: name, from: t.limit, to, reason: found }
        }
        _ => Proposal::Look {
            fault: name,
            reason: format!(
                "{found}: its condition does not have exactly one limit, so andon proposes no change"
            ),
        },
    }
}

/// Limits a little outside the range, for a point whose value rose and fell.
fn limits_for(point: &str, seen: &Seen) -> Vec<Proposal> {
    let range = seen.range();
    // A value that never fell is a counter, which has no limit.
    if seen.readings < READINGS_MIN || range <= 0.0 || !seen.fell {
        return Vec::new();
    }
    let on_delay = whole_seconds(seen.period() * 3);
    let one = |is_above: bool| {
        let (word, beyond, back) = if is_above {
            ("high", seen.greatest + MARGIN * range, -DEADBAND * range)
        } else {
            ("low", seen.least - MARGIN * range, DEADBAND * range)
        };
        let limit = rounded(beyond, range, is_above);
        let fault = FaultName::parse(&format!("{}-{word}", point.replace('_', "-"))).ok()?;
        let clear = rounded(limit + back, range, !is_above);
        let threshold = Threshold { limit, is_above };
        Some(Proposal::Add { fault, point: point.to_owned(), threshold, clear, on_delay })
    };
    [one(true), one(false)].into_iter().flatten().collect()
}

fn whole_seconds(d: Duration) -> Duration {
    Duration::from_secs(d.as_secs() + u64::from(d.subsec_nanos() > 0)).max(Duration::from_secs(1))
}

/// Rounds up or down to a hundredth of the range's order of magnitude.
fn rounded(x: f64, range: f64, is_up: bool) -> f64 {
    let step = 10_f64.powf(range.abs().max(1e-9).log10().floor() - 1.0);
    let steps = x / step;
    let whole = if is_up { steps.ceil() } else { steps.floor() };
    // The way through a decimal text makes 0.1 * 3 equal to 0.3.
    format!("{:.9}", whole * step).parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_round_and_beyond_what_was_seen() {
        assert!((rounded(83.21, 40.0, true) - 84.0).abs() < 1e-9);
        assert!((rounded(-0.0321, 0.2, false) - -0.04).abs() < 1e-9);
        assert_eq!(whole_seconds(Duration::from_millis(2100)), Duration::from_secs(3));
    }

    #[test]
    fn what_only_rises_or_was_hardly_seen_gets_no_limit() {
        let mut counter = Seen::default();
        let mut wave = Seen::default();
        for n in 0..200_i32 {
            let at = Wall::from_millis(i64::from(n) * 2000);
            counter.note(at, f64::from(n));
            wave.note(at, f64::from(n % 50));
        }
        assert_eq!(limits_for("hours", &counter), []);
        assert_eq!(limits_for("few", &Seen::default()), []);
        let both = limits_for("oil_flow", &wave);
        let Proposal::Add { fault, threshold, clear, on_delay, .. } = &both[0] else { panic!("{both:?}") };
        assert_eq!((fault.as_str(), *on_delay), ("oil-flow-high", Duration::from_secs(6)));
        assert!((threshold.limit - 54.0).abs() < 1e-9 && threshold.is_above && (*clear - 51.0).abs() < 1e-9);
    }
}
