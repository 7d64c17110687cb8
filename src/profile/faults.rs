//! Reading of `[faults]` and `[codes]`.

use std::collections::BTreeSet;
use std::time::Duration;

use super::baseline::read_baselines;
use super::fault::{Fault, Guidance, Part, Question, Step, Target, Trace, Trigger};
use super::model::Profile;
use super::points::{NAME_A_POINT, parse_number};
use crate::expr::{ExprError, Names, Program, compile, compile_for};
use crate::limits;
use crate::source::{Section, Spanned};
use crate::words::{FaultName, Severity, StepId};

pub(super) fn severities() -> Vec<(&'static str, Severity)> {
    Severity::ALL.map(|s| (s.word(), s)).to_vec()
}

pub(super) fn read_faults(root: &Section<'_>, profile: &Profile, names: &dyn Names) -> Vec<Fault> {
    let mut faults = Vec::new();
    if let Some(table) = root.section("faults") {
        for name in table.names() {
            let Some(s) = table.section(&name.value) else { continue };
            if let (Some(id), Some(fault)) = (fault_name(&s, &name), read_fault(&s, names)) {
                faults.push(Fault { name: id, ..fault });
            }
            s.finish();
        }
    }
    if let Some(table) = root.section("codes") {
        for name in table.names() {
            let Some(s) = table.section(&name.value) else { continue };
            read_codes(&s, &name.value, profile, names, &mut faults);
            s.finish();
        }
    }
    faults.extend(read_baselines(root, profile, names));
    faults.push(communication_lost());
    let mut seen = BTreeSet::new();
    for fault in &faults {
        if !seen.insert(fault.name.clone()) {
            root.error(
                root.key_span("faults"),
                format!("two faults are named {}", fault.name),
                "each name must be unique in a profile",
            );
        }
    }
    faults
}

pub(super) fn fault_name(s: &Section<'_>, name: &Spanned<String>) -> Option<FaultName> {
    FaultName::parse(&name.value)
        .map_err(|e| {
            s.error(name.span.clone(), format!("'{}' is not a valid fault name", name.value), e.to_string())
        })
        .ok()
}

fn communication_lost() -> Fault {
    Fault {
        severity: Severity::Major,
        trigger: Trigger::Silence,
        guidance: Guidance {
            means: "The equipment has given no good answer for too long, so its state is unknown.".to_owned(),
            causes: vec![
                "Equipment switched off".to_owned(),
                "Cable or connector".to_owned(),
                "Wrong unit id, baud rate or parity after a change".to_owned(),
                "Gateway or converter between andon and the equipment".to_owned(),
            ],
            ..Guidance::default()
        },
        ..blank(FaultName::communication_lost())
    }
}

fn blank(name: FaultName) -> Fault {
    Fault {
        name,
        severity: Severity::Major,
        trigger: Trigger::Silence,
        unless: None,
        trace: Trace::default(),
        on_delay: Duration::ZERO,
        off_delay: Duration::ZERO,
        latch: false,
        ticket: true,
        watch: limits::WATCH_DEFAULT,
        code: None,
        shows_value_of: None,
        guidance: Guidance::default(),
    }
}

/// Notes the errors of an expression. The columns of an error are inside the quoted text.
fn note(s: &Section<'_>, text: &Spanned<String>, errors: Vec<ExprError>) {
    errors.into_iter().for_each(|error| note_one(s, text, error));
}

fn note_one(s: &Section<'_>, text: &Spanned<String>, error: ExprError) {
    let inner = text.span.start + 1;
    let end = text.span.end.saturating_sub(1).max(inner);
    let from = (inner + error.span.start).min(end);
    let to = (inner + error.span.end).clamp(from, end);
    match error.help {
        Some(help) => s.error_with_help(from..to, error.message, "", help),
        None => s.error(from..to, error.message, ""),
    }
}

pub(super) fn condition(s: &Section<'_>, key: &str, names: &dyn Names) -> Option<Program> {
    let text = s.text_up_to(key, limits::EXPRESSION_BYTES_MAX)?;
    compile(&text.value, names).map_err(|e| note(s, &text, e)).ok()
}

fn read_fault(s: &Section<'_>, names: &dyn Names) -> Option<Fault> {
    let when = condition(s, "when", names);
    let clear = condition(s, "clear", names);
    let when = s.required("when", "\"point > 5\"", when);
    let on_delay = s.duration_between("on_delay", Duration::ZERO, limits::DELAY_MAX);
    let off_delay = s.duration_between("off_delay", Duration::ZERO, limits::DELAY_MAX);
    let mut fault = read_common(s, names, None);
    fault.trigger = Trigger::Condition { when: Box::new(when?), clear };
    fault.on_delay = on_delay.unwrap_or_default();
    fault.off_delay = off_delay.unwrap_or_default();
    Some(fault)
}

/// Reads the keys that faults, codes and baselines have in common.
pub(super) fn read_common(s: &Section<'_>, names: &dyn Names, severity: Option<Severity>) -> Fault {
    let stated = s.choice("severity", &severities()).map(|x| x.value);
    let severity = if severity.is_some() && stated.is_none() {
        severity
    } else {
        s.required("severity", "\"major\"", stated)
    };
    let severity = severity.unwrap_or(Severity::Major);
    let latch = s.flag("latch").is_some_and(|f| f.value);
    let ticket = s.flag("ticket").map_or(severity != Severity::Advisory, |f| f.value);
    let watch =
        s.duration_between("watch", Duration::ZERO, limits::WATCH_MAX).unwrap_or(limits::WATCH_DEFAULT);
    let guidance = read_guidance(s, names);
    let unless = condition(s, "unless", names);
    let trace = read_trace(s, names);
    Fault {
        severity,
        unless,
        trace,
        latch,
        ticket,
        watch,
        guidance,
        ..blank(FaultName::communication_lost())
    }
}

/// Notes that the profile has no point with this name, and proposes the most similar name.
pub(super) fn no_point(s: &Section<'_>, name: &Spanned<String>, names: &dyn Names) {
    let known = names.known(None);
    let label = s.suggest(&name.value, known.iter().map(String::as_str)).or("");
    s.error(name.span.clone(), format!("there is no point {}", name.value), label);
}

/// Reads `trace = ["speed"]`, `trace_before` and `trace_after`.
fn read_trace(s: &Section<'_>, names: &dyn Names) -> Trace {
    let mut trace = Trace::default();
    for name in s.texts("trace") {
        if names.point(None, &name.value).is_none() {
            no_point(s, &name, names);
        }
        trace.points.push(name.value);
    }
    let span = |key| s.duration_between(key, Duration::ZERO, limits::TRACE_SPAN_MAX);
    trace.before = span("trace_before").unwrap_or(trace.before);
    trace.after = span("trace_after").unwrap_or(trace.after);
    trace
}

fn read_guidance(s: &Section<'_>, names: &dyn Names) -> Guidance {
    let plain = |key| {
        let texts = s.texts_up_to(key, limits::NAME_BYTES_MAX * 4);
        texts.into_iter().take(limits::GUIDANCE_ENTRIES_MAX).map(|t| t.value).collect::<Vec<_>>()
    };
    Guidance {
        means: s.text("means").map_or_else(String::new, |t| t.value),
        causes: plain("causes"),
        unconfirmed: s.text("unconfirmed").map(|t| t.value),
        danger: s.text("danger").map(|t| t.value),
        wait: s.duration_between("wait", Duration::from_secs(1), limits::SAFE_WAIT_MAX),
        safety: plain("safety"),
        skills: plain("skills"),
        parts: s.sections_up_to("parts", limits::GUIDANCE_ENTRIES_MAX).iter().filter_map(read_part).collect(),
        sop: s.name("sop").map(|t| t.value),
        steps: read_steps(s, names),
    }
}

fn read_part(s: &Section<'_>) -> Option<Part> {
    let (id, name) = (s.name("id"), s.name("name"));
    let quantity = s.integer_between("quantity", 1, 9999).and_then(|q| u32::try_from(q.value).ok());
    let id = s.required("id", "\"NH00-63\"", id);
    s.finish();
    let id = id?.value;
    Some(Part { name: name.map_or_else(|| id.clone(), |n| n.value), id, quantity: quantity.unwrap_or(1) })
}

fn read_steps(s: &Section<'_>, names: &dyn Names) -> Vec<Step> {
    let sections = s.sections_up_to("steps", limits::GUIDANCE_ENTRIES_MAX);
    let ids: Vec<Option<Spanned<String>>> = sections
        .iter()
        .map(|s| {
            let id = s.name("id");
            s.required("id", "\"breaker\"", id)
        })
        .collect();
    let known: Vec<&str> = ids.iter().flatten().map(|i| i.value.as_str()).collect();
    let mut steps: Vec<Step> = Vec::new();
    for (index, section) in sections.iter().enumerate() {
        let next = ids.get(index + 1).and_then(|i| i.as_ref()).and_then(|i| StepId::parse(&i.value).ok());
        let next = next.map_or(Target::Done, Target::Step);
        let question = read_question(section, names);
        let yes = read_target(section, "yes", &known, index);
        let no = read_target(section, "no", &known, index);
        section.finish();
        let Some(Some(id)) = ids.get(index) else { continue };
        if known.iter().filter(|k| **k == id.value).count() > 1 {
            section.error(id.span.clone(), format!("two steps are named {}", id.value), "");
        }
        match (StepId::parse(&id.value), question) {
            (Ok(parsed), Some(question)) => steps.push(Step {
                id: parsed,
                question,
                yes: yes.unwrap_or_else(|| next.clone()),
                no: no.unwrap_or(next),
            }),
            (Err(e), _) => section.error(
                id.span.clone(),
                format!("'{}' is not a valid step name", id.value),
                e.to_string(),
            ),
            (Ok(_), None) => {}
        }
    }
    steps
}

fn read_question(s: &Section<'_>, names: &dyn Names) -> Option<Question> {
    match (s.text("do"), s.text_up_to("check", limits::EXPRESSION_BYTES_MAX)) {
        (Some(text), None) => Some(Question::Do(text.value)),
        (None, Some(text)) => match compile_for(&text.value, names) {
            Ok((program, hold)) => Some(Question::Check { program, hold }),
            Err(e) => {
                note(s, &text, e);
                None
            }
        },
        (Some(text), Some(_)) => {
            s.error(
                text.span,
                "a step is either done by a person or checked by the gateway",
                "keep do or check",
            );
            None
        }
        // The key exists, so its value was refused and the error is already noted.
        (None, None) if s.has("do") || s.has("check") => None,
        (None, None) => {
            s.missing("do", "\"Check feeder breaker F3\"  (or check = \"point > 5 for 30s\")");
            None
        }
    }
}

/// Reads `"done"`, `"cause:TEXT"`, or the id of a later step. Only later steps are allowed, so that the steps always
/// end.
fn read_target(s: &Section<'_>, key: &str, known: &[&str], own: usize) -> Option<Target> {
    let text = s.text(key)?;
    if text.value == "done" {
        return Some(Target::Done);
    }
    if let Some(cause) = text.value.strip_prefix("cause:") {
        return Some(Target::Cause(cause.trim().to_owned()));
    }
    match known.iter().position(|k| *k == text.value) {
        Some(at) if at > own => StepId::parse(&text.value).ok().map(Target::Step),
        Some(_) => {
            s.error(
                text.span,
                format!("step {} is not after this step", text.value),
                "`yes` and `no` must point to a later step, \"done\" or \"cause:...\"",
            );
            None
        }
        None => {
            let known = known.iter().copied();
            let help =
                s.suggest(&text.value, known).or("write the id of a later step, \"done\" or \"cause:...\"");
            s.error_with_help(text.span, format!("there is no step {}", text.value), "", help);
            None
        }
    }
}

/// The style of `[codes]`: each value of the point is a code, or each bit is.
#[derive(Clone, Copy, PartialEq)]
enum Style {
    Value,
    Bits,
}

fn read_codes(s: &Section<'_>, table: &str, profile: &Profile, names: &dyn Names, faults: &mut Vec<Fault>) {
    let point = s.name("point");
    let point = s.required("point", "\"fault_code\"", point);
    let style = s
        .choice("style", &[("value", Style::Value), ("bits", Style::Bits)])
        .map_or(Style::Value, |s| s.value);
    let mut listed: Vec<i128> = s.integers("none").into_iter().map(|n| n.value).collect();
    let unlisted = s.choice("unlisted", &severities()).map_or(Severity::Major, |u| u.value);
    let trace = read_trace(s, names);
    let Some(point) = point else { return };
    let Some((index, _)) = profile.point(&point.value) else {
        let known = profile.points.iter().map(|p| p.name.as_str());
        let help = s.suggest(&point.value, known).or(NAME_A_POINT);
        s.error_with_help(point.span, format!("there is no point {}", point.value), "", help);
        return;
    };
    for key in s.names() {
        let Some(code) = parse_number(&key.value) else { continue };
        let Some(entry) = s.section(&key.value) else { continue };
        let name = entry.name("name");
        let name = entry.required("name", "\"dc-overvoltage\"", name);
        let mut fault = read_common(&entry, names, Some(unlisted));
        if !entry.has("trace") {
            fault.trace = trace.clone();
        }
        entry.finish();
        let Some(name) = name.and_then(|n| fault_name(&entry, &n)) else { continue };
        let when = match style {
            Style::Value => Program::value_is(&point.value, code),
            Style::Bits => match u8::try_from(code).ok().filter(|b| *b < 64) {
                Some(bit) => Program::bit_is_set(&point.value, bit),
                None => {
                    s.error(key.span, format!("{code} is not a bit"), "bits count from 0 to 63");
                    continue;
                }
            },
        };
        listed.push(code);
        faults.push(Fault {
            name,
            trigger: Trigger::Condition { when: Box::new(when), clear: None },
            code: Some(key.value),
            ..fault
        });
    }
    if style == Style::Value
        && let Some(unlisted) = unlisted_code(s, table, &point.value, &listed, unlisted)
    {
        let name = if faults.iter().any(|f| f.name == unlisted.name) {
            FaultName::parse(&format!("unlisted-code-{}", table.replace('_', "-"))).unwrap_or(unlisted.name)
        } else {
            unlisted.name
        };
        faults.push(Fault { name, shows_value_of: Some(index), trace, ..unlisted });
    }
}

fn unlisted_code(
    s: &Section<'_>,
    table: &str,
    point: &str,
    listed: &[i128],
    severity: Severity,
) -> Option<Fault> {
    let name = FaultName::parse("unlisted-code").ok()?;
    if listed.is_empty() {
        s.error(s.span(), format!("codes.{table} needs at least one code, or `none`"), "");
        return None;
    }
    Some(Fault {
        severity,
        ticket: severity != Severity::Advisory,
        trigger: Trigger::Condition { when: Box::new(Program::value_is_none_of(point, listed)), clear: None },
        guidance: Guidance {
            means: "The device reports a code that its profile does not list.".to_owned(),
            causes: vec!["Look up this code in the manual of the device".to_owned()],
            ..Guidance::default()
        },
        ..blank(name)
    })
}
