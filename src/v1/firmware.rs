//! Firmware versions and their known issues.

use serde::{Deserialize, Serialize};

/// A known issue of a device's firmware.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FirmwareNoteV1 {
    /// The name of the firmware note.
    pub name: String,
    /// The affected versions, as text.
    pub versions: String,
    /// The behaviour that a person sees.
    pub symptom: String,
    /// The measure that helps.
    pub workaround: String,
    /// The document that describes the issue.
    pub source: String,
}

/// `GET /v1/firmware`: a piece of equipment with its firmware version and the known issues of this version.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FirmwareV1 {
    /// The id of the equipment.
    pub equipment: String,
    /// The name of the profile.
    pub profile: String,
    /// The firmware version; `None` if it is unknown.
    pub version: Option<String>,
    /// The known issues of this version.
    pub notes: Vec<FirmwareNoteV1>,
    /// The number of firmware notes for the profile, for all versions.
    pub notes_for_profile: usize,
}
