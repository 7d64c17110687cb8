//! Decides a verb: the result is an event and a sentence for the person, or a refusal.

use super::{BaselineEvent, BaselineVerb};
use crate::profile::Trigger;
use crate::site::Equipment;
use crate::words::{Refusal, Rule, reason_of};

/// Decides a verb. `on` is the equipment that the verb names.
///
/// # Errors
/// If the reason is missing or too long, or the fault is not a baseline of this equipment.
pub fn decide(verb: &BaselineVerb, on: &Equipment) -> Result<(BaselineEvent, String), Refusal> {
    let BaselineVerb::Relearn { fault, reason, .. } = verb;
    let reason = reason_of(reason)?;
    let fault = on.fault(fault)?;
    let Trigger::Excursion(baseline) = &fault.trigger else {
        let text = format!("fault {} of {} is not a baseline", fault.name, on.id);
        return Err(Refusal::new(Rule::NoSuchPointOrFault, text)
            .command("list the baselines", format!("andon profile show {}", on.profile.name)));
    };
    let told = format!("andon learns {} of {} again from {}", fault.name, on.id, baseline.learn.text());
    let (equipment, fault) = (on.id.clone(), fault.name.clone());
    Ok((BaselineEvent::Forgotten { equipment, fault, reason }, told))
}
