//! Equipment: its configuration, its state, and the last readings of its points.

use std::time::Duration;

use super::firmware::note;
use super::why::last_registers;
use super::{Boards, stats_of};
use crate::desk::Snapshot;
use crate::link::{EquipmentStats, LinkState};
use crate::site::Equipment;
use crate::v1::{EquipmentStatusV1, EquipmentV1, PointV1, ReadingsV1};
use crate::words::{EquipmentIndex, PointIndex, Refusal, Value};

/// Returns all equipment.
#[must_use]
pub fn equipment_list(desk: &Snapshot, boards: &Boards) -> Vec<EquipmentV1> {
    let all = desk.site.equipment.iter().enumerate();
    all.map(|(i, e)| row(desk, stats_of(boards, &desk.site, e), EquipmentIndex(i), e)).collect()
}

/// Returns one piece of equipment. `stats` are the statistics that its link has; `None` if no daemon is running.
///
/// # Errors
/// If the equipment is not configured.
pub fn equipment(desk: &Snapshot, stats: Option<&EquipmentStats>, id: &str) -> Result<EquipmentV1, Refusal> {
    let (index, e) = desk.site.known(id)?;
    Ok(row(desk, stats, index, e))
}

fn row(desk: &Snapshot, stats: Option<&EquipmentStats>, index: EquipmentIndex, e: &Equipment) -> EquipmentV1 {
    let site = &desk.site;
    let firmware = desk.detector.firmware(index);
    let known = |version: &str| site.notes_for(e, version).map(note).collect();
    EquipmentV1 {
        id: e.id.to_string(),
        name: e.name.clone(),
        profile: e.profile.name.to_string(),
        device: format!("{} {}", e.profile.device.vendor, e.profile.device.model),
        link: site.links.get(e.link).map_or_else(String::new, |l| l.name.to_string()),
        unit: e.unit,
        location: e.location.clone(),
        criticality: e.criticality.word().to_owned(),
        state: state_word(desk, stats, index, e).to_owned(),
        tickets: desk.state.tickets.live_of(e.id.as_str()).map(|t| t.number.0).collect(),
        firmware_notes: firmware.as_deref().map(known).unwrap_or_default(),
        firmware,
    }
}

/// Returns the state of all equipment.
pub(super) fn equipment_states(desk: &Snapshot, boards: &Boards) -> Vec<EquipmentStatusV1> {
    let all = desk.site.equipment.iter().enumerate();
    all.map(|(i, e)| state(desk, stats_of(boards, &desk.site, e), EquipmentIndex(i), e)).collect()
}

fn state(
    desk: &Snapshot,
    stats: Option<&EquipmentStats>,
    index: EquipmentIndex,
    e: &Equipment,
) -> EquipmentStatusV1 {
    let ms = |d: Duration| d.as_secs_f64() * 1000.0;
    EquipmentStatusV1 {
        id: e.id.to_string(),
        name: e.name.clone(),
        state: state_word(desk, stats, index, e).to_owned(),
        since: stats.map_or(desk.at.wall, |s| s.since.wall),
        requests: stats.map_or(0, |s| s.requests),
        errors: stats.map(|s| s.errors.clone()).unwrap_or_default(),
        message: stats.map_or_else(|| "daemon stopped: not read".to_owned(), |s| s.message.clone()),
        answer_ms_p50: stats.and_then(|s| s.answer_time(0.5)).map(ms),
        answer_ms_p99: stats.and_then(|s| s.answer_time(0.99)).map(ms),
        missed: stats.map_or(0, |s| s.missed),
    }
}

fn state_word(
    desk: &Snapshot,
    stats: Option<&EquipmentStats>,
    index: EquipmentIndex,
    e: &Equipment,
) -> &'static str {
    match stats {
        _ if desk.state.service.out.contains_key(&e.id) => "out-of-service",
        Some(s) if !desk.detector.is_lost(index) => s.state.word(),
        _ => LinkState::Offline.word(),
    }
}

/// Returns the last readings of all points of a piece of equipment. `stats` is as for [`equipment`].
///
/// # Errors
/// If the equipment is not configured.
pub fn readings(desk: &Snapshot, stats: Option<&EquipmentStats>, id: &str) -> Result<ReadingsV1, Refusal> {
    let (index, e) = desk.site.known(id)?;
    let points = e.profile.points.iter().enumerate().filter_map(|(p, point)| {
        let raw = stats.map(|s| last_registers(s, e, point)).unwrap_or_default();
        let read = point_of(desk, index, PointIndex(p))?;
        Some((point.name.to_string(), PointV1 { raw, ..read }))
    });
    Ok(ReadingsV1 { equipment: id.to_owned(), points: points.collect() })
}

/// Returns the last reading of a point, without the registers.
pub(super) fn point_of(desk: &Snapshot, index: EquipmentIndex, p: PointIndex) -> Option<PointV1> {
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
