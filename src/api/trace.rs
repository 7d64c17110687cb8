//! The readings around a ticket's onset, cut from what is recorded.

use std::time::Duration;

use super::gateway::Gateway;
use super::v1::{SampleV1, TraceSeriesV1, TraceV1};
use crate::expr::{Operand, Program};
use crate::profile::Fault;
use crate::recorder::Wanted;
use crate::site::Equipment;
use crate::ticket::Ticket;
use crate::words::{Refusal, Rule};

/// Cuts the trace of a ticket: its fault's points and those that its profile names beside them.
///
/// # Errors
/// When the recorder does not read.
pub async fn cut_trace(g: &Gateway, ticket: &Ticket) -> Result<TraceV1, Refusal> {
    let found = g.site.find(ticket.equipment.as_str());
    let fault = found.and_then(|(_, e)| e.profile.fault(ticket.fault.as_str()));
    let (before, after) = fault.map_or((Duration::ZERO, Duration::ZERO), |f| (f.trace.before, f.trace.after));
    let mut trace = TraceV1 {
        ticket: ticket.number.0,
        equipment: ticket.equipment.to_string(),
        fault: ticket.fault.to_string(),
        onset: ticket.onset,
        from: ticket.onset.before(before),
        until: ticket.onset.after(after),
        series: Vec::new(),
    };
    let (Some((_, on)), Some(fault)) = (found, fault) else { return Ok(trace) };
    let wanted = points(g, on, fault);
    let (recorder, from, until) =
        (g.recorder.clone(), trace.from, trace.until.after(Duration::from_millis(1)));
    let read = tokio::task::spawn_blocking(move || {
        let of: Vec<Wanted<'_>> =
            wanted.iter().map(|p| Wanted { equipment: &p.equipment, point: &p.point }).collect();
        let found = recorder.samples(from, until, &of)?;
        let series = wanted.into_iter().zip(found).map(|(p, samples)| TraceSeriesV1 {
            point: p.name,
            unit: p.unit,
            limits: p.limits,
            samples: samples.into_iter().map(SampleV1::from).collect(),
        });
        Ok::<_, std::io::Error>(series.collect::<Vec<_>>())
    });
    let failed = |e: String| Refusal::new(Rule::TooBusy, format!("the recorder does not read: {e}"));
    trace.series = read.await.map_err(|e| failed(e.to_string()))?.map_err(|e| failed(e.to_string()))?;
    Ok(trace)
}

fn limits(program: &Program, equipment: Option<&str>, point: &str) -> Vec<f64> {
    program.thresholds_of(equipment, point).iter().map(|t| t.limit).collect()
}

struct Traced {
    equipment: String,
    point: String,
    name: String,
    unit: String,
    limits: Vec<f64>,
}

/// The points of a fault's conditions, those it watches, those its profile names; each once.
fn points(g: &Gateway, on: &Equipment, fault: &Fault) -> Vec<Traced> {
    let mut all: Vec<Traced> = Vec::new();
    let mut add = |equipment: Option<&str>, point: &str, limits: Vec<f64>| {
        let of = equipment.map_or(Some(on), |id| g.site.find(id).map(|(_, e)| e));
        let Some((of, (_, found))) = of.and_then(|e| Some((e, e.profile.point(point)?))) else { return };
        let name = if of.id == on.id { point.to_owned() } else { format!("@{}:{point}", of.id) };
        match all.iter_mut().find(|t| t.name == name) {
            Some(known) => known.limits.extend(limits),
            None => all.push(Traced {
                equipment: of.id.to_string(),
                point: point.to_owned(),
                name,
                unit: found.unit.to_string(),
                limits,
            }),
        }
    };
    for program in fault.conditions() {
        for Operand { equipment, point, .. } in &program.operands {
            add(equipment.as_deref(), point, limits(program, equipment.as_deref(), point));
        }
    }
    for point in fault.watched().iter().filter_map(|p| on.profile.points.get(p.0)) {
        add(None, point.name.as_str(), Vec::new());
    }
    for name in &fault.trace.points {
        add(None, name, Vec::new());
    }
    for t in &mut all {
        t.limits.sort_by(f64::total_cmp);
        t.limits.dedup();
    }
    all
}
