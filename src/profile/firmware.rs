//! Firmware versions of devices, and notes about known issues of certain versions.
//!
//! A note is a file in `firmware-notes/`: TOML between two lines of `+++`, then text for people. Versions are
//! compared in the style of the vendors: digits as numbers, letters as letters (`1.1f` < `1.1h`), a missing part as
//! 0, and `alpha`, `beta` and `rc` before the release (test: `versions_are_ordered_as_vendors_mean_them`).

use std::cmp::Ordering;
use std::fmt;

use regex::Regex;

use super::address::{Area, RegisterAddress};
use super::data_type::DataType;
use super::model::Point;
use super::pattern::Patterns;
use super::place::Place;
use super::points::NAME_A_POINT;
use crate::limits;
use crate::source::{Diagnostics, Section, SourceText, read_toml};
use crate::words::{PointIndex, PointName};

/// The source of the firmware version of a device.
#[derive(Debug, Clone)]
pub struct Firmware {
    /// The point that contains the version.
    pub point: PointIndex,
    /// The part of the text that is the version: the first group, or the whole match. `None` means the whole text.
    pub pattern: Option<Regex>,
}

impl PartialEq for Firmware {
    fn eq(&self, other: &Self) -> bool {
        let text = |f: &Self| f.pattern.as_ref().map(|p| p.as_str().to_owned());
        self.point == other.point && text(self) == text(other)
    }
}

impl Firmware {
    /// Returns the version in a text of the device; `None` if the pattern does not match.
    #[must_use]
    pub fn version(&self, told: &str) -> Option<String> {
        let Some(pattern) = &self.pattern else { return Some(told.trim().to_owned()) };
        let found = pattern.captures(told)?;
        Some(found.get(1).or_else(|| found.get(0))?.as_str().to_owned())
    }
}

/// Reads `[firmware] point = "version"`, or `identification = true`, with or without `match = '^v([\d.]+)'`.
/// `identification` adds a point `firmware_version`: the revision in the identification of the device (43/14).
pub(super) fn read_firmware(
    root: &Section<'_>,
    points: &mut Vec<Point>,
    patterns: &Patterns,
) -> Option<Firmware> {
    let s = root.section("firmware")?;
    let pattern = patterns.read(&s, "match");
    let is_identified = s.flag("identification").is_some_and(|f| f.value);
    let name = s.name("point");
    let point = if is_identified {
        if let Some(name) = name {
            s.error(name.span, "identification and point cannot be used together", "keep one of them");
        }
        points.push(identified_revision());
        Some(points.len() - 1)
    } else {
        let name = s.required("point", "\"firmware_version\"  (or identification = true)", name);
        name.and_then(|name| {
            let at = points.iter().position(|p| p.name.as_str() == name.value);
            if at.is_none() {
                let help = s.suggest(&name.value, points.iter().map(|p| p.name.as_str())).or(NAME_A_POINT);
                s.error_with_help(name.span, format!("there is no point {}", name.value), "", help);
            }
            at
        })
    };
    s.finish();
    Some(Firmware { point: PointIndex(point?), pattern })
}

fn identified_revision() -> Point {
    let every = limits::IDENTIFIED_EVERY;
    let place = Place::Register(RegisterAddress { area: Area::Identification, number: 2 });
    let kind = DataType::Text { registers: limits::IDENTIFICATION_REGISTERS };
    Point {
        every: Some(every),
        stale_after: Some(every * limits::STALE_PERIODS),
        description: "the firmware version in the identification of the device".to_owned(),
        ..Point::new(PointName::own("firmware_version"), place, kind)
    }
}

/// A note about a known issue of the firmware of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct FirmwareNote {
    /// The name of the file without its extension.
    pub name: String,
    /// The profiles of the affected devices.
    pub profiles: Vec<String>,
    /// The affected versions.
    pub versions: VersionRange,
    /// The faults that the issue explains; empty if the note belongs on every ticket of the equipment.
    pub faults: Vec<String>,
    /// The effect that people see.
    pub symptom: String,
    /// The measure that helps.
    pub workaround: String,
    /// The source of the information: a changelog or a thread.
    pub source: String,
    /// Further text for people.
    pub text: String,
}

impl FirmwareNote {
    /// True if the note is about this version of a device with this profile.
    #[must_use]
    pub fn concerns(&self, profile: &str, version: &str) -> bool {
        self.profiles.iter().any(|p| p == profile) && self.versions.contains(version)
    }

    /// True if the note belongs on a ticket of this fault.
    #[must_use]
    pub fn explains(&self, fault: &str) -> bool {
        self.faults.is_empty() || self.faults.iter().any(|f| f == fault)
    }
}

/// A range of versions, such as `>= 9.5.0.8, < 11.0.0.1`: all parts must be true. `*` is every version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRange(Vec<(Relation, String)>);

/// The relation between a version and the bound of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Least,
    Above,
    Most,
    Below,
    Is,
}

const RELATIONS: [(&str, Relation); 5] = [
    (">=", Relation::Least),
    ("<=", Relation::Most),
    (">", Relation::Above),
    ("<", Relation::Below),
    ("=", Relation::Is),
];

impl VersionRange {
    /// Reads a range.
    ///
    /// # Errors
    /// A sentence that shows how to write a range.
    pub fn parse(text: &str) -> Result<Self, String> {
        if text.trim() == "*" {
            return Ok(Self(Vec::new()));
        }
        let parts = text.split(',').map(str::trim);
        let read = |part: &str| {
            let (word, relation) = RELATIONS.iter().find(|(word, _)| part.starts_with(word))?;
            let version = part.get(word.len()..)?.trim();
            let is_version = version.starts_with(|c: char| c.is_alphanumeric()) && !version.contains(' ');
            is_version.then(|| (*relation, version.to_owned()))
        };
        let parts: Option<Vec<_>> = parts.map(read).collect();
        parts.map(Self).ok_or_else(|| "write it as in \">= 1.2, < 1.4\", \"= 1.1f\" or \"*\"".to_owned())
    }

    /// True if a version is in the range.
    #[must_use]
    pub fn contains(&self, version: &str) -> bool {
        self.0.iter().all(|(relation, bound)| {
            let order = compare_versions(version, bound);
            match relation {
                Relation::Least => order.is_ge(),
                Relation::Above => order.is_gt(),
                Relation::Most => order.is_le(),
                Relation::Below => order.is_lt(),
                Relation::Is => order.is_eq(),
            }
        })
    }
}

impl fmt::Display for VersionRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("*");
        }
        for (i, (relation, version)) in self.0.iter().enumerate() {
            let word = RELATIONS.iter().find(|(_, r)| r == relation).map_or("", |(w, _)| w);
            write!(f, "{}{word} {version}", if i == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

/// One part of a version: a series of digits or of letters.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum VersionPart {
    /// A word for a version before the release, such as `alpha`, `beta` or `rc`.
    Before(String),
    /// A missing part, or the number 0.
    Nothing,
    /// Letters that mean a later version: `1.1f` comes after `1.1`.
    Letters(String),
    /// A number.
    Number(u64),
}

fn version_parts(version: &str) -> Vec<VersionPart> {
    const BEFORE: [&str; 5] = ["alpha", "beta", "dev", "pre", "rc"];
    let lower = version.trim().to_ascii_lowercase();
    // Text in brackets or after a plus is the name of the build, not of the version.
    let lower = lower.split(['(', '+', ' ']).next().unwrap_or("");
    let lower =
        lower.strip_prefix('v').filter(|r| r.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(lower);
    let mut out = Vec::new();
    let mut rest = lower;
    while let Some(first) = rest.chars().next() {
        let is_digit = first.is_ascii_digit();
        let end = rest
            .find(|c: char| if is_digit { !c.is_ascii_digit() } else { !c.is_alphabetic() })
            .unwrap_or(rest.len());
        let (run, after) = rest.split_at(end.max(first.len_utf8()));
        rest = after;
        match run.parse::<u64>() {
            Ok(0) => out.push(VersionPart::Nothing),
            Ok(number) => out.push(VersionPart::Number(number)),
            Err(_) if !run.chars().all(char::is_alphabetic) => {}
            Err(_) if BEFORE.contains(&run) => out.push(VersionPart::Before(run.to_owned())),
            Err(_) => out.push(VersionPart::Letters(run.to_owned())),
        }
    }
    out
}

/// Compares two versions in the style of the vendors.
#[must_use]
pub fn compare_versions(a: &str, b: &str) -> Ordering {
    let (a, b) = (version_parts(a), version_parts(b));
    let at = |list: &[VersionPart], i: usize| list.get(i).cloned().unwrap_or(VersionPart::Nothing);
    (0..a.len().max(b.len()))
        .map(|i| at(&a, i).cmp(&at(&b, i)))
        .find(|o| o.is_ne())
        .unwrap_or(Ordering::Equal)
}

/// Loads a firmware note.
pub fn load_note(name: &str, source: &SourceText) -> (Option<FirmwareNote>, Diagnostics) {
    let Some((front, text)) = front_matter(&source.text) else {
        let mut diagnostics = Diagnostics::new(source.clone());
        diagnostics.error(0..0, "a note must begin with TOML between two lines of +++", "");
        return (None, diagnostics);
    };
    // An empty first line replaces `+++`, so that the line numbers stay the same.
    let mut diagnostics = Diagnostics::new(SourceText::new(&source.name, &format!("\n{front}")));
    let note = read_toml(&mut diagnostics, |root| read_note(root, name, text));
    (note.filter(|_| !diagnostics.has_errors()), diagnostics)
}

/// Returns the text between the two lines of `+++`, and the text after them.
fn front_matter(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("+++\n").or_else(|| text.strip_prefix("+++\r\n"))?;
    let end = rest.find("\n+++").map(|at| at + 1)?;
    let (front, below) = rest.split_at_checked(end)?;
    let below = below.strip_prefix("+++")?;
    Some((front, below.trim()))
}

fn read_note(root: &Section<'_>, name: &str, text: &str) -> Option<FirmwareNote> {
    let needed = |key: &str, example: &str| {
        let found = root.text(key);
        root.required(key, example, found)
    };
    let versions = needed("versions", "\">= 1.2, < 1.4\"");
    let symptom = needed("symptom", "\"The effect that people see.\"");
    let workaround = needed("workaround", "\"The measure that helps.\"");
    let source = needed("source", "\"a changelog's entry or a thread\"");
    let profiles: Vec<String> = root.texts("profiles").into_iter().map(|t| t.value).collect();
    let faults = root.texts("faults").into_iter().map(|t| t.value).collect();
    if profiles.is_empty() {
        root.missing("profiles", "[\"tasmota-energy\"]");
    }
    root.finish();
    let versions = versions?;
    let range = VersionRange::parse(&versions.value).map_err(|meant| {
        root.error(versions.span, format!("\"{}\" is not a range of versions", versions.value), meant);
    });
    Some(FirmwareNote {
        name: name.to_owned(),
        profiles,
        versions: range.ok()?,
        faults,
        symptom: symptom?.value,
        workaround: workaround?.value,
        source: source?.value,
        text: text.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_vendors_mean_them() {
        let ordered = [
            "0.9j",
            "1.0",
            "1.0.1-beta2",
            "1.0.1-rc1",
            "1.0.1",
            "1.1",
            "1.1f",
            "1.1f.20170801",
            "1.1g",
            "1.1h",
            "1.2",
            "1.10",
            "9.5.0.8",
            "11.0.0.1(tasmota)",
            "11.1",
            "v12.4.0",
        ];
        for (i, a) in ordered.iter().enumerate() {
            for (j, b) in ordered.iter().enumerate() {
                assert_eq!(compare_versions(a, b), i.cmp(&j), "{a} and {b}");
            }
        }
        for (a, b) in [("1.0", "1"), ("14.2.0(tasmota)", "14.2"), ("V1.05", "1.5"), ("1.7.4+build3", "1.7.4")]
        {
            assert_eq!(compare_versions(a, b), Ordering::Equal, "{a} and {b}");
        }
    }

    #[test]
    fn ranges_hold_what_they_say() {
        let range = VersionRange::parse(">= 9.5.0.8, < 11.0.0.1").unwrap();
        assert_eq!(range.to_string(), ">= 9.5.0.8, < 11.0.0.1");
        let inside = ["9.5.0.8", "10.1.0", "11.0.0"];
        let outside = ["9.5.0.7", "11.0.0.1", "12.4.0(tasmota)"];
        assert!(inside.iter().all(|v| range.contains(v)));
        assert!(!outside.iter().any(|v| range.contains(v)));
        assert!(VersionRange::parse("*").unwrap().contains("anything"));
        assert!(VersionRange::parse("= 1.1f").unwrap().contains("1.1f"));
        for wrong in ["", "1.2", ">= ", "newer than 3", "> 1 2"] {
            assert!(VersionRange::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_wrong_note_is_refused_with_its_place() {
        let check = |text: &str, expected: &str| {
            let (note, diagnostics) = load_note("n", &SourceText::new("n.md", text));
            assert!(note.is_none());
            let lines = diagnostics.lines().join("\n");
            assert!(lines.contains(expected), "{lines}");
        };
        check("no front matter", "n.md:1:1");
        check(
            "+++\nprofiles = ['p']\nversions = 'some'\nsymptom = 's'\nworkaround = 'w'\nsource = 'x'\n+++\n",
            "n.md:3:12",
        );
        check("+++\nversion = '> 1'\n+++\n", "versions");
    }

    #[test]
    fn every_built_in_note_loads_and_names_what_exists() {
        let notes = crate::profile::built_in_notes();
        assert!(notes.len() >= 10);
        for source in &notes {
            let (note, diagnostics) = load_note("n", source);
            let note = note.unwrap_or_else(|| panic!("{:#?}", diagnostics.lines()));
            assert!(note.source.contains("http") || note.source.contains('/'), "{}", source.name);
            for profile in &note.profiles {
                let name = crate::words::ProfileName::parse(profile).unwrap();
                let text = crate::profile::built_in(&name).unwrap_or_else(|| panic!("{profile}"));
                let profile = crate::profile::load(&name, &text).0.unwrap();
                for fault in &note.faults {
                    assert!(profile.fault(fault).is_some(), "{}: {fault}", source.name);
                }
            }
        }
    }
}
