//! Chattering alarms: an alarm that is raised and cleared too often. Its repeats are counted and reported in summary,
//! so that a loose relay contact costs only kilobytes of journal in a night.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::Key;
use crate::limits;
use crate::words::{Mono, Now, Wall, render_duration, render_real};

/// Whether a change of an alarm is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// Report it.
    Yes,
    /// Report it; from now on only count repeats.
    Last,
    /// Only count it.
    No,
}

/// A summary of the repeats.
#[derive(Debug, Clone, PartialEq)]
pub struct Damping {
    /// The start of the time that the summary covers.
    pub since: Wall,
    /// The number of repeats in that time.
    pub repeats: u64,
    /// True if the alarm still chatters and the repeats are counted further.
    pub goes_on: bool,
    /// True if the condition is true now.
    pub is_on: bool,
    /// Profile settings (delay or deadband) that would have prevented the repeats, as text.
    pub proposal: String,
}

#[derive(Debug, Clone)]
struct Track {
    came: VecDeque<Mono>,
    counting: Option<Counting>,
    /// The time without a change after which changes are reported again. It is doubled if the alarm chatters again
    /// soon after.
    quiet: Duration,
    ended: Option<Mono>,
    changed: Mono,
}

#[derive(Debug, Clone)]
struct Counting {
    /// The start of the time that the next summary covers, on the wall clock and on the monotonic clock.
    since: Wall,
    from: Mono,
    repeats: u64,
    is_on: bool,
    /// The longest time that the condition was true, and the longest that it was false.
    longest_on: Duration,
    longest_off: Duration,
    /// The smallest and the largest value of the fault's point at a change; `None` if the fault uses several points.
    values: Option<(f64, f64)>,
    /// The time of the next summary.
    due: Mono,
}

/// The alarms that changed lately, with their changes.
#[derive(Debug, Clone, Default)]
pub struct Chatter {
    tracks: BTreeMap<Key, Track>,
    due: BTreeSet<(Mono, Key)>,
}

impl Chatter {
    /// Notes a change of a condition. `value` is the value of the fault's point; `None` if it uses several points.
    /// Returns whether the change is reported.
    pub fn changed(&mut self, key: &Key, is_on: bool, at: Now, value: Option<f64>) -> Told {
        let track = self.tracks.entry(key.clone()).or_insert_with(|| Track {
            came: VecDeque::new(),
            counting: None,
            quiet: limits::CHATTER_QUIET,
            ended: None,
            changed: at.mono,
        });
        let lasted = at.mono.since(track.changed);
        track.changed = at.mono;
        if let Some(counting) = &mut track.counting {
            counting.repeats += u64::from(is_on);
            counting.is_on = is_on;
            let longest = if is_on { &mut counting.longest_off } else { &mut counting.longest_on };
            *longest = lasted.max(*longest);
            if let Some(x) = value {
                let (low, high) = counting.values.unwrap_or((x, x));
                counting.values = Some((low.min(x), high.max(x)));
            }
            let due = (at.mono + track.quiet).min(counting.from + limits::CHATTER_TOLD_EVERY);
            self.due.remove(&(counting.due, key.clone()));
            self.due.insert((due, key.clone()));
            counting.due = due;
            return Told::No;
        }
        if !is_on {
            return Told::Yes;
        }
        while track.came.front().is_some_and(|t| at.mono.since(*t) > limits::CHATTER_WITHIN) {
            track.came.pop_front();
        }
        track.came.push_back(at.mono);
        if track.came.len() < limits::CHATTER_TIMES {
            return Told::Yes;
        }
        track.came.clear();
        let soon = track.ended.is_some_and(|t| at.mono.since(t) < limits::CHATTER_TOLD_EVERY);
        track.quiet =
            if soon { (track.quiet * 2).min(limits::CHATTER_QUIET_MAX) } else { limits::CHATTER_QUIET };
        let due = at.mono + track.quiet;
        track.counting = Some(Counting {
            since: at.wall,
            from: at.mono,
            repeats: 0,
            is_on: true,
            longest_on: Duration::ZERO,
            longest_off: Duration::ZERO,
            values: value.map(|x| (x, x)),
            due,
        });
        self.due.insert((due, key.clone()));
        Told::Last
    }

    /// True if repeats of this alarm are only counted.
    #[must_use]
    pub fn is_counting(&self, key: &Key) -> bool {
        self.tracks.get(key).is_some_and(|t| t.counting.is_some())
    }

    /// The time at which [`Self::take_due`] must be called; `None` if no summary is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Mono> {
        self.due.first().map(|(at, _)| *at)
    }

    /// Returns the next summary that is due at `now`.
    pub fn take_due(&mut self, now: Now) -> Option<(Key, Damping)> {
        let (at, key) = self.due.first().filter(|(at, _)| *at <= now.mono).cloned()?;
        self.due.remove(&(at, key.clone()));
        let track = self.tracks.get_mut(&key)?;
        let goes_on = now.mono.since(track.changed) < track.quiet;
        let counting = track.counting.as_mut()?;
        let damping = Damping {
            since: counting.since,
            repeats: counting.repeats,
            goes_on,
            is_on: counting.is_on,
            proposal: proposal(counting),
        };
        if goes_on {
            (counting.since, counting.from, counting.repeats) = (now.wall, now.mono, 0);
            counting.due = (track.changed + track.quiet).min(counting.from + limits::CHATTER_TOLD_EVERY);
            self.due.insert((counting.due, key.clone()));
        } else {
            track.counting = None;
            track.ended = Some(now.mono);
        }
        Some((key, damping))
    }

    /// Forgets alarms that have not changed for a long time.
    pub fn forget(&mut self, now: Mono) {
        self.tracks.retain(|_, t| {
            t.counting.is_some()
                || now.since(t.changed) < limits::CHATTER_TOLD_EVERY.max(limits::CHATTER_WITHIN)
        });
    }
}

/// The settings of the profile that would have prevented the repeats: delays a little longer than the longest gap and
/// the longest alarm, and a deadband a little wider than the values seen.
fn proposal(seen: &Counting) -> String {
    let longer = |d: Duration| {
        let tenths = u64::try_from(d.as_millis()).unwrap_or(u64::MAX).saturating_mul(12) / 1000 + 1;
        render_duration(Duration::from_millis(tenths * 100))
    };
    let (on, off) = (seen.longest_on, seen.longest_off);
    let mut parts = Vec::new();
    if off > Duration::ZERO {
        let (delay, most) = (longer(off), render_duration(off));
        parts.push(format!("off_delay = \"{delay}\" (longest gap was {most})"));
    }
    if on > Duration::ZERO {
        let (delay, most) = (longer(on), render_duration(on));
        parts.push(format!("on_delay = \"{delay}\" (longest alarm was {most})"));
    }
    if let Some((low, high)) = seen.values.filter(|(low, high)| high > low) {
        let width = render_real((high - low) * 1.2);
        parts.push(format!("set `clear` {width} away from `when`"));
    }
    if parts.is_empty() { String::new() } else { format!("to prevent the repeats: {}", parts.join(", or ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{EquipmentId, FaultName};

    fn key() -> Key {
        (EquipmentId::parse("e").unwrap(), FaultName::parse("f").unwrap())
    }

    fn now(ms: u64) -> Now {
        Now { mono: Mono(ms * 1_000_000), wall: Wall::from_millis(i64::try_from(ms).unwrap()) }
    }

    /// A condition that becomes true every `every` ms and stays true for `on` ms, until `end`. Returns the number of
    /// reported changes, and the summaries.
    fn flutter(c: &mut Chatter, every: u64, on: u64, from: u64, end: u64) -> (usize, Vec<Damping>) {
        let (mut told, mut due) = (0, Vec::new());
        for t in (from..end).step_by(usize::try_from(every).unwrap()) {
            for (at, is_on) in [(t, true), (t + on, false)] {
                while let Some((_, damping)) = c.take_due(now(at)) {
                    due.push(damping);
                }
                told += usize::from(
                    c.changed(&key(), is_on, now(at), Some(if is_on { 12.0 } else { 8.0 })) != Told::No,
                );
            }
        }
        (told, due)
    }

    #[test]
    fn the_third_time_within_a_minute_is_the_last_that_is_told() {
        let mut c = Chatter::default();
        let mut told = |ms, is_on| c.changed(&key(), is_on, now(ms), None);
        let all = [(0, true), (1000, false), (2000, true), (3000, false), (4000, true), (5000, false)];
        let all: Vec<Told> = all.into_iter().map(|(ms, is_on)| told(ms, is_on)).collect();
        assert_eq!(all, [Told::Yes, Told::Yes, Told::Yes, Told::Yes, Told::Last, Told::No]);
    }

    #[test]
    fn three_times_in_more_than_a_minute_is_no_chattering() {
        let mut c = Chatter::default();
        let (told, due) = flutter(&mut c, 40_000, 1000, 0, 4_000_000);
        assert_eq!((told, due), (200, Vec::new()));
    }

    #[test]
    fn a_night_of_flutter_is_a_dozen_lines() {
        let mut c = Chatter::default();
        let night = 10 * 3_600_000;
        let (told, due) = flutter(&mut c, 1000, 300, 0, night);
        assert_eq!(told, 5, "raised and cleared twice, raised the third time");
        assert!(due.len() <= 11, "{}", due.len());
        assert!(due.iter().all(|d| d.goes_on));
        assert_eq!(due[0].repeats, 3599, "an hour from its third time on");
        assert_eq!(
            due[0].proposal,
            "to prevent the repeats: off_delay = \"900ms\" (longest gap was 700ms), or on_delay = \"400ms\" (longest \
             alarm was 300ms), or set `clear` 4.8 away from `when`"
        );
        let (_, damping) = c.take_due(now(night + 60_000)).unwrap();
        assert!(!damping.goes_on && !damping.is_on);
        assert_eq!(c.next_due(), None);
    }

    #[test]
    fn one_that_begins_anew_must_be_quiet_for_longer() {
        let mut c = Chatter::default();
        let mut lines = 0;
        // For a day: a minute and a half with chattering, then a minute and a half without.
        for round in 0..480 {
            let begin = round * 180_000;
            let (told, due) = flutter(&mut c, 5000, 1000, begin, begin + 90_000);
            lines += told + due.len();
        }
        assert!(lines < 120, "{lines}");
    }

    #[test]
    fn what_stays_is_told_to_stay() {
        let mut c = Chatter::default();
        flutter(&mut c, 1000, 300, 0, 20_000);
        c.changed(&key(), true, now(20_000), None);
        let (_, damping) = c.take_due(now(80_000)).unwrap();
        assert!(damping.is_on && !damping.goes_on);
        c.forget(Mono(10_000 * 1_000_000_000));
        assert!(c.tracks.is_empty());
    }
}
