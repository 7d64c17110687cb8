//! Changes of a simulated machine: by the script in its plant's file, or by hand in the demo and the tests.

use std::time::Duration;

use super::machine::{Shared, Signals};
use crate::limits;
use crate::source::Section;

/// A change of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// The time since the start of the plant.
    pub at: Duration,
    /// The index of the device in the plant.
    pub device: usize,
    /// The new operating state; `None` to keep it.
    pub state: Option<String>,
    /// Points set by hand, until the next change of state.
    pub set: Signals,
    /// True if the device stops answering, false if it answers again; `None` to keep it.
    pub is_silent: Option<bool>,
}

impl Happening {
    /// Makes the change.
    pub fn happen(&self, machine: &Shared, now: Duration) {
        machine.with(|m| {
            if let Some(state) = &self.state {
                m.enter(state, now);
            }
            for (point, signal) in &self.set {
                m.set(*point, signal.clone());
            }
            if let Some(is_silent) = self.is_silent {
                m.set_silent(is_silent);
            }
        });
    }
}

pub(super) fn read_script(
    device: &Section<'_>,
    index: usize,
    states: &[String],
    signals: &dyn Fn(&Section<'_>) -> Signals,
) -> Vec<Happening> {
    let mut out = Vec::new();
    for s in device.sections("event") {
        let at = s.duration_between("at", Duration::ZERO, limits::EVERY_MAX);
        let at = s.required("at", "\"8s\"", at);
        let state = s.text("state");
        if let Some(state) = state.as_ref().filter(|x| !states.contains(&x.value)) {
            s.error_with_help(
                state.span.clone(),
                format!("there is no state {}", state.value),
                "",
                format!("known: {}", states.join(", ")),
            );
        }
        let set = s.section("set").map(|t| signals(&t)).unwrap_or_default();
        let is_silent = s.flag("silent").map(|f| f.value);
        if state.is_none() && set.is_empty() && is_silent.is_none() {
            s.error_with_help(s.span(), "this event changes nothing", "", "add state, set or silent");
        }
        s.finish();
        if let Some(at) = at {
            out.push(Happening { at, device: index, state: state.map(|x| x.value), set, is_silent });
        }
    }
    out
}
