//! `GET /v1/audit/verify` and `POST /v1/audit/accept`.

use axum::Json;
use axum::extract::State;

use super::Answer;
use crate::api::Gateway;
use crate::api::transport::Identity;
use crate::gateway::GatewayVerb;
use crate::v1::{AcceptV1, AuditV1, OperatedV1};
use crate::view;

pub(super) async fn audit_verify(State(g): State<Gateway>) -> Answer<AuditV1> {
    let found = g.verify().await?;
    Ok(Json(view::audit(&*g.snapshot().await?, found)))
}

pub(super) async fn audit_accept(
    State(g): State<Gateway>,
    Identity(by): Identity,
    Json(body): Json<AcceptV1>,
) -> Answer<OperatedV1> {
    let verb = GatewayVerb::AcceptDamage { reason: body.reason };
    Ok(Json(OperatedV1 { message: g.ask_for_sentence(by, verb).await? }))
}
