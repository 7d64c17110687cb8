//! One simulated machine: its operating state, its quantities and its registers. All functions are pure, except for
//! the lock of [`Shared`].

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::wave::Wave;
use crate::profile::{Area, Profile, RegisterAddress, decode, encode};
use crate::words::Value;

/// The content of a point.
#[derive(Debug, Clone, PartialEq)]
pub enum Signal {
    /// A number that changes with time.
    Wave(Wave),
    /// A fixed text or flag, or the raw value of an enum or bit field.
    Fixed(Value),
}

/// Signals by the index of the point in the profile.
pub type Signals = BTreeMap<usize, Signal>;

/// A simulated machine.
#[derive(Debug, Clone)]
pub struct Machine {
    profile: Arc<Profile>,
    /// The signals that are the same in each state.
    base: Signals,
    /// The signals of each operating state, by its name.
    states: BTreeMap<String, Signals>,
    state: String,
    /// The time at which the present state began.
    since: Duration,
    /// The points that were set by hand.
    set: Signals,
    is_silent: bool,
    seed: u64,
}

impl Machine {
    /// A machine in an operating state. A point without a signal is zero.
    #[must_use]
    pub fn new(
        profile: Arc<Profile>,
        base: Signals,
        states: BTreeMap<String, Signals>,
        state: String,
        seed: u64,
    ) -> Self {
        Self {
            profile,
            base,
            states,
            state,
            since: Duration::ZERO,
            set: Signals::new(),
            is_silent: false,
            seed,
        }
    }

    /// Switches the machine on: the waves of its first state begin.
    pub fn begin(&mut self, now: Duration) {
        self.since = now;
    }

    /// Changes the operating state. Points that were set by hand follow the state again.
    pub fn enter(&mut self, state: &str, now: Duration) {
        state.clone_into(&mut self.state);
        self.since = now;
        self.set.clear();
    }

    /// Sets one point by hand, until the next change of state.
    pub fn set(&mut self, point: usize, signal: Signal) {
        self.set.insert(point, signal);
    }

    /// Lets the machine answer, or not.
    pub fn set_silent(&mut self, is_silent: bool) {
        self.is_silent = is_silent;
    }

    /// True if the machine does not answer.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.is_silent
    }

    fn value(&self, point: usize, now: Duration) -> Value {
        let signal = self
            .set
            .get(&point)
            .or_else(|| self.states.get(&self.state)?.get(&point))
            .or_else(|| self.base.get(&point));
        match signal {
            Some(Signal::Fixed(value)) => value.clone(),
            Some(Signal::Wave(wave)) => {
                let seed = self.seed.wrapping_add(u64::try_from(point).unwrap_or(0));
                Value::Real(wave.at(now.saturating_sub(self.since), seed))
            }
            None => Value::Integer(0),
        }
    }

    /// The registers from `start` on; `None` if the range is not within the first and last register of the device.
    #[must_use]
    pub fn registers(&self, area: Area, start: u16, count: u16, now: Duration) -> Option<Vec<u16>> {
        let end = u32::from(start) + u32::from(count);
        let mut words = vec![0_u16; usize::from(count)];
        let (mut first, mut last) = (u32::MAX, 0_u32);
        for (index, point) in self.profile.points.iter().enumerate() {
            let Some(address) = point.register().filter(|r| r.area == area) else { continue };
            let at = u32::from(address.number);
            let width = u32::from(point.width());
            first = first.min(at);
            last = last.max(at + width);
            if at >= end || at + width <= u32::from(start) {
                continue;
            }
            for (i, word) in self.encoded(index, now).into_iter().enumerate() {
                let place = usize::from(address.number) + i;
                if let Some(slot) = place.checked_sub(usize::from(start)).and_then(|p| words.get_mut(p)) {
                    // Several points may use bits of one register.
                    *slot |= word;
                }
            }
        }
        (u32::from(start) >= first && end <= last).then_some(words)
    }

    /// One object of the device identification, as registers of text; `None` if the profile does not read this
    /// object.
    #[must_use]
    pub fn identification(&self, object: u16, now: Duration) -> Option<Vec<u16>> {
        let address = RegisterAddress { area: Area::Identification, number: object };
        let index = self.profile.points.iter().position(|p| p.register() == Some(address))?;
        Some(self.encoded(index, now))
    }

    fn encoded(&self, index: usize, now: Duration) -> Vec<u16> {
        let Some(point) = self.profile.points.get(index) else { return Vec::new() };
        let factor = point.scale_from.and_then(|f| self.encoded(f, now).first().copied());
        let words = encode(point, &self.value(index, now), factor);
        words.into_iter().take(usize::from(point.width())).collect()
    }

    /// Takes a write of whole registers. Refuses it, with false, unless they are exactly the registers of one
    /// writable point.
    pub fn write(&mut self, area: Area, start: u16, words: &[u16]) -> bool {
        let address = RegisterAddress { area, number: start };
        let found = self.profile.points.iter().position(|p| {
            p.register() == Some(address) && p.writable.is_some() && usize::from(p.width()) == words.len()
        });
        let Some(index) = found else { return false };
        let Some(point) = self.profile.points.get(index) else { return false };
        let signal = match decode(point, words, None) {
            Ok(Value::Real(r)) => Signal::Wave(Wave::constant(r)),
            Ok(value) => Signal::Fixed(value),
            Err(_) => return false,
        };
        self.set.insert(index, signal);
        true
    }

    /// The device profile.
    #[must_use]
    pub fn profile(&self) -> Arc<Profile> {
        self.profile.clone()
    }

    /// The operating states of the machine.
    #[must_use]
    pub fn state_names(&self) -> Vec<String> {
        self.states.keys().cloned().collect()
    }
}

/// A machine that is shared by its line and its script.
#[derive(Debug, Clone)]
pub struct Shared(Arc<Mutex<Machine>>);

impl Shared {
    /// Shares a machine.
    #[must_use]
    pub fn new(machine: Machine) -> Self {
        Self(Arc::new(Mutex::new(machine)))
    }

    /// Gives access to the machine.
    pub fn with<T>(&self, f: impl FnOnce(&mut Machine) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
