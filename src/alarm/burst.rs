//! Bursts and floods of alarms, and the first-out alarm of each: the alarm that came first and may be the cause.

use std::collections::VecDeque;

use super::Key;
use crate::limits;
use crate::words::Mono;

/// The alarms of the last ten minutes. A burst is a series of alarms, each shortly after the one before. A flood is
/// more than ten alarms in ten minutes; it lasts until there are fewer than five. Each burst and each flood has a
/// first-out alarm.
#[derive(Debug, Clone, Default)]
pub struct Bursts {
    /// The alarms of the last ten minutes, oldest first.
    recent: VecDeque<(Mono, Key)>,
    /// The first-out alarm of the present burst or flood.
    first_up: Option<Key>,
    is_flood: bool,
}

impl Bursts {
    /// Notes a raised alarm. Returns the first-out alarm of its burst or flood; `None` if the alarm is itself the
    /// first.
    pub fn raised(&mut self, at: Mono, key: &Key) -> Option<Key> {
        self.forget(at);
        let follows = self.recent.back().is_some_and(|(last, _)| at.since(*last) <= limits::BURST_GAP);
        self.recent.push_back((at, key.clone()));
        let is_full = self.recent.len() > limits::FLOOD_ALARMS;
        if is_full && !self.is_flood {
            self.is_flood = true;
            if !follows {
                self.first_up = self.recent.front().map(|(_, first)| first.clone());
            }
        }
        if !self.is_flood && !follows {
            self.first_up = None;
        }
        if self.recent.len() > limits::FLOOD_KEPT {
            self.recent.pop_front();
        }
        let first = self.first_up.get_or_insert_with(|| key.clone());
        (first != key).then(|| first.clone())
    }

    fn forget(&mut self, now: Mono) {
        while self.recent.front().is_some_and(|(at, _)| now.since(*at) > limits::FLOOD_WITHIN) {
            self.recent.pop_front();
        }
        if self.recent.len() < limits::FLOOD_OVER_BELOW {
            self.is_flood = false;
        }
    }

    /// True during a flood.
    pub fn is_flood(&mut self, now: Mono) -> bool {
        self.forget(now);
        self.is_flood
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::{EquipmentId, FaultName};

    fn key(n: u64) -> Key {
        (EquipmentId::parse(&format!("e{n}")).unwrap(), FaultName::parse("f").unwrap())
    }

    fn at(seconds: u64) -> Mono {
        Mono(seconds * 1_000_000_000)
    }

    #[test]
    fn the_first_of_a_burst_is_its_first_up() {
        let mut b = Bursts::default();
        assert_eq!(b.raised(at(0), &key(1)), None);
        assert_eq!(b.raised(at(5), &key(2)), Some(key(1)));
        assert_eq!(b.raised(at(15), &key(3)), Some(key(1)));
        assert_eq!(b.raised(at(26), &key(4)), None, "more than ten seconds later");
        assert_eq!(b.raised(at(27), &key(1)), Some(key(4)));
        assert!(!b.is_flood(at(27)));
    }

    #[test]
    fn more_than_ten_in_ten_minutes_are_a_flood_under_the_first_of_them() {
        let mut b = Bursts::default();
        for n in 0..10 {
            assert_eq!(b.raised(at(n * 50), &key(n)), None);
        }
        assert!(!b.is_flood(at(500)));
        assert_eq!(b.raised(at(500), &key(10)), Some(key(0)));
        assert!(b.is_flood(at(500)));
        assert_eq!(b.raised(at(560), &key(11)), Some(key(0)), "as long as it lasts");
        assert!(!b.is_flood(at(1100)));
        assert_eq!(b.raised(at(1200), &key(12)), None);
    }
}
