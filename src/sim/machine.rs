//! One simulated machine: its operating state, its quantities, its registers. Pure but for the lock it is shared by.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::wave::Wave;
use crate::profile::{Area, Profile, RegisterAddress, decode, encode};
use crate::words::Value;

/// What a point shows.
#[derive(Debug, Clone, PartialEq)]
pub enum Signal {
    /// A number that moves.
    Wave(Wave),
    /// A text, a flag, an enum's or bit field's raw value.
    Fixed(Value),
}

/// Signals by a point's place in the profile.
pub type Signals = BTreeMap<usize, Signal>;

/// A simulated machine.
#[derive(Debug, Clone)]
pub struct Machine {
    profile: Arc<Profile>,
    base: Signals,
    states: BTreeMap<String, Signals>,
    state: String,
    since: Duration,
    set: Signals,
    is_silent: bool,
    seed: u64,
}

impl Machine {
    /// A machine in a state; points that nobody gives a signal are zero.
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

    /// It is switched on: the waves of its first state begin.
    pub fn begin(&mut self, now: Duration) {
        self.since = now;
    }

    /// Changes the operating state; what was set by hand is over.
    pub fn enter(&mut self, state: &str, now: Duration) {
        state.clone_into(&mut self.state);
        self.since = now;
        self.set.clear();
    }

    /// Sets one point by hand until the next state.
    pub fn set(&mut self, point: usize, signal: Signal) {
        self.set.insert(point, signal);
    }

    /// Lets it answer or not.
    pub fn set_silent(&mut self, is_silent: bool) {
        self.is_silent = is_silent;
    }

    /// Whether it answers nothing.
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

    /// The registers of a stretch; nothing where it reaches beyond the first and last register the device has.
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
                    // Several points may pick bits of one register.
                    *slot |= word;
                }
            }
        }
        (u32::from(start) >= first && end <= last).then_some(words)
    }

    /// An object of the device's identification, as registers of text; nothing where the profile does not read it.
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

    /// Takes a write of whole registers; refused unless they are those of one writable point.
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

    /// Its profile.
    #[must_use]
    pub fn profile(&self) -> Arc<Profile> {
        self.profile.clone()
    }

    /// The operating states it can be in.
    #[must_use]
    pub fn state_names(&self) -> Vec<String> {
        self.states.keys().cloned().collect()
    }
}

/// A machine shared by its line and its script.
#[derive(Debug, Clone)]
pub struct Shared(Arc<Mutex<Machine>>);

impl Shared {
    /// Shares a machine.
    #[must_use]
    pub fn new(machine: Machine) -> Self {
        Self(Arc::new(Mutex::new(machine)))
    }

    /// Works with it.
    pub fn with<T>(&self, f: impl FnOnce(&mut Machine) -> T) -> T {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
