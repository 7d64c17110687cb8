//! Decides a verb: the result is an event and a sentence for the person, or a refusal.

use super::{ServiceEvent, ServiceState, ServiceVerb};
use crate::words::{EquipmentId, Refusal, Rule, reason_of};

/// Decides a verb. `equipment` is the equipment that the verb names; the site contains it.
///
/// # Errors
/// If the reason is missing or too long, or the equipment is already in this state.
pub fn decide(
    state: &ServiceState,
    verb: &ServiceVerb,
    equipment: &EquipmentId,
) -> Result<(ServiceEvent, String), Refusal> {
    let is_out = state.out.contains_key(equipment);
    let equipment = equipment.clone();
    match verb {
        ServiceVerb::TakeOut { reason, .. } => {
            let reason = reason_of(reason)?;
            if is_out {
                let text = format!("{equipment} is already out of service");
                return Err(Refusal::new(Rule::WrongService, text)
                    .command("return it", format!("andon equipment return {equipment} --reason TEXT")));
            }
            let told = format!("{equipment} is out of service: its alarms are suppressed");
            Ok((ServiceEvent::OutOfService { equipment, reason }, told))
        }
        ServiceVerb::Return { reason, .. } => {
            let reason = reason_of(reason)?;
            if !is_out {
                let text = format!("{equipment} is already in service");
                return Err(Refusal::new(Rule::WrongService, text).command(
                    "take it out of service",
                    format!("andon equipment out-of-service {equipment} --reason TEXT"),
                ));
            }
            let told = format!(
                "{equipment} is back in service. andon now raises the alarms whose condition is true"
            );
            Ok((ServiceEvent::ReturnedToService { equipment, reason }, told))
        }
    }
}
