//! Cases: raw registers in, values and faults out; a profile proves itself.

use std::collections::BTreeMap;

use super::address::RegisterAddress;
use super::decode::decode;
use super::model::{Case, Profile, Trigger, scalar};
use crate::expr::{Operands, Program, Scalar, Truth};
use crate::source::Section;
use crate::words::{BadReason, Value};

/// Register contents by address.
pub type RegisterMap = BTreeMap<RegisterAddress, u16>;

/// What one case came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseResult {
    /// The case's name.
    pub name: String,
    /// What differs from what was expected; empty when it passes.
    pub problems: Vec<String>,
}

pub(super) fn read_cases(root: &Section<'_>, profile: &Profile) -> Vec<Case> {
    let mut cases = Vec::new();
    for s in root.sections("case") {
        let name = s.text("name");
        let name = s.required("name", "\"nominal\"", name);
        let mut registers = Vec::new();
        if let Some(table) = s.section("registers") {
            for key in table.names() {
                let words = table.integers(&key.value);
                let words: Vec<u16> = words.iter().filter_map(|w| u16::try_from(w.value).ok()).collect();
                match RegisterAddress::parse_register(&key.value) {
                    Ok(address) => registers.push((address, words)),
                    Err(meant) => table.error(key.span, format!("\"{}\" is no register", key.value), meant),
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
            cases.push(Case { name: name.value, registers, expect, faults });
        }
    }
    cases
}

/// Every point's value for these registers; a point whose registers are not all there has none.
#[must_use]
pub fn point_values(profile: &Profile, map: &RegisterMap) -> Vec<Option<Result<Value, BadReason>>> {
    let words = |address: RegisterAddress, width: u16| -> Option<Vec<u16>> {
        (0..width)
            .map(|i| {
                let number = address.number.checked_add(i)?;
                map.get(&RegisterAddress { number, ..address }).copied()
            })
            .collect()
    };
    profile
        .points
        .iter()
        .map(|p| {
            let raw = words(p.address, p.width())?;
            let factor = match p.scale_from.and_then(|f| profile.points.get(f)) {
                Some(f) => Some(words(f.address, 1)?.first().copied()?),
                None => None,
            };
            Some(decode(p, &raw, factor))
        })
        .collect()
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

/// Runs every case of a profile.
#[must_use]
pub fn run_cases(profile: &Profile) -> Vec<CaseResult> {
    profile
        .cases
        .iter()
        .map(|case| CaseResult { name: case.name.clone(), problems: run(profile, case) })
        .collect()
}

fn run(profile: &Profile, case: &Case) -> Vec<String> {
    let mut map = RegisterMap::new();
    for (address, words) in &case.registers {
        for (i, word) in words.iter().enumerate() {
            if let Some(number) = u16::try_from(i).ok().and_then(|i| address.number.checked_add(i)) {
                map.insert(RegisterAddress { number, ..*address }, *word);
            }
        }
    }
    let values = point_values(profile, &map);
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
                Trigger::Silence => false,
            })
            .map(|f| f.name.as_str())
            .collect();
        let wanted: Vec<&str> = expected.iter().map(String::as_str).collect();
        problems.extend(
            wanted
                .iter()
                .filter(|w| !found.contains(w))
                .map(|w| format!("fault {w} is expected and its condition is not true")),
        );
        problems.extend(
            found
                .iter()
                .filter(|f| !wanted.contains(f))
                .map(|f| format!("the condition of fault {f} is true and not expected")),
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
        _ => return Some(format!("{name} has no registers in this case")),
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
