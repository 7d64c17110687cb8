//! `GET /v1/audit/verify` and `POST /v1/audit/accept`.

use axum::Json;
use axum::extract::State;

use super::Answer;
use crate::api::Gateway;
use crate::api::transport::Identity;
use crate::api::v1::{AcceptV1, AuditV1, BreakV1, DamageV1, OperatedV1};
use crate::desk::Snapshot;
use crate::gateway::{GatewayVerb, KnownDamage};
use crate::words::Damage;

pub(super) async fn audit_verify(State(g): State<Gateway>) -> Answer<AuditV1> {
    let found = g.verify().await?;
    let damage = damage_rows(&*g.snapshot().await?, &found.damage);
    let broken = found.damage.into_iter().next();
    Ok(Json(AuditV1 {
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
    }))
}

pub(super) async fn audit_accept(
    State(g): State<Gateway>,
    Identity(by): Identity,
    Json(body): Json<AcceptV1>,
) -> Answer<OperatedV1> {
    let verb = GatewayVerb::AcceptDamage { reason: body.reason };
    Ok(Json(OperatedV1 { message: g.tell(by, verb).await? }))
}

/// Damage on record, and what was found beside it.
pub(super) fn damage_rows(desk: &Snapshot, found: &[Damage]) -> Vec<DamageV1> {
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
