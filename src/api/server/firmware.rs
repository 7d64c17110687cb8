//! `GET /v1/firmware`: firmware versions and their known issues.

use axum::Json;
use axum::extract::State;

use super::Answer;
use crate::api::Gateway;
use crate::v1::FirmwareV1;
use crate::view;

pub(super) async fn firmware(State(g): State<Gateway>) -> Answer<Vec<FirmwareV1>> {
    Ok(Json(view::firmware(&*g.snapshot().await?)))
}
