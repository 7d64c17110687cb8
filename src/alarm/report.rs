//! The figures of an alarm system for a period, compared with the targets of ISA-18.2 / IEC 62682. They come from the
//! journal.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::{AlarmEvent, Key};
use crate::limits;
use crate::words::{Severity, Wall};

/// The figures of a period.
#[derive(Debug, Clone, PartialEq)]
pub struct AlarmReport {
    /// The start of the period.
    pub since: Wall,
    /// The end of the period.
    pub until: Wall,
    /// Alarms raised. Repeats that were only counted are not included.
    pub alarms: u64,
    /// The average number of alarms in ten minutes.
    pub per_10_minutes: f64,
    /// The largest number of alarms in any ten minutes.
    pub peak_10_minutes: u64,
    /// The end of these ten minutes; `None` if there was no alarm.
    pub peak_at: Option<Wall>,
    /// The number of floods. A flood is more than ten alarms in ten minutes, until there are fewer than five.
    pub floods: u64,
    /// The share of the period in flood, in percent.
    pub flood_percent: f64,
    /// Alarms by severity, in percent.
    pub by_severity: BTreeMap<String, f64>,
    /// The ten most frequent alarms, with their numbers; repeats are included.
    pub top: Vec<AlarmCount>,
    /// The number of different alarms.
    pub different: usize,
    /// The share of the ten most frequent alarms among all, in percent.
    pub top_percent: f64,
    /// Alarms that chattered, with the number of their counted repeats.
    pub chattering: Vec<AlarmCount>,
    /// Alarms that cleared within a minute, with their numbers.
    pub fleeting: Vec<AlarmCount>,
    /// Alarms that have been active for more than a day at the end of the period.
    pub stale: Vec<StaleAlarm>,
}

/// The number of times that an alarm was raised.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmCount {
    /// The equipment's id.
    pub equipment: String,
    /// The fault's name.
    pub fault: String,
    /// The number of times.
    pub times: u64,
}

/// An alarm that is still active.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleAlarm {
    /// The equipment's id.
    pub equipment: String,
    /// The fault's name.
    pub fault: String,
    /// The time at which it was raised.
    pub raised_at: Wall,
}

/// A change of an alarm, as the report needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Happened {
    /// The alarm was raised with this severity.
    Raised(Severity),
    /// The condition has cleared.
    Cleared,
    /// The alarm began to chatter, so its repeats are only counted from here on.
    Chattering,
    /// This number of repeats was counted.
    Damped(u64),
}

impl Happened {
    /// The change that an event means; `None` for actions of people, which the report does not count.
    #[must_use]
    pub fn of(event: &AlarmEvent) -> Option<Self> {
        match event {
            AlarmEvent::Raised { severity, .. } => Some(Self::Raised(*severity)),
            AlarmEvent::Cleared { .. } => Some(Self::Cleared),
            AlarmEvent::Chattering { .. } => Some(Self::Chattering),
            AlarmEvent::Damped { repeats, .. } => Some(Self::Damped(*repeats)),
            AlarmEvent::Acknowledged { .. } | AlarmEvent::Shelved { .. } | AlarmEvent::Unshelved { .. } => {
                None
            }
        }
    }
}

/// A report in progress: it takes events in their order. `K` identifies an alarm; it should be small, because a
/// report can take millions of events.
#[derive(Debug)]
pub struct Reporter<K> {
    since: Wall,
    alarms: u64,
    recent: VecDeque<Wall>,
    peak: (u64, Option<Wall>),
    flood_from: Option<Wall>,
    floods: u64,
    in_flood: Duration,
    severities: BTreeMap<Severity, u64>,
    came: BTreeMap<K, u64>,
    chattering: BTreeMap<K, u64>,
    fleeting: BTreeMap<K, u64>,
    standing: BTreeMap<K, Wall>,
}

impl<K: Copy + Ord> Reporter<K> {
    /// A report that begins at `since`.
    #[must_use]
    pub fn new(since: Wall) -> Self {
        Self {
            since,
            alarms: 0,
            recent: VecDeque::new(),
            peak: (0, None),
            flood_from: None,
            floods: 0,
            in_flood: Duration::ZERO,
            severities: BTreeMap::new(),
            came: BTreeMap::new(),
            chattering: BTreeMap::new(),
            fleeting: BTreeMap::new(),
            standing: BTreeMap::new(),
        }
    }

    /// Takes an event. Events before the period show which alarms are active at its start.
    pub fn event(&mut self, at: Wall, alarm: K, what: Happened) {
        let is_within = at >= self.since;
        match what {
            Happened::Raised(severity) => {
                self.standing.insert(alarm, at);
                if is_within {
                    self.alarms += 1;
                    *self.severities.entry(severity).or_default() += 1;
                    *self.came.entry(alarm).or_default() += 1;
                    self.rate(at);
                }
            }
            Happened::Cleared => {
                let raised = self.standing.remove(&alarm);
                let is_brief = raised.is_some_and(|raised| at.since(raised) < limits::CHATTER_WITHIN);
                if is_within && is_brief {
                    *self.fleeting.entry(alarm).or_default() += 1;
                }
            }
            Happened::Chattering if is_within => {
                self.chattering.entry(alarm).or_default();
            }
            Happened::Damped(repeats) if is_within => {
                *self.chattering.entry(alarm).or_default() += repeats;
                *self.came.entry(alarm).or_default() += repeats;
            }
            Happened::Chattering | Happened::Damped(_) => {}
        }
    }

    fn rate(&mut self, at: Wall) {
        self.pass(at);
        self.recent.push_back(at);
        let now = self.recent.len() as u64;
        if now > self.peak.0 {
            self.peak = (now, Some(at));
        }
        if self.recent.len() > limits::FLOOD_ALARMS && self.flood_from.is_none() {
            self.flood_from = Some(at);
            self.floods += 1;
        }
    }

    /// Drops alarms that are older than ten minutes, one after the other, because a flood ends at the instant at
    /// which too few are left.
    fn pass(&mut self, now: Wall) {
        while let Some(oldest) = self.recent.front().copied() {
            let gone_at = oldest.after(limits::FLOOD_WITHIN);
            if gone_at >= now {
                break;
            }
            self.recent.pop_front();
            if self.recent.len() < limits::FLOOD_OVER_BELOW
                && let Some(from) = self.flood_from.take()
            {
                self.in_flood += gone_at.since(from);
            }
        }
    }

    /// The figures up to `until`. `name` gives the equipment and fault of an alarm.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub fn finish(mut self, until: Wall, name: impl Fn(K) -> Option<Key>) -> AlarmReport {
        self.pass(until);
        if let Some(from) = self.flood_from.take() {
            self.in_flood += until.since(from);
        }
        let period = until.since(self.since).as_secs_f64().max(1.0);
        let percent = |part: f64, of: f64| if of > 0.0 { 100.0 * part / of } else { 0.0 };
        let all: u64 = self.came.values().sum();
        let name = &name;
        let top = ranked(&self.came, 10, name);
        AlarmReport {
            since: self.since,
            until,
            alarms: self.alarms,
            per_10_minutes: self.alarms as f64 * limits::FLOOD_WITHIN.as_secs_f64() / period,
            peak_10_minutes: self.peak.0,
            peak_at: self.peak.1,
            floods: self.floods,
            flood_percent: percent(self.in_flood.as_secs_f64(), period),
            by_severity: Severity::ALL
                .map(|s| {
                    let count = self.severities.get(&s).copied().unwrap_or(0);
                    (s.word().to_owned(), percent(count as f64, self.alarms as f64))
                })
                .into(),
            top_percent: percent(top.iter().map(|t| t.times).sum::<u64>() as f64, all as f64),
            top,
            different: self.came.len(),
            chattering: ranked(&self.chattering, usize::MAX, name),
            fleeting: ranked(&self.fleeting, usize::MAX, name),
            stale: stale(&self.standing, until, name),
        }
    }
}

/// An alarm that is active for longer is stale (ISA-18.2: a day).
const STALE_AFTER: Duration = Duration::from_secs(86_400);

fn stale<K: Copy + Ord>(
    standing: &BTreeMap<K, Wall>,
    until: Wall,
    name: &impl Fn(K) -> Option<Key>,
) -> Vec<StaleAlarm> {
    let old = standing.iter().filter(|(_, at)| until.since(**at) > STALE_AFTER);
    let named: BTreeMap<Key, Wall> = old.filter_map(|(alarm, at)| Some((name(*alarm)?, *at))).collect();
    let standing = named.into_iter().map(|((equipment, fault), raised_at)| StaleAlarm {
        equipment: equipment.to_string(),
        fault: fault.to_string(),
        raised_at,
    });
    standing.collect()
}

/// The most frequent alarms first; alarms with the same number in the order of their names.
fn ranked<K: Copy + Ord>(
    counts: &BTreeMap<K, u64>,
    most: usize,
    name: &impl Fn(K) -> Option<Key>,
) -> Vec<AlarmCount> {
    let named: BTreeMap<Key, u64> =
        counts.iter().filter_map(|(alarm, times)| Some((name(*alarm)?, *times))).collect();
    let count = |((equipment, fault), times): (&Key, &u64)| AlarmCount {
        equipment: equipment.to_string(),
        fault: fault.to_string(),
        times: *times,
    };
    let mut all: Vec<AlarmCount> = named.iter().map(count).collect();
    all.sort_by_key(|c| std::cmp::Reverse(c.times));
    all.truncate(most);
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{EquipmentId, FaultName};

    fn raised(n: u64) -> Happened {
        Happened::Raised(if n == 0 { Severity::Critical } else { Severity::Minor })
    }

    #[expect(clippy::unnecessary_wraps, reason = "`Reporter::finish` takes a function of this form")]
    fn name(n: u64) -> Option<Key> {
        Some((EquipmentId::parse(&format!("e{n}")).unwrap(), FaultName::parse("f").unwrap()))
    }

    fn at(seconds: u64) -> Wall {
        Wall::from_millis(i64::try_from(seconds * 1000).unwrap())
    }

    #[test]
    fn a_day_with_a_flood_and_a_stale_alarm() {
        const DAY: u64 = 86_400;
        let mut r = Reporter::new(at(DAY));
        r.event(at(100), 99, raised(99));
        // Twelve alarms in two minutes: the eleventh, at 100 s, begins a flood. The flood ends ten minutes after the
        // eighth alarm.
        for n in 0..12 {
            r.event(at(DAY + n * 10), n, raised(n));
        }
        for n in 0..12 {
            r.event(at(DAY + n * 10 + 30), n, Happened::Cleared);
        }
        r.event(at(DAY + 4000), 3, Happened::Damped(88));
        let report = r.finish(at(2 * DAY), name);
        assert_eq!((report.alarms, report.peak_10_minutes, report.floods), (12, 12, 1));
        assert_eq!(report.peak_at, Some(at(DAY + 110)));
        let flood = f64::from(70 + 600 - 100) / 86_400.0 * 100.0;
        assert!((report.flood_percent - flood).abs() < 1e-9, "{} {flood}", report.flood_percent);
        assert!((report.per_10_minutes - 12.0 / 144.0).abs() < 1e-9);
        assert!((report.by_severity["critical"] - 100.0 / 12.0).abs() < 1e-9);
        assert_eq!((report.top[0].equipment.as_str(), report.top[0].times), ("e3", 89));
        assert!((report.top_percent - 98.0).abs() < 1e-9, "98 of 100: {}", report.top_percent);
        assert_eq!((report.chattering.len(), report.chattering[0].times), (1, 88));
        assert_eq!(report.fleeting.len(), 12);
        assert_eq!(report.stale.len(), 1);
        assert_eq!(report.stale[0].raised_at, at(100));
    }

    #[test]
    fn an_empty_period_has_figures() {
        let report = Reporter::new(at(0)).finish(at(0), name);
        assert_eq!((report.alarms, report.peak_at), (0, None));
        assert!(report.flood_percent.abs() < 1e-9 && report.top_percent.abs() < 1e-9);
    }
}
