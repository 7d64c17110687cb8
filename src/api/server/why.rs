//! `GET /v1/why/{equipment}/{name}`: explains a value or a fault.

use axum::Json;
use axum::extract::{Path, State};

use super::Answer;
use crate::api::Gateway;
use crate::v1::WhyV1;
use crate::view;

pub(super) async fn why(State(g): State<Gateway>, Path((id, name)): Path<(String, String)>) -> Answer<WhyV1> {
    let desk = g.snapshot().await?;
    Ok(Json(view::why(&desk, g.equipment_stats(&id).as_ref(), &id, &name)?))
}
