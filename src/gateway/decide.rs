//! Decides a verb, and finds the damage that is new.

use super::{GatewayEvent, GatewayState, GatewayVerb};
use crate::limits;
use crate::words::{Damage, Refusal, Rule, reason_of};

/// Decides a verb: an event, and a sentence for the person.
///
/// # Errors
/// If the reason is missing or too long, or no damage waits to be accepted.
pub fn decide(state: &GatewayState, verb: &GatewayVerb) -> Result<(GatewayEvent, String), Refusal> {
    let GatewayVerb::AcceptDamage { reason } = verb;
    let reason = reason_of(reason)?;
    let parts = state.damage.iter().filter(|d| d.accepted.is_none()).count();
    if parts == 0 {
        let text = "there is no journal damage to accept";
        return Err(
            Refusal::new(Rule::NothingToAccept, text).command("check the journal", "andon audit verify")
        );
    }
    let told = "the damage is accepted: it stays in the journal and in `andon audit verify`, \
        and is no longer shown on the first screen";
    Ok((GatewayEvent::DamageAccepted { parts, reason }, told.to_owned()))
}

/// The events for damage that was found and is not recorded yet, up to [`crate::limits::DAMAGE_KEPT`] parts in all.
#[must_use]
pub fn new_damage(state: &GatewayState, found: &[Damage]) -> Vec<GatewayEvent> {
    let known =
        |d: &Damage| state.damage.iter().any(|k| k.damage.as_ref().is_some_and(|known| known.is_same(d)));
    let room = limits::DAMAGE_KEPT.saturating_sub(state.damage.len());
    let new = found.iter().filter(|d| !known(d)).take(room).cloned();
    let event =
        |damage: Damage| GatewayEvent::JournalDamaged { message: damage.to_string(), damage: Some(damage) };
    new.map(event).collect()
}
