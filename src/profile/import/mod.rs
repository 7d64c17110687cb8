//! Profiles from what others wrote: SunSpec models, EdgeX device profiles, register lists.
//!
//! Each reader turns its format into a [`Draft`]; the draft is rendered as a profile's text and must load. What a format
//! says that a profile cannot is told, entry by entry, and left out: never half carried over.

mod cells;
mod columns;
mod draft;
mod edgex;
mod edgex_values;
mod encoding;
mod register_list;
mod sunspec;

use std::collections::BTreeMap;

pub use draft::{Draft, quoted};
pub use encoding::{encoding_of, text_of};
pub use register_list::area_of;

use crate::profile::Area;

/// The formats that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportFormat {
    /// SunSpec model definitions (JSON).
    SunSpec,
    /// An EdgeX Modbus device profile (YAML or JSON).
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

    /// What a file's ending means, and its text where several formats have the ending.
    #[must_use]
    pub fn of(ending: &str, text: &str) -> Option<Self> {
        match ending.to_ascii_lowercase().as_str() {
            "json" if text.contains("\"deviceResources\"") => Some(ImportFormat::EdgeX),
            "json" => Some(ImportFormat::SunSpec),
            "yaml" | "yml" => Some(ImportFormat::EdgeX),
            "csv" | "tsv" | "txt" => Some(ImportFormat::RegisterList),
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
    /// Register list: which column a field is, by the column's name or its number as `#2`.
    pub map: Vec<(String, String)>,
    /// Register list: the area of numbers that name none.
    pub area: Option<Area>,
    /// Register list: numbers count from 1.
    pub one_based: bool,
    /// Register list: what a word of its types means; what a row without a type has, where no word is given.
    pub types: Vec<(Option<String>, String)>,
}

impl ImportOptions {
    /// Whether every column is named by its number: then the first line is a row.
    fn is_headless(&self) -> bool {
        !self.map.is_empty() && self.map.iter().all(|(_, column)| column.starts_with('#'))
    }
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
            ImportFormat::RegisterList => register_list::read(text, options, &mut draft),
        }
        .map_err(|why| format!("{name}: {why}"))?;
    }
    draft.end();
    Ok(draft)
}

#[cfg(test)]
mod tests;
