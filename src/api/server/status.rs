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
use crate::api::v1::{AlarmV1, EquipmentStatusV1, JournalV1, OutOfServiceV1, ShelvedV1, StatusV1, StoreV1};
use crate::desk::Desk;
use crate::link::LinkState;
use crate::site::Equipment;
use crate::store::StoreHealth;
use crate::words::{EquipmentIndex, Now};

pub(super) async fn status(State(g): State<Gateway>) -> Answer<StatusV1> {
    let found = g.found.clone();
    let (journal, (alarms, shelved, out_of_service), counts, now, lost, damage) = g
        .look(move |desk, now| {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for t in desk.recorded().tickets.live.values().filter(|t| t.state.is_live()) {
                *counts.entry(t.state.word().to_owned()).or_default() += 1;
            }
            let journal = JournalV1 {
                seq: desk.durable_seq(),
                writable: desk.not_writable().is_none(),
                message: desk.not_writable().unwrap_or("").to_owned(),
                changes_dropped: desk.changes_dropped,
                not_recordable: desk.not_recordable,
            };
            let lost: Vec<bool> =
                (0..desk.site().equipment.len()).map(|i| desk.detector.is_lost(EquipmentIndex(i))).collect();
            let mut damage = damage_rows(desk, &found);
            damage.retain(|d| d.accepted_by.is_none());
            (journal, service(desk, now), counts, now, lost, damage)
        })
        .await?;
    let equipment = g
        .site
        .equipment
        .iter()
        .enumerate()
        .map(|(i, e)| {
            let is_out = out_of_service.iter().any(|o| o.equipment == e.id.as_str());
            equipment_status(&g, e, now, lost.get(i) == Some(&true), is_out)
        })
        .collect();
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
        alarms,
        shelved,
        out_of_service,
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
    e: &Equipment,
    now: Now,
    lost: bool,
    is_out: bool,
) -> EquipmentStatusV1 {
    let stats = g.boards.get(e.link).and_then(|b| b.lock().equipment.get(&e.id).cloned());
    let ms = |d: Duration| d.as_secs_f64() * 1000.0;
    let state = match &stats {
        Some(s) if !lost => s.state,
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

fn service(desk: &Desk, now: Now) -> (Vec<AlarmV1>, Vec<ShelvedV1>, Vec<OutOfServiceV1>) {
    (alarm_rows(desk, now), shelved_rows(desk), out_of_service_rows(desk))
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
