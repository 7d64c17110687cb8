//! `andon profile list` and `andon profile show`.

use serde::Serialize;

use super::loaded;
use crate::cli::context::{Composition, Context};
use crate::cli::error::CliError;
use crate::cli::render::{Sheet, heading};
use crate::profile::{Profile, Trigger, load};
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

pub(super) fn list<C: Composition>(cx: &Context<'_, C>) -> Result<Outcome, CliError> {
    let files = cx.composition.profiles(&cx.config());
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
    cx.list(&rows, &sheet, "there is no profile")?;
    Ok(Outcome::Done)
}

#[derive(Serialize)]
struct Shown {
    name: String,
    vendor: String,
    model: String,
    kind: String,
    source: String,
    sha256: String,
    points: Vec<ShownPoint>,
    faults: Vec<ShownFault>,
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
}

#[derive(Serialize)]
struct ShownFault {
    name: String,
    severity: Severity,
    code: Option<String>,
    when: String,
    means: String,
    causes: Vec<String>,
    steps: usize,
}

pub(super) fn run<C: Composition>(cx: &Context<'_, C>, which: &str) -> Result<Outcome, CliError> {
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
        sha256: p.sha256.clone(),
        points: p
            .points
            .iter()
            .map(|x| ShownPoint {
                name: x.name.to_string(),
                place: x.place.to_string(),
                kind: x.kind.word().to_owned(),
                unit: x.unit.to_string(),
                every_ms: x.every.map(|e| u64::try_from(e.as_millis()).unwrap_or(u64::MAX)),
                description: x.description.clone(),
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
                    Trigger::Excursion(baseline) => format!("not normal: {}", baseline.definition),
                    Trigger::Silence => p.offline_after.map_or_else(
                        || "its link says that it is away".to_owned(),
                        |limit| format!("no good answer for {}", render_duration(limit)),
                    ),
                },
                means: f.guidance.means.clone(),
                causes: f.guidance.causes.clone(),
                steps: f.guidance.steps.len(),
            })
            .collect(),
    }
}

fn page(s: &Shown) -> String {
    let mut text = heading(&format!("{}: {} {}, {}", s.name, s.vendor, s.model, s.kind));
    text.push_str(&super::super::render::wrapped(&s.source, "  ", 100));
    let mut points = Sheet::new(&["point", "place", "type", "unit", "every", "description"]);
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
    let mut faults = Sheet::new(&["fault", "severity", "code", "when", "means"]);
    for f in &s.faults {
        faults.row([
            f.name.clone(),
            f.severity.word().to_owned(),
            f.code.clone().unwrap_or_default(),
            f.when.clone(),
            f.means.clone(),
        ]);
    }
    format!("{text}\n{}\n{}", points.table(), faults.table())
}
