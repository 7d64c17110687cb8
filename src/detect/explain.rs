//! Explains why a fault is or is not raised, and the state of a point, for `andon why` and `status`.

use std::time::Duration;

use super::detector::Detector;
use super::state::Phase;
use crate::expr::Truth;
use crate::profile::Trigger;
use crate::words::{BadReason, EquipmentIndex, Now, PointIndex, Quality, Value};

/// The state of a point.
#[derive(Debug, Clone, PartialEq)]
pub struct PointState {
    /// The last good value; `None` before the first.
    pub value: Option<Value>,
    /// Whether the value can be trusted now.
    pub quality: Quality,
    /// The time of the last reading, good or bad; `None` before the first.
    pub at: Option<Now>,
    /// The time of the last attempt to read the point; `None` before the first.
    pub tried: Option<Now>,
    /// The age of the last good reading; `None` before the first.
    pub age: Option<Duration>,
    /// True if the value is a retained MQTT message, so its age is unknown.
    pub is_retained: bool,
    /// The reason why the value is bad or uncertain; `None` if it is good.
    pub reason: Option<BadReason>,
}

/// One operand of a condition.
#[derive(Debug, Clone, PartialEq)]
pub struct OperandExplanation {
    /// The name of the point; `@equipment:point` if it belongs to other equipment.
    pub name: String,
    /// The last value with its unit.
    pub value: String,
    /// Whether the value can be trusted now.
    pub quality: Quality,
}

/// The explanation why a fault is or is not raised.
#[derive(Debug, Clone, PartialEq)]
pub struct FaultExplanation {
    /// True if the fault is raised.
    pub active: bool,
    /// The raising condition and its result; `None` for the fault of lost communication.
    pub when: Option<(String, Truth)>,
    /// The clearing condition and its result; `None` if there is none.
    pub clear: Option<(String, Truth)>,
    /// The condition `unless` and its result; `None` if there is none.
    pub unless: Option<(String, Truth)>,
    /// The points that the conditions use.
    pub operands: Vec<OperandExplanation>,
    /// The functions over time that the conditions use, with their values.
    pub recalled: Vec<(String, String)>,
    /// The running delay: its whole length and the rest of it; `None` if no delay runs.
    pub pending: Option<(Duration, Duration)>,
    /// Only for lost communication: the time since the last good answer (`None` before the first), and
    /// `offline_after`.
    pub silence: Option<(Option<Duration>, Option<Duration>)>,
}

impl Detector {
    /// The state of a point; `None` if the point does not exist.
    #[must_use]
    pub fn point_state(&self, equipment: EquipmentIndex, point: PointIndex, now: Now) -> Option<PointState> {
        let unit = self.units.get(equipment.0)?;
        let slot = unit.slots.get(point.0)?;
        let bad = slot.last.as_ref().and_then(|r| r.value.as_ref().err()).cloned();
        let missed = slot.missed.as_ref().map(|(_, why)| why.clone());
        let stale_after = || {
            let point = self.site.equipment.get(equipment.0)?.profile.points.get(point.0)?;
            point.stale_after.filter(|_| slot.good.is_some() && !slot.fresh)
        };
        let (quality, reason) = match (bad, slot.fresh && !unit.lost) {
            (Some(bad), _) => (Quality::Bad, Some(bad)),
            (None, true) if missed.is_some() => (Quality::Uncertain, missed),
            (None, true) => (Quality::Good, None),
            (None, false) => (Quality::Bad, missed.or_else(|| stale_after().map(BadReason::Stale))),
        };
        let at = slot.last.as_ref().map(|r| r.at);
        let tried = slot.missed.as_ref().map(|(at, _)| *at).or(at);
        let age = slot.good_at.map(|at| now.mono.since(at));
        let is_retained = slot.is_retained && slot.good.is_some();
        Some(PointState { value: slot.good.clone(), quality, at, tried, age, is_retained, reason })
    }

    /// Returns the firmware version of a piece of equipment: the version that the device reports, else the one in `andon.toml`.
    #[must_use]
    pub fn firmware(&self, equipment: EquipmentIndex) -> Option<String> {
        let e = self.site.equipment.get(equipment.0)?;
        let told = e.profile.firmware.as_ref().and_then(|firmware| {
            let value = self.units.get(equipment.0)?.slots.get(firmware.point.0)?.good.as_ref()?;
            firmware.version(&value.to_string())
        });
        told.or_else(|| e.firmware.clone())
    }

    /// The time of the last good answer; `None` before the first.
    #[must_use]
    pub fn last_answer(&self, equipment: EquipmentIndex) -> Option<Now> {
        self.units.get(equipment.0)?.last_answer
    }

    /// Explains why a fault is or is not raised; `None` if the fault does not exist.
    #[must_use]
    pub fn explain(&self, equipment: EquipmentIndex, fault: usize, now: Now) -> Option<FaultExplanation> {
        let of = self.site.equipment.get(equipment.0)?.profile.faults.get(fault)?;
        let watch = self.watches.iter().find(|w| w.equipment == equipment && w.fault == fault)?;
        let active = watch.is_active();
        let pending = match watch.phase {
            Phase::Normal { since } => since.map(|s| (s, of.on_delay)),
            Phase::Active { clearing } => clearing.map(|s| (s, of.off_delay)),
        };
        let pending = pending.map(|(s, delay)| (delay, delay.saturating_sub(now.mono.since(s.mono))));
        let mut out = FaultExplanation {
            active,
            when: None,
            clear: None,
            unless: None,
            operands: Vec::new(),
            recalled: Vec::new(),
            pending,
            silence: None,
        };
        if let Some(unless) = &of.unless {
            out.unless = Some((unless.text.clone(), self.evaluate(unless, &watch.unless, now.mono)));
        }
        match &of.trigger {
            Trigger::Condition { when, clear } => {
                let truth = self.evaluate(when, &watch.when, now.mono);
                out.when = Some((when.text.clone(), truth));
                out.clear = Some(match clear {
                    Some(clear) => (clear.text.clone(), self.evaluate(clear, &watch.clear, now.mono)),
                    None => (format!("not ({})", when.text), truth.negated()),
                });
                let mut places: Vec<_> =
                    watch.when.points.iter().chain(&watch.clear.points).copied().flatten().collect();
                out.recalled = self.recalled(when, &watch.when, now.mono);
                out.recalled.extend(clear.iter().flat_map(|c| self.recalled(c, &watch.clear, now.mono)));
                places.sort_unstable();
                places.dedup();
                for (e, p) in places {
                    out.operands.push(OperandExplanation {
                        name: self.point_name(equipment, e, p),
                        value: self.point_text(e, p),
                        quality: self.point_state(e, p, now).map_or(Quality::Bad, |s| s.quality),
                    });
                }
            }
            Trigger::Excursion(spec) => {
                out.when = Some((spec.definition.clone(), self.excursion(watch, now.mono)));
                out.recalled = self.baseline_told(watch);
            }
            Trigger::Silence => {
                let last = self.last_answer(equipment).map(|at| now.mono.since(at.mono));
                let limit = self.site.equipment.get(equipment.0)?.profile.offline_after;
                out.silence = Some((last, limit));
            }
        }
        Some(out)
    }
}
