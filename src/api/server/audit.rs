//! `GET /v1/audit/verify`.

use axum::Json;
use axum::extract::State;

use super::{Answer, own_failure};
use crate::api::Gateway;
use crate::api::v1::{AuditV1, BreakV1};
use crate::journal;

pub(super) async fn audit_verify(State(g): State<Gateway>) -> Answer<AuditV1> {
    let folder = g.journal.clone();
    let found = tokio::task::spawn_blocking(move || journal::verify(&folder)).await;
    let found = found.map_err(|e| own_failure(e.to_string()))?.map_err(|e| own_failure(e.to_string()))?;
    // A line that is being written is no break.
    let durable = g.look(|desk, _| desk.durable_seq()).await?;
    let broken = found.broken.filter(|b| b.seq <= durable);
    Ok(Json(AuditV1 {
        verified: broken.is_none(),
        events: found.events,
        seq: found.seq,
        head: found.head,
        broken: broken.map(|b| BreakV1 { segment: b.segment, line: b.line, seq: b.seq, message: b.message }),
    }))
}
