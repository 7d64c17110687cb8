//! What happens to a simulated machine when: a script in its plant's file, or a hand in the demo and the tests.

use std::time::Duration;

use super::machine::{Shared, Signals};
use crate::limits;
use crate::source::Section;

/// Something that happens to a device.
#[derive(Debug, Clone, PartialEq)]
pub struct Happening {
    /// When, since the plant began.
    pub at: Duration,
    /// The device's place in the plant's list.
    pub device: usize,
    /// Its new operating state.
    pub state: Option<String>,
    /// Points set by hand, until the next state.
    pub set: Signals,
    /// Whether it stops answering, or answers again.
    pub is_silent: Option<bool>,
}

impl Happening {
    /// Does it.
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
            s.error_with_help(s.span(), "nothing happens in this event", "", "add state, set or silent");
        }
        s.finish();
        if let Some(at) = at {
            out.push(Happening { at, device: index, state: state.map(|x| x.value), set, is_silent });
        }
    }
    out
}
