//! `andon profile list` and `andon profile show`: print profiles.

use std::time::Duration;

use serde::Serialize;

use super::loaded;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::render::{Sheet, heading, wrapped};
use crate::profile::{Profile, Protocol, Trigger, load};
use crate::words::{Outcome, ProfileName, Severity, render_duration};

#[derive(Serialize)]
struct Row {
    name: String,
    vendor: String,
    model: String,
    kind: String,
    points: usize,
    faults: usize,
}

pub(super) fn list(cx: &Context<'_>) -> Result<Outcome, CliError> {
    let files = cx.program.profiles(&cx.config());
    let loaded = files.names().into_iter().filter_map(|n| ProfileName::parse(&n).ok()).filter_map(|name| {
        let text = files.text(&name)?;
        load(&name, &text).0
    });
    let rows: Vec<Row> = loaded
        .map(|p| Row {
            name: p.name.to_string(),
            vendor: p.device.vendor.clone(),
            model: p.device.model.clone(),
            kind: p.device.kind.clone(),
            points: p.points.len(),
            faults: p.faults.len(),
        })
        .collect();
    let mut sheet = Sheet::new(&["name", "vendor", "model", "kind", "points", "faults"]);
    for r in &rows {
        sheet.row([
            r.name.clone(),
            r.vendor.clone(),
            r.model.clone(),
            r.kind.clone(),
            r.points.to_string(),
            r.faults.to_string(),
        ]);
    }
    cx.list(&rows, &sheet, "There are no profiles.")?;
    Ok(Outcome::Done)
}

#[derive(Serialize)]
struct Shown {
    name: String,
    vendor: String,
    model: String,
    kind: String,
    source: String,
    unconfirmed: Option<String>,
    sha256: String,
    modbus: Option<ShownModbus>,
    points: Vec<ShownPoint>,
    faults: Vec<ShownFault>,
}

/// The communication settings of a Modbus device in its profile.
#[derive(Serialize)]
struct ShownModbus {
    line: Option<String>,
    timeout_ms: u64,
    min_interval_ms: u64,
    connect_pause_ms: u64,
}

#[derive(Serialize)]
struct ShownPoint {
    name: String,
    place: String,
    #[serde(rename = "type")]
    kind: String,
    unit: String,
    every_ms: Option<u64>,
    description: String,
    unconfirmed: Option<String>,
}

#[derive(Serialize)]
struct ShownFault {
    name: String,
    severity: Severity,
    code: Option<String>,
    when: String,
    means: String,
    causes: Vec<String>,
    danger: Option<String>,
    protection: Vec<String>,
    wait_ms: Option<u64>,
    unconfirmed: Option<String>,
    steps: usize,
    #[serde(skip)]
    hazards: Vec<(&'static str, String)>,
}

pub(super) fn run(cx: &Context<'_>, which: &str) -> Result<Outcome, CliError> {
    let (_, _, profile) = loaded(cx, which)?;
    let shown = shown(&profile);
    if cx.global.json {
        cx.json(&shown)?;
        return Ok(Outcome::Done);
    }
    cx.print(&page(&shown))?;
    Ok(Outcome::Done)
}

fn shown(p: &Profile) -> Shown {
    Shown {
        name: p.name.to_string(),
        vendor: p.device.vendor.clone(),
        model: p.device.model.clone(),
        kind: p.device.kind.clone(),
        source: p.device.source.clone(),
        unconfirmed: p.device.unconfirmed.clone(),
        sha256: p.sha256.clone(),
        modbus: (p.protocol() == Protocol::Modbus).then(|| ShownModbus {
            line: p.modbus.line.map(|l| l.to_string()),
            timeout_ms: millis(p.modbus.timeout),
            min_interval_ms: millis(p.modbus.min_interval),
            connect_pause_ms: millis(p.modbus.connect_pause),
        }),
        points: p
            .points
            .iter()
            .map(|x| ShownPoint {
                name: x.name.to_string(),
                place: x.place.to_string(),
                kind: x.kind.word().to_owned(),
                unit: x.unit.to_string(),
                every_ms: x.every.map(millis),
                description: x.description.clone(),
                unconfirmed: x.unconfirmed.clone(),
            })
            .collect(),
        faults: p
            .faults
            .iter()
            .map(|f| ShownFault {
                name: f.name.to_string(),
                severity: f.severity,
                code: f.code.clone(),
                when: match &f.trigger {
                    Trigger::Condition { when, .. } => when.text.clone(),
                    Trigger::Excursion(baseline) => {
                        format!("excursion of the baseline: {}", baseline.definition)
                    }
                    Trigger::Silence => p.offline_after.map_or_else(
                        || "the device is reported offline, or the broker cannot be reached".to_owned(),
                        |limit| format!("no good response for {}", render_duration(limit)),
                    ),
                },
                means: f.guidance.means.clone(),
                causes: f.guidance.causes.clone(),
                danger: f.guidance.danger.clone(),
                protection: f.guidance.safety.clone(),
                wait_ms: f.guidance.wait.map(millis),
                unconfirmed: f.guidance.unconfirmed.clone(),
                hazards: f.guidance.hazards(),
                steps: f.guidance.steps.len(),
            })
            .collect(),
    }
}

fn millis(d: Duration) -> u64 {
    u64::try_from(d.as_millis()).unwrap_or(u64::MAX)
}

/// Formats the factory setting of the serial line and the pauses; an empty text if the profile has neither.
fn line(modbus: &ShownModbus) -> String {
    let said = |ms: u64, text: &str| {
        (ms > 0).then(|| format!("{text} {}", render_duration(Duration::from_millis(ms))))
    };
    let parts = [
        modbus.line.as_ref().map(|line| format!("factory setting of the line: {line}")),
        said(modbus.connect_pause_ms, "pause after connecting:"),
        said(modbus.min_interval_ms, "between requests:"),
    ];
    let said: Vec<String> = parts.into_iter().flatten().collect();
    if said.is_empty() { String::new() } else { format!("  {}\n", said.join("; ")) }
}

/// Formats the facts that are not confirmed: of the device, of points and of faults.
fn unconfirmed(s: &Shown) -> String {
    let device = s.unconfirmed.iter().map(|why| format!("device: {why}"));
    let points =
        s.points.iter().filter_map(|p| Some(format!("point {}: {}", p.name, p.unconfirmed.as_ref()?)));
    let faults =
        s.faults.iter().filter_map(|f| Some(format!("fault {}: {}", f.name, f.unconfirmed.as_ref()?)));
    let lines: Vec<String> = device.chain(points).chain(faults).map(|l| wrapped(&l, "  ", 100)).collect();
    if lines.is_empty() { String::new() } else { format!("\n{}{}", heading("NOT CONFIRMED"), lines.concat()) }
}

/// Formats the danger and the protective measures of each fault that has them.
fn hazards(s: &Shown) -> String {
    let mut out = String::new();
    for f in s.faults.iter().filter(|f| !f.hazards.is_empty()) {
        out.push_str(&format!("  {}\n", f.name));
        for (label, text) in &f.hazards {
            let shown = wrapped(text, "                ", 100);
            out.push_str(&format!("    {label:<12}{}", shown.trim_start()));
        }
    }
    if out.is_empty() { out } else { format!("\n{}{out}", heading("DANGER AND PROTECTION")) }
}

fn page(s: &Shown) -> String {
    let mut text = heading(&format!("{}: {} {}, {}", s.name, s.vendor, s.model, s.kind));
    text.push_str(&wrapped(&s.source, "  ", 100));
    text.push_str(&s.modbus.as_ref().map_or_else(String::new, line));
    let mut points = Sheet::new(&["point", "address", "type", "unit", "every", "description"]);
    for p in &s.points {
        points.row([
            p.name.clone(),
            p.place.clone(),
            p.kind.clone(),
            p.unit.clone(),
            p.every_ms.map_or_else(String::new, |ms| render_duration(std::time::Duration::from_millis(ms))),
            p.description.clone(),
        ]);
    }
    let mut faults = Sheet::new(&["fault", "severity", "code", "when", "meaning"]);
    for f in &s.faults {
        faults.row([
            f.name.clone(),
            f.severity.word().to_owned(),
            f.code.clone().unwrap_or_default(),
            f.when.clone(),
            f.means.clone(),
        ]);
    }
    format!("{text}\n{}\n{}{}{}", points.table(), faults.table(), hazards(s), unconfirmed(s))
}
