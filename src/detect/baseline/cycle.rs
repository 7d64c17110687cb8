//! One machine cycle as a sample: its duration, and the mean and peak of each point during the cycle.

use crate::words::Mono;

/// A cycle in progress.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::detect) struct Cycle {
    begun: Mono,
    last: Mono,
    values: Vec<f64>,
    /// For each point, the sum of value times duration, in units of the value times seconds.
    held: Vec<f64>,
    peaks: Vec<f64>,
}

impl Cycle {
    pub fn begin(now: Mono, values: Vec<f64>) -> Self {
        Self { begun: now, last: now, held: vec![0.0; values.len()], peaks: values.clone(), values }
    }

    /// Takes new values. The values before them were valid until `now`.
    pub fn go_on(&mut self, now: Mono, values: Vec<f64>) {
        self.hold(now);
        self.peaks.iter_mut().zip(&values).for_each(|(peak, x)| *peak = peak.max(*x));
        self.values = values;
    }

    fn hold(&mut self, now: Mono) {
        let seconds = now.since(self.last).as_secs_f64();
        self.held.iter_mut().zip(&self.values).for_each(|(held, x)| *held += x * seconds);
        self.last = now;
    }

    /// Ends the cycle. Returns its duration in seconds, then mean and peak of each point. `None` if the duration is
    /// zero or a sum overflows.
    pub fn end(mut self, now: Mono) -> Option<Vec<f64>> {
        self.hold(now);
        let seconds = now.since(self.begun).as_secs_f64();
        let of_points = self.held.iter().zip(&self.peaks).flat_map(|(held, peak)| [held / seconds, *peak]);
        let sample: Vec<f64> = std::iter::once(seconds).chain(of_points).collect();
        (seconds > 0.0 && sample.iter().all(|x| x.is_finite())).then_some(sample)
    }
}
