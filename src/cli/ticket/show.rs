//! `andon ticket show`: prints everything about a ticket, for the technician at the machine.

use std::collections::BTreeMap;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::render::{and, heading, plural, width, wrapped};
use crate::client::Client;
use crate::ticket::Condition;
use crate::v1::{EarlierV1, EquipmentV1, FixV1, StepV1, TicketV1};
use crate::view;
use crate::words::Outcome;

pub(super) async fn run(cx: &mut Context<'_>, which: &str) -> Result<Outcome, CliError> {
    let ticket: TicketV1 = cx.get(&log_path(cx, which)).await?;
    print(cx, &ticket).await?;
    Ok(Outcome::Done)
}

/// Returns the API path of a ticket: with the whole log for `--json`, with the last [`LOG_SHOWN`] lines for a person.
pub(super) fn log_path(cx: &Context<'_>, which: &str) -> String {
    let path = Client::path("/v1/tickets/{}", &[which]);
    if cx.global.json { path } else { format!("{path}?log={LOG_SHOWN}") }
}

/// Number of log lines that a person sees.
const LOG_SHOWN: usize = 60;

/// Prints a whole ticket, as JSON or as text.
pub(super) async fn print(cx: &mut Context<'_>, t: &TicketV1) -> Result<(), CliError> {
    if cx.global.json {
        return cx.json(t);
    }
    // If the equipment is no longer in the configuration, the ticket is still shown.
    let path = Client::path("/v1/equipment/{}", &[&t.row.equipment]);
    let equipment: Option<EquipmentV1> = cx.get(&path).await.ok();
    let text = page(cx, t, equipment.as_ref());
    cx.print(&text)
}

fn page(cx: &Context<'_>, t: &TicketV1, equipment: Option<&EquipmentV1>) -> String {
    let width = usize::from(width()).min(100);
    let mut out = heading(&title(t));
    out.push_str(&format!("{}\n\n", place(t, equipment)));
    out.push_str(&wrapped(&t.row.summary, "  ", width));
    out.push('\n');
    let assigned =
        t.row.assignee.as_ref().map_or_else(|| "not assigned".to_owned(), |a| format!("assigned to {a}"));
    out.push_str(&format!(
        "Opened      {}, {}, {assigned}\n",
        cx.time(t.row.opened_at),
        plural(usize::try_from(t.row.occurrences).unwrap_or(usize::MAX), "occurrence")
    ));
    if let Some(reason) = &t.hold_reason {
        out.push_str(&wrapped(&format!("On hold     {reason}"), "", width));
    }
    let values: Vec<String> = t.values.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    field(&mut out, "Values", &values.join(", "), width);
    for hazard in &t.hazards {
        for line in hanging(&format!("{:<12}", hazard.label), &hazard.text, width).lines() {
            out.push_str(&heading(line));
        }
    }
    field(&mut out, "Unconfirmed", &t.unconfirmed.join("; "), width);
    field(&mut out, "Skills", &t.skills.join(", "), width);
    let parts: Vec<String> = t.parts.iter().map(|p| format!("{} {} x{}", p.id, p.name, p.quantity)).collect();
    field(&mut out, "Parts", &parts.join(", "), width);
    field(&mut out, "Procedure", t.sop.as_deref().unwrap_or(""), width);
    field(&mut out, "Causes", &t.causes.join("; "), width);
    for note in &t.firmware_notes {
        let text = format!("{} What helps: {} ({})", note.symptom, note.workaround, note.name);
        field(&mut out, "Firmware", &text, width);
    }
    field(&mut out, "Past fixes", &earlier(&t.earlier), width);
    if !t.steps.is_empty() {
        out.push('\n');
        out.push_str(&heading("Steps"));
        for step in &t.steps {
            out.push_str(&step_lines(step, width));
        }
    }
    field(&mut out, "Finding", t.finding.as_deref().unwrap_or(""), width);
    for fix in &t.fixes {
        field(&mut out, "Fix", &fixed(fix), width);
    }
    out.push('\n');
    out.push_str(&heading("Log"));
    let earlier = t.log_lines.saturating_sub(t.log.len());
    if earlier > 0 {
        out.push_str(&format!(
            "{} before these: andon ticket show {} --json\n",
            plural(earlier, "line"),
            t.row.id
        ));
    }
    for entry in &t.log {
        // Convert only the times in andon's own entries. Texts of people are not changed.
        let text = if entry.by == "andon" { cx.sentence(&entry.text) } else { entry.text.clone() };
        out.push_str(&hanging(&format!("{}  ", cx.time(entry.at)), &format!("{}: {text}", entry.by), width));
    }
    if let Some(why) = &t.incomplete {
        out.push_str(&format!("\nThe log and earlier fixes are incomplete: {why}\n"));
    }
    if let Some(next) = view::next(t) {
        out.push_str(&format!("\nNext: {next}\n"));
    }
    out
}

fn title(t: &TicketV1) -> String {
    let code = t.code.as_ref().map_or(String::new(), |c| format!(" (code {c})"));
    format!(
        "Ticket {}  {}  {}{code}  {}, {}",
        t.row.id,
        t.row.severity.word().to_uppercase(),
        t.row.subject(),
        t.row.state.word(),
        match t.row.condition {
            Some(Condition::Active) => "the fault is active",
            Some(Condition::Returned) => "the fault has cleared",
            None if t.row.severity_set => "a person reported the fault",
            None => "a person reported the fault, and nobody has set its severity",
        }
    )
}

fn place(t: &TicketV1, equipment: Option<&EquipmentV1>) -> String {
    let Some(e) = equipment else { return t.row.equipment.clone() };
    let mut parts = vec![e.id.clone(), e.name.clone(), e.device.clone(), e.location.clone()];
    parts.push(format!("criticality {}", e.criticality));
    parts.retain(|p| !p.is_empty());
    parts.dedup();
    parts.join(", ")
}

fn field(out: &mut String, label: &str, text: &str, width: usize) {
    if !text.is_empty() {
        out.push_str(&hanging(&format!("{label:<12}"), text, width));
    }
}

/// Formats a label and a text. The next lines of the text are indented to the width of the label.
fn hanging(label: &str, text: &str, width: usize) -> String {
    let indent = " ".repeat(label.chars().count());
    let body = wrapped(text, &indent, width);
    format!("{label}{}", body.strip_prefix(&indent).unwrap_or(&body))
}

fn fixed(fix: &FixV1) -> String {
    let parts: Vec<String> = fix.parts.iter().map(|p| format!("{} x{}", p.id, p.quantity)).collect();
    let parts = if parts.is_empty() { String::new() } else { format!(", with {}", parts.join(", ")) };
    let minutes = fix.minutes.map_or(String::new(), |m| format!(", {m} minutes"));
    let held = match fix.effective {
        Some(true) => "; fix effective",
        Some(false) => "; fix not effective",
        None => "",
    };
    format!("{}: {}{parts}{minutes}, by {}{held}", fix.cause, fix.action, fix.by)
}

fn step_lines(step: &StepV1, width: usize) -> String {
    let mark = match (&step.answer, step.is_next) {
        (Some(_), _) => "done",
        (None, true) => "next",
        (None, false) => "    ",
    };
    let who = if step.checked_by_gateway { "the gateway checks: " } else { "" };
    let answer = step.answer.as_ref().map_or(String::new(), |a| format!("  [{a}]"));
    hanging(&format!("  {mark}  {:<10}", step.id), &format!("{who}{}{answer}", step.text), width)
}

/// Formats the past fixes, the most frequent first: `replaced braking resistor (2) and re-tightened terminal (1)`.
fn earlier(all: &[EarlierV1]) -> String {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for e in all {
        let (times, failed) = counts.entry(&e.action).or_default();
        *times += 1;
        *failed += usize::from(e.effective == Some(false));
    }
    let mut rows: Vec<_> = counts.into_iter().collect();
    rows.sort_by_key(|(_, (times, _))| std::cmp::Reverse(*times));
    let texts: Vec<String> = rows
        .iter()
        .map(|(action, (times, failed))| match failed {
            0 => format!("{action} ({times})"),
            n => format!("{action} ({times}, {n} not effective)"),
        })
        .collect();
    and(&texts)
}
