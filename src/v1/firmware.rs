//! Firmware versions and the known issues of them.

use serde::{Deserialize, Serialize};

/// A known issue of a device's firmware.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FirmwareNoteV1 {
    /// Its name.
    pub name: String,
    /// The versions that have it.
    pub versions: String,
    /// What one sees.
    pub symptom: String,
    /// What helps.
    pub workaround: String,
    /// Who says so.
    pub source: String,
}

/// `GET /v1/firmware`: a piece of equipment, its version and the known issues of that.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct FirmwareV1 {
    /// Its id.
    pub equipment: String,
    /// Its profile.
    pub profile: String,
    /// Its firmware's version, where it is known.
    pub version: Option<String>,
    /// The known issues of that version.
    pub notes: Vec<FirmwareNoteV1>,
    /// How many notes there are for its profile, whatever the version.
    pub notes_for_profile: usize,
}
