//! `andon equipment list|show|read|write|history|out-of-service|return|relearn`.

mod watch;

use std::time::Duration;

use clap::Subcommand;

use super::alarm::operate;
use super::context::Context;
use super::error::CliError;
use super::firmware::note_text;
use super::render::{Sheet, heading};
use super::samples::{self, HistoryArgs};
use crate::client::Client;
use crate::v1::{EquipmentV1, OperationKindV1, PointV1, ReadingsV1, WriteV1, WroteV1};
use crate::words::Outcome;

/// The verbs of `andon equipment`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List all equipment
    List,
    /// Show one piece of equipment: its location, its link, its points and its live tickets
    Show {
        /// Equipment id
        id: String,
    },
    /// Read every point now
    #[command(
        after_help = "Examples:\n  andon equipment read press-7 --json | jq .points.dc_bus_voltage.value\n  andon equipment read press-7 --watch"
    )]
    Read {
        /// Equipment id
        id: String,
        /// Show the last readings instead of asking for fresh ones
        #[arg(long, conflicts_with = "watch")]
        last: bool,
        /// Repeat the readings, and show raw registers beside decoded values (for commissioning)
        #[arg(long)]
        watch: bool,
        /// With --watch: time between two readings, in milliseconds
        #[arg(long, value_name = "MS", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(100..), requires = "watch")]
        every: u64,
        /// With --watch: stop after this many readings [default: repeat until Ctrl-C]
        #[arg(long, value_name = "N", requires = "watch")]
        times: Option<u64>,
    },
    /// Write a point that its profile marks as writable, and read it back; the journal records both
    #[command(
        after_help = "Examples:\n  andon equipment write oven-2 setpoint 180 --reason 'recipe 14'\n  andon equipment write oven-2 mode auto --reason 'back from test'\n\nA point is writable if its profile marks it: writable = { min = 20, max = 250 }"
    )]
    Write {
        /// Equipment id
        id: String,
        /// Name of the point
        point: String,
        /// Value: a number in the unit of the point, the name of an enum value, or on or off
        #[arg(allow_negative_numbers = true)]
        value: String,
        /// Reason, recorded in the journal
        #[arg(long)]
        reason: String,
    },
    /// Show recorded readings of a point, as a curve, a table or CSV
    History(HistoryArgs),
    /// Take equipment out of service: its alarms are suppressed until you return it
    #[command(after_help = "Example:\n  andon equipment out-of-service oven-2 --reason 'yearly inspection'")]
    OutOfService {
        /// Equipment id
        id: String,
        /// Reason, recorded in the journal
        #[arg(long)]
        reason: String,
    },
    /// Return equipment to service. andon now raises the alarms whose condition is true
    Return {
        /// Equipment id
        id: String,
        /// Reason, recorded in the journal
        #[arg(long)]
        reason: String,
    },
    /// Discard a learned baseline and learn it again, for example after a repair
    #[command(after_help = "Example:\n  andon equipment relearn pump-1 loop --reason 'new impeller'")]
    Relearn {
        /// Equipment id
        id: String,
        /// Name of the baseline in the profile
        baseline: String,
        /// Reason, recorded in the journal
        #[arg(long)]
        reason: String,
    },
}

pub(super) async fn run(cx: &mut Context<'_>, command: Command) -> Result<Outcome, CliError> {
    match command {
        Command::List => list(cx).await,
        Command::Show { id } => show(cx, &id).await,
        Command::Read { id, watch: true, every, times, .. } => {
            watch::run(cx, &id, Duration::from_millis(every), times).await
        }
        Command::Read { id, last, .. } => read(cx, &id, last).await,
        Command::History(args) => samples::history(cx, args).await,
        Command::OutOfService { id, reason } => operate(cx, id, OperationKindV1::OutOfService, reason).await,
        Command::Return { id, reason } => operate(cx, id, OperationKindV1::Return, reason).await,
        Command::Relearn { id, baseline, reason } => {
            operate(cx, id, OperationKindV1::Relearn { baseline }, reason).await
        }
        Command::Write { id, point, value, reason } => {
            write(cx, &id, &point, WriteV1 { value, reason }).await
        }
    }
}

async fn list(cx: &mut Context<'_>) -> Result<Outcome, CliError> {
    let rows: Vec<EquipmentV1> = cx.get("/v1/equipment").await?;
    let mut sheet = Sheet::new(&[
        "id",
        "name",
        "state",
        "tickets",
        "criticality",
        "location",
        "device",
        "link",
        "unit_id",
    ]);
    for e in &rows {
        sheet.row([
            e.id.clone(),
            e.name.clone(),
            e.state.clone(),
            numbers(&e.tickets),
            e.criticality.clone(),
            e.location.clone(),
            e.device.clone(),
            e.link.clone(),
            e.unit.to_string(),
        ]);
    }
    cx.list(&rows, &sheet, "andon.toml names no equipment")?;
    Ok(Outcome::Done)
}

fn numbers(tickets: &[u64]) -> String {
    tickets.iter().map(u64::to_string).collect::<Vec<_>>().join(", ")
}

async fn show(cx: &mut Context<'_>, id: &str) -> Result<Outcome, CliError> {
    let e: EquipmentV1 = cx.get(&Client::path("/v1/equipment/{}", &[id])).await?;
    if cx.global.json {
        cx.json(&e)?;
        return Ok(Outcome::Done);
    }
    let readings: ReadingsV1 = cx.get(&Client::path("/v1/equipment/{}/readings", &[id])).await?;
    let mut text = heading(&format!("{}  {}  {}", e.id, e.name, e.state));
    for (label, value) in [
        ("Device", &e.device),
        ("Profile", &e.profile),
        ("Link", &format!("{} unit {}", e.link, e.unit)),
        ("Location", &e.location),
        ("Criticality", &e.criticality),
        ("Tickets", &numbers(&e.tickets)),
        ("Firmware", e.firmware.as_ref().unwrap_or(&String::new())),
    ] {
        if !value.is_empty() {
            text.push_str(&format!("{label:<12}{value}\n"));
        }
    }
    for note in &e.firmware_notes {
        text.push_str(&format!("\nKnown issue: {}", note_text(note)));
    }
    text.push('\n');
    text.push_str(&points(cx, &readings).table());
    cx.print(&text)?;
    Ok(Outcome::Done)
}

async fn read(cx: &mut Context<'_>, id: &str, last: bool) -> Result<Outcome, CliError> {
    let fresh = if last { "" } else { "?fresh=true" };
    let path = format!("{}{fresh}", Client::path("/v1/equipment/{}/readings", &[id]));
    let readings: ReadingsV1 = cx.get(&path).await?;
    let sheet = points(cx, &readings);
    cx.list(&readings, &sheet, "its profile has no points")?;
    Ok(Outcome::Done)
}

async fn write(cx: &mut Context<'_>, id: &str, point: &str, body: WriteV1) -> Result<Outcome, CliError> {
    let path = Client::path("/v1/equipment/{}/points/{}", &[id, point]);
    let wrote: WroteV1 = cx.post(&path, &body).await?;
    if cx.global.json {
        cx.json(&wrote)?;
        return Ok(Outcome::Done);
    }
    let before = wrote.before.map_or(String::new(), |b| format!(" (it was {b})"));
    cx.print(&format!("{} of {} is {}, read back{before}\n", wrote.point, wrote.equipment, wrote.value))?;
    Ok(Outcome::Done)
}

fn points(cx: &Context<'_>, readings: &ReadingsV1) -> Sheet {
    let mut sheet = Sheet::new(&["point", "value", "unit", "quality", "time", "reason"]);
    for (name, p) in &readings.points {
        sheet.row([
            name.clone(),
            value(p),
            p.unit.clone(),
            p.quality.to_string(),
            p.at.map_or_else(|| "never".to_owned(), |at| cx.time(at)),
            p.reason.clone().unwrap_or_default(),
        ]);
    }
    sheet
}

/// Formats a value for a person: an enum as its name, bits as the names of the bits that are set.
fn value(p: &PointV1) -> String {
    if let Some(name) = &p.name {
        return name.clone();
    }
    if !p.bits.is_empty() {
        let set: Vec<&str> = p.bits.iter().filter(|(_, on)| **on).map(|(n, _)| n.as_str()).collect();
        return if set.is_empty() { "none set".to_owned() } else { set.join(", ") };
    }
    match &p.value {
        None => String::new(),
        Some(serde_json::Value::String(t)) => t.clone(),
        Some(v) => v.as_f64().map_or_else(|| v.to_string(), crate::words::render_real),
    }
}
