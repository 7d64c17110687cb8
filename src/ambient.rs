//! The one home of clock, chance and environment; what it finds is handed down as values.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use crate::limits;
use crate::words::{Mono, Now, Wall};

/// Where the monotonic clock begins: what happened before this process has its instants too.
const BEGIN: Mono = Mono(2 * limits::WINDOW_MAX.as_secs() * 1_000_000_000);

/// The gaps of this process: times in which it did not run at all, because it or its machine was stopped.
static GAPS: Gaps = Gaps::new();

/// The beginning of this process's time, for the gaps.
static FIRST: OnceLock<Instant> = OnceLock::new();

/// The clocks of this process.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
    /// The gaps that lay before this clock watched for them; nothing where it does not.
    before: Option<u64>,
    /// The wall clock at the beginning, where the runtime's paused time is this clock's.
    #[cfg(test)]
    runtime: Option<Wall>,
}

impl Clock {
    /// Begins to count.
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

    /// This clock, without the gaps in this process's own time from here on: no delay, silence or period sees them. It
    /// needs a [`heartbeat`](Self::heartbeat).
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the home of the clock")]
    pub fn without_gaps(self) -> Self {
        // Whoever is first to watch begins; what lies before that is no gap.
        GAPS.begin(nanos(since_first(Instant::now())));
        Self { before: Some(GAPS.lost.load(Ordering::Acquire)), ..self }
    }

    /// Asks for the time again and again, so that a gap is told from a time in which nobody asked. Never ends.
    pub async fn heartbeat(self) {
        loop {
            let _seen = self.now();
            tokio::time::sleep(limits::HEARTBEAT).await;
        }
    }

    /// A clock that shows the runtime's time, which a test pauses and moves.
    #[cfg(test)]
    #[must_use]
    pub fn of_runtime(wall: Wall) -> Self {
        let origin = tokio::time::Instant::now().into_std();
        Self { origin, before: None, runtime: Some(wall) }
    }

    /// Both clocks, now.
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

    /// All gaps in this process's own time since this clock watches for them.
    #[must_use]
    pub fn lost(&self) -> Duration {
        self.before.map_or(Duration::ZERO, |before| {
            Duration::from_nanos(GAPS.lost.load(Ordering::Acquire).saturating_sub(before))
        })
    }

    /// The runtime's instant for one of ours, as far as it is known: a gap until then makes it early.
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

/// Gaps between the instants at which somebody asked for the time. Whoever holds an instant from before a gap and asks
/// after it gets the gap's beginning, never a time far back.
#[derive(Debug)]
struct Gaps {
    /// The last instant seen, from 1; 0 while nobody watches.
    last: AtomicU64,
    /// All gaps so far.
    lost: AtomicU64,
    /// Where the last gap ended: instants before it are older than that gap.
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

    /// From here on gaps are found, if they were not before.
    fn begin(&self, raw: u64) {
        // It is begun already otherwise.
        let _begun = self.last.compare_exchange(0, raw.max(1), Ordering::AcqRel, Ordering::Acquire);
    }

    /// What is lost up to an instant, which is seen by this.
    fn lost_at(&self, raw: u64) -> u64 {
        let is_gap = |last: u64| raw.saturating_sub(last) > nanos(limits::OWN_GAP_MIN);
        if is_gap(self.last.load(Ordering::Acquire)) {
            let _finding = self.finding.lock().unwrap_or_else(PoisonError::into_inner);
            let last = self.last.load(Ordering::Acquire);
            if is_gap(last) {
                // The loss is told before the instant, so that nobody sees the one without the other.
                self.lost.fetch_add(raw - last, Ordering::AcqRel);
                self.ended.store(raw, Ordering::Release);
            }
            self.last.fetch_max(raw, Ordering::AcqRel);
        } else {
            self.last.fetch_max(raw, Ordering::AcqRel);
        }
        let lost = self.lost.load(Ordering::Acquire);
        // An instant taken before the gap: the clock stood still at its beginning since.
        lost.saturating_sub(self.ended.load(Ordering::Acquire).saturating_sub(raw))
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

/// Whether this process runs as the user of this number.
#[must_use]
pub fn is_this_user(uid: u32) -> bool {
    nix::unistd::geteuid().as_raw() == uid
}

/// The name of the account that this process runs as, as the system has it and whatever the environment says.
#[must_use]
pub fn user() -> String {
    account(nix::unistd::geteuid().as_raw())
}

/// The name of the account of this number, else `uid-1234`; of `DOMAIN\\name` it is the name. The system may ask a
/// directory in the network for it, so this may take a while.
#[must_use]
pub fn account(uid: u32) -> String {
    let name = match nix::unistd::User::from_uid(uid.into()) {
        Ok(Some(user)) if !user.name.is_empty() => user.name,
        Ok(_) | Err(_) => format!("uid-{uid}"),
    };
    name.rsplit('\\').next().unwrap_or_default().to_owned()
}

/// The number of the account that this process runs as.
#[must_use]
pub fn uid() -> u32 {
    nix::unistd::geteuid().as_raw()
}

/// How many files, ports and connections this process may have open: as many as the system allows at most, which is
/// asked for.
#[must_use]
pub fn descriptors() -> u64 {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 0 };
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}

/// From here on whatever this process makes is closed to other users, and to its group for writing.
pub fn make_files_private() {
    use nix::sys::stat::{Mode, umask};
    umask(Mode::S_IWGRP | Mode::S_IRWXO);
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// What the clock shows when these instants are seen one after the other.
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
        // Three seconds are no gap yet, a little more is one: the clock stands still.
        check(&[2 * SECOND, 5 * SECOND, 8 * SECOND + 1], &[2 * SECOND, 5 * SECOND, 5 * SECOND]);
        check(
            &[2 * SECOND, 42 * SECOND, 43 * SECOND, 143 * SECOND, 144 * SECOND],
            &[2 * SECOND, 2 * SECOND, 3 * SECOND, 3 * SECOND, 4 * SECOND],
        );
        // An instant taken before the gap and used after it is not far back.
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
