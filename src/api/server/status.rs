//! `GET /v1/status`.

use axum::Json;
use axum::extract::State;

use super::Answer;
use crate::api::Gateway;
use crate::v1::StatusV1;
use crate::view::{self, Around};

pub(super) async fn status(State(g): State<Gateway>) -> Answer<StatusV1> {
    let desk = g.snapshot().await?;
    let around = Around {
        daemon: g.daemon,
        boards: g.boards(),
        store: g.store.health(),
        stored: *g.store.applied().borrow(),
        recorded: g.feed.end_seq(),
        recorder: g.recorder.trouble(),
        found: &g.found,
    };
    Ok(Json(view::status(&desk, &around)))
}
