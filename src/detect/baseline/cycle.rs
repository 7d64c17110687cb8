//! One cycle of a machine as a sample: how long it took, and the mean and the peak of each point meanwhile.

use crate::words::Mono;

/// A cycle under way.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::detect) struct Cycle {
    begun: Mono,
    last: Mono,
    values: Vec<f64>,
    /// Each value by the time it held, in value seconds.
    held: Vec<f64>,
    peaks: Vec<f64>,
}

impl Cycle {
    pub fn begin(now: Mono, values: Vec<f64>) -> Self {
        Self { begun: now, last: now, held: vec![0.0; values.len()], peaks: values.clone(), values }
    }

    /// Takes what the points are now; what they were holds until now.
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

    /// Ends it: the seconds it took, then the mean and the peak of each point. Nothing of one that took no time, or of numbers
    /// whose sum overflows.
    pub fn end(mut self, now: Mono) -> Option<Vec<f64>> {
        self.hold(now);
        let seconds = now.since(self.begun).as_secs_f64();
        let of_points = self.held.iter().zip(&self.peaks).flat_map(|(held, peak)| [held / seconds, *peak]);
        let sample: Vec<f64> = std::iter::once(seconds).chain(of_points).collect();
        (seconds > 0.0 && sample.iter().all(|x| x.is_finite())).then_some(sample)
    }
}
