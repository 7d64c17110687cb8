//! The result of a scan of a Modbus line, and its output.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::render::{Sheet, heading, plural};
use crate::words::Outcome;

/// A unit that answered.
#[derive(Debug, Serialize)]
pub(super) struct Found {
    pub unit: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub baud: Option<u32>,
    pub answer: String,
    pub identification: BTreeMap<String, String>,
    pub profile: Option<String>,
    pub fit: Option<f64>,
    /// Other profiles that fit about as well.
    pub also: Vec<String>,
    /// A remark for the person; empty if there is none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub note: String,
    /// True if the unit returned a value or an identification.
    #[serde(skip)]
    pub is_device: bool,
}

/// The result of a scan.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub found: Vec<Found>,
    /// Groups of unit ids that are one device, because the device ignores the unit id.
    pub alike: Vec<Vec<u8>>,
    /// The units that are not devices, by (no answer, baud rate, message). Units without an answer come last.
    others: BTreeMap<(bool, Option<u32>, String), Vec<u8>>,
}

impl Report {
    /// Notes the message of a unit that is not a device.
    pub fn note_other(&mut self, baud: Option<u32>, message: &str, unit: u8, is_silence: bool) {
        self.others.entry((is_silence, baud, message.to_owned())).or_default().push(unit);
    }
}

impl Report {
    /// Returns the words for `accept` in a profile with which the devices that break the standard can be read.
    fn acceptable(&self) -> Vec<&'static str> {
        const HINTS: [(&str, &str); 3] =
            [(": unit 0", "unit 0"), (": unit 255", "unit 255"), (": transaction ", "any transaction")];
        let came = |part: &str| {
            self.others.keys().any(|(_, _, m)| m.ends_with(part) || (part.ends_with(' ') && m.contains(part)))
        };
        HINTS.iter().filter(|(part, _)| came(part)).map(|(_, word)| *word).collect()
    }
}

/// Formats unit ids as ranges: `1-3, 7`.
fn ranges(units: &[u8]) -> String {
    let mut sorted = units.to_vec();
    sorted.sort_unstable();
    let mut out: Vec<(u8, u8)> = Vec::new();
    for unit in sorted {
        match out.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(unit) => *last = unit,
            _ => out.push((unit, unit)),
        }
    }
    let text = |(a, b): &(u8, u8)| if a == b { a.to_string() } else { format!("{a}-{b}") };
    out.iter().map(text).collect::<Vec<_>>().join(", ")
}

pub(super) fn show(cx: &Context<'_>, link: &str, report: &Report) -> Result<Outcome, CliError> {
    let found = &report.found;
    let mut sheet = Sheet::new(&[
        "unit_id",
        "baud",
        "answer",
        "identification",
        "profile",
        "fit",
        "also_possible",
        "note",
    ]);
    for f in found {
        sheet.row([
            f.unit.to_string(),
            f.baud.map_or_else(String::new, |b| b.to_string()),
            f.answer.clone(),
            f.identification.values().cloned().collect::<Vec<_>>().join(" "),
            f.profile.clone().unwrap_or_else(|| "none fits".to_owned()),
            f.fit.map_or_else(String::new, |fit| format!("{:.0} %", fit * 100.0)),
            f.also.join(", "),
            f.note.clone(),
        ]);
    }
    let outcome = if found.is_empty() { Outcome::Negative } else { Outcome::Done };
    let is_silent = report.others.keys().all(|(is_silence, ..)| *is_silence);
    cx.list(found, &sheet, if is_silent { "No unit answers." } else { "No unit answers with a value." })?;
    if cx.global.json || cx.global.is_csv() {
        return Ok(outcome);
    }
    for units in &report.alike {
        cx.print(&format!(
            "\nUnits {} give the same answer: probably one device that ignores the unit id. andon proposes it once.\n",
            ranges(units)
        ))?;
    }
    if !report.others.is_empty() {
        cx.print(&format!("\n{}", heading("Other units")))?;
        for ((_, baud, message), units) in &report.others {
            let baud = baud.map_or(String::new(), |b| format!(" at {b} baud"));
            cx.print(&format!("{}{baud}: {message}\n", ranges(units)))?;
        }
    }
    for word in report.acceptable() {
        cx.print(&format!(
            "\nIf this line has only one device, its profile can accept such answers: [modbus] accept = [\"{word}\"]\n"
        ))?;
    }
    if found.is_empty() {
        return Ok(outcome);
    }
    cx.print(&format!(
        "\n{}",
        heading(&format!("To paste into andon.toml, {}", plural(found.len(), "piece")))
    ))?;
    for f in found {
        let profile = match &f.profile {
            Some(name) => format!("profile = \"{name}\""),
            None => "profile = \"\"  # no profile fits; make one: andon profile new NAME".to_owned(),
        };
        let baud = f.baud.map_or(String::new(), |b| format!("  # answers at {b} baud"));
        cx.print(&format!(
            "[[equipment]]\nid = \"{link}-{}\"\n{profile}\nlink = \"{link}\"{baud}\nunit = {}\n\n",
            f.unit, f.unit
        ))?;
    }
    Ok(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_grouped() {
        assert_eq!(ranges(&[1, 2, 3, 7, 9, 10]), "1-3, 7, 9-10");
        assert_eq!(ranges(&[255, 254, 0]), "0, 254-255");
        assert_eq!(ranges(&[]), "");
    }
}
