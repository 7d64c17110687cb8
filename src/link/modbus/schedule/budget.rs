//! What probes of dead units may cost: a share of the line's time.

use std::time::Duration;

use crate::limits;
use crate::words::Mono;

/// Time that probes may take, earned as time passes and paid as they do.
#[derive(Debug)]
pub(super) struct Budget {
    earned: Duration,
    /// Free probes are paid for as well, as far as the budget reaches below nothing.
    owed: Duration,
    at: Mono,
    /// When the probe under way was sent.
    probing: Option<Mono>,
}

impl Budget {
    pub fn new(now: Mono) -> Self {
        Self { earned: Duration::ZERO, owed: Duration::ZERO, at: now, probing: None }
    }

    /// Time has passed.
    pub fn earn(&mut self, now: Mono) {
        let fresh = now.since(self.at) / limits::PROBE_SHARE;
        self.at = self.at.max(now);
        let paid = fresh.min(self.owed);
        self.owed -= paid;
        self.earned = (self.earned + (fresh - paid)).min(limits::PROBE_SAVED_MAX);
    }

    /// From when on a probe of this length can be paid for. One that is longer than what is saved at most is paid for with
    /// what follows.
    pub fn affords(&self, cost: Duration, now: Mono) -> Mono {
        let needed = cost.min(limits::PROBE_SAVED_MAX) + self.owed;
        now + needed.saturating_sub(self.earned) * limits::PROBE_SHARE
    }

    /// A probe was sent.
    pub fn begun(&mut self, now: Mono) {
        self.probing = Some(now);
    }

    /// A request has ended, perhaps a probe: its time is paid.
    pub fn ended(&mut self, now: Mono) {
        let Some(begun) = self.probing.take() else { return };
        let cost = now.since(begun);
        let at_once = cost.min(self.earned);
        self.earned -= at_once;
        let most = self.owed.max(limits::PROBE_SAVED_MAX).max(cost);
        self.owed = (self.owed + (cost - at_once)).min(most);
    }
}
