//! `andon ticket list`: lists tickets.

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::render::{Sheet, ago};
use crate::client::Client;
use crate::ticket::Condition;
use crate::v1::{StatusV1, TicketRowV1};
use crate::words::{Outcome, Wall};

/// The options of `andon ticket list`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  andon ticket list --equipment press-7\n  andon ticket list --state closed --json\n  andon ticket list --mine"
)]
pub struct ListArgs {
    /// Only tickets in this state: open, acknowledged, in-progress, on-hold, fixed, closed, reopened or cancelled [default: all live tickets]
    #[arg(long)]
    pub state: Option<String>,
    /// Only tickets of this equipment
    #[arg(long, value_name = "ID")]
    pub equipment: Option<String>,
    /// Only tickets of this fault
    #[arg(long)]
    pub fault: Option<String>,
    /// Only tickets assigned to this person
    #[arg(long, value_name = "PERSON", conflicts_with = "mine")]
    pub assignee: Option<String>,
    /// Only tickets assigned to you
    #[arg(long)]
    pub mine: bool,
}

pub(super) async fn run(cx: &mut Context<'_>, args: ListArgs) -> Result<Outcome, CliError> {
    let assignee = if args.mine { Some(cx.person()) } else { args.assignee };
    let query = Client::query(&[
        ("state", args.state),
        ("equipment", args.equipment),
        ("fault", args.fault),
        ("assignee", assignee),
    ]);
    let rows: Vec<TicketRowV1> = cx.get(&format!("/v1/tickets{query}")).await?;
    let status: StatusV1 = cx.get("/v1/status").await?;
    print_rows(cx, &rows, status.now)
}

/// Prints tickets as JSON, CSV or a table.
pub(in crate::cli) fn print_rows(
    cx: &Context<'_>,
    rows: &[TicketRowV1],
    now: Wall,
) -> Result<Outcome, CliError> {
    let sheet = if cx.global.is_csv() { csv_sheet(rows) } else { sheet(rows, now) };
    cx.list(&rows, &sheet, "No ticket meets these conditions.")?;
    Ok(Outcome::Done)
}

/// Makes the table of tickets for a person.
pub(in crate::cli) fn sheet(rows: &[TicketRowV1], now: Wall) -> Sheet {
    let mut sheet = Sheet::new(&[
        "ticket",
        "severity",
        "equipment",
        "fault",
        "state",
        "condition",
        "opened",
        "occurrences",
        "assignee",
        "summary",
    ]);
    for r in rows {
        sheet.row([
            r.id.to_string(),
            r.severity.word().to_owned(),
            r.equipment.clone(),
            r.subject().to_owned(),
            r.state.word().to_owned(),
            r.condition.map_or("", Condition::word).to_owned(),
            ago(r.opened_at, now),
            r.occurrences.to_string(),
            r.assignee.clone().unwrap_or_default(),
            r.summary.clone(),
        ]);
    }
    sheet
}

/// Makes the CSV list of tickets: the same fields as in JSON, with times in RFC 3339.
fn csv_sheet(rows: &[TicketRowV1]) -> Sheet {
    let mut sheet = Sheet::new(&[
        "id",
        "equipment",
        "fault",
        "severity",
        "state",
        "condition",
        "opened_at",
        "occurrences",
        "assignee",
        "due_at",
        "summary",
    ]);
    for r in rows {
        sheet.row([
            r.id.to_string(),
            r.equipment.clone(),
            r.subject().to_owned(),
            r.severity.word().to_owned(),
            r.state.word().to_owned(),
            r.condition.map_or("", Condition::word).to_owned(),
            r.opened_at.to_string(),
            r.occurrences.to_string(),
            r.assignee.clone().unwrap_or_default(),
            r.due_at.map_or_else(String::new, |at| at.to_string()),
            r.summary.clone(),
        ]);
    }
    sheet
}
