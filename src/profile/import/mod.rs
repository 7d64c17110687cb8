//! Profiles from what others wrote: SunSpec models, EdgeX device profiles, register lists.
//!
//! Each reader turns its format into a [`Draft`]; the draft is rendered as a profile's text and must load. What a format
//! says that a profile cannot is told, entry by entry, and left out: never half carried over.

mod draft;
mod edgex;
mod register_list;
mod sunspec;

use std::collections::BTreeMap;

pub use draft::{Draft, quoted};

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportFormat {
    /// SunSpec model definitions (JSON).
    SunSpec,
    /// An EdgeX Modbus device profile (YAML).
    EdgeX,
    /// A list of registers, a row each (CSV).
    RegisterList,
}

impl ImportFormat {
    /// The words on the command line.
    pub const WORDS: [(&str, ImportFormat); 3] = [
        ("sunspec", ImportFormat::SunSpec),
        ("edgex", ImportFormat::EdgeX),
        ("csv", ImportFormat::RegisterList),
    ];

    /// What a file's ending means.
    #[must_use]
    pub fn of_ending(ending: &str) -> Option<Self> {
        match ending {
            "json" => Some(ImportFormat::SunSpec),
            "yaml" | "yml" => Some(ImportFormat::EdgeX),
            "csv" => Some(ImportFormat::RegisterList),
            _ => None,
        }
    }
}

/// What an import needs to be told besides its files.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// SunSpec: the register of the first model's ID, zero-based; after the "SunS" mark at 40000 when absent.
    pub start: Option<u16>,
    /// SunSpec: how often a group is repeated, by its name.
    pub repeats: BTreeMap<String, u16>,
}

/// Reads files of one format, in order, into one draft.
///
/// # Errors
/// Why a file is not of that format at all, with its name.
pub fn import(
    format: ImportFormat,
    files: &[(String, String)],
    options: &ImportOptions,
) -> Result<Draft, String> {
    let mut draft = Draft::default();
    let mut sunspec = sunspec::Reader::new(options);
    for (name, text) in files {
        match format {
            ImportFormat::SunSpec => sunspec.read(text, &mut draft),
            ImportFormat::EdgeX => edgex::read(text, &mut draft),
            ImportFormat::RegisterList => register_list::read(text, &mut draft),
        }
        .map_err(|why| format!("{name}: {why}"))?;
    }
    Ok(draft)
}

#[cfg(test)]
mod tests;
