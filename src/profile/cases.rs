//! Cases of a profile: raw data of a device with the expected values and faults. They test the profile.

use std::collections::BTreeMap;

use regex::Regex;

use super::address::RegisterAddress;
use super::decode::decode;
use super::fault::Trigger;
use super::model::{Case, Point, Profile, scalar};
use super::mqtt::fits;
use super::place::Place;
use super::textual::{parse_bytes, parse_json, parse_payload, parse_text};
use crate::expr::{Operands, Program, Scalar, Truth};
use crate::limits;
use crate::source::Section;
use crate::words::{BadReason, Value};

/// Contents of registers by their address.
type RegisterMap = BTreeMap<RegisterAddress, u16>;

/// The result of one case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResult {
    /// The name of the case.
    pub name: String,
    /// The differences from the expected values and faults; empty if the case passes.
    pub problems: Vec<String>,
}

pub(super) fn read_cases(root: &Section<'_>, profile: &Profile) -> Vec<Case> {
    let mut cases = Vec::new();
    for s in root.sections("case") {
        let name = s.name("name");
        let name = s.required("name", "\"nominal\"", name);
        let mut registers = Vec::new();
        if let Some(table) = s.section("registers") {
            for key in table.names() {
                let words = table.integers(&key.value);
                let words: Vec<u16> = words.iter().filter_map(|w| u16::try_from(w.value).ok()).collect();
                match RegisterAddress::parse_register(&key.value) {
                    Ok(address) => registers.push((address, words)),
                    Err(meant) => {
                        table.error(key.span, format!("\"{}\" is not a register", key.value), meant)
                    }
                }
            }
        }
        let lines: Vec<String> =
            s.texts_up_to("lines", limits::SERIAL_LINE_BYTES_MAX).into_iter().map(|t| t.value).collect();
        let mut messages = Vec::new();
        if let Some(table) = s.section("messages") {
            for key in table.names() {
                if let Some(payload) = table.text_up_to(&key.value, limits::MQTT_PACKET_DEFAULT) {
                    messages.push((key.value, payload.value));
                }
            }
        }
        let mut metrics = Vec::new();
        if let Some(table) = s.section("metrics") {
            for key in table.names() {
                if let Some(value) = table.scalar(&key.value) {
                    metrics.push((key.value, value.value));
                }
            }
        }
        let mut expect = Vec::new();
        if let Some(table) = s.section("expect") {
            for key in table.names() {
                let point = key.value.split('.').next().unwrap_or("");
                if profile.point(point).is_none() {
                    table.error(key.span.clone(), format!("there is no point {point}"), "");
                }
                if let Some(value) = table.scalar(&key.value) {
                    expect.push((key.value, value.value));
                }
            }
        }
        let mut faults = None;
        if s.has("faults") {
            let list = s.texts("faults");
            for fault in &list {
                if profile.fault(&fault.value).is_none() {
                    s.error(fault.span.clone(), format!("there is no fault {}", fault.value), "");
                }
            }
            faults = Some(list.into_iter().map(|f| f.value).collect());
        }
        s.finish();
        if let Some(name) = name {
            cases.push(Case { name: name.value, registers, lines, messages, metrics, expect, faults });
        }
    }
    cases
}

/// The value of a point in a case; `None` if the case has no data for the point.
type Found = Option<Result<Value, BadReason>>;

/// Reads the value of a register point; `None` if a register of the point is not in the case.
fn from_registers(profile: &Profile, point: &Point, map: &RegisterMap) -> Found {
    let words = |address: RegisterAddress, width: u16| -> Option<Vec<u16>> {
        (0..width)
            .map(|i| {
                let number = address.number.checked_add(i)?;
                map.get(&RegisterAddress { number, ..address }).copied()
            })
            .collect()
    };
    let raw = words(point.register()?, point.width())?;
    let factor = match point.scale_from.and_then(|f| profile.points.get(f)) {
        Some(f) => Some(words(f.register()?, 1)?.first().copied()?),
        None => None,
    };
    Some(decode(point, &raw, factor))
}

/// The format of the answer to a request, or of a line of a stream.
fn pattern<'a>(profile: &'a Profile, source: &str) -> Option<&'a Regex> {
    let request = profile.serial.requests.iter().find(|r| r.name == source).map(|r| &r.expect);
    let stream = profile.serial.streams.iter().find(|s| s.name == source).map(|s| &s.matches);
    request.or(stream)
}

/// Reads a value from the last frame that matches the format of its source.
fn from_frames(
    profile: &Profile,
    point: &Point,
    source: &str,
    place: (usize, usize),
    lines: &[String],
) -> Found {
    let regex = pattern(profile, source)?;
    let frame = lines.iter().rev().find(|line| regex.is_match(line))?;
    Some(parse_bytes(point, frame, place.0, place.1))
}

/// Reads a capture from the last line that contains it.
fn from_lines(profile: &Profile, point: &Point, source: &str, name: &str, lines: &[String]) -> Found {
    let regex = pattern(profile, source)?;
    lines.iter().rev().find_map(|line| Some(parse_text(point, regex.captures(line)?.name(name)?.as_str())))
}

fn from_messages(point: &Point, filter: &str, pointer: Option<&str>, messages: &[(String, String)]) -> Found {
    let (_, payload) = messages.iter().rev().find(|(topic, _)| topic == filter || fits(topic, filter))?;
    parse_payload(point, payload.as_bytes(), pointer)
}

fn from_metrics(point: &Point, name: &str, metrics: &[(String, Value)]) -> Found {
    let (_, value) = metrics.iter().find(|(metric, _)| metric == name)?;
    let json = serde_json::to_value(value).ok()?;
    Some(parse_json(point, &json))
}

/// Returns the value of every point of the profile in a case.
fn point_values(profile: &Profile, case: &Case) -> Vec<Found> {
    let mut map = RegisterMap::new();
    for (address, words) in &case.registers {
        for (i, word) in words.iter().enumerate() {
            if let Some(number) = u16::try_from(i).ok().and_then(|i| address.number.checked_add(i)) {
                map.insert(RegisterAddress { number, ..*address }, *word);
            }
        }
    }
    let value = |point: &Point| match &point.place {
        Place::Register(_) => from_registers(profile, point, &map),
        Place::Bytes { source, at, count } => from_frames(profile, point, source, (*at, *count), &case.lines),
        Place::Capture { source, name } => from_lines(profile, point, source, name, &case.lines),
        Place::Topic { filter, pointer } => from_messages(point, filter, pointer.as_deref(), &case.messages),
        Place::Metric(name) => from_metrics(point, name, &case.metrics),
    };
    profile.points.iter().map(value).collect()
}

struct CaseOperands<'a> {
    profile: &'a Profile,
    program: &'a Program,
    values: &'a [Option<Result<Value, BadReason>>],
}

impl Operands for CaseOperands<'_> {
    fn read(&self, slot: usize) -> Option<Scalar> {
        let operand = self.program.operands.get(slot).filter(|o| o.equipment.is_none())?;
        let (index, _) = self.profile.point(&operand.point)?;
        match self.values.get(index.0)? {
            Some(Ok(value)) => Some(scalar(value)),
            Some(Err(_)) | None => None,
        }
    }
}

/// Runs all cases of a profile.
#[must_use]
pub fn run_cases(profile: &Profile) -> Vec<CaseResult> {
    profile
        .cases
        .iter()
        .map(|case| CaseResult { name: case.name.clone(), problems: run(profile, case) })
        .collect()
}

fn run(profile: &Profile, case: &Case) -> Vec<String> {
    let values = point_values(profile, case);
    let mut problems = Vec::new();
    for (name, expected) in &case.expect {
        if let Some(problem) = differs(profile, &values, name, expected) {
            problems.push(problem);
        }
    }
    if let Some(expected) = &case.faults {
        let found: Vec<&str> = profile
            .faults
            .iter()
            .filter(|f| match &f.trigger {
                Trigger::Condition { when, .. } => {
                    when.evaluate(&CaseOperands { profile, program: when, values: &values }) == Truth::True
                }
                Trigger::Excursion(_) | Trigger::Silence => false,
            })
            .map(|f| f.name.as_str())
            .collect();
        let wanted: Vec<&str> = expected.iter().map(String::as_str).collect();
        problems.extend(
            wanted
                .iter()
                .filter(|w| !found.contains(w))
                .map(|w| format!("fault {w} is expected, but its condition is not true")),
        );
        problems.extend(
            found
                .iter()
                .filter(|f| !wanted.contains(f))
                .map(|f| format!("the condition of fault {f} is true, but the fault is not expected")),
        );
    }
    problems
}

fn differs(
    profile: &Profile,
    values: &[Option<Result<Value, BadReason>>],
    name: &str,
    expected: &Value,
) -> Option<String> {
    let (point_name, bit) = name.split_once('.').map_or((name, None), |(p, b)| (p, Some(b)));
    let (index, point) = profile.point(point_name)?;
    let found = match values.get(index.0) {
        Some(Some(Ok(value))) => value.clone(),
        Some(Some(Err(reason))) => return Some(format!("{name} is bad: {reason}")),
        _ if point.register().is_some() => return Some(format!("{name} has no registers in this case")),
        _ => return Some(format!("{name} has no value in this case")),
    };
    let found = match (bit, found) {
        (Some(bit), Value::Integer(i)) => match point.bits.get(bit) {
            Some(number) => Value::Bool(i >> number & 1 == 1),
            None => return Some(format!("{point_name} has no bit {bit}")),
        },
        (_, Value::Integer(i)) if matches!(expected, Value::Text(_)) => {
            Value::Text(point.value_name(i).unwrap_or("unnamed").into())
        }
        (_, other) => other,
    };
    let same = match (&found, expected) {
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => a == b,
        (a, b) => match (a.number(), b.number()) {
            (Some(a), Some(b)) => (a - b).abs() <= 1e-6 * b.abs().max(1e-6),
            _ => false,
        },
    };
    (!same).then(|| format!("{name} is {found}, expected {expected}"))
}
