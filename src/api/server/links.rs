//! `GET /v1/links` and `/v1/links/{name}/plan`.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};

use super::{Answer, Failure, own_failure};
use crate::api::Gateway;
use crate::api::v1::{LinkV1, PlanRowV1, PlanV1};
use crate::limits;
use crate::link::modbus::{LineTiming, PlannedRequest, plan};
use crate::link::{AnswerKey, EquipmentStats, LinkState};
use crate::profile::LineRequest;
use crate::site::{Equipment, LinkKind};
use crate::words::{Now, Refusal, Rule};

pub(super) async fn links(State(g): State<Gateway>) -> Answer<Vec<LinkV1>> {
    Ok(Json(link_rows(&g, g.clock.now())))
}

pub(super) fn link_rows(g: &Gateway, now: Now) -> Vec<LinkV1> {
    let rows = g.site.links.iter().enumerate().map(|(i, link)| {
        let stats = g.boards.get(i).map(|b| b.lock().clone());
        LinkV1 {
            name: link.name.to_string(),
            kind: link.kind.word().to_owned(),
            place: link.kind.place().to_owned(),
            state: stats.as_ref().map_or(LinkState::Offline, |s| s.state).word().to_owned(),
            since: stats.as_ref().map_or(now.wall, |s| s.since.wall),
            requests: stats.as_ref().map_or(0, |s| s.requests),
            errors: stats.as_ref().map(|s| s.errors.clone()).unwrap_or_default(),
            message: stats.as_ref().map_or_else(|| "no daemon serves it".to_owned(), |s| s.message.clone()),
            line_use: stats.as_ref().map_or(0.0, |s| s.line_use(now)),
        }
    });
    rows.collect()
}

pub(super) async fn link_plan(State(g): State<Gateway>, Path(name): Path<String>) -> Answer<PlanV1> {
    let at = find_link(&g, &name)?;
    Ok(Json(plan_of(&g, at).ok_or_else(|| own_failure("the link is gone".to_owned()))?))
}

pub(super) fn find_link(g: &Gateway, name: &str) -> Result<usize, Failure> {
    g.site.links.iter().position(|l| l.name.as_str() == name).ok_or_else(|| {
        Refusal::new(Rule::NoSuchEquipment, format!("there is no link {name}"))
            .command("see which there are", "andon link list")
            .into()
    })
}

fn plan_of(g: &Gateway, at: usize) -> Option<PlanV1> {
    let link = g.site.links.get(at)?;
    let timing = LineTiming::of(&link.kind);
    let mut rows = Vec::new();
    let mut all = 0.0;
    for e in g.site.equipment.iter().filter(|e| e.link == at) {
        let stats = g.boards.get(at).and_then(|b| b.lock().equipment.get(&e.id).cloned());
        if let LinkKind::Serial(device) = &link.kind {
            for r in &e.profile.serial.requests {
                let last = stats.as_ref().and_then(|s| s.last.get(&AnswerKey::Named(r.name.clone())));
                let row = line_row(e, r, last.map(|l| l.took), device.character_time(&e.profile));
                all += row.takes_ms / (r.every.as_secs_f64() * 1000.0).max(1.0);
                rows.push(row);
            }
            continue;
        }
        let requests = plan(&e.profile, timing);
        rows.extend(requests.iter().map(|r| {
            let measured = stats.as_ref().and_then(|s| measured(s, r, timing));
            let takes = measured.unwrap_or_else(|| timing.transaction(r.area, r.count));
            all += takes.as_secs_f64() / r.every.as_secs_f64().max(1e-3);
            PlanRowV1 {
                equipment: e.id.to_string(),
                request: None,
                unit: e.unit,
                area: r.area.word().to_owned(),
                start: r.start,
                count: r.count,
                used: (0..r.count)
                    .filter(|i| {
                        r.points
                            .iter()
                            .any(|p| (p.offset..p.offset + p.width).contains(i) || p.factor == Some(*i))
                    })
                    .count(),
                every_ms: u64::try_from(r.every.as_millis()).unwrap_or(u64::MAX),
                takes_ms: takes.as_secs_f64() * 1000.0,
                measured: measured.is_some(),
                points: r
                    .points
                    .iter()
                    .filter_map(|p| e.profile.points.get(p.point.0))
                    .map(|p| p.name.to_string())
                    .collect(),
            }
        }));
    }
    Some(PlanV1 {
        link: link.name.to_string(),
        kind: link.kind.word().to_owned(),
        load: all,
        carries: all <= 1.0,
        requests: rows,
    })
}

/// A request of a device with a line protocol of its own. Where no answer has come yet, the time is that of what is sent
/// and a turnaround.
fn line_row(e: &Equipment, r: &LineRequest, took: Option<Duration>, character: Duration) -> PlanRowV1 {
    let sent = u32::try_from(r.send.len()).unwrap_or(u32::MAX);
    let takes = took.unwrap_or(character * sent + limits::TURNAROUND_ASSUMED);
    let points = e.profile.points.iter().filter(|p| p.place.source() == Some(r.name.as_str()));
    PlanRowV1 {
        equipment: e.id.to_string(),
        request: Some(r.name.clone()),
        unit: 0,
        area: String::new(),
        start: 0,
        count: 0,
        used: 0,
        every_ms: u64::try_from(r.every.as_millis()).unwrap_or(u64::MAX),
        takes_ms: takes.as_secs_f64() * 1000.0,
        measured: took.is_some(),
        points: points.map(|p| p.name.to_string()).collect(),
    }
}

/// How long a request takes, as far as the daemon has seen that: on a network the middle of the equipment's last answer
/// times, on a serial line the request's own last one and the silences around it.
fn measured(stats: &EquipmentStats, r: &PlannedRequest, timing: LineTiming) -> Option<Duration> {
    match timing {
        LineTiming::Tcp => stats.answer_time(0.5),
        LineTiming::Serial { .. } => {
            let last = stats.last.get(&AnswerKey::Read(r.area.word(), r.start))?;
            Some(last.took.max(timing.characters(r.area, r.count)) + timing.gap())
        }
    }
}
