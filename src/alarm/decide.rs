//! Decides a verb: the result is an event and a sentence for the person, or a refusal.

use super::{AlarmEvent, AlarmVerb, Alarms, Key};
use crate::limits;
use crate::words::{EquipmentId, FaultName, Refusal, Rule, Wall, reason_of, render_duration};

/// Decides a verb. `equipment` is the piece of equipment or link that the verb names, and `fault_of` finds its
/// faults. `held_back` gives the number of times that a suppressed condition became true.
///
/// # Errors
/// If the reason is missing or too long, the equipment does not have this fault, the end of shelving is in
/// the past or too far in the future, or the alarm is not shelved.
pub fn decide(
    alarms: &Alarms,
    verb: &AlarmVerb,
    equipment: EquipmentId,
    fault_of: impl Fn(&str) -> Result<FaultName, Refusal>,
    now: Wall,
    held_back: impl Fn(&Key) -> u64,
) -> Result<(AlarmEvent, String), Refusal> {
    match verb {
        AlarmVerb::Shelve { fault, until, reason, .. } => {
            let reason = reason_of(reason)?;
            let fault = fault_of(fault)?;
            if *until <= now || *until > now.after(limits::SHELF_MAX) {
                let most = render_duration(limits::SHELF_MAX);
                let text = if *until <= now {
                    format!("the end of shelving must be in the future, not {until}")
                } else {
                    format!("shelving for more than {most} is not allowed")
                };
                let long = format!("andon equipment out-of-service {equipment} --reason TEXT");
                return Err(Refusal::new(Rule::BadShelf, text)
                    .remedy("use a shorter time: --for 8h")
                    .command("for longer work, take the equipment out of service", long));
            }
            let told = format!("{fault} of {equipment} is shelved until {until}");
            Ok((AlarmEvent::Shelved { equipment, fault, until: *until, reason }, told))
        }
        AlarmVerb::Unshelve { fault, reason, .. } => {
            let reason = reason_of(reason)?;
            let key = (equipment, fault_of(fault)?);
            let (equipment, fault) = &key;
            if !alarms.shelves.contains_key(&key) {
                let text = format!("{fault} of {equipment} is not shelved");
                return Err(Refusal::new(Rule::NotShelved, text)
                    .command("list the shelved alarms", "andon alarm list"));
            }
            let told = format!("{fault} of {equipment} is no longer shelved");
            let times = held_back(&key);
            Ok((unshelved(key, Some(reason), times), told))
        }
    }
}

/// The event that ends shelving: with a reason if a person ends it before its time, without a reason at its time.
#[must_use]
pub fn unshelved((equipment, fault): Key, reason: Option<String>, held_back: u64) -> AlarmEvent {
    AlarmEvent::Unshelved { equipment, fault, reason, held_back }
}
