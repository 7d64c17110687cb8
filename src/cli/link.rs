//! `andon link list|plan|capture`: lists links, shows the load of a line, and saves its frames.

use clap::Subcommand;

use super::capture::{self, LinkCaptureArgs};
use super::context::Context;
use super::error::CliError;
use super::render::{Sheet, heading};
use crate::client::Client;
use crate::v1::{LinkV1, PlanRowV1, PlanV1};
use crate::words::{Outcome, render_duration};

/// The verbs of `andon link`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List all links and their states
    List,
    /// Show the reads of a link, their times and the load of the line
    #[command(after_help = "Example:\n  andon link plan rs485-a\n\nExit code 1 if the line is overloaded.")]
    Plan {
        /// Name of the link
        link: String,
    },
    /// Write the last frames of a link to a file that Wireshark opens
    Capture(LinkCaptureArgs),
}

pub(super) async fn run(cx: &mut Context<'_>, command: Command) -> Result<Outcome, CliError> {
    match command {
        Command::List => list(cx).await,
        Command::Plan { link } => plan(cx, &link).await,
        Command::Capture(args) => capture::link(cx, &args).await,
    }
}

async fn list(cx: &mut Context<'_>) -> Result<Outcome, CliError> {
    let rows: Vec<LinkV1> = cx.get("/v1/links").await?;
    let mut sheet = Sheet::new(&["name", "kind", "place", "state", "requests", "line_load", "message"]);
    for l in &rows {
        sheet.row([
            l.name.clone(),
            l.kind.clone(),
            l.place.clone(),
            l.state.clone(),
            l.requests.to_string(),
            format!("{:.1} %", l.line_use * 100.0),
            l.message.clone(),
        ]);
    }
    cx.list(&rows, &sheet, "andon.toml has no [[link]].")?;
    Ok(Outcome::Done)
}

async fn plan(cx: &mut Context<'_>, link: &str) -> Result<Outcome, CliError> {
    let plan: PlanV1 = cx.get(&Client::path("/v1/links/{}/plan", &[link])).await?;
    let is_line = plan.requests.iter().any(|r| r.request.is_some());
    let sheet = if is_line { line_sheet(&plan) } else { read_sheet(&plan) };
    if !cx.global.json && !cx.global.is_csv() && !plan.requests.is_empty() {
        let verdict = if plan.carries {
            ""
        } else {
            ": OVERLOADED, points will be late. Use a longer `every`, a higher baud rate or a second line."
        };
        cx.print(&heading(&format!(
            "{} ({}): {} requests, {:.1} % of its time{verdict}",
            plan.link,
            plan.kind,
            plan.requests.len(),
            plan.load * 100.0
        )))?;
    }
    let nothing = "andon asks nothing on this link: its equipment reports by itself, or there is none.";
    cx.list(&plan, &sheet, nothing)?;
    Ok(if plan.carries { Outcome::Done } else { Outcome::Negative })
}

fn takes(r: &PlanRowV1) -> [String; 4] {
    [
        render_duration(std::time::Duration::from_millis(r.every_ms)),
        format!("{:.1}", r.takes_ms),
        if r.measured { "yes" } else { "assumed" }.to_owned(),
        r.points.join(" "),
    ]
}

/// The requests of a device with a line protocol of its own.
fn line_sheet(plan: &PlanV1) -> Sheet {
    let mut sheet = Sheet::new(&["equipment", "request", "every", "time_ms", "measured", "points"]);
    for r in &plan.requests {
        let [every, takes, measured, points] = takes(r);
        let request = r.request.clone().unwrap_or_default();
        sheet.row([r.equipment.clone(), request, every, takes, measured, points]);
    }
    sheet
}

/// Reads of registers.
fn read_sheet(plan: &PlanV1) -> Sheet {
    let mut sheet = Sheet::new(&[
        "equipment",
        "unit_id",
        "area",
        "first_register",
        "registers",
        "registers_used",
        "every",
        "time_ms",
        "measured",
        "points",
    ]);
    for r in &plan.requests {
        let [every, takes, measured, points] = takes(r);
        sheet.row([
            r.equipment.clone(),
            r.unit.to_string(),
            r.area.clone(),
            r.start.to_string(),
            r.count.to_string(),
            r.used.to_string(),
            every,
            takes,
            measured,
            points,
        ]);
    }
    sheet
}
