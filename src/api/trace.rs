//! Traces: the recorded readings around the onset of a ticket. One read of the recorder serves any number of tickets.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use super::gateway::Gateway;
use crate::expr::{Operand, Program};
use crate::profile::Fault;
use crate::recorder::{Recorder, Sample};
use crate::site::{Equipment, Site};
use crate::ticket::Ticket;
use crate::v1::{TraceSeriesV1, TraceV1};
use crate::view;
use crate::words::{EquipmentId, FaultName, Refusal, Rule, TicketNumber, Wall};

/// The ticket of a trace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceOf {
    /// The number of the ticket.
    pub number: TicketNumber,
    /// The equipment of the ticket.
    pub equipment: EquipmentId,
    /// The fault of the ticket.
    pub fault: FaultName,
    /// The time when the condition became true, before the delay.
    pub onset: Wall,
}

impl From<&Ticket> for TraceOf {
    fn from(ticket: &Ticket) -> Self {
        Self {
            number: ticket.number,
            equipment: ticket.equipment.clone(),
            fault: ticket.fault.clone(),
            onset: ticket.onset,
        }
    }
}

impl TraceOf {
    /// Returns the equipment and the fault in its profile; `None` if the site no longer has them.
    #[must_use]
    pub fn found<'a>(&self, site: &'a Site) -> Option<(&'a Equipment, &'a Fault)> {
        let (_, e) = site.find(self.equipment.as_str())?;
        Some((e, e.profile.fault(self.fault.as_str())?))
    }

    fn span(&self, fault: Option<&Fault>) -> (Wall, Wall) {
        let (before, after) =
            fault.map_or((Duration::ZERO, Duration::ZERO), |f| (f.trace.before, f.trace.after));
        (self.onset.before(before), self.onset.after(after))
    }
}

/// Returns the trace of a ticket: the readings of its fault's points, and of the points that the profile adds to the trace.
///
/// # Errors
/// If the recorded readings cannot be read.
pub async fn cut_trace(g: &Gateway, ticket: &Ticket) -> Result<TraceV1, Refusal> {
    let of = TraceOf::from(ticket);
    let (site, recorder) = (g.site.clone(), g.recorder.clone());
    let read = tokio::task::spawn_blocking(move || {
        let cut = Cut::read(&site, &recorder, [&of])?;
        Ok::<_, io::Error>(cut.trace(&site, &of))
    });
    let failed =
        |e: String| Refusal::new(Rule::TooBusy, format!("the recorded readings cannot be read: {e}"));
    read.await.map_err(|e| failed(e.to_string()))?.map_err(|e| failed(e.to_string()))
}

/// The period in which a point is wanted, and the samples found.
type Wanted = (Wall, Wall, Vec<Sample>);

/// The samples for the traces of several tickets, by equipment and point.
#[derive(Debug, Default)]
pub struct Cut(BTreeMap<String, BTreeMap<String, Wanted>>);

impl Cut {
    /// Reads the samples for the traces of these tickets, in one pass over the recorded readings.
    ///
    /// # Errors
    /// If the operating system reports an error.
    pub fn read<'a>(
        site: &Site,
        recorder: &Recorder,
        of: impl IntoIterator<Item = &'a TraceOf>,
    ) -> io::Result<Self> {
        let mut cut = Self::default();
        let mut all: Option<(Wall, Wall)> = None;
        for of in of {
            let Some((on, fault)) = of.found(site) else { continue };
            let (from, until) = of.span(Some(fault));
            let until = until.after(Duration::from_millis(1));
            all = Some(all.map_or((from, until), |(a, b)| (a.min(from), b.max(until))));
            for point in points(site, on, fault) {
                let wanted = cut.0.entry(point.equipment).or_default().entry(point.point);
                let (a, b, _) = wanted.or_insert((from, until, Vec::new()));
                (*a, *b) = ((*a).min(from), (*b).max(until));
            }
        }
        let Some((from, until)) = all else { return Ok(cut) };
        let mut found = std::mem::take(&mut cut.0);
        let names: BTreeMap<String, Vec<String>> =
            found.iter().map(|(e, points)| (e.clone(), points.keys().cloned().collect())).collect();
        let is_wanted = |equipment: &str, point: &str| {
            let points = names.get(equipment);
            points.is_some_and(|p| p.binary_search_by(|name| name.as_str().cmp(point)).is_ok())
        };
        recorder.each(from, until, &is_wanted, &mut |equipment, point, sample| {
            if let Some((from, until, samples)) = found.get_mut(equipment).and_then(|p| p.get_mut(point))
                && (*from..*until).contains(&sample.at)
            {
                samples.push(sample);
            }
        })?;
        for (_, _, samples) in found.values_mut().flat_map(BTreeMap::values_mut) {
            Sample::in_order(samples);
        }
        cut.0 = found;
        Ok(cut)
    }

    /// Returns the trace of one of these tickets.
    #[must_use]
    pub fn trace(&self, site: &Site, of: &TraceOf) -> TraceV1 {
        let found = of.found(site);
        let (from, until) = of.span(found.map(|(_, fault)| fault));
        let end = until.after(Duration::from_millis(1));
        let samples = |p: &Traced| {
            let all = self.0.get(&p.equipment).and_then(|points| points.get(&p.point));
            let within = all.into_iter().flat_map(|(_, _, all)| all).filter(|s| (from..end).contains(&s.at));
            within.copied().map(view::sample).collect()
        };
        let wanted = found.map(|(on, fault)| points(site, on, fault)).unwrap_or_default();
        let series = wanted.into_iter().map(|p| TraceSeriesV1 {
            samples: samples(&p),
            point: p.name,
            unit: p.unit,
            limits: p.limits,
        });
        TraceV1 {
            ticket: of.number.0,
            equipment: of.equipment.to_string(),
            fault: of.fault.to_string(),
            onset: of.onset,
            from,
            until,
            series: series.collect(),
        }
    }
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

/// Returns each point of a trace once: the points of the fault's conditions, of its baseline, and of `trace` in the profile.
fn points(site: &Site, on: &Equipment, fault: &Fault) -> Vec<Traced> {
    let mut all: Vec<Traced> = Vec::new();
    let mut add = |equipment: Option<&str>, point: &str, limits: Vec<f64>| {
        let of = equipment.map_or(Some(on), |id| site.find(id).map(|(_, e)| e));
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
