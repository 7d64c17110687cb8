//! The explanation of a value or of a fault: where the value comes from, and why the fault is raised or not.

use std::time::Duration;

use super::equipment::point_of;
use crate::desk::Snapshot;
use crate::link::{AnswerKey, EquipmentStats, LastAnswer};
use crate::profile::{DataType, Place, Point, fits, raw_unsigned};
use crate::site::Equipment;
use crate::source::suggest;
use crate::v1::{PointV1, WhyV1};
use crate::words::{EquipmentIndex, Now, PointIndex, Quality, Refusal, Rule, render_duration};

/// Explains a point or a fault. `stats` are the statistics that the link of the equipment has; `None` if no daemon is
/// running.
///
/// # Errors
/// If the equipment is not configured, or has neither a point nor a fault with this name.
pub fn why(desk: &Snapshot, stats: Option<&EquipmentStats>, id: &str, name: &str) -> Result<WhyV1, Refusal> {
    let (index, e) = desk.site.known(id)?;
    let bare = name.split('.').next().unwrap_or("");
    if let Some((at, point)) = e.profile.point(bare) {
        return Ok(why_point(desk, stats, (index, e), (at, point), name));
    }
    let fault = e.profile.faults.iter().position(|f| f.name.as_str() == name);
    fault.and_then(|at| why_fault(desk, index, at, name)).ok_or_else(|| neither(e, name))
}

fn neither(e: &Equipment, name: &str) -> Refusal {
    let text = format!("{} has no point and no fault with the name {name}", e.id);
    let refusal = Refusal::new(Rule::NoSuchPointOrFault, text);
    let points = e.profile.points.iter().map(|p| p.name.as_str());
    match suggest(name, points.chain(e.profile.faults.iter().map(|f| f.name.as_str()))).name {
        Some(near) => refusal.command("did you mean", format!("andon why {} {near}", e.id)),
        None => {
            refusal.command("list its points and faults", format!("andon profile show {}", e.profile.name))
        }
    }
}

fn why_point(
    desk: &Snapshot,
    stats: Option<&EquipmentStats>,
    (index, e): (EquipmentIndex, &Equipment),
    (at, point): (PointIndex, &Point),
    name: &str,
) -> WhyV1 {
    let row = point_of(desk, index, at);
    let mut lines = row.as_ref().map_or_else(Vec::new, |row| value_lines(row, name));
    let state = desk.detector.point_state(index, at, desk.at);
    if let Some((age, is_retained)) = state.and_then(|s| Some((s.age?, s.is_retained))) {
        lines.extend(age_lines(point, age, is_retained));
    }
    let answer = stats.and_then(|s| last_answer(s, e, point));
    let mut registers = Vec::new();
    match (answer, point.register()) {
        (Some(a), Some(register)) => {
            let raw = registers_of(a, point);
            registers = raw.iter().map(|w| format!("{w:04X}")).collect();
            lines.push(came_with(a, desk.at));
            let bits = if matches!(point.kind, DataType::Text { .. }) {
                String::new()
            } else {
                format!(" = {}", raw_unsigned(raw, point.word_order, point.byte_order))
            };
            lines.push(format!("{register} holds {}{bits}", registers.join(" ")));
            lines.push(format!("read as {}{}", point.kind.word(), scaling(e, point)));
        }
        (Some(a), None) => {
            lines.push(came_with(a, desk.at));
            lines.push(format!("response: {}", a.text));
            lines.push(format!("{} read as {}{}", point.place, point.kind.word(), scaling(e, point)));
        }
        (None, _) => lines.push(format!("no response has contained {} yet", point.place)),
    }
    WhyV1 {
        equipment: e.id.to_string(),
        name: name.to_owned(),
        lines,
        point: row,
        request: answer.map(|a| a.request.clone()),
        registers,
        active: None,
    }
}

/// Returns the line of the value. If the quality is not good, a second line gives the reason.
fn value_lines(row: &PointV1, name: &str) -> Vec<String> {
    let plain = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let value = row.value.as_ref().map_or_else(
        || "never read".to_owned(),
        |v| format!("{} {}", plain(v), row.unit).trim_end().to_owned(),
    );
    let named = row.name.as_ref().map_or(String::new(), |n| format!(" ({n})"));
    let text = format!("{name} is {value}{named}, quality {}", row.quality);
    let why = row.reason.as_ref().map(|reason| match row.quality {
        Quality::Uncertain => {
            format!("no newer reading because {reason}; andon uses this value until it is stale")
        }
        Quality::Good | Quality::Bad => format!("quality bad because {reason}"),
    });
    std::iter::once(text).chain(why).collect()
}

/// Returns the line of the age of the last good reading, and of the age at which it becomes stale.
fn age_lines(point: &Point, age: Duration, is_retained: bool) -> Vec<String> {
    let limit = point.stale_after.map_or_else(
        || "the value never becomes stale".to_owned(),
        |limit| format!("the value becomes stale after {}", render_duration(limit)),
    );
    let text = format!("the last good reading is {} old; {limit}", render_duration(age));
    let retained = "the broker had retained this message: the value is older, and its age is unknown";
    std::iter::once(text).chain(is_retained.then(|| retained.to_owned())).collect()
}

fn came_with(a: &LastAnswer, now: Now) -> String {
    let took = if a.took.is_zero() {
        String::new()
    } else {
        format!(", answered in {:.1} ms", a.took.as_secs_f64() * 1000.0)
    };
    format!("request: {}, {} ago{took}", a.request, render_duration(now.mono.since(a.at.mono)))
}

/// Returns the registers of a point in the last response. Empty without a response, or if it is not a Modbus point.
pub(super) fn last_registers(stats: &EquipmentStats, e: &Equipment, point: &Point) -> Vec<u16> {
    last_answer(stats, e, point).map_or_else(Vec::new, |a| registers_of(a, point).to_vec())
}

/// Returns the registers of a point in a response.
fn registers_of<'a>(answer: &'a LastAnswer, point: &Point) -> &'a [u16] {
    let first = point.register().and_then(|r| r.number.checked_sub(answer.start)).map(usize::from);
    first.and_then(|first| answer.words.get(first..first + usize::from(point.width()))).unwrap_or(&[])
}

/// Returns the last response or message that contained a point.
fn last_answer<'a>(stats: &'a EquipmentStats, e: &Equipment, point: &Point) -> Option<&'a LastAnswer> {
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
    stats.last.iter().filter(|(key, a)| brings(key, a)).max_by_key(|(_, a)| a.at.mono).map(|(_, a)| a)
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

fn why_fault(desk: &Snapshot, index: EquipmentIndex, at: usize, name: &str) -> Option<WhyV1> {
    let e = desk.site.equipment.get(index.0)?;
    let ticket = desk.state.tickets.of_fault(&e.id, &e.profile.faults.get(at)?.name);
    let x = desk.detector.explain(index, at, desk.at)?;
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
        let change = if x.active { "cleared" } else { "raised" };
        lines.push(format!(
            "{change} in {} if the condition does not change (delay {})",
            render_duration(left),
            render_duration(delay)
        ));
    }
    if let Some((since, limit)) = x.silence {
        let last = since.map_or_else(
            || "there was no good response yet".to_owned(),
            |s| format!("the last good response is {} old", render_duration(s)),
        );
        let limit = limit.map_or_else(
            || "a missing response alone does not raise communication-lost".to_owned(),
            |limit| format!("communication is lost after {}", render_duration(limit)),
        );
        lines.push(format!("{last}; {limit}"));
    }
    if let Some(ticket) = ticket {
        lines.push(format!("ticket {} is {}", ticket.number, ticket.state.word()));
    }
    Some(WhyV1 {
        equipment: e.id.to_string(),
        name: name.to_owned(),
        lines,
        point: None,
        request: None,
        registers: Vec::new(),
        active: Some(x.active),
    })
}
