//! `GET /v1/tickets`, `GET` and `POST /v1/tickets/{target}`, `GET /v1/history`.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;

use super::{Answer, Failure, Period, usage};
use crate::api::Gateway;
use crate::api::transport::Identity;
use crate::desk::Reply;
use crate::limits;
use crate::store::HistoryFilter;
use crate::ticket::{
    CancelReason, Target, Ticket, TicketAsk, TicketChange, TicketReport, TicketState, TicketVerb,
};
use crate::v1::{HistoryRowV1, TicketRowV1, TicketV1};
use crate::view::{self, FromStore};
use crate::words::{Author, Refusal, Rule, TicketNumber};

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
        return Ok(Json(past.iter().map(view::ticket_row).collect()));
    }
    let wanted = move |t: &Ticket| {
        state.is_none_or(|s| s == t.state)
            && q.equipment.as_ref().is_none_or(|e| e == t.equipment.as_str())
            && q.fault.as_ref().is_none_or(|f| f == t.fault.as_str())
            && q.assignee.as_ref().is_none_or(|a| Some(a) == t.assignee.as_ref())
    };
    Ok(Json(view::tickets(&*g.snapshot().await?, wanted)))
}

fn state_of(word: &str) -> Result<TicketState, Failure> {
    TicketState::ALL.into_iter().find(|s| s.word() == word).ok_or_else(|| {
        let words: Vec<&str> = TicketState::ALL.iter().map(|s| s.word()).collect();
        usage(format!("there is no state {word}; the states are {}", words.join(", ")))
    })
}

fn target(text: &str) -> Target {
    match text.parse() {
        Ok(number) => Target::Number(TicketNumber(number)),
        Err(_) => Target::Equipment(text.to_owned()),
    }
}

/// The number of log lines that the client wants.
#[derive(Deserialize)]
pub(super) struct LogQuery {
    log: Option<usize>,
}

pub(super) async fn ticket_show(
    State(g): State<Gateway>,
    Path(which): Path<String>,
    Query(q): Query<LogQuery>,
) -> Answer<TicketV1> {
    let ticket = find_ticket(&g, &which).await?;
    let lines = q.log.unwrap_or(limits::LOG_LINES_MAX).min(limits::LOG_LINES_MAX);
    let stored = stored(&g, &ticket, lines, limits::STORE_CATCH_UP_MAX).await;
    Ok(Json(view::ticket(&g.site, &ticket, stored)))
}

/// Reads a ticket's log and its earlier repairs from the ticket database. Without an answer the ticket is sent without them.
async fn stored(g: &Gateway, t: &Ticket, lines: usize, wait: Duration) -> FromStore {
    let filter = HistoryFilter {
        equipment: Some(t.equipment.to_string()),
        fault: Some(t.fault.to_string()),
        limit: Some(10),
        ..HistoryFilter::default()
    };
    let number = t.number;
    let asked = g.query_within(wait, move |store| Ok((store.log(number, lines)?, store.history(&filter)?)));
    match asked.await {
        Ok((log, past)) => FromStore { log, past, incomplete: None },
        Err(refusal) => FromStore { incomplete: Some(refusal.message), ..FromStore::default() },
    }
}

/// Returns the number of the ticket that `which` identifies.
pub(super) async fn number_of(g: &Gateway, which: &str) -> Result<TicketNumber, Failure> {
    Ok(find_ticket(g, which).await?.number)
}

/// Finds a ticket: by its number, or as the only live ticket of a piece of equipment.
async fn find_ticket(g: &Gateway, which: &str) -> Result<Arc<Ticket>, Failure> {
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
            .command("list the tickets", "andon ticket list")
            .into()
    })
}

pub(super) async fn ticket_change(
    State(g): State<Gateway>,
    Path(which): Path<String>,
    Query(q): Query<LogQuery>,
    Identity(by): Identity,
    body: String,
) -> Answer<TicketV1> {
    let verb: TicketVerb =
        serde_json::from_str(&body).map_err(|e| usage(format!("the request cannot be read: {e}")))?;
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
    let change = TicketChange { target, verb, stored: stored_ticket, duplicate_exists };
    changed(&g, by, TicketAsk::Change(change), q.log).await
}

/// Opens a ticket for a fault that a person reports.
pub(super) async fn report(
    State(g): State<Gateway>,
    Query(q): Query<LogQuery>,
    Identity(by): Identity,
    body: String,
) -> Answer<TicketV1> {
    let report: TicketReport =
        serde_json::from_str(&body).map_err(|e| usage(format!("the report cannot be read: {e}")))?;
    changed(&g, by, TicketAsk::Report(report), q.log).await
}

/// Asks the desk, and answers with the ticket as it is on record. The answer does not depend on the ticket database.
async fn changed(g: &Gateway, by: Author, ask: TicketAsk, log: Option<usize>) -> Answer<TicketV1> {
    let Reply::Ticket(ticket, entries) = g.ask(by, ask).await? else {
        return Err(Refusal::new(Rule::TooBusy, "the gateway gave no answer to the command").into());
    };
    let lines = log.unwrap_or(limits::LOG_ANSWERED).min(limits::LOG_LINES_MAX);
    let mut stored = stored(g, &ticket, lines, limits::REPLY_WAITS_MAX).await;
    if stored.incomplete.is_some() {
        stored.log = entries;
    }
    Ok(Json(view::ticket(&g.site, &ticket, stored)))
}

#[derive(Deserialize)]
pub(super) struct HistoryQuery {
    equipment: Option<String>,
    fault: Option<String>,
    text: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn history(
    State(g): State<Gateway>,
    Query(period): Query<Period>,
    Query(q): Query<HistoryQuery>,
) -> Answer<Vec<HistoryRowV1>> {
    let (since, until) = period.named()?;
    let filter = HistoryFilter {
        equipment: q.equipment,
        fault: q.fault,
        since,
        until,
        text: q.text,
        limit: q.limit,
        ..HistoryFilter::default()
    };
    let found = g.query(move |store| store.history(&filter)).await?;
    Ok(Json(found.iter().map(view::history_row).collect()))
}
