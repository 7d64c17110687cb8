//! The only module that reads the clock, random numbers and the environment. Other modules get the results as
//! arguments.
//!
//! ```
//! use andon::ambient::Clock;
//! let clock = Clock::start();
//! let (first, second) = (clock.now(), clock.now());
//! assert!(first.mono <= second.mono);
//! ```
//!
//! Use: `daemon` starts one [`Clock`], and gives the time of each input to the engine, which never reads a clock
//! itself.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::limits;
use crate::words::{Mono, Now, Wall};

/// The first instant of the monotonic clock. It is not zero, so that recorded readings from before the start of this
/// process also have an instant.
const BEGIN: Mono = Mono(2 * limits::WINDOW_MAX.as_secs() * 1_000_000_000);

/// The gaps of this process: times in which the process did not run, because it or its computer was stopped.
static GAPS: Gaps = Gaps::new();

/// The first instant that this process measured; the gaps are counted from it.
static FIRST: OnceLock<Instant> = OnceLock::new();

/// The clocks of this process.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
    /// The sum of the gaps at the time when this clock began to leave gaps out, in nanoseconds; `None` if the clock
    /// counts gaps as time.
    before: Option<u64>,
    /// The wall clock at the beginning; `None` unless the clock shows the paused time of the runtime (tests).
    #[cfg(test)]
    runtime: Option<Wall>,
}

impl Clock {
    /// Starts the clock.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the home of the clock")]
    pub fn start() -> Self {
        Self {
            origin: Instant::now(),
            before: None,
            #[cfg(test)]
            runtime: None,
        }
    }

    /// Returns this clock with the gaps of this process left out from now on: no delay, timeout or period counts
    /// them. Run [`heartbeat`](Self::heartbeat) beside it.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the home of the clock")]
    pub fn without_gaps(self) -> Self {
        // The first clock that leaves gaps out starts the measurement. The time before it is not a gap.
        GAPS.begin(nanos(since_first(Instant::now())));
        Self { before: Some(GAPS.lost.load(Ordering::Acquire)), ..self }
    }

    /// Reads the time at regular intervals, so that a gap differs from a time in which nobody read the clock. Never
    /// ends.
    pub async fn heartbeat(self) {
        loop {
            let _seen = self.now();
            tokio::time::sleep(limits::HEARTBEAT).await;
        }
    }

    /// A clock that shows the time of the runtime, which a test pauses and moves.
    #[cfg(test)]
    #[must_use]
    pub fn of_runtime(wall: Wall) -> Self {
        let origin = tokio::time::Instant::now().into_std();
        Self { origin, before: None, runtime: Some(wall) }
    }

    /// Reads both clocks.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the home of the clock")]
    pub fn now(&self) -> Now {
        #[cfg(test)]
        if let Some(wall) = self.runtime {
            let passed = tokio::time::Instant::now().into_std().duration_since(self.origin);
            return Now { mono: BEGIN + passed, wall: wall.after(passed) };
        }
        let raw = Instant::now();
        let lost = match self.before {
            Some(before) => {
                Duration::from_nanos(GAPS.lost_at(nanos(since_first(raw))).saturating_sub(before))
            }
            None => Duration::ZERO,
        };
        let mono = BEGIN + raw.duration_since(self.origin).saturating_sub(lost);
        Now { mono, wall: Wall::from_timestamp(jiff::Timestamp::now()) }
    }

    /// The sum of all gaps since this clock began to leave gaps out.
    #[must_use]
    pub fn lost(&self) -> Duration {
        self.before.map_or(Duration::ZERO, |before| {
            Duration::from_nanos(GAPS.lost.load(Ordering::Acquire).saturating_sub(before))
        })
    }

    /// Converts an instant of this clock to an instant of the runtime. A gap between now and `at` is not known yet;
    /// it makes the result too early.
    #[must_use]
    pub fn instant(&self, at: Mono) -> Instant {
        self.origin + at.since(BEGIN) + self.lost()
    }
}

fn since_first(at: Instant) -> Duration {
    at.duration_since(*FIRST.get_or_init(|| at))
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

/// Gaps between the instants at which the time was read. A task can take an instant before a gap and ask for its time
/// after the gap. The task then gets the beginning of the gap, never an earlier time.
#[derive(Debug)]
struct Gaps {
    /// The last instant that was read, in nanoseconds; 0 until the measurement starts.
    last: AtomicU64,
    /// The sum of all gaps, in nanoseconds.
    lost: AtomicU64,
    /// The end of the last gap, in nanoseconds. Smaller instants are older than that gap.
    ended: AtomicU64,
    finding: Mutex<()>,
}

impl Gaps {
    const fn new() -> Self {
        Self {
            last: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            finding: Mutex::new(()),
        }
    }

    /// Starts the measurement, if it has not started.
    fn begin(&self, raw: u64) {
        // An error means that the measurement has already started.
        let _begun = self.last.compare_exchange(0, raw.max(1), Ordering::AcqRel, Ordering::Acquire);
    }

    /// Returns the sum of the gaps before an instant, and takes the instant as read.
    fn lost_at(&self, raw: u64) -> u64 {
        let is_gap = |last: u64| raw.saturating_sub(last) > nanos(limits::OWN_GAP_MIN);
        if is_gap(self.last.load(Ordering::Acquire)) {
            let _finding = self.finding.lock().unwrap_or_else(PoisonError::into_inner);
            let last = self.last.load(Ordering::Acquire);
            if is_gap(last) {
                // The sum changes before the instant, so that no thread sees the new instant without the new sum.
                self.lost.fetch_add(raw - last, Ordering::AcqRel);
                self.ended.store(raw, Ordering::Release);
            }
            self.last.fetch_max(raw, Ordering::AcqRel);
        } else {
            self.last.fetch_max(raw, Ordering::AcqRel);
        }
        let lost = self.lost.load(Ordering::Acquire);
        // The instant was taken before the gap: the clock has stood still since the beginning of the gap.
        lost.saturating_sub(self.ended.load(Ordering::Acquire).saturating_sub(raw))
    }
}

/// Returns a random number of the operating system, as a seed.
#[must_use]
pub fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}

/// Returns an environment variable; `None` if it is not set or empty.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the home of the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

/// Returns the time zone of the system.
#[must_use]
pub fn time_zone() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::system()
}

/// True if this process runs as the user with this number.
#[must_use]
pub fn is_this_user(uid: u32) -> bool {
    nix::unistd::geteuid().as_raw() == uid
}

/// Returns the name of the account that this process runs as. The system provides it; environment variables do not
/// count.
#[must_use]
pub fn user() -> String {
    account(nix::unistd::geteuid().as_raw())
}

/// Returns the name of the account with this number, or `uid-1234` if it has no name. Only `name` is returned of
/// `DOMAIN\name`. The system can ask a directory service in the network, so this can take some time.
#[must_use]
pub fn account(uid: u32) -> String {
    let name = match nix::unistd::User::from_uid(uid.into()) {
        Ok(Some(user)) if !user.name.is_empty() => user.name,
        Ok(_) | Err(_) => format!("uid-{uid}"),
    };
    name.rsplit('\\').next().unwrap_or_default().to_owned()
}

/// Returns the number of the account that this process runs as.
#[must_use]
pub fn uid() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// Returns how many files, ports and connections this process can have open. It first raises this number to the most
/// that the system allows.
#[must_use]
pub fn descriptors() -> u64 {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 0 };
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}

/// Makes new files of this process unreadable for other users, and read-only for the group.
pub fn make_files_private() {
    use nix::sys::stat::{Mode, umask};
    umask(Mode::S_IWGRP | Mode::S_IRWXO);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// Compares the clock with `expected` when the instants of `seen` are read one after the other.
    #[track_caller]
    fn check(seen: &[u64], expected: &[u64]) {
        let gaps = Gaps::new();
        gaps.begin(SECOND);
        let shown: Vec<u64> = seen.iter().map(|raw| raw - gaps.lost_at(*raw)).collect();
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_gap_in_our_own_time_is_not_counted() {
        check(&[2 * SECOND, 4 * SECOND], &[2 * SECOND, 4 * SECOND]);
        // Three seconds are not a gap; a little more is a gap, and the clock stands still.
        check(&[2 * SECOND, 5 * SECOND, 8 * SECOND + 1], &[2 * SECOND, 5 * SECOND, 5 * SECOND]);
        check(
            &[2 * SECOND, 42 * SECOND, 43 * SECOND, 143 * SECOND, 144 * SECOND],
            &[2 * SECOND, 2 * SECOND, 3 * SECOND, 3 * SECOND, 4 * SECOND],
        );
        // An instant that was taken before the gap and is used after it is not far in the past.
        check(&[2 * SECOND, 42 * SECOND, 2 * SECOND + 7], &[2 * SECOND, 2 * SECOND, 2 * SECOND]);
    }

    #[test]
    fn instants_go_there_and_back() {
        let clock = Clock::start().without_gaps();
        let now = clock.now();
        let there = clock.instant(now.mono + Duration::from_secs(5));
        assert_eq!(there.duration_since(clock.instant(now.mono)), Duration::from_secs(5));
        assert_eq!((clock.lost(), Clock::start().lost()), (Duration::ZERO, Duration::ZERO));
    }
}
