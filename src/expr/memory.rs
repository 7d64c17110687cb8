//! Stored values of a point for the functions over time, in limited memory.

use super::function::{Function, MemoryKind};
use super::steps::Steps;
use crate::words::{Mono, Value};

/// The stored values of one point, for one window, time constant or age limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Memory(MemoryState);

/// The stored values, by kind of memory.
#[derive(Debug, Clone, PartialEq)]
enum MemoryState {
    Window(Steps),
    Ewma { tau: f64, smooth: Option<f64>, at: Mono, value: Option<f64> },
    Previous { before: Option<f64>, last: Option<f64>, is_good: bool },
    Age { good_at: Option<Mono>, is_lost: bool },
}

/// Converts a value for the functions over time: bits and booleans become 0 or 1, a text becomes a fingerprint.
#[must_use]
pub fn remembered(value: &Value, bit: Option<u8>) -> f64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    #[expect(clippy::cast_precision_loss, reason = "all arithmetic is f64, as documented")]
    match (value, bit) {
        (Value::Integer(i), Some(bit)) => f64::from(u8::from(i >> bit & 1 == 1)),
        (Value::Integer(i), None) => *i as f64,
        (Value::Real(r), _) => *r,
        (Value::Bool(b), _) => f64::from(u8::from(*b)),
        (Value::Text(text), _) => {
            let mut hasher = DefaultHasher::new();
            text.hash(&mut hasher);
            (hasher.finish() >> 12) as f64
        }
    }
}

impl Memory {
    /// Makes an empty memory.
    #[must_use]
    pub fn new(kind: MemoryKind) -> Self {
        Self(match kind {
            MemoryKind::Window(d) => MemoryState::Window(Steps::new(d)),
            MemoryKind::Ewma(d) => {
                MemoryState::Ewma { tau: d.as_secs_f64() * 1e9, smooth: None, at: Mono(0), value: None }
            }
            MemoryKind::Previous => MemoryState::Previous { before: None, last: None, is_good: false },
            MemoryKind::Age { .. } => MemoryState::Age { good_at: None, is_lost: false },
        })
    }

    /// Stores a good reading.
    pub fn enter(&mut self, now: Mono, new: f64) {
        match &mut self.0 {
            MemoryState::Window(steps) => steps.enter(now, new),
            MemoryState::Ewma { tau, smooth, at, value } => {
                *smooth = Some(match (*smooth, *value) {
                    (Some(s), Some(v)) => smoothed(s, v, *at, now, *tau),
                    (Some(s), None) => s,
                    (None, _) => new,
                });
                *at = now;
                *value = Some(new);
            }
            MemoryState::Previous { before, last, is_good } => {
                *before = last.replace(new);
                *is_good = true;
            }
            MemoryState::Age { good_at, is_lost } => {
                *good_at = Some(now);
                *is_lost = false;
            }
        }
    }

    /// Stores that there is no good value from now on: the reading is bad or the last good one is stale.
    pub fn gap(&mut self, now: Mono) {
        match &mut self.0 {
            MemoryState::Window(steps) => steps.gap(now),
            MemoryState::Ewma { tau, smooth, at, value } => {
                if let (Some(s), Some(v)) = (*smooth, value.take()) {
                    *smooth = Some(smoothed(s, v, *at, now, *tau));
                    *at = now;
                }
            }
            MemoryState::Previous { is_good, .. } => *is_good = false,
            MemoryState::Age { .. } => {}
        }
    }

    /// Stores that communication with the equipment is lost: its values are unknown.
    pub fn lose(&mut self, now: Mono) {
        self.gap(now);
        if let MemoryState::Age { is_lost, .. } = &mut self.0 {
            *is_lost = true;
        }
    }

    /// Stores that communication is back and the last value is still valid. This is not a new reading.
    pub fn resume(&mut self, now: Mono, held: f64) {
        match &mut self.0 {
            MemoryState::Window(_) | MemoryState::Ewma { .. } => self.enter(now, held),
            MemoryState::Previous { is_good, .. } => *is_good = true,
            MemoryState::Age { is_lost, .. } => *is_lost = false,
        }
    }

    /// Returns the result of a function: an age in nanoseconds, a boolean as 0 or 1. `None` if the result is unknown.
    #[must_use]
    pub fn recall(&self, function: Function, now: Mono) -> Option<f64> {
        match &self.0 {
            MemoryState::Window(steps) => windowed(steps, function, now),
            MemoryState::Ewma { tau, smooth, at, value } => {
                Some(smoothed((*smooth)?, (*value)?, *at, now, *tau))
            }
            MemoryState::Previous { before, is_good, .. } => before.filter(|_| *is_good),
            #[expect(clippy::cast_precision_loss, reason = "exact for 104 days")]
            MemoryState::Age { good_at, is_lost } => {
                good_at.filter(|_| !is_lost).map(|at| now.since(at).as_nanos() as f64)
            }
        }
    }
}

fn windowed(steps: &Steps, function: Function, now: Mono) -> Option<f64> {
    match function {
        Function::Avg => steps.avg(now),
        Function::Min => steps.min(now),
        Function::Max => steps.max(now),
        Function::Stddev => Some(steps.spread(now)?.1),
        Function::Count => steps.changes(now).map(f64::from),
        Function::Zscore => {
            let value = steps.value()?;
            let (mean, stddev) = steps.spread(now)?;
            (stddev > 0.0).then(|| (value - mean) / stddev)
        }
        Function::Delta => steps.delta(now),
        Function::Rate => Some(steps.delta(now)? / steps.seconds()),
        Function::Stuck => Some(f64::from(u8::from(steps.stuck(now)?))),
        Function::Ewma | Function::Previous | Function::Age => None,
    }
}

/// Computes a first-order lag towards a constant value: `v + (s - v) exp(-t / tau)`.
#[expect(clippy::cast_precision_loss, reason = "nanoseconds")]
fn smoothed(smooth: f64, value: f64, since: Mono, now: Mono, tau: f64) -> f64 {
    value + (smooth - value) * (-(now.since(since).as_nanos() as f64) / tau).exp()
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "small whole numbers")]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const MS: u64 = 1_000_000;

    /// Computes the function from its definition, millisecond by millisecond.
    fn by_definition(readings: &[(u64, Option<i32>)], function: Function, d: u64, t: u64) -> Option<f64> {
        let at = |ms: u64| -> Option<f64> {
            readings.iter().rev().find(|(at, _)| *at <= ms).and_then(|(_, v)| v.map(f64::from))
        };
        let seen: Vec<&(u64, Option<i32>)> = readings.iter().filter(|(at, _)| *at <= t).collect();
        let good: Vec<(u64, f64)> = seen.iter().filter_map(|(at, v)| Some((*at, f64::from((*v)?)))).collect();
        if function == Function::Previous {
            at(t)?;
            return good.iter().rev().nth(1).map(|(_, v)| *v);
        }
        if function == Function::Ewma {
            at(t)?;
            let first = good.first()?.0;
            let mut y = good.first()?.1;
            for ms in first..t {
                if let Some(v) = at(ms) {
                    y = v + (y - v) * (-1.0 / d as f64).exp();
                }
            }
            return Some(y);
        }
        // The value in `[ms, ms + 1)`, for each millisecond of the window.
        let held: Vec<f64> = (t.saturating_sub(d)..t).filter_map(at).collect();
        if (held.len() as u64) * 10 < d * 8 {
            return None;
        }
        let here = held.iter().copied().chain(at(t));
        let avg = held.iter().sum::<f64>() / held.len() as f64;
        let stddev = (held.iter().map(|v| (v - avg).powi(2)).sum::<f64>() / held.len() as f64).sqrt();
        let changed: Vec<u64> = good.windows(2).filter(|w| w[0].1 != w[1].1).map(|w| w[1].0).collect();
        let delta = || Some(at(t)? - at(t.checked_sub(d)?)?);
        match function {
            Function::Avg => Some(avg),
            Function::Min => here.reduce(f64::min),
            Function::Max => here.reduce(f64::max),
            Function::Stddev => Some(stddev),
            Function::Zscore => at(t).filter(|_| stddev > 1e-9).map(|v| (v - avg) / stddev),
            Function::Count => {
                Some(changed.iter().filter(|c| **c as i64 > t as i64 - d as i64).count() as f64)
            }
            Function::Delta => delta(),
            Function::Rate => Some(delta()? / (d as f64 / 1000.0)),
            Function::Stuck => {
                let since = changed.last().copied().or(good.first().map(|g| g.0))?;
                Some(f64::from(u8::from(t - since >= d)))
            }
            Function::Ewma | Function::Previous | Function::Age => None,
        }
    }

    fn by_memory(readings: &[(u64, Option<i32>)], function: Function, d: u64, t: u64) -> Option<f64> {
        let mut memory = Memory::new(function.memory(Some(Duration::from_millis(d))));
        for (at, value) in readings.iter().filter(|(at, _)| *at <= t) {
            match value {
                Some(v) => memory.enter(Mono(at * MS), f64::from(*v)),
                None => memory.gap(Mono(at * MS)),
            }
        }
        memory.recall(function, Mono(t * MS))
    }

    fn agree(a: Option<f64>, b: Option<f64>) -> bool {
        match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-6 * (1.0 + a.abs()),
            (None, None) => true,
            _ => false,
        }
    }

    const ALL: [Function; 11] = [
        Function::Avg,
        Function::Min,
        Function::Max,
        Function::Stddev,
        Function::Zscore,
        Function::Count,
        Function::Delta,
        Function::Rate,
        Function::Stuck,
        Function::Ewma,
        Function::Previous,
    ];

    proptest! {
        #[test]
        fn functions_agree_with_their_definitions(
            gaps in prop::collection::vec((0_u64..30, prop::option::weighted(0.9, -3_i32..4)), 1..60),
            d in 1_u64..120,
            after in 0_u64..40,
        ) {
            let mut at = 1000;
            let readings: Vec<(u64, Option<i32>)> = gaps.into_iter().map(|(gap, value)| { at += gap; (at, value) }).collect();
            let t = at + after;
            for function in ALL {
                let (want, got) = (by_definition(&readings, function, d, t), by_memory(&readings, function, d, t));
                prop_assert!(agree(want, got), "{function:?} d {d} t {t}: {want:?} by definition, {got:?}");
            }
        }
    }

    #[test]
    fn a_window_of_many_steps_is_exact_to_a_slot_and_bounded() {
        let d = Duration::from_secs(3600);
        let mut memory = Memory::new(MemoryKind::Window(d));
        // Ten readings per second of a ramp that starts again every 1000 s: 36,000 steps per hour.
        for i in 0..100_000_u64 {
            memory.enter(Mono(i * 100 * MS), (i % 10_000) as f64);
        }
        let MemoryState::Window(steps) = &memory.0 else { unreachable!() };
        assert!(steps.len() <= 2 * crate::limits::WINDOW_STEPS_EXACT, "{}", steps.len());
        let now = Mono(99_999 * 100 * MS);
        let avg = memory.recall(Function::Avg, now).unwrap();
        let exact = (64_000..100_000_u64).map(|i| (i % 10_000) as f64).sum::<f64>() / 36_000.0;
        assert!((avg - exact).abs() < 10_000.0 / 256.0, "{avg} {exact}");
        assert_eq!(memory.recall(Function::Max, now), Some(9999.0));
    }
}
