//! `andon` without a command: shows problems, and the live tickets, first the tickets of the person who asks.

use super::context::Context;
use super::error::CliError;
use super::render::{heading, plural};
use super::status::trouble;
use super::ticket;
use crate::v1::{StatusV1, TicketRowV1};
use crate::words::Outcome;

pub(super) async fn run(cx: &mut Context<'_>) -> Result<Outcome, CliError> {
    let status: StatusV1 = cx.get("/v1/status").await?;
    let rows: Vec<TicketRowV1> = cx.get("/v1/tickets").await?;
    if cx.global.json || cx.global.is_csv() {
        return ticket::print_rows(cx, &rows, status.now);
    }
    let away: Vec<String> = status
        .equipment
        .iter()
        .filter(|e| status.daemon && e.state != "online" && e.state != "out-of-service")
        .map(|e| format!("{} is {}: {}", e.id, e.state, e.message))
        .chain(status.out_of_service.iter().map(|o| {
            format!("{} is out of service since {} by {}: {}", o.equipment, cx.time(o.since), o.by, o.reason)
        }))
        .collect();
    let mut text = heading(&format!(
        "{}: {}, {}",
        status.gateway,
        plural(status.alarms.len(), "alarm"),
        plural(rows.len(), "live ticket")
    ));
    if !status.daemon {
        text.push_str("daemon stopped: no equipment is read (start it: andon daemon)\n");
    }
    if !status.journal.writable {
        text.push_str(&format!("THE JOURNAL CANNOT BE WRITTEN: {}\n", status.journal.message));
    }
    text.push_str(&trouble(&status));
    for line in &away {
        text.push_str(&format!("{line}\n"));
    }
    let me = cx.person();
    let (mine, others): (Vec<TicketRowV1>, Vec<TicketRowV1>) =
        rows.into_iter().partition(|r| r.assignee.as_ref() == Some(&me));
    for (title, part) in [("Yours", mine), ("Waiting", others)] {
        if !part.is_empty() {
            text.push('\n');
            text.push_str(&heading(title));
            text.push_str(&ticket::sheet(&part, status.now).table());
        }
    }
    let is_sound = status.journal.writable && trouble(&status).is_empty();
    let is_calm = status.alarms.is_empty() && status.tickets.is_empty();
    if is_calm && is_sound && status.daemon && away.is_empty() {
        text.push_str("no alarms, no live tickets, all equipment online\n");
    } else if !is_calm {
        text.push_str("\nShow one ticket: andon ticket show N. Show links and equipment: andon status.\n");
    }
    cx.print(&text)?;
    Ok(Outcome::Done)
}
