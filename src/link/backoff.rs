//! Waiting times before a link is opened again: each is up to twice the one before. A random part between half and
//! all of each time is used, so that many gateways do not connect at the same moment.

use std::time::Duration;

use crate::limits;

/// The waiting times of one link.
#[derive(Debug)]
pub(super) struct Backoff {
    chance: fastrand::Rng,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(seed: u64) -> Self {
        Self { chance: fastrand::Rng::with_seed(seed), next: limits::RECONNECT_MIN }
    }

    /// Returns to the shortest waiting time, after the link was opened.
    pub(super) fn reset(&mut self) {
        self.next = limits::RECONNECT_MIN;
    }

    /// Returns the time to wait before the next attempt, and doubles the following one.
    pub(super) fn pause(&mut self) -> Duration {
        let pause = self.next / 2 + (self.next / 2).mul_f64(self.chance.f64());
        self.next = (self.next * 2).min(limits::RECONNECT_MAX);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_their_limit_and_begin_anew() {
        let mut backoff = Backoff::new(7);
        let pauses: Vec<Duration> = (0..20).map(|_| backoff.pause()).collect();
        assert!(pauses.iter().all(|p| *p <= limits::RECONNECT_MAX));
        assert!(pauses.last().is_some_and(|p| *p >= limits::RECONNECT_MAX / 2));
        backoff.reset();
        assert!(backoff.pause() <= limits::RECONNECT_MIN);
    }
}
