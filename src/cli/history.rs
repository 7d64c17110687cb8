//! `andon history`: lists past tickets, newest first.

use super::context::Context;
use super::error::CliError;
use super::render::Sheet;
use super::when::Period;
use crate::client::Client;
use crate::v1::HistoryRowV1;
use crate::words::Outcome;

/// The options of `andon history`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  andon history --equipment press-7 --since 30d\n  andon history --fault undervoltage --since 2026-03-01 --until 2026-04-01 --csv\n  andon history --text resistor\n\nThe period is that in which tickets were opened; without --since: from the first one on."
)]
pub struct HistoryArgs {
    /// Only tickets of this equipment
    #[arg(long, value_name = "ID")]
    pub equipment: Option<String>,
    /// Only tickets of this fault
    #[arg(long)]
    pub fault: Option<String>,
    /// Only tickets opened in this period.
    #[command(flatten)]
    pub period: Period,
    /// Only tickets with this text in summary, finding, fix or notes
    #[arg(long)]
    pub text: Option<String>,
    /// Show at most this many tickets [default: 200]
    #[arg(long)]
    pub limit: Option<usize>,
}

pub(super) async fn run(cx: &mut Context<'_>, args: HistoryArgs) -> Result<Outcome, CliError> {
    let [since, until] = cx.period(&args.period)?;
    let query = Client::query(&[
        ("equipment", args.equipment),
        ("fault", args.fault),
        since,
        until,
        ("text", args.text),
        ("limit", args.limit.map(|n| n.to_string())),
    ]);
    let rows: Vec<HistoryRowV1> = cx.get(&format!("/v1/history{query}")).await?;
    let sheet = if cx.global.is_csv() { csv_sheet(&rows) } else { sheet(cx, &rows) };
    cx.list(&rows, &sheet, "No ticket meets these conditions.")?;
    Ok(Outcome::Done)
}

fn held(effective: Option<bool>) -> &'static str {
    match effective {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    }
}

fn sheet(cx: &Context<'_>, rows: &[HistoryRowV1]) -> Sheet {
    let mut sheet = Sheet::new(&[
        "ticket",
        "opened",
        "equipment",
        "fault",
        "state",
        "occurrences",
        "cause",
        "action",
        "minutes",
        "by",
        "effective",
    ]);
    for r in rows {
        sheet.row([
            r.row.id.to_string(),
            cx.time(r.row.opened_at),
            r.row.equipment.clone(),
            r.row.subject().to_owned(),
            r.row.state.word().to_owned(),
            r.row.occurrences.to_string(),
            r.cause.clone().unwrap_or_default(),
            r.action.clone().unwrap_or_default(),
            r.minutes.map_or_else(String::new, |m| m.to_string()),
            r.by.clone().unwrap_or_default(),
            held(r.effective).to_owned(),
        ]);
    }
    sheet
}

fn csv_sheet(rows: &[HistoryRowV1]) -> Sheet {
    let mut sheet = Sheet::new(&[
        "id",
        "equipment",
        "fault",
        "severity",
        "state",
        "opened_at",
        "closed_at",
        "occurrences",
        "cause",
        "action",
        "minutes",
        "by",
        "effective",
        "summary",
    ]);
    for r in rows {
        sheet.row([
            r.row.id.to_string(),
            r.row.equipment.clone(),
            r.row.subject().to_owned(),
            r.row.severity.word().to_owned(),
            r.row.state.word().to_owned(),
            r.row.opened_at.to_string(),
            r.closed_at.map_or_else(String::new, |at| at.to_string()),
            r.row.occurrences.to_string(),
            r.cause.clone().unwrap_or_default(),
            r.action.clone().unwrap_or_default(),
            r.minutes.map_or_else(String::new, |m| m.to_string()),
            r.by.clone().unwrap_or_default(),
            r.effective.map_or_else(String::new, |e| e.to_string()),
            r.row.summary.clone(),
        ]);
    }
    sheet
}
