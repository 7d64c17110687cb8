//! `/v1/tickets`, one of them, what is asked of it, and `/v1/history`.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use serde::Deserialize;

use super::firmware::note_row;
use super::{Answer, Failure, author, find, own_failure, usage};
use crate::api::Gateway;
use crate::api::v1::{EarlierV1, FirmwareNoteV1, HistoryRowV1, PartV1, StepV1, TicketRowV1, TicketV1};
use crate::desk::{Command, Target};
use crate::limits;
use crate::profile::Question;
use crate::store::HistoryFilter;
use crate::ticket::{CancelReason, Ticket, TicketCommand, TicketState};
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
    if let Some(state) = &q.state
        && !TicketState::ALL.iter().any(|s| s.word() == state)
    {
        let words: Vec<&str> = TicketState::ALL.iter().map(|s| s.word()).collect();
        return Err(usage(format!("there is no state {state}; the states are {}", words.join(", "))));
    }
    let filter = HistoryFilter {
        equipment: q.equipment.clone(),
        fault: q.fault.clone(),
        limit: Some(limits::LIST_MAX),
        ..HistoryFilter::default()
    };
    let past = matches!(q.state.as_deref(), Some("closed" | "cancelled"));
    let wanted = move |t: &Ticket| {
        q.state.as_ref().is_none_or(|s| s == t.state.word())
            && q.equipment.as_ref().is_none_or(|e| e == t.equipment.as_str())
            && q.fault.as_ref().is_none_or(|f| f == t.fault.as_str())
            && q.assignee.as_ref().is_none_or(|a| Some(a) == t.assignee.as_ref())
    };
    if past {
        // The indexes narrow it to the equipment and fault; what is left is looked through.
        let all = g.query(move |store| store.history(&filter)).await?;
        let all = all.map_err(|e| own_failure(e.to_string()))?;
        return Ok(Json(all.iter().filter(|t| wanted(t)).take(limits::LIST_DEFAULT).map(row).collect()));
    }
    let mut rows = g
        .look(move |desk, _| {
            desk.state()
                .tickets
                .values()
                .filter(|t| t.state.is_live() && wanted(t))
                .map(row)
                .collect::<Vec<_>>()
        })
        .await?;
    rows.sort_by_key(|r| (r.severity, r.id));
    Ok(Json(rows))
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

pub(super) async fn ticket_show(State(g): State<Gateway>, Path(which): Path<String>) -> Answer<TicketV1> {
    let ticket = named(&g, &which).await?;
    Ok(Json(whole(&g, &ticket).await?))
}

/// The number of the ticket that is meant.
pub(super) async fn number_of(g: &Gateway, which: &str) -> Result<TicketNumber, Failure> {
    Ok(named(g, which).await?.number)
}

/// The ticket of a number, or the only live one of a piece of equipment.
async fn named(g: &Gateway, which: &str) -> Result<Ticket, Failure> {
    let ticket = match target(which) {
        Target::Number(number) => g.ticket(number).await?,
        Target::Equipment(id) => {
            let (_, e) = find(g, &id)?;
            let id = e.id.clone();
            let live = g
                .look(move |desk, _| {
                    desk.state()
                        .tickets
                        .values()
                        .filter(|t| t.state.is_live() && t.equipment == id)
                        .cloned()
                        .collect::<Vec<_>>()
                })
                .await?;
            match live.as_slice() {
                [] => {
                    return Err(Refusal::new(Rule::NoLiveTicket, format!("{which} has no live ticket"))
                        .command("see its past", format!("andon history --equipment {which}"))
                        .into());
                }
                [one] => Some(one.clone()),
                several => {
                    let numbers: Vec<String> =
                        several.iter().map(|t| format!("{} ({})", t.number, t.fault)).collect();
                    return Err(Refusal::new(
                        Rule::SeveralLiveTickets,
                        format!("{which} has {} live tickets", several.len()),
                    )
                    .remedy(format!("name one by number: {}", numbers.join(", ")))
                    .into());
                }
            }
        }
    };
    ticket.ok_or_else(|| {
        Refusal::new(Rule::NoSuchTicket, format!("there is no ticket {which}"))
            .command("see which there are", "andon ticket list")
            .into()
    })
}

async fn whole(g: &Gateway, t: &Ticket) -> Result<TicketV1, Failure> {
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
    let filter = HistoryFilter {
        equipment: Some(t.equipment.to_string()),
        fault: Some(t.fault.to_string()),
        limit: Some(10),
        ..HistoryFilter::default()
    };
    let past = g.query(move |store| store.history(&filter)).await?.map_err(|e| own_failure(e.to_string()))?;
    let earlier = past
        .iter()
        .filter(|p| p.number != t.number)
        .flat_map(|p| {
            p.fixes.iter().map(|f| EarlierV1 {
                ticket: p.number.0,
                at: f.at,
                cause: f.cause.clone(),
                action: f.action.clone(),
                effective: f.effective,
            })
        })
        .take(5)
        .collect();
    Ok(TicketV1 {
        row: row(t),
        code: t.code.clone(),
        onset: t.onset,
        values: t.values.clone(),
        hold_reason: t.hold_reason.clone(),
        causes: guidance.causes,
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
        earlier,
        firmware: t.firmware.clone(),
        firmware_notes: t.firmware_notes.iter().map(|name| recorded_note(g, name)).collect(),
        log: t.log.clone(),
    })
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
    headers: HeaderMap,
    body: String,
) -> Answer<TicketV1> {
    let verb: TicketCommand =
        serde_json::from_str(&body).map_err(|e| usage(format!("the command does not read: {e}")))?;
    let target = target(&which);
    let stored = match target {
        Target::Number(number) => g.ticket(number).await?.map(Box::new),
        Target::Equipment(_) => None,
    };
    let duplicate_exists = match &verb {
        TicketCommand::Cancel { reason: CancelReason::DuplicateOf(other), .. } => {
            g.ticket(*other).await?.is_some()
        }
        _ => false,
    };
    let ticket = g.ask(Command { by: author(&headers), target, verb, stored, duplicate_exists }).await?;
    Ok(Json(whole(&g, &ticket).await?))
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
        text.map(|t| Wall::parse(&t).map_err(|e| usage(format!("{t} is no time: {e}")))).transpose()
    };
    let filter = HistoryFilter {
        equipment: q.equipment,
        fault: q.fault,
        since: instant(q.since)?,
        until: instant(q.until)?,
        text: q.text,
        limit: q.limit,
    };
    let found =
        g.query(move |store| store.history(&filter)).await?.map_err(|e| own_failure(e.to_string()))?;
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
