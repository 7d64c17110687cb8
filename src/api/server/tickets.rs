//! `/v1/tickets`, one of them, what is asked of it, and `/v1/history`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;

use super::firmware::note_row;
use super::{Answer, Failure, usage};
use crate::api::Gateway;
use crate::api::transport::Identity;
use crate::api::v1::{
    EarlierV1, FirmwareNoteV1, HazardV1, HistoryRowV1, PartV1, StepV1, TicketRowV1, TicketV1,
};
use crate::desk::Reply;
use crate::limits;
use crate::profile::Question;
use crate::store::HistoryFilter;
use crate::ticket::{CancelReason, LogEntry, Target, Ticket, TicketAsk, TicketState, TicketVerb};
use crate::words::{Refusal, Rule, TicketNumber, Wall};

#[derive(Deserialize)]
pub(super) struct TicketsQuery {
    state: Option<String>,
    equipment: Option<String>,
    fault: Option<String>,
    assignee: Option<String>,
}

pub(super) async fn tickets(
    State(g): State<Gateway>,
    Query(q): Query<TicketsQuery>,
) -> Answer<Vec<TicketRowV1>> {
    let state = q.state.as_deref().map(state_of).transpose()?;
    if let Some(state) = state.filter(|s| !s.is_live()) {
        let filter = HistoryFilter {
            equipment: q.equipment,
            fault: q.fault,
            state: Some(state),
            assignee: q.assignee,
            ..HistoryFilter::default()
        };
        let past = g.query(move |store| store.history(&filter)).await?;
        return Ok(Json(past.iter().map(row).collect()));
    }
    let wanted = move |t: &Ticket| {
        state.is_none_or(|s| s == t.state)
            && q.equipment.as_ref().is_none_or(|e| e == t.equipment.as_str())
            && q.fault.as_ref().is_none_or(|f| f == t.fault.as_str())
            && q.assignee.as_ref().is_none_or(|a| Some(a) == t.assignee.as_ref())
    };
    let live = g.snapshot().await?.state.tickets.live;
    let wanted = live.values().filter(|t| t.state.is_live() && wanted(t));
    let mut rows: Vec<TicketRowV1> = wanted.map(|t| row(t)).collect();
    rows.sort_by_key(|r| (r.severity, r.id));
    Ok(Json(rows))
}

fn state_of(word: &str) -> Result<TicketState, Failure> {
    TicketState::ALL.into_iter().find(|s| s.word() == word).ok_or_else(|| {
        let words: Vec<&str> = TicketState::ALL.iter().map(|s| s.word()).collect();
        usage(format!("there is no state {word}; the states are {}", words.join(", ")))
    })
}

fn row(t: &Ticket) -> TicketRowV1 {
    TicketRowV1 {
        id: t.number.0,
        equipment: t.equipment.to_string(),
        fault: t.fault.to_string(),
        severity: t.severity,
        state: t.state,
        condition: t.condition,
        opened_at: t.opened_at,
        occurrences: t.occurrences,
        assignee: t.assignee.clone(),
        due_at: None,
        summary: t.summary.clone(),
    }
}

fn target(text: &str) -> Target {
    match text.parse() {
        Ok(number) => Target::Number(TicketNumber(number)),
        Err(_) => Target::Equipment(text.to_owned()),
    }
}

/// How many lines of the log are wanted.
#[derive(Deserialize)]
pub(super) struct LogQuery {
    log: Option<usize>,
}

pub(super) async fn ticket_show(
    State(g): State<Gateway>,
    Path(which): Path<String>,
    Query(q): Query<LogQuery>,
) -> Answer<TicketV1> {
    let ticket = named(&g, &which).await?;
    let lines = q.log.unwrap_or(limits::LOG_LINES_MAX).min(limits::LOG_LINES_MAX);
    let stored = stored(&g, &ticket, lines, limits::STORE_CATCH_UP_MAX).await;
    Ok(Json(whole(&g, &ticket, stored)))
}

/// What is told of a ticket from the ticket database.
#[derive(Default)]
struct Stored {
    log: Vec<LogEntry>,
    earlier: Vec<EarlierV1>,
    /// Why it is not all.
    incomplete: Option<String>,
}

/// Asks the ticket database for a ticket's log and for earlier fixes. That it does not answer is no failure of the ticket.
async fn stored(g: &Gateway, t: &Ticket, lines: usize, wait: Duration) -> Stored {
    let filter = HistoryFilter {
        equipment: Some(t.equipment.to_string()),
        fault: Some(t.fault.to_string()),
        limit: Some(10),
        ..HistoryFilter::default()
    };
    let number = t.number;
    let asked = g.query_within(wait, move |store| Ok((store.log(number, lines)?, store.history(&filter)?)));
    let (log, past) = match asked.await {
        Ok(found) => found,
        Err(refusal) => return Stored { incomplete: Some(refusal.message), ..Stored::default() },
    };
    let fixes = past.iter().filter(|p| p.number != number).flat_map(|p| {
        p.fixes.iter().map(|f| EarlierV1 {
            ticket: p.number.0,
            at: f.at,
            cause: f.cause.clone(),
            action: f.action.clone(),
            effective: f.effective,
        })
    });
    Stored { log, earlier: fixes.take(5).collect(), incomplete: None }
}

/// The number of the ticket that is meant.
pub(super) async fn number_of(g: &Gateway, which: &str) -> Result<TicketNumber, Failure> {
    Ok(named(g, which).await?.number)
}

/// The ticket of a number, or the only live one of a piece of equipment.
async fn named(g: &Gateway, which: &str) -> Result<Arc<Ticket>, Failure> {
    let ticket = match target(which) {
        Target::Number(number) => g.ticket(number).await?,
        Target::Equipment(id) => {
            let desk = g.snapshot().await?;
            desk.site.known(&id)?;
            Some(desk.state.tickets.only_live(&id)?.clone())
        }
    };
    ticket.ok_or_else(|| {
        Refusal::new(Rule::NoSuchTicket, format!("there is no ticket {which}"))
            .command("see which there are", "andon ticket list")
            .into()
    })
}

fn whole(g: &Gateway, t: &Ticket, stored: Stored) -> TicketV1 {
    let fault = g.site.find(t.equipment.as_str()).and_then(|(_, e)| e.profile.fault(t.fault.as_str()));
    let guidance = fault.map(|f| f.guidance.clone()).unwrap_or_default();
    let next = if t.walked {
        None
    } else {
        t.next_step.clone().or_else(|| guidance.steps.first().map(|s| s.id.clone()))
    };
    let steps = guidance
        .steps
        .iter()
        .map(|s| StepV1 {
            id: s.id.to_string(),
            text: s.question.text().to_owned(),
            checked_by_gateway: matches!(s.question, Question::Check { .. }),
            answer: t.walk.iter().rev().find(|w| w.step == s.id).map(|w| w.answer.word().to_owned()),
            is_next: next.as_ref() == Some(&s.id),
        })
        .collect();
    let hazards = guidance.hazards().into_iter().map(hazard).collect();
    TicketV1 {
        row: row(t),
        code: t.code.clone(),
        onset: t.onset,
        values: t.values.clone(),
        hold_reason: t.hold_reason.clone(),
        causes: guidance.causes,
        hazards,
        unconfirmed: unconfirmed(g, t),
        safety: guidance.safety,
        skills: guidance.skills,
        parts: guidance
            .parts
            .into_iter()
            .map(|p| PartV1 { id: p.id, name: p.name, quantity: p.quantity })
            .collect(),
        sop: guidance.sop,
        steps,
        finding: t.finding.clone(),
        fixes: t.fixes.clone(),
        closed_at: t.closed_at,
        watch_until: t.watch_until,
        earlier: stored.earlier,
        firmware: t.firmware.clone(),
        firmware_notes: t.firmware_notes.iter().map(|name| recorded_note(g, name)).collect(),
        log: stored.log,
        log_lines: t.entries + t.own_entries,
        incomplete: stored.incomplete,
    }
}

fn hazard((label, text): (&str, String)) -> HazardV1 {
    HazardV1 { label: label.to_owned(), text }
}

/// What the profile says is not confirmed: of the device, and of the ticket's fault.
fn unconfirmed(g: &Gateway, t: &Ticket) -> Vec<String> {
    let Some((_, e)) = g.site.find(t.equipment.as_str()) else { return Vec::new() };
    let fault = e.profile.fault(t.fault.as_str()).and_then(|f| f.guidance.unconfirmed.clone());
    e.profile.device.unconfirmed.clone().into_iter().chain(fault).collect()
}

/// A note that a ticket was opened with; its name stays when its file is gone.
fn recorded_note(g: &Gateway, name: &str) -> FirmwareNoteV1 {
    g.site.notes.iter().find(|n| n.name == name).map_or_else(
        || FirmwareNoteV1 {
            name: name.to_owned(),
            versions: String::new(),
            symptom: "the note is no longer there".to_owned(),
            workaround: String::new(),
            source: String::new(),
        },
        note_row,
    )
}

pub(super) async fn ticket_change(
    State(g): State<Gateway>,
    Path(which): Path<String>,
    Query(q): Query<LogQuery>,
    Identity(by): Identity,
    body: String,
) -> Answer<TicketV1> {
    let verb: TicketVerb =
        serde_json::from_str(&body).map_err(|e| usage(format!("the command does not read: {e}")))?;
    let target = target(&which);
    let stored_ticket = match target {
        Target::Number(number) => g.ticket(number).await?,
        Target::Equipment(_) => None,
    };
    let duplicate_exists = match &verb {
        TicketVerb::Cancel { reason: CancelReason::DuplicateOf(other), .. } => {
            g.ticket(*other).await?.is_some()
        }
        _ => false,
    };
    let ask = TicketAsk { target, verb, stored: stored_ticket, duplicate_exists };
    // From here on it is done: whatever the ticket database says, the answer is what is on record.
    let Reply::Ticket(ticket, entries) = g.ask(by, ask).await? else {
        return Err(Refusal::new(Rule::TooBusy, "the command has no answer").into());
    };
    let lines = q.log.unwrap_or(limits::LOG_ANSWERED).min(limits::LOG_LINES_MAX);
    let mut stored = stored(&g, &ticket, lines, limits::REPLY_WAITS_MAX).await;
    if stored.incomplete.is_some() {
        stored.log = entries;
    }
    Ok(Json(whole(&g, &ticket, stored)))
}

#[derive(Deserialize)]
pub(super) struct HistoryQuery {
    equipment: Option<String>,
    fault: Option<String>,
    since: Option<String>,
    until: Option<String>,
    text: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn history(
    State(g): State<Gateway>,
    Query(q): Query<HistoryQuery>,
) -> Answer<Vec<HistoryRowV1>> {
    let instant = |text: Option<String>| -> Result<Option<Wall>, Failure> {
        text.map(|t| Wall::parse(&t).map_err(|e| usage(format!("{t} is not a time: {e}")))).transpose()
    };
    let filter = HistoryFilter {
        equipment: q.equipment,
        fault: q.fault,
        since: instant(q.since)?,
        until: instant(q.until)?,
        text: q.text,
        limit: q.limit,
        ..HistoryFilter::default()
    };
    let found = g.query(move |store| store.history(&filter)).await?;
    let rows = found.iter().map(|t| {
        let fix = t.fixes.last();
        HistoryRowV1 {
            row: row(t),
            closed_at: t.closed_at,
            cause: fix.map(|f| f.cause.clone()),
            action: fix.map(|f| f.action.clone()),
            minutes: fix.and_then(|f| f.minutes),
            by: fix.map(|f| f.by.clone()),
            effective: fix.and_then(|f| f.effective),
        }
    });
    Ok(Json(rows.collect()))
}
