//! The check of the journal, and its damage.

use crate::desk::Snapshot;
use crate::gateway::KnownDamage;
use crate::journal::Verified;
use crate::v1::{AuditV1, BreakV1, DamageV1};
use crate::words::Damage;

/// Returns the result of checking the journal.
#[must_use]
pub fn audit(desk: &Snapshot, found: Verified) -> AuditV1 {
    let damage = damage(desk, &found.damage);
    let broken = found.damage.into_iter().next();
    AuditV1 {
        verified: broken.is_none(),
        events: found.events,
        seq: found.end.seq,
        head: found.end.hash,
        broken: broken.map(|d| BreakV1 {
            segment: d.segment,
            line: usize::try_from(d.line).unwrap_or(usize::MAX),
            seq: d.first_seq,
            message: d.why,
        }),
        damage,
    }
}

/// Returns the recorded damage, and then the damage in `found` that is not recorded.
#[must_use]
pub fn damage(desk: &Snapshot, found: &[Damage]) -> Vec<DamageV1> {
    let known = &desk.state.gateway.damage;
    let is_known = |d: &&Damage| known.iter().any(|k| k.damage.as_ref().is_some_and(|k| k.is_same(d)));
    let new = found.iter().filter(|d| !is_known(d)).map(|d| DamageV1 {
        damage: Some(d.clone()),
        message: d.to_string(),
        recorded_at: None,
        accepted_by: None,
        accepted_because: None,
    });
    known.iter().map(row).chain(new).collect()
}

fn row(known: &KnownDamage) -> DamageV1 {
    DamageV1 {
        damage: known.damage.clone(),
        message: known.message.clone(),
        recorded_at: Some(known.found_at),
        accepted_by: known.accepted.as_ref().map(|a| a.by.clone()),
        accepted_because: known.accepted.as_ref().map(|a| a.reason.clone()),
    }
}
