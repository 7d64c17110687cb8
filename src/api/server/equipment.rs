//! `GET /v1/equipment`, one of it, and its readings.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;

use super::firmware::note_row;
use super::status::equipment_status;
use super::why::last_registers;
use super::{Answer, Failure, find};
use crate::api::Gateway;
use crate::api::transport::Identity;
use crate::api::v1::{EquipmentV1, PointV1, ReadingsV1, WriteV1, WroteV1};
use crate::desk::{Reply, Snapshot};
use crate::limits;
use crate::link::{LinkCommand, LinkState};
use crate::site::Equipment;
use crate::words::{EquipmentIndex, PointIndex, Refusal, Rule, Value};
use crate::writing::WriteVerb;

pub(super) async fn equipment_list(State(g): State<Gateway>) -> Answer<Vec<EquipmentV1>> {
    let desk = g.snapshot().await?;
    let all = desk.site.equipment.iter().enumerate();
    Ok(Json(all.map(|(i, e)| equipment_row(&g, &desk, EquipmentIndex(i), e)).collect()))
}

fn equipment_row(g: &Gateway, desk: &Snapshot, index: EquipmentIndex, e: &Equipment) -> EquipmentV1 {
    let firmware = desk.detector.firmware(index);
    EquipmentV1 {
        id: e.id.to_string(),
        name: e.name.clone(),
        profile: e.profile.name.to_string(),
        device: format!("{} {}", e.profile.device.vendor, e.profile.device.model),
        link: desk.site.links.get(e.link).map_or_else(String::new, |l| l.name.to_string()),
        unit: e.unit,
        location: e.location.clone(),
        criticality: e.criticality.word().to_owned(),
        state: equipment_status(g, desk, index, e).state,
        tickets: desk.state.tickets.live_of(e.id.as_str()).map(|t| t.number.0).collect(),
        firmware_notes: firmware
            .as_deref()
            .map(|version| desk.site.notes_for(e, version).map(note_row).collect())
            .unwrap_or_default(),
        firmware,
    }
}

pub(super) async fn equipment_show(State(g): State<Gateway>, Path(id): Path<String>) -> Answer<EquipmentV1> {
    let desk = g.snapshot().await?;
    let (index, e) = desk.site.known(&id)?;
    Ok(Json(equipment_row(&g, &desk, index, e)))
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
    let (index, e) = desk.site.known(&id)?;
    let mut points = all_points(&desk, index);
    for point in &e.profile.points {
        if let Some(row) = points.get_mut(point.name.as_str()) {
            row.raw = last_registers(&g, e, point);
        }
    }
    Ok(Json(ReadingsV1 { equipment: id, points }))
}

/// The points that are read when they are asked for: the others report by themselves.
fn asked_for(e: &Equipment) -> Vec<PointIndex> {
    let all = e.profile.points.iter().enumerate();
    all.filter(|(_, p)| e.profile.is_asked_for(p)).map(|(i, _)| PointIndex(i)).collect()
}

/// Has the equipment read, and waits until every point that can be asked for was read, or tried in vain, after the question.
async fn read_now(g: &Gateway, index: EquipmentIndex, e: &Equipment) -> Result<(), Failure> {
    const LOOK_EVERY: Duration = Duration::from_millis(20);
    let points = asked_for(e);
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
        let desk = g.snapshot().await?;
        let tried = |p: &PointIndex| desk.detector.point_state(index, *p, desk.at)?.tried;
        if points.iter().all(|p| tried(p).is_some_and(|at| at.mono >= asked)) {
            break;
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok(())
}

pub(super) async fn write(
    State(g): State<Gateway>,
    Path((equipment, point)): Path<(String, String)>,
    Identity(by): Identity,
    Json(body): Json<WriteV1>,
) -> Answer<WroteV1> {
    let verb = WriteVerb { equipment, point, value: body.value, reason: body.reason };
    let Reply::Wrote(wrote) = g.ask(by, verb).await? else {
        return Err(Refusal::new(Rule::TooBusy, "the write has no answer").into());
    };
    Ok(Json(WroteV1 {
        equipment: wrote.equipment.to_string(),
        point: wrote.point.to_string(),
        value: wrote.value,
        before: wrote.before,
    }))
}

fn all_points(desk: &Snapshot, index: EquipmentIndex) -> BTreeMap<String, PointV1> {
    let Some(e) = desk.site.equipment.get(index.0) else { return BTreeMap::new() };
    let points = e.profile.points.iter().enumerate();
    points
        .filter_map(|(p, point)| Some((point.name.to_string(), point_row(desk, index, PointIndex(p))?)))
        .collect()
}

pub(super) fn point_row(desk: &Snapshot, index: EquipmentIndex, p: PointIndex) -> Option<PointV1> {
    let point = desk.site.equipment.get(index.0)?.profile.points.get(p.0)?;
    let state = desk.detector.point_state(index, p, desk.at)?;
    let code = match &state.value {
        Some(Value::Integer(i)) => Some(*i),
        _ => None,
    };
    Some(PointV1 {
        name: code.and_then(|c| point.value_name(c)).map(str::to_owned),
        bits: code
            .map(|c| point.bits.iter().map(|(n, b)| (n.clone(), c >> b & 1 == 1)).collect())
            .unwrap_or_default(),
        value: state.value.and_then(|v| serde_json::to_value(v).ok()),
        unit: point.unit.to_string(),
        quality: state.quality,
        at: state.at.map(|n| n.wall),
        reason: state.reason.map(|r| r.to_string()),
        raw: Vec::new(),
    })
}
