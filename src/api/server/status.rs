//! `GET /v1/status`.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::State;

use super::Answer;
use super::alarms::{alarm_rows, out_of_service_rows, shelved_rows};
use super::audit::damage_rows;
use super::links::link_rows;
use crate::api::Gateway;
use crate::api::v1::{EquipmentStatusV1, JournalV1, StatusV1, StoreV1};
use crate::desk::Snapshot;
use crate::link::LinkState;
use crate::site::Equipment;
use crate::store::StoreHealth;
use crate::words::EquipmentIndex;

pub(super) async fn status(State(g): State<Gateway>) -> Answer<StatusV1> {
    let desk = g.snapshot().await?;
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for t in desk.state.tickets.live.values().filter(|t| t.state.is_live()) {
        *counts.entry(t.state.word().to_owned()).or_default() += 1;
    }
    let journal = JournalV1 {
        seq: desk.state.seq,
        writable: desk.not_writable.is_none(),
        message: desk.not_writable.clone().unwrap_or_default(),
        changes_dropped: desk.changes_dropped,
        not_recordable: desk.not_recordable,
    };
    let mut damage = damage_rows(&desk, &g.found);
    damage.retain(|d| d.accepted_by.is_none());
    let equipment = desk.site.equipment.iter().enumerate();
    let equipment = equipment.map(|(i, e)| equipment_status(&g, &desk, EquipmentIndex(i), e)).collect();
    let now = desk.at;
    Ok(Json(StatusV1 {
        gateway: g.site.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        daemon: g.daemon,
        now: now.wall,
        journal,
        store: store_row(&g),
        damage,
        recorder_message: recorder_message(&g),
        links: link_rows(&g, now),
        equipment,
        alarms: alarm_rows(&desk),
        shelved: shelved_rows(&desk),
        out_of_service: out_of_service_rows(&desk),
        tickets: counts,
    }))
}

fn store_row(g: &Gateway) -> StoreV1 {
    let seq = *g.store.applied().borrow();
    let behind = g.feed.end_seq().0.saturating_sub(seq.0);
    let (state, message) = match g.store.health() {
        StoreHealth::Ready if behind == 0 => ("ready", String::new()),
        StoreHealth::Ready => ("behind", String::new()),
        StoreHealth::Rebuilding(how) => ("rebuilding", how),
        StoreHealth::WaitsForRoom(why) => ("waits-for-room", why),
        StoreHealth::Away(why) => ("away", why),
    };
    StoreV1 { state: state.to_owned(), seq, behind, message }
}

pub(super) fn equipment_status(
    g: &Gateway,
    desk: &Snapshot,
    index: EquipmentIndex,
    e: &Equipment,
) -> EquipmentStatusV1 {
    let is_out = desk.state.service.out.contains_key(&e.id);
    let now = desk.at;
    let stats = g.boards.get(e.link).and_then(|b| b.lock().equipment.get(&e.id).cloned());
    let ms = |d: Duration| d.as_secs_f64() * 1000.0;
    let state = match &stats {
        Some(s) if !desk.detector.is_lost(index) => s.state,
        _ => LinkState::Offline,
    };
    EquipmentStatusV1 {
        id: e.id.to_string(),
        name: e.name.clone(),
        state: if is_out { "out-of-service" } else { state.word() }.to_owned(),
        since: stats.as_ref().map_or(now.wall, |s| s.since.wall),
        requests: stats.as_ref().map_or(0, |s| s.requests),
        errors: stats.as_ref().map(|s| s.errors.clone()).unwrap_or_default(),
        message: stats.as_ref().map_or_else(|| "daemon stopped: not read".to_owned(), |s| s.message.clone()),
        answer_ms_p50: stats.as_ref().and_then(|s| s.answer_time(0.5)).map(ms),
        answer_ms_p99: stats.as_ref().and_then(|s| s.answer_time(0.99)).map(ms),
        missed: stats.as_ref().map_or(0, |s| s.missed),
    }
}

fn recorder_message(g: &Gateway) -> String {
    match g.recorder.trouble() {
        (None, 0) => String::new(),
        (None, dropped) => {
            format!("{dropped} readings were not recorded so far: the disk was too slow or away")
        }
        (Some(why), dropped) => format!("readings are not recorded ({dropped} so far): {why}"),
    }
}
