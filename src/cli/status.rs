//! `andon status`: shows the gateway, its links, its equipment and its alarms.

use std::collections::BTreeMap;

use super::context::Context;
use super::error::CliError;
use super::render::{Sheet, ago, heading, plural};
use crate::v1::{AlarmV1, StatusV1};
use crate::words::{Outcome, Wall};

pub(super) async fn run(cx: &mut Context<'_>) -> Result<Outcome, CliError> {
    let status: StatusV1 = cx.get("/v1/status").await?;
    if cx.global.json {
        cx.json(&status)?;
        return Ok(Outcome::Done);
    }
    let mut text = heading(&head(cx, &status));
    if !status.journal.writable {
        text.push_str(&format!("THE JOURNAL CANNOT BE WRITTEN: {}\n", status.journal.message));
    }
    text.push_str(&trouble(&status));
    if !status.recorder_message.is_empty() {
        text.push_str(&format!("{}\n", status.recorder_message));
    }
    text.push('\n');
    text.push_str(&links(&status).table());
    text.push('\n');
    text.push_str(&equipment(&status).table());
    if !status.alarms.is_empty() {
        text.push('\n');
        text.push_str(&alarms(&status.alarms, status.now, |text| cx.sentence(text)).table());
    }
    text.push_str(&format!("\n{}\n", tickets(&status.tickets)));
    cx.print(&text)?;
    Ok(Outcome::Done)
}

/// Formats the problems of the journal and the ticket database, one line each; an empty text if there are none.
pub(super) fn trouble(s: &StatusV1) -> String {
    let mut text = String::new();
    if s.journal.changes_dropped > 0 {
        text.push_str(&format!(
            "{} changes of machines were dropped while the journal could not be written\n",
            s.journal.changes_dropped
        ));
    }
    if s.journal.not_recordable > 0 {
        text.push_str(&format!(
            "{} events could not be recorded because of a bug of andon: see the daemon's log\n",
            s.journal.not_recordable
        ));
    }
    let store = match s.store.state.as_str() {
        "" | "ready" => None,
        "behind" => Some("has not taken in all events yet"),
        "rebuilding" => Some("is rebuilt from the journal"),
        "waits-for-room" => Some("waits for room on the disk"),
        _ => Some("cannot be used"),
    };
    if let Some(store) = store {
        let why = if s.store.message.is_empty() { String::new() } else { format!(": {}", s.store.message) };
        let behind = plural(usize::try_from(s.store.behind).unwrap_or(usize::MAX), "event");
        text.push_str(&format!("the ticket database {store}, {behind} behind the journal{why}\n"));
    }
    for d in s.damage.iter().take(5) {
        text.push_str(&format!("THE JOURNAL IS DAMAGED: {}\n", d.message));
    }
    if s.damage.len() > 5 {
        text.push_str(&format!("and {} more damaged parts\n", s.damage.len() - 5));
    }
    if !s.damage.is_empty() {
        text.push_str(
            "see all of it: andon audit verify; take note of it: andon audit accept --reason TEXT\n",
        );
    }
    text
}

fn head(cx: &Context<'_>, s: &StatusV1) -> String {
    let daemon = if s.daemon {
        "daemon running"
    } else {
        "daemon stopped: no equipment is read (start it: andon daemon)"
    };
    format!(
        "{}  andon {}  {daemon}  {}  journal at event {}",
        s.gateway,
        s.version,
        cx.time(s.now),
        s.journal.seq
    )
}

fn counted(errors: &BTreeMap<String, u64>) -> String {
    errors.iter().map(|(kind, count)| format!("{kind} {count}")).collect::<Vec<_>>().join(", ")
}

fn links(s: &StatusV1) -> Sheet {
    let mut sheet =
        Sheet::new(&["link", "kind", "state", "since", "requests", "errors", "line_load", "message"]);
    for l in &s.links {
        sheet.row([
            l.name.clone(),
            l.kind.clone(),
            l.state.clone(),
            ago(l.since, s.now),
            l.requests.to_string(),
            counted(&l.errors),
            format!("{:.0} %", l.line_use * 100.0),
            l.message.clone(),
        ]);
    }
    sheet
}

fn equipment(s: &StatusV1) -> Sheet {
    let mut sheet = Sheet::new(&[
        "equipment",
        "name",
        "state",
        "since",
        "requests",
        "errors",
        "median_answer",
        "message",
    ]);
    for e in &s.equipment {
        sheet.row([
            e.id.clone(),
            e.name.clone(),
            e.state.clone(),
            ago(e.since, s.now),
            e.requests.to_string(),
            counted(&e.errors),
            e.answer_ms_p50.map_or_else(String::new, |ms| format!("{ms:.1} ms")),
            e.message.clone(),
        ]);
    }
    sheet
}

/// Lists the active and suppressed alarms, worst first. `sentence` converts the times in a note to the reader's time zone.
pub(super) fn alarms(alarms: &[AlarmV1], now: Wall, sentence: impl Fn(&str) -> String) -> Sheet {
    let mut sheet = Sheet::new(&["alarm", "equipment", "severity", "state", "since", "first_out", "note"]);
    for a in alarms {
        sheet.row([
            a.fault.clone(),
            a.equipment.clone(),
            a.severity.word().to_owned(),
            a.state.word().to_owned(),
            ago(a.onset, now),
            a.first_up.clone().unwrap_or_default(),
            sentence(&a.note),
        ]);
    }
    sheet
}

pub(super) fn tickets(counts: &BTreeMap<String, usize>) -> String {
    if counts.is_empty() {
        return "no live ticket".to_owned();
    }
    let parts: Vec<String> = counts.iter().map(|(state, n)| format!("{n} {state}")).collect();
    format!("tickets: {}", parts.join(", "))
}
