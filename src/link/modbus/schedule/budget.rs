//! Limits the time that probes of dead units use, to a share of the line's time.

use std::time::Duration;

use crate::limits;
use crate::words::Mono;

/// The time that probes may use. It is earned as time passes, and spent by probes.
#[derive(Debug)]
pub(super) struct Budget {
    earned: Duration,
    /// The debt of probes that were free or longer than the saved time; it is paid from later earnings.
    owed: Duration,
    at: Mono,
    /// The time when the present probe was sent; `None` if the present request is not a probe.
    probing: Option<Mono>,
}

impl Budget {
    pub fn new(now: Mono) -> Self {
        Self { earned: Duration::ZERO, owed: Duration::ZERO, at: now, probing: None }
    }

    /// Adds the share of the time since the last call.
    pub fn earn(&mut self, now: Mono) {
        let fresh = now.since(self.at) / limits::PROBE_SHARE;
        self.at = self.at.max(now);
        let paid = fresh.min(self.owed);
        self.owed -= paid;
        self.earned = (self.earned + (fresh - paid)).min(limits::PROBE_SAVED_MAX);
    }

    /// The time from which a probe of this length can be paid. A probe that is longer than the largest saving is paid
    /// partly from later earnings.
    pub fn affords(&self, cost: Duration, now: Mono) -> Mono {
        let needed = cost.min(limits::PROBE_SAVED_MAX) + self.owed;
        now + needed.saturating_sub(self.earned) * limits::PROBE_SHARE
    }

    /// Notes that a probe was sent.
    pub fn begun(&mut self, now: Mono) {
        self.probing = Some(now);
    }

    /// Notes that a request has ended; if it was a probe, its time is spent.
    pub fn ended(&mut self, now: Mono) {
        let Some(begun) = self.probing.take() else { return };
        let cost = now.since(begun);
        let at_once = cost.min(self.earned);
        self.earned -= at_once;
        let most = self.owed.max(limits::PROBE_SAVED_MAX).max(cost);
        self.owed = (self.owed + (cost - at_once)).min(most);
    }
}
