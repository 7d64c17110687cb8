//! `GET /v1/firmware`: versions and the known issues of them.

use axum::Json;
use axum::extract::State;

use super::Answer;
use crate::api::Gateway;
use crate::api::v1::{FirmwareNoteV1, FirmwareV1};
use crate::profile::FirmwareNote;
use crate::words::EquipmentIndex;

pub(super) async fn firmware(State(g): State<Gateway>) -> Answer<Vec<FirmwareV1>> {
    let desk = g.snapshot().await?;
    let site = &desk.site;
    let rows = site.equipment.iter().enumerate().map(|(i, e)| {
        let version = desk.detector.firmware(EquipmentIndex(i));
        let known = |version: &str| site.notes_for(e, version).map(note_row).collect();
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
    Ok(Json(rows.collect()))
}

pub(super) fn note_row(note: &FirmwareNote) -> FirmwareNoteV1 {
    FirmwareNoteV1 {
        name: note.name.clone(),
        versions: note.versions.to_string(),
        symptom: note.symptom.clone(),
        workaround: note.workaround.clone(),
        source: note.source.clone(),
    }
}
