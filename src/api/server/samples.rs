//! `GET /v1/equipment/{id}/points/{point}/history` and `GET /v1/tickets/{target}/trace`.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};

use super::{Answer, Period, find, own_failure, usage};
use crate::api::{Gateway, cut_trace};
use crate::limits;
use crate::recorder::Wanted;
use crate::v1::{PointHistoryV1, TraceV1};
use crate::view;
use crate::words::{Refusal, Rule};

const HISTORY_DEFAULT: Duration = Duration::from_secs(3600);

pub(super) async fn point_history(
    State(g): State<Gateway>,
    Path((id, name)): Path<(String, String)>,
    Query(period): Query<Period>,
) -> Answer<PointHistoryV1> {
    let (_, e) = find(&g, &id)?;
    let Some((_, point)) = e.profile.point(&name) else {
        return Err(Refusal::new(Rule::NoSuchPointOrFault, format!("{id} has no point {name}"))
            .command("list its points", format!("andon equipment show {id}"))
            .into());
    };
    let unit = point.unit.to_string();
    let (since, until) = period.of(g.clock.now().wall.after(Duration::from_millis(1)), HISTORY_DEFAULT)?;
    let (recorder, equipment, point) = (g.recorder.clone(), id.clone(), name.clone());
    let read = tokio::task::spawn_blocking(move || {
        recorder.samples(since, until, &[Wanted { equipment: &equipment, point: &point }])
    });
    let samples = read.await.map_err(|e| own_failure(e.to_string()))?;
    let samples = samples.map_err(|e| own_failure(format!("the recorded readings cannot be read: {e}")))?;
    let samples = samples.into_iter().flatten().collect::<Vec<_>>();
    if samples.len() > limits::HISTORY_SAMPLES_MAX {
        return Err(usage(format!(
            "the period has {} readings; at most {} are allowed in one answer: use a shorter period",
            samples.len(),
            limits::HISTORY_SAMPLES_MAX
        )));
    }
    let samples = samples.into_iter().map(view::sample).collect();
    Ok(Json(PointHistoryV1 { equipment: id, point: name, unit, since, until, samples }))
}

pub(super) async fn ticket_trace(State(g): State<Gateway>, Path(which): Path<String>) -> Answer<TraceV1> {
    let number = super::tickets::number_of(&g, &which).await?;
    let path = g.trace_path(number);
    let kept = tokio::task::spawn_blocking(move || std::fs::read(path)).await;
    let kept = match kept.map_err(|e| own_failure(e.to_string()))? {
        Ok(bytes) => {
            let trace = serde_json::from_slice::<TraceV1>(&bytes);
            Some(
                trace
                    .map_err(|e| own_failure(format!("the trace of ticket {number} cannot be read: {e}")))?,
            )
        }
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => None,
        Err(e) => return Err(own_failure(e.to_string())),
    };
    // The trace is written some minutes after the ticket was opened. If there is no file, the recorder gives the readings.
    let none = || {
        let text = format!("no readings are kept with ticket {number}");
        Refusal::new(Rule::NoTrace, text).remedy(
            "andon keeps the recorded readings of the fault's points two minutes after the ticket is opened",
        )
    };
    let trace = match kept {
        Some(trace) => trace,
        None => cut_trace(&g, g.ticket(number).await?.ok_or_else(none)?.as_ref()).await?,
    };
    if trace.is_empty() { Err(none().into()) } else { Ok(Json(trace)) }
}
