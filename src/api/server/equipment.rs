//! `GET /v1/equipment`, `/v1/equipment/{id}` and its readings; `POST` of a write to a point.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;

use super::{Answer, Failure, find};
use crate::api::Gateway;
use crate::api::transport::Identity;
use crate::desk::{Reply, Snapshot};
use crate::limits;
use crate::link::{LinkCommand, LinkState};
use crate::site::Equipment;
use crate::v1::{EquipmentV1, ReadingsV1, WriteV1, WroteV1};
use crate::view;
use crate::words::{EquipmentIndex, Mono, PointIndex, Refusal, Rule};
use crate::writing::WriteVerb;

pub(super) async fn equipment_list(State(g): State<Gateway>) -> Answer<Vec<EquipmentV1>> {
    Ok(Json(view::equipment_list(&*g.snapshot().await?, &g.boards())))
}

pub(super) async fn equipment_show(State(g): State<Gateway>, Path(id): Path<String>) -> Answer<EquipmentV1> {
    let desk = g.snapshot().await?;
    Ok(Json(view::equipment(&desk, g.equipment_stats(&id).as_ref(), &id)?))
}

#[derive(Deserialize)]
pub(super) struct ReadingsQuery {
    #[serde(default)]
    fresh: bool,
}

pub(super) async fn readings(
    State(g): State<Gateway>,
    Path(id): Path<String>,
    Query(q): Query<ReadingsQuery>,
) -> Answer<ReadingsV1> {
    if q.fresh && g.daemon {
        let (index, e) = find(&g, &id)?;
        read_now(&g, index, e).await?;
    }
    let desk = g.snapshot().await?;
    Ok(Json(view::readings(&desk, g.equipment_stats(&id).as_ref(), &id)?))
}

/// Returns the points that are polled. The other points report by themselves.
fn polled_points(e: &Equipment) -> Vec<PointIndex> {
    let all = e.profile.points.iter().enumerate();
    all.filter(|(_, p)| e.profile.is_asked_for(p)).map(|(i, _)| PointIndex(i)).collect()
}

/// Orders a read of the equipment, and waits until every polled point was read, or its read has failed.
async fn read_now(g: &Gateway, index: EquipmentIndex, e: &Equipment) -> Result<(), Failure> {
    const LOOK_EVERY: Duration = Duration::from_millis(20);
    let points = polled_points(e);
    let is_away = || g.boards.get(e.link).is_some_and(|b| b.lock().state == LinkState::Offline);
    if points.is_empty() || is_away() {
        return Ok(());
    }
    let asked = g.clock.now().mono;
    if let Some(sender) = g.link(e.link) {
        // A full queue means that the link is busy reading anyway.
        let _queued = sender.try_send(LinkCommand::ReadNow(e.id.clone()));
    }
    while g.clock.now().mono.since(asked) < limits::CLIENT_CONNECT_MAX && !is_away() {
        if is_read_since(&*g.snapshot().await?, index, &points, asked) {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

/// True if each of these points was read, or its read has failed, since the given time.
fn is_read_since(desk: &Snapshot, index: EquipmentIndex, points: &[PointIndex], since: Mono) -> bool {
    let tried = |p: &PointIndex| desk.detector.point_state(index, *p, desk.at)?.tried;
    points.iter().all(|p| tried(p).is_some_and(|at| at.mono >= since))
}

pub(super) async fn write(
    State(g): State<Gateway>,
    Path((equipment, point)): Path<(String, String)>,
    Identity(by): Identity,
    Json(body): Json<WriteV1>,
) -> Answer<WroteV1> {
    let verb = WriteVerb { equipment, point, value: body.value, reason: body.reason };
    let Reply::Wrote(wrote) = g.ask(by, verb).await? else {
        return Err(Refusal::new(Rule::TooBusy, "the gateway gave no answer to the write").into());
    };
    Ok(Json(WroteV1 {
        equipment: wrote.equipment.to_string(),
        point: wrote.point.to_string(),
        value: wrote.value,
        before: wrote.before,
    }))
}
