//! `andon equipment history ID POINT` and `andon ticket trace N`: print recorded readings as curve, table, CSV or SVG.

use std::path::PathBuf;

use super::context::Context;
use super::error::CliError;
use super::file::write_new;
use super::render::{Marks, Sheet, heading, plot, plural, svg, width};
use super::when::Period;
use crate::client::Client;
use crate::v1::{PointHistoryV1, SampleV1, TraceV1};
use crate::words::{Outcome, Wall, render_real};

/// `andon equipment history ID POINT`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  andon equipment history press-7 oil_temperature --since 8h\n  andon equipment history press-7 oil_temperature --since 2026-03-01T06:00 --until 2026-03-01T14:00 --csv\n\nWithout --since the period is an hour long."
)]
pub struct HistoryArgs {
    /// Equipment id
    pub id: String,
    /// Name of the point
    pub point: String,
    /// Period of the readings.
    #[command(flatten)]
    pub period: Period,
    /// Show every reading in a table instead of a curve
    #[arg(long)]
    pub table: bool,
}

/// `andon ticket trace N`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  andon ticket trace 12\n  andon ticket trace 12 --svg trip.svg\n  andon ticket trace 12 --csv > trip.csv\n\nThe trace shows the points of the fault, and the points in its trace = [\"speed\"], from two minutes before the onset to two\nminutes after the onset. │ is the onset; dotted lines are the limits of the fault."
)]
pub struct TraceArgs {
    /// Ticket number; or an equipment id, if this equipment has exactly one live ticket
    #[arg(value_name = "N")]
    pub ticket: String,
    /// Write a drawing (SVG) to this file, for a report
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
}

fn pairs(samples: &[SampleV1]) -> Vec<(Wall, Option<f64>)> {
    samples.iter().map(|SampleV1(at, value)| (*at, *value)).collect()
}

fn cell(value: Option<f64>) -> String {
    value.map_or_else(|| "bad".to_owned(), render_real)
}

pub(super) async fn history(cx: &mut Context<'_>, args: HistoryArgs) -> Result<Outcome, CliError> {
    let query = Client::query(&cx.period(&args.period)?);
    let path = Client::path("/v1/equipment/{}/points/{}/history", &[&args.id, &args.point]);
    let found: PointHistoryV1 = cx.get(&format!("{path}{query}")).await?;
    if cx.global.json || cx.global.is_csv() || args.table {
        let mut sheet = Sheet::new(&["time", "value", "unit"]);
        for SampleV1(at, value) in &found.samples {
            let time = if cx.global.is_csv() { at.to_string() } else { cx.time(*at) };
            sheet.row([time, cell(*value), found.unit.clone()]);
        }
        cx.list(
            &found,
            &sheet,
            "No readings of this point are recorded in this period. Try an earlier --since.",
        )?;
        return Ok(Outcome::Done);
    }
    if found.samples.is_empty() {
        cx.print("No readings of this point are recorded in this period. Try an earlier --since.\n")?;
        return Ok(Outcome::Negative);
    }
    let mut text = heading(&format!(
        "{} of {}, {}",
        found.point,
        found.equipment,
        plural(found.samples.len(), "reading")
    ));
    let end = found.samples.last().map_or(found.until, |SampleV1(at, _)| *at);
    let begin = found.samples.first().map_or(found.since, |SampleV1(at, _)| *at);
    let time = |at| cx.time(at);
    text.push_str(&plot(
        &pairs(&found.samples),
        (begin, end),
        &found.unit,
        &Marks::default(),
        &time,
        width(),
    ));
    cx.print(&text)?;
    Ok(Outcome::Done)
}

pub(super) async fn trace(cx: &mut Context<'_>, args: TraceArgs) -> Result<Outcome, CliError> {
    // Load the site, because it gives the time zone of the drawing.
    let _site = cx.site()?;
    let trace: TraceV1 = cx.get(&Client::path("/v1/tickets/{}/trace", &[&args.ticket])).await?;
    let time = |at| cx.time(at);
    if let Some(file) = &args.svg {
        write_new(file, svg(&trace, &time).as_bytes())?;
        cx.print(&format!("wrote the trace of ticket {} to {}\n", trace.ticket, file.display()))?;
        return Ok(Outcome::Done);
    }
    if cx.global.json || cx.global.is_csv() {
        let mut sheet = Sheet::new(&["point", "time", "value", "unit"]);
        for s in &trace.series {
            for SampleV1(at, value) in &s.samples {
                sheet.row([s.point.clone(), at.to_string(), cell(*value), s.unit.clone()]);
            }
        }
        cx.list(&trace, &sheet, "")?;
        return Ok(Outcome::Done);
    }
    let mut text = heading(&format!(
        "Ticket {}  {} of {}, onset {}",
        trace.ticket,
        trace.fault,
        trace.equipment,
        time(trace.onset)
    ));
    for s in &trace.series {
        let limits: Vec<String> = s.limits.iter().map(|l| render_real(*l)).collect();
        let beside =
            if limits.is_empty() { String::new() } else { format!("  limits {}", limits.join(", ")) };
        text.push_str(&format!("\n{}{beside}\n", s.point));
        let marks = Marks { at: Some(trace.onset), levels: s.limits.clone() };
        text.push_str(&plot(&pairs(&s.samples), (trace.from, trace.until), &s.unit, &marks, &time, width()));
    }
    cx.print(&text)?;
    Ok(Outcome::Done)
}
