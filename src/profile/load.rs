//! Loading of a profile file. All problems are reported at once.

use sha2::{Digest, Sha256};

use super::cases::read_cases;
use super::faults::read_faults;
use super::firmware::read_firmware;
use super::model::{Device, Profile};
use super::pattern::Patterns;
use super::points::{read_defaults, read_points};
use std::cell::Cell;

use crate::expr::{Names, PointInfo};
use crate::limits;
use crate::source::{Diagnostics, Section, SourceText, read_toml};
use crate::words::ProfileName;

/// Sections of the format that have no effect in this version. A profile with such a section gets a warning.
const LATER: [&str; 1] = ["maintenance"];

/// Loads a profile without knowledge of a site: points of other equipment (`@other:point`) are not checked.
pub fn load(name: &ProfileName, source: &SourceText) -> (Option<Profile>, Diagnostics) {
    load_with(name, source, None)
}

/// Loads a profile with the names of a site, so that points of other equipment are checked.
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
    let patterns = Patterns::default();
    let defaults = read_defaults(root, &patterns);
    let mut points = read_points(root, &defaults);
    let firmware = read_firmware(root, &mut points, &patterns);
    let sha256 = Sha256::digest(source.text.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    let mut profile = Profile::new(name.clone(), sha256, device?, defaults.settings, points);
    profile.firmware = firmware;
    profile.serial = defaults.serial;
    profile.mqtt = defaults.mqtt;
    let offline = root.duration_between("offline_after", limits::OFFLINE_AFTER_MIN, limits::EVERY_MAX);
    // Default of `offline_after`: only for devices with polled points. Silence is not a fault of a device that
    // reports by itself.
    let polled = profile.points.iter().filter_map(|p| p.every).min();
    let polled = polled.map(|every| limits::OFFLINE_AFTER_DEFAULT.max(every * limits::OFFLINE_POLLS_MIN));
    profile.offline_after = offline.or(polled);
    let names = LimitedNames::new(names.unwrap_or(&profile));
    let faults = read_faults(root, &profile, &names);
    profile.faults = faults;
    if profile.faults.len() > limits::FAULTS_MAX {
        root.error(0..0, format!("a profile must have at most {} faults", limits::FAULTS_MAX), "");
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

/// Names that list all known names only as often as problems are shown. The search for a similar name among thousands
/// takes longer than the rest of loading.
struct LimitedNames<'a> {
    names: &'a dyn Names,
    left: Cell<usize>,
}

impl<'a> LimitedNames<'a> {
    fn new(names: &'a dyn Names) -> Self {
        Self { names, left: Cell::new(limits::DIAGNOSTICS_MAX) }
    }
}

impl Names for LimitedNames<'_> {
    fn point(&self, equipment: Option<&str>, name: &str) -> Option<PointInfo> {
        self.names.point(equipment, name)
    }

    fn known(&self, equipment: Option<&str>) -> Vec<String> {
        match self.left.get().checked_sub(1) {
            Some(left) => {
                self.left.set(left);
                self.names.known(equipment)
            }
            None => Vec::new(),
        }
    }
}

fn read_device(s: &Section<'_>) -> Device {
    let text = |key: &str, example: &str| {
        let found = s.name(key);
        s.required(key, example, found).map_or_else(String::new, |t| t.value)
    };
    let device = Device {
        vendor: text("vendor", "\"Eastron\""),
        model: text("model", "\"SDM630\""),
        kind: text("kind", "\"energy meter\""),
        source: s.text("source").map_or_else(String::new, |t| t.value),
        unconfirmed: s.text("unconfirmed").map(|t| t.value),
    };
    s.finish();
    device
}
