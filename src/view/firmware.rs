//! Firmware versions and their known issues.

use crate::desk::Snapshot;
use crate::profile::FirmwareNote;
use crate::v1::{FirmwareNoteV1, FirmwareV1};
use crate::words::EquipmentIndex;

/// Returns the firmware version of all equipment, with the known issues of each version.
#[must_use]
pub fn firmware(desk: &Snapshot) -> Vec<FirmwareV1> {
    let site = &desk.site;
    let rows = site.equipment.iter().enumerate().map(|(i, e)| {
        let version = desk.detector.firmware(EquipmentIndex(i));
        let known = |version: &str| site.notes_for(e, version).map(note).collect();
        let notes = version.as_deref().map(known).unwrap_or_default();
        let about = |n: &&FirmwareNote| n.profiles.iter().any(|p| p == e.profile.name.as_str());
        FirmwareV1 {
            equipment: e.id.to_string(),
            profile: e.profile.name.to_string(),
            notes_for_profile: site.notes.iter().filter(about).count(),
            version,
            notes,
        }
    });
    rows.collect()
}

/// Returns a known issue of a device's firmware.
pub(super) fn note(note: &FirmwareNote) -> FirmwareNoteV1 {
    FirmwareNoteV1 {
        name: note.name.clone(),
        versions: note.versions.to_string(),
        symptom: note.symptom.clone(),
        workaround: note.workaround.clone(),
        source: note.source.clone(),
    }
}
