//! The last period of a point as a step function, in limited memory. It is exact for [`limits::WINDOW_STEPS_EXACT`]
//! steps. With more steps it is exact to one slot: the length of the window divided by [`limits::WINDOW_SLOTS`].

use std::collections::VecDeque;
use std::time::Duration;

use crate::limits;
use crate::words::Mono;

/// The values of a point in a period from `from` to `to`. Good values cover `weight` nanoseconds of the period.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    from: u64,
    to: u64,
    weight: u64,
    mean: f64,
    /// The sum of squared deviations from the mean, weighted by time.
    m2: f64,
    min: f64,
    max: f64,
    /// The value at the end of the period.
    last: f64,
    /// The number of changes in the period, with a change at its beginning.
    changes: u32,
}

impl Step {
    fn flat(from: u64, to: u64, value: f64, changes: u32) -> Self {
        let weight = to.saturating_sub(from);
        Self { from, to, weight, mean: value, m2: 0.0, min: value, max: value, last: value, changes }
    }

    /// Adds the step that follows (Chan, Golub, LeVeque 1983, with weights instead of counts).
    #[expect(
        clippy::cast_precision_loss,
        reason = "nanoseconds of a window, far below 2^53 where it matters"
    )]
    fn join(&mut self, next: &Step) {
        let weight = self.weight + next.weight;
        if weight > 0 {
            let share = next.weight as f64 / weight as f64;
            let apart = next.mean - self.mean;
            self.mean += apart * share;
            self.m2 += next.m2 + apart * apart * self.weight as f64 * share;
        }
        self.weight = weight;
        self.min = self.min.min(next.min);
        self.max = self.max.max(next.max);
        self.last = next.last;
        self.changes += next.changes;
        self.to = next.to;
    }

    /// Returns the part of the step in a window that begins at `start`. The minimum and maximum of a joined step do
    /// not change.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of nanoseconds"
    )]
    fn within(&self, start: u64) -> Step {
        if self.from > start {
            return *self;
        }
        let share = self.to.saturating_sub(start) as f64 / self.to.saturating_sub(self.from).max(1) as f64;
        let weight = if self.weight == self.to - self.from {
            self.to.saturating_sub(start)
        } else {
            (self.weight as f64 * share) as u64
        };
        let changes = if self.min < self.max { self.changes.saturating_sub(1) } else { 0 };
        Step { from: start, weight, m2: self.m2 * share, changes, ..*self }
    }
}

/// The current value, which has no end yet.
#[derive(Debug, Clone, Copy, PartialEq)]
struct OpenStep {
    from: u64,
    value: f64,
    changes: u32,
}

/// The steps of one window.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Steps {
    /// The length of the window, in nanoseconds.
    span: u64,
    closed: VecDeque<Step>,
    /// The sum of the weights of all closed steps.
    weight: u64,
    open: Option<OpenStep>,
    /// The last good value, also after a gap.
    last: Option<f64>,
    /// The time of the last change.
    changed_at: Option<u64>,
}

impl Steps {
    pub fn new(span: Duration) -> Self {
        let span = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
        Self { span, closed: VecDeque::new(), weight: 0, open: None, last: None, changed_at: None }
    }

    /// Adds a good value that is valid from `now`.
    pub fn enter(&mut self, now: Mono, value: f64) {
        let now = now.0;
        #[expect(clippy::float_cmp, reason = "a change is any difference")]
        let changed = self.last.is_some_and(|l| l != value);
        if !changed && self.open.is_some() {
            return;
        }
        let unseen = match self.open.take() {
            Some(open) if open.from >= now => open.changes,
            Some(open) => {
                self.close(open, now);
                0
            }
            None => 0,
        };
        if changed || self.changed_at.is_none() {
            self.changed_at = Some(now);
        }
        self.last = Some(value);
        self.open = Some(OpenStep { from: now, value, changes: unseen + u32::from(changed) });
    }

    /// Ends the current value: from `now` there is no good value.
    pub fn gap(&mut self, now: Mono) {
        let Some(open) = self.open.take() else { return };
        if now.0 > open.from {
            self.close(open, now.0);
        } else if open.changes > 0 {
            // A value that was valid for no time has no weight, but the change to it counts.
            let nothing = Step {
                min: f64::INFINITY,
                max: f64::NEG_INFINITY,
                ..Step::flat(now.0, now.0, open.value, open.changes)
            };
            self.push(nothing);
        }
    }

    fn close(&mut self, open: OpenStep, now: u64) {
        self.push(Step::flat(open.from, now, open.value, open.changes));
    }

    fn push(&mut self, step: Step) {
        let start = step.to.saturating_sub(self.span);
        while let Some(step) = self.closed.pop_front_if(|s| s.to <= start) {
            self.weight -= step.weight;
        }
        self.weight += step.weight;
        if self.closed.len() >= limits::WINDOW_STEPS_EXACT
            && let Some(last) = self.closed.back_mut()
            && step.to.saturating_sub(last.from) <= self.span / limits::WINDOW_SLOTS
        {
            last.join(&step);
        } else {
            self.closed.push_back(step);
        }
    }

    /// Returns the beginning of the window; `None` if good values cover too little of the window.
    fn start(&self, now: Mono) -> Option<u64> {
        let start = now.0.saturating_sub(self.span);
        let mut covered = self.weight;
        for step in &self.closed {
            if step.to > start {
                covered -= step.weight - step.within(start).weight;
                break;
            }
            covered -= step.weight;
        }
        covered += self.open.map_or(0, |o| now.0.saturating_sub(o.from.max(start)));
        let enough = u128::from(self.span) * u128::from(limits::WINDOW_COVERED_PERCENT);
        (u128::from(covered) * 100 >= enough).then_some(start)
    }

    /// Returns the steps in the window, in order; `None` if good values cover too little of the window.
    fn parts(&self, now: Mono) -> Option<impl Iterator<Item = Step> + Clone> {
        let start = self.start(now)?;
        let first = self.closed.partition_point(|s| s.to <= start);
        let head = self.closed.get(first).map(|s| s.within(start));
        let rest = self.closed.range(self.closed.len().min(first + 1)..).copied();
        let open = self.open.map(|o| Step::flat(o.from, now.0.max(o.from), o.value, o.changes).within(start));
        Some(head.into_iter().chain(rest).chain(open))
    }

    /// Returns the mean, weighted by time, and the sum of the weights.
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a window")]
    fn mean(&self, now: Mono) -> Option<(f64, f64)> {
        let parts = self.parts(now)?;
        // The sum uses the differences from one value, so that the mean of a constant is exactly that constant.
        let base = parts.clone().next()?.mean;
        let (weight, sum) = parts.fold((0.0, 0.0), |(weight, sum), p| {
            (weight + p.weight as f64, sum + p.weight as f64 * (p.mean - base))
        });
        Some((base + sum / weight, weight))
    }

    pub fn avg(&self, now: Mono) -> Option<f64> {
        Some(self.mean(now)?.0)
    }

    pub fn min(&self, now: Mono) -> Option<f64> {
        self.parts(now)?.map(|p| p.min).reduce(f64::min)
    }

    pub fn max(&self, now: Mono) -> Option<f64> {
        self.parts(now)?.map(|p| p.max).reduce(f64::max)
    }

    pub fn changes(&self, now: Mono) -> Option<u32> {
        Some(self.parts(now)?.map(|p| p.changes).sum())
    }

    /// Returns the mean and the standard deviation, weighted by time.
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a window")]
    pub fn spread(&self, now: Mono) -> Option<(f64, f64)> {
        let (mean, weight) = self.mean(now)?;
        let square = |p: Step| p.m2 + p.weight as f64 * (p.mean - mean).powi(2);
        let sum: f64 = self.parts(now)?.map(square).sum();
        Some((mean, (sum / weight).sqrt()))
    }

    /// The number of stored steps.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.closed.len()
    }

    /// The length of the window, in seconds.
    #[expect(clippy::cast_precision_loss, reason = "nanoseconds of a window")]
    pub fn seconds(&self) -> f64 {
        self.span as f64 / 1e9
    }

    /// The current value; `None` if there is no good value.
    pub fn value(&self) -> Option<f64> {
        self.open.map(|o| o.value)
    }

    /// Returns `p(t) - p(t - d)`.
    pub fn delta(&self, now: Mono) -> Option<f64> {
        self.start(now)?;
        let start = now.0.checked_sub(self.span)?;
        let value = self.value()?;
        if self.open.is_some_and(|o| o.from <= start) {
            return Some(0.0);
        }
        let at = self.closed.partition_point(|s| s.to <= start);
        let then = self.closed.get(at).filter(|s| s.from <= start)?;
        Some(value - then.last)
    }

    /// Returns true if the value has not changed for the whole window.
    pub fn stuck(&self, now: Mono) -> Option<bool> {
        self.start(now)?;
        Some(now.0.saturating_sub(self.changed_at?) >= self.span)
    }
}
