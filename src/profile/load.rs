//! A profile's file, read whole: every problem at once, or a profile.

use sha2::{Digest, Sha256};

use super::cases::read_cases;
use super::faults::read_faults;
use super::model::{Device, Profile};
use super::points::{read_modbus, read_points};
use crate::expr::Names;
use crate::limits;
use crate::source::{Diagnostics, Section, SourceText, read_toml};
use crate::words::ProfileName;

/// Parts of the format that later versions act on; today they are read past, and said.
const LATER: [&str; 7] = ["baseline", "maintenance", "firmware", "serial", "requests", "streams", "mqtt"];

/// Reads a profile; foreign points (`@other:point`) are taken on trust.
pub fn load(name: &ProfileName, source: &SourceText) -> (Option<Profile>, Diagnostics) {
    load_with(name, source, None)
}

/// Reads a profile with a site's names, so that foreign points are checked.
pub fn load_with(
    name: &ProfileName,
    source: &SourceText,
    names: Option<&dyn Names>,
) -> (Option<Profile>, Diagnostics) {
    let mut diagnostics = Diagnostics::new(source.clone());
    let profile = read_toml(&mut diagnostics, |root| read(root, name, source, names));
    let profile = profile.filter(|_| !diagnostics.has_errors());
    (profile, diagnostics)
}

fn read(
    root: &Section<'_>,
    name: &ProfileName,
    source: &SourceText,
    names: Option<&dyn Names>,
) -> Option<Profile> {
    let device = root.section("device").map(|s| read_device(&s));
    let device = root.required(
        "device",
        "{ vendor = \"...\", model = \"...\", kind = \"...\", source = \"...\" }",
        device,
    );
    let defaults = read_modbus(root);
    let points = read_points(root, &defaults);
    let sha256 = Sha256::digest(source.text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    let slowest = points.iter().map(|p| p.every).max().unwrap_or(limits::EVERY_DEFAULT);
    let mut profile = Profile::new(name.clone(), sha256, device?, defaults.settings, points);
    let offline = root.duration_between("offline_after", limits::OFFLINE_AFTER_MIN, limits::EVERY_MAX);
    let fastest = profile.points.iter().map(|p| p.every).min().unwrap_or(slowest);
    profile.offline_after =
        offline.unwrap_or(limits::OFFLINE_AFTER_DEFAULT.max(fastest * limits::OFFLINE_POLLS_MIN));
    profile.faults = match names {
        Some(names) => read_faults(root, &profile, names),
        None => read_faults(root, &profile, &profile),
    };
    if profile.faults.len() > limits::FAULTS_MAX {
        root.error(0..0, format!("a profile has at most {} faults", limits::FAULTS_MAX), "");
    }
    profile.cases = read_cases(root, &profile);
    for later in LATER {
        if root.has(later) {
            root.warning(root.key_span(later), format!("[{later}] has no effect in this version"), "", None);
        }
    }
    root.finish();
    Some(profile)
}

fn read_device(s: &Section<'_>) -> Device {
    let text = |key: &str, example: &str| {
        let found = s.text(key);
        s.required(key, example, found).map_or_else(String::new, |t| t.value)
    };
    let device = Device {
        vendor: text("vendor", "\"Eastron\""),
        model: text("model", "\"SDM630\""),
        kind: text("kind", "\"energy meter\""),
        source: s.text("source").map_or_else(String::new, |t| t.value),
    };
    s.finish();
    device
}
