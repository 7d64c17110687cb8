//! `GET /v1/equipment/{id}/points/{point}/history` and `GET /v1/tickets/{target}/trace`.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;

use super::{Answer, find, own_failure, usage};
use crate::api::v1::{PointHistoryV1, SampleV1, TraceV1};
use crate::api::{Gateway, cut_trace};
use crate::limits;
use crate::recorder::Wanted;
use crate::words::{Refusal, Rule, Wall};

#[derive(Deserialize)]
pub(super) struct HistoryQuery {
    since: Option<Wall>,
    until: Option<Wall>,
}

const HISTORY_DEFAULT: Duration = Duration::from_secs(3600);

pub(super) async fn point_history(
    State(g): State<Gateway>,
    Path((id, name)): Path<(String, String)>,
    Query(q): Query<HistoryQuery>,
) -> Answer<PointHistoryV1> {
    let (_, e) = find(&g, &id)?;
    let Some((_, point)) = e.profile.point(&name) else {
        return Err(Refusal::new(Rule::NoSuchPointOrFault, format!("{id} has no point {name}"))
            .command("see which it has", format!("andon equipment show {id}"))
            .into());
    };
    let unit = point.unit.to_string();
    let until = q.until.unwrap_or_else(|| g.clock.now().wall.after(Duration::from_millis(1)));
    let since = q.since.unwrap_or(until.before(HISTORY_DEFAULT));
    if since >= until {
        return Err(usage(format!("the begin, {since}, is not before the end, {until}")));
    }
    let (recorder, equipment, point) = (g.recorder.clone(), id.clone(), name.clone());
    let read = tokio::task::spawn_blocking(move || {
        recorder.samples(Wanted { equipment: &equipment, point: &point, since, until })
    });
    let samples = read.await.map_err(|e| own_failure(e.to_string()))?;
    let samples = samples.map_err(|e| own_failure(format!("the recorder does not read: {e}")))?;
    if samples.len() > limits::HISTORY_SAMPLES_MAX {
        return Err(usage(format!(
            "{} samples are more than {} at once: ask for a shorter time",
            samples.len(),
            limits::HISTORY_SAMPLES_MAX
        )));
    }
    let samples = samples.into_iter().map(|s| SampleV1(s.at, s.value)).collect();
    Ok(Json(PointHistoryV1 { equipment: id, point: name, unit, since, until, samples }))
}

pub(super) async fn ticket_trace(State(g): State<Gateway>, Path(which): Path<String>) -> Answer<TraceV1> {
    let number = super::tickets::number_of(&g, &which).await?;
    let path = g.traces.join(format!("ticket-{number}.json"));
    let kept = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
    let kept = kept.map_err(|e| own_failure(e.to_string()))?;
    match kept {
        Ok(bytes) => {
            return serde_json::from_slice(&bytes)
                .map(Json)
                .map_err(|e| own_failure(format!("the trace of ticket {number} does not read: {e}")));
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
        Err(e) => return Err(own_failure(e.to_string())),
    }
    // It is cut a while after the ticket was opened; until then, or where that failed, from what is recorded.
    let none = || {
        let text = format!("no readings are kept with ticket {number}");
        Refusal::new(Rule::NoTrace, text).remedy(
            "they are cut two minutes after a ticket is opened, from what the gateway recorded of the fault's points",
        )
    };
    let ticket = g.ticket(number).await?.ok_or_else(none)?;
    let trace = cut_trace(&g, &ticket).await?;
    if trace.series.iter().all(|s| s.samples.is_empty()) {
        return Err(none().into());
    }
    Ok(Json(trace))
}
