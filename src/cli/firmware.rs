//! `andon firmware check|list`: the firmware versions of the equipment, and their known issues.

use clap::Subcommand;
use serde::Serialize;

use super::context::Context;
use super::error::CliError;
use super::render::{Sheet, heading, plural};
use crate::profile::load_note;
use crate::v1::{FirmwareNoteV1, FirmwareV1};
use crate::words::Outcome;

/// The verbs of `andon firmware`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List the firmware of all equipment, with its known issues. Exit code 1 if any equipment has a known issue
    #[command(
        after_help = "Example:\n  andon firmware check --json | jq '.[] | select(.notes != [])'\n\nandon reads the version from the device if its profile has [firmware]. If not, andon takes firmware = \"...\" from the\n[[equipment]] in andon.toml."
    )]
    Check,
    /// List all firmware notes: the built-in notes, and the notes in firmware-notes/ beside andon.toml
    List,
}

pub(super) async fn run(cx: &mut Context<'_>, command: &Command) -> Result<Outcome, CliError> {
    match command {
        Command::Check => check(cx).await,
        Command::List => list(cx),
    }
}

async fn check(cx: &mut Context<'_>) -> Result<Outcome, CliError> {
    let rows: Vec<FirmwareV1> = cx.get("/v1/firmware").await?;
    let concerned = rows.iter().filter(|r| !r.notes.is_empty()).count();
    let outcome = if concerned > 0 { Outcome::Negative } else { Outcome::Done };
    let mut sheet = Sheet::new(&["equipment", "profile", "version", "known_issues"]);
    for r in &rows {
        let names: Vec<&str> = r.notes.iter().map(|n| n.name.as_str()).collect();
        let issues = match (&r.version, names.as_slice()) {
            (None, _) if r.notes_for_profile > 0 => {
                format!("version unknown; {} for this model", plural(r.notes_for_profile, "note"))
            }
            (_, []) => "none known".to_owned(),
            (_, names) => names.join(", "),
        };
        let version = r.version.clone().unwrap_or_else(|| "unknown".to_owned());
        sheet.row([r.equipment.clone(), r.profile.clone(), version, issues]);
    }
    cx.list(&rows, &sheet, "andon.toml names no equipment")?;
    if cx.global.json || cx.global.is_csv() {
        return Ok(outcome);
    }
    for r in rows.iter().filter(|r| !r.notes.is_empty()) {
        cx.print(&format!("\n{}", heading(&r.equipment)))?;
        for note in &r.notes {
            cx.print(&note_text(note))?;
        }
    }
    Ok(outcome)
}

/// Formats a firmware note for a person.
pub(super) fn note_text(note: &FirmwareNoteV1) -> String {
    format!(
        "{} (versions {})\n  {}\n  What helps: {}\n  Source: {}\n",
        note.name, note.versions, note.symptom, note.workaround, note.source
    )
}

#[derive(Serialize)]
struct Listed {
    #[serde(flatten)]
    note: FirmwareNoteV1,
    profiles: Vec<String>,
    faults: Vec<String>,
    text: String,
}

fn list(cx: &Context<'_>) -> Result<Outcome, CliError> {
    let mut broken = Vec::new();
    let mut listed = Vec::new();
    for (name, source) in cx.program.profiles(&cx.config()).notes() {
        let (note, diagnostics) = load_note(&name, &source);
        match note {
            Some(n) => listed.push(Listed {
                note: FirmwareNoteV1 {
                    name: n.name,
                    versions: n.versions.to_string(),
                    symptom: n.symptom,
                    workaround: n.workaround,
                    source: n.source,
                },
                profiles: n.profiles,
                faults: n.faults,
                text: n.text,
            }),
            None => broken.push(diagnostics),
        }
    }
    if !broken.is_empty() {
        return Err(CliError::Files(broken));
    }
    let mut sheet = Sheet::new(&["name", "profiles", "versions", "symptom"]);
    for l in &listed {
        sheet.row([
            l.note.name.clone(),
            l.profiles.join(" "),
            l.note.versions.clone(),
            l.note.symptom.clone(),
        ]);
    }
    cx.list(&listed, &sheet, "There are no firmware notes.")?;
    Ok(Outcome::Done)
}
