//! `GET /v1/why/{equipment}/{name}`: where a value comes from, why a fault is or is not raised.

use axum::Json;
use axum::extract::{Path, State};

use super::equipment::point_row;
use super::{Answer, Failure, own_failure};
use crate::api::Gateway;
use crate::api::v1::WhyV1;
use crate::desk::Snapshot;
use crate::link::{AnswerKey, LastAnswer};
use crate::profile::{DataType, Place, Point, fits, raw_unsigned};
use crate::site::Equipment;
use crate::words::{EquipmentIndex, Now, PointIndex, Quality, Refusal, Rule, render_duration};

pub(super) async fn why(State(g): State<Gateway>, Path((id, name)): Path<(String, String)>) -> Answer<WhyV1> {
    let desk = g.snapshot().await?;
    let (index, e) = desk.site.known(&id)?;
    let bare = name.split('.').next().unwrap_or("").to_owned();
    if let Some((p, _)) = e.profile.point(&bare) {
        return Ok(Json(why_point(&g, &desk, index, e, p, name)?));
    }
    let Some(at) = e.profile.faults.iter().position(|f| f.name.as_str() == name) else {
        let known: Vec<&str> = e
            .profile
            .points
            .iter()
            .map(|p| p.name.as_str())
            .chain(e.profile.faults.iter().map(|f| f.name.as_str()))
            .collect();
        let near = crate::source::nearest(&name, known.iter().copied());
        let refusal =
            Refusal::new(Rule::NoSuchPointOrFault, format!("{id} has neither a point nor a fault {name}"));
        return Err(match near {
            Some(near) => refusal.command("did you mean", format!("andon why {id} {near}")),
            None => refusal.command("see what it has", format!("andon profile show {}", e.profile.name)),
        }
        .into());
    };
    why_fault(&desk, index, e, at, name).map(Json)
}

fn why_point(
    g: &Gateway,
    desk: &Snapshot,
    index: EquipmentIndex,
    e: &Equipment,
    p: PointIndex,
    name: String,
) -> Result<WhyV1, Failure> {
    let state = desk.detector.point_state(index, p, desk.at);
    let (age, is_retained) = state.map_or((None, false), |s| (s.age, s.is_retained));
    let row = point_row(desk, index, p);
    let now = desk.at;
    let Some(point) = e.profile.points.get(p.0) else {
        return Err(own_failure("the point is gone".to_owned()));
    };
    let mut lines = Vec::new();
    if let Some(row) = &row {
        let value = row.value.as_ref().map_or_else(
            || "never read".to_owned(),
            |v| format!("{} {}", plain(v), row.unit).trim_end().to_owned(),
        );
        let named = row.name.as_ref().map_or(String::new(), |n| format!(" ({n})"));
        lines.push(format!("{name} is {value}{named}, quality {}", row.quality));
        if let Some(reason) = &row.reason {
            lines.push(match row.quality {
                Quality::Uncertain => {
                    format!(
                        "no newer reading because {reason}; faults are judged by this value until it is stale"
                    )
                }
                Quality::Good | Quality::Bad => format!("bad because {reason}"),
            });
        }
        if let Some(age) = age {
            let limit = point.stale_after.map_or_else(
                || "it is never stale".to_owned(),
                |limit| format!("it is stale after {}", render_duration(limit)),
            );
            lines.push(format!("its last good reading is {} old; {limit}", render_duration(age)));
            if is_retained {
                lines.push(
                    "the broker had retained it: it is older than that, and nobody knows how old".to_owned(),
                );
            }
        }
    }
    let answer = last_answer(g, e, point);
    let mut registers = Vec::new();
    match (&answer, point.register()) {
        (Some(a), Some(register)) => {
            let raw = registers_of(a, point);
            registers = raw.iter().map(|w| format!("{w:04X}")).collect();
            lines.push(came_with(a, now));
            let bits = if matches!(point.kind, DataType::Text { .. }) {
                String::new()
            } else {
                format!(" = {}", raw_unsigned(raw, point.word_order, point.byte_order))
            };
            lines.push(format!("{register} holds {}{bits}", registers.join(" ")));
            lines.push(format!("read as {}{}", point.kind.word(), scaling(e, point)));
        }
        (Some(a), None) => {
            lines.push(came_with(a, now));
            lines.push(format!("it brought: {}", a.text));
            lines.push(format!("{} read as {}{}", point.place, point.kind.word(), scaling(e, point)));
        }
        (None, _) => lines.push(format!("nothing has brought {} yet", point.place)),
    }
    Ok(WhyV1 {
        equipment: e.id.to_string(),
        name,
        lines,
        point: row,
        request: answer.map(|a| a.request),
        registers,
        active: None,
    })
}

fn came_with(a: &LastAnswer, now: Now) -> String {
    let took = if a.took.is_zero() {
        String::new()
    } else {
        format!(", answered in {:.1} ms", a.took.as_secs_f64() * 1000.0)
    };
    format!("it came with: {}, {} ago{took}", a.request, render_duration(now.mono.since(a.at.mono)))
}

/// The registers that brought a point last; none where nothing has, or it is no Modbus point.
pub(super) fn last_registers(g: &Gateway, e: &Equipment, point: &Point) -> Vec<u16> {
    last_answer(g, e, point).map_or_else(Vec::new, |a| registers_of(&a, point).to_vec())
}

/// A point's own registers in an answer that brought it.
fn registers_of<'a>(answer: &'a LastAnswer, point: &Point) -> &'a [u16] {
    let first = point.register().and_then(|r| r.number.checked_sub(answer.start)).map(usize::from);
    first.and_then(|first| answer.words.get(first..first + usize::from(point.width()))).unwrap_or(&[])
}

/// The last answer or message that could have brought a point.
fn last_answer(g: &Gateway, e: &Equipment, point: &Point) -> Option<LastAnswer> {
    let board = g.boards.get(e.link)?;
    let stats = board.lock();
    let last = &stats.equipment.get(&e.id)?.last;
    let brings = |key: &AnswerKey, a: &LastAnswer| match (key, &point.place) {
        (AnswerKey::Read(area, _), Place::Register(register)) => {
            *area == register.area.word()
                && a.start <= register.number
                && usize::from(register.number - a.start) < a.words.len()
        }
        (AnswerKey::Named(name), Place::Capture { source, .. } | Place::Bytes { source, .. }) => {
            name == source
        }
        (AnswerKey::Named(name), Place::Topic { filter, .. }) => fits(name, &e.topic_of(filter)),
        (AnswerKey::Named(name), Place::Metric(metric)) => name == metric,
        _ => false,
    };
    last.iter().filter(|(key, a)| brings(key, a)).max_by_key(|(_, a)| a.at.mono).map(|(_, a)| a.clone())
}

#[expect(clippy::float_cmp, reason = "the defaults are exact")]
fn scaling(e: &Equipment, point: &Point) -> String {
    let mut text = String::new();
    if let Some(factor) = point.scale_from.and_then(|f| e.profile.points.get(f)) {
        text.push_str(&format!(", times ten to the power of {}", factor.name));
    }
    if point.scale != 1.0 {
        text.push_str(&format!(", times {}", point.scale));
    }
    if point.offset != 0.0 {
        text.push_str(&format!(", plus {}", point.offset));
    }
    text
}

fn why_fault(
    desk: &Snapshot,
    index: EquipmentIndex,
    e: &Equipment,
    at: usize,
    name: String,
) -> Result<WhyV1, Failure> {
    let fault = e.profile.faults.get(at);
    let ticket = fault.and_then(|f| desk.state.tickets.of_fault(&e.id, &f.name));
    let Some(x) = desk.detector.explain(index, at, desk.at) else {
        return Err(own_failure("the fault is gone".to_owned()));
    };
    let mut lines = vec![format!("{name} is {}", if x.active { "raised" } else { "not raised" })];
    if let Some((text, truth)) = &x.when {
        lines.push(format!("raised when {text}: {}", truth.word()));
    }
    if let Some((text, truth)) = &x.clear {
        lines.push(format!("cleared when {text}: {}", truth.word()));
    }
    if let Some((text, truth)) = &x.unless {
        lines.push(format!("suppressed by design while {text}: {}", truth.word()));
    }
    for o in &x.operands {
        lines.push(format!("  {} is {}, quality {}", o.name, o.value, o.quality));
    }
    for (text, value) in &x.recalled {
        lines.push(format!("  {text} is {value}"));
    }
    if let Some((delay, left)) = x.pending {
        let what = if x.active { "cleared" } else { "raised" };
        lines.push(format!(
            "{what} in {} of its delay of {}, if it stays so",
            render_duration(left),
            render_duration(delay)
        ));
    }
    if let Some((since, limit)) = x.silence {
        let last = since.map_or_else(
            || "there was no good answer yet".to_owned(),
            |s| format!("the last good answer is {} old", render_duration(s)),
        );
        let limit = limit.map_or_else(
            || "silence alone does not make it lost".to_owned(),
            |limit| format!("lost after {}", render_duration(limit)),
        );
        lines.push(format!("{last}; {limit}"));
    }
    if let Some(ticket) = ticket {
        lines.push(format!("ticket {} is {}", ticket.number, ticket.state.word()));
    }
    Ok(WhyV1 {
        equipment: e.id.to_string(),
        name,
        lines,
        point: None,
        request: None,
        registers: Vec::new(),
        active: Some(x.active),
    })
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
