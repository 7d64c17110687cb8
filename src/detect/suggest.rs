//! What a stretch of good data says of a profile: limits, delays and deadbands that would have kept it calm.

use std::time::Duration;

use super::replay::Replayed;
use crate::expr::Threshold;
use crate::profile::{Fault, Profile, Trigger};
use crate::words::{FaultName, PointIndex, Wall};

/// What was seen of a point.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Seen {
    /// How many readings.
    pub readings: u64,
    /// The least of them.
    pub least: f64,
    /// The greatest.
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

/// A change to a profile.
#[derive(Debug, Clone, PartialEq)]
pub enum Proposal {
    /// A delay of a fault.
    Delay {
        /// Which fault.
        fault: FaultName,
        /// How long its condition should have to hold.
        on_delay: Duration,
        /// Why.
        reason: String,
    },
    /// Another limit in a fault's condition.
    Limit {
        /// Which fault.
        fault: FaultName,
        /// The limit now.
        from: f64,
        /// The limit proposed.
        to: f64,
        /// Why.
        reason: String,
    },
    /// A fault for a point that none is judged by.
    Add {
        /// Its name.
        fault: FaultName,
        /// Of which point.
        point: String,
        /// What it is raised at, and whether above it.
        threshold: Threshold,
        /// What it is cleared at: a deadband away.
        clear: f64,
        /// How long its condition must hold.
        on_delay: Duration,
    },
    /// Nothing that can be proposed for a fault that rang.
    Look {
        /// Which fault.
        fault: FaultName,
        /// What is to be looked at.
        reason: String,
    },
}

/// An alarm that stood for no longer is kept calm by a delay, a longer one by another limit.
const BRIEF: Duration = Duration::from_secs(300);
/// Readings from which on a point's range says something.
const READINGS_MIN: u64 = 100;
/// How far beyond what was seen a limit lies, as a part of the range seen.
const MARGIN: f64 = 0.1;
/// How far a clear lies from its limit, as a part of the range seen.
const DEADBAND: f64 = 0.05;

/// What a profile should be changed in, where the data it rang on was good. `seen` has a place for each point.
#[must_use]
pub fn suggest(profile: &Profile, rang: &[Replayed], seen: &[Seen], end: Wall) -> Vec<Proposal> {
    let of_faults = profile.faults.iter().filter_map(|fault| {
        let own: Vec<&Replayed> = rang.iter().filter(|r| r.fault == fault.name).collect();
        (!own.is_empty()).then(|| calmer(profile, fault, &own, seen, end))
    });
    let judged = profile.judged_points();
    let free = profile.points.iter().zip(seen).enumerate();
    let of_points = free.filter(|(i, (point, _))| point.is_number() && !judged.contains(&PointIndex(*i)));
    let added = of_points.flat_map(|(_, (point, seen))| watched(point.name.as_str(), seen));
    of_faults.chain(added).collect()
}

/// A fault that rang on good data.
fn calmer(profile: &Profile, fault: &Fault, rang: &[&Replayed], seen: &[Seen], end: Wall) -> Proposal {
    let name = fault.name.clone();
    let stood = rang.iter().map(|r| r.cleared_at.unwrap_or(end).since(r.onset)).max().unwrap_or_default();
    let times = if rang.len() == 1 { "once".to_owned() } else { format!("{} times", rang.len()) };
    let longest = crate::words::render_duration(stood);
    let rang_so = format!("it rang {times} on good data, for {longest} at most");
    if stood < BRIEF {
        return Proposal::Delay { fault: name, on_delay: whole_seconds(stood.mul_f64(1.5)), reason: rang_so };
    }
    let Trigger::Condition { when, .. } = &fault.trigger else {
        return Proposal::Look {
            fault: name,
            reason: format!("{rang_so}: learn for longer, or widen its limit"),
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
            Proposal::Limit { fault: name, from: t.limit, to, reason: rang_so }
        }
        _ => Proposal::Look {
            fault: name,
            reason: format!("{rang_so}: its condition has not one limit alone"),
        },
    }
}

/// Limits a little beyond what was seen, for a point that moved up and down.
fn watched(point: &str, seen: &Seen) -> Vec<Proposal> {
    let range = seen.range();
    // What never fell counts something, and has no limit.
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

/// Rounded, up or down, to a hundredth of the range's order of magnitude.
fn rounded(x: f64, range: f64, is_up: bool) -> f64 {
    let step = 10_f64.powf(range.abs().max(1e-9).log10().floor() - 1.0);
    let steps = x / step;
    let whole = if is_up { steps.ceil() } else { steps.floor() };
    // Through a decimal text, so that 0.1 * 3 is 0.3.
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
        assert_eq!(watched("hours", &counter), []);
        assert_eq!(watched("few", &Seen::default()), []);
        let both = watched("oil_flow", &wave);
        let Proposal::Add { fault, threshold, clear, on_delay, .. } = &both[0] else { panic!("{both:?}") };
        assert_eq!((fault.as_str(), *on_delay), ("oil-flow-high", Duration::from_secs(6)));
        assert!((threshold.limit - 54.0).abs() < 1e-9 && threshold.is_above && (*clear - 51.0).abs() < 1e-9);
    }
}
