//! The one home of clock, chance and environment; what it finds is handed down as values.

use std::time::Instant;

use crate::limits;
use crate::words::{Mono, Now, Wall};

/// Where the monotonic clock begins: what happened before this process has its instants too.
const BEGIN: Mono = Mono(2 * limits::WINDOW_MAX.as_secs() * 1_000_000_000);

/// The clocks of this process.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// Begins to count.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the home of the clock")]
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// Both clocks, now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the home of the clock")]
    pub fn now(&self) -> Now {
        let mono = BEGIN + self.origin.elapsed();
        Now { mono, wall: Wall::from_timestamp(jiff::Timestamp::now()) }
    }

    /// The runtime's instant for one of ours.
    #[must_use]
    pub fn instant(&self, at: Mono) -> Instant {
        self.origin + at.since(BEGIN)
    }
}

/// A seed from the operating system.
#[must_use]
pub fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}

/// A variable of the environment.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the home of the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

/// The user logged in, by name.
#[must_use]
pub fn user() -> Option<String> {
    variable("USER").or_else(|| variable("LOGNAME"))
}
