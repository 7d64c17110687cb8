//! The state of the links, and their planned requests.

use std::time::Duration;

use super::Boards;
use crate::limits;
use crate::link::modbus::{self, LineTiming, PlannedRequest};
use crate::link::{AnswerKey, EquipmentStats, LinkState, LinkStats};
use crate::profile::LineRequest;
use crate::site::{Equipment, LinkKind, Site};
use crate::v1::{LinkV1, PlanRowV1, PlanV1};
use crate::words::Now;

/// Returns the state of all links.
#[must_use]
pub fn links(site: &Site, boards: &Boards, now: Now) -> Vec<LinkV1> {
    let rows = site.links.iter().map(|link| {
        let stats = boards.get(&link.name);
        LinkV1 {
            name: link.name.to_string(),
            kind: link.kind.word().to_owned(),
            place: link.kind.place().to_owned(),
            state: stats.map_or(LinkState::Offline, |s| s.state).word().to_owned(),
            since: stats.map_or(now.wall, |s| s.since.wall),
            requests: stats.map_or(0, |s| s.requests),
            errors: stats.map(|s| s.errors.clone()).unwrap_or_default(),
            message: stats.map_or_else(|| "daemon stopped: not open".to_owned(), |s| s.message.clone()),
            line_use: stats.map_or(0.0, |s| s.line_use(now)),
        }
    });
    rows.collect()
}

/// Returns the planned requests of a link and its load. `at` is the position of the link in the site. `board` is `None`
/// if no daemon is running: then all times are calculated.
#[must_use]
pub fn plan(site: &Site, at: usize, board: Option<&LinkStats>) -> Option<PlanV1> {
    let link = site.links.get(at)?;
    let timing = LineTiming::of(&link.kind);
    let mut rows = Vec::new();
    let mut all = 0.0;
    for e in site.equipment.iter().filter(|e| e.link == at) {
        let stats = board.and_then(|b| b.equipment.get(&e.id));
        if let LinkKind::Serial(device) = &link.kind {
            for r in &e.profile.serial.requests {
                let last = stats.and_then(|s| s.last.get(&AnswerKey::Named(r.name.clone())));
                let row = line_row(e, r, last.map(|l| l.took), device.character_time(&e.profile));
                all += row.takes_ms / (r.every.as_secs_f64() * 1000.0).max(1.0);
                rows.push(row);
            }
            continue;
        }
        let requests = modbus::plan(&e.profile, timing);
        rows.extend(requests.iter().map(|r| {
            let measured = stats.and_then(|s| measured(s, r, timing));
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

/// The row of a request to a device with its own serial protocol. If no response was measured, the time is that of the
/// bytes that are sent, and an assumed turnaround.
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

/// Returns the measured time of a request; `None` before the first response. On a network this is the median of the
/// equipment's last response times. On a serial line it is the last time of this request, and the silences around it.
fn measured(stats: &EquipmentStats, r: &PlannedRequest, timing: LineTiming) -> Option<Duration> {
    match timing {
        LineTiming::Tcp => stats.answer_time(0.5),
        LineTiming::Serial { .. } => {
            let last = stats.last.get(&AnswerKey::Read(r.area.word(), r.start))?;
            Some(last.took.max(timing.characters(r.area, r.count)) + timing.gap())
        }
    }
}
