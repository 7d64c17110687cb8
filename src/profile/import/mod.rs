//! Import of profiles from other formats: SunSpec models, EdgeX device profiles, register lists.
//!
//! Each reader converts its format into a [`Draft`]. The draft is written as the text of a profile, which must load.
//! Some parts of a format have no equivalent in a profile. They are left out as a whole, and a remark names each of
//! them.
//!
//! ```
//! use andon::profile::{ImportFormat, ImportOptions, import};
//! let list = "name,register,type,unit\nspeed,holding:0,u16,rpm\n";
//! let files = [("list.csv".to_owned(), list.to_owned())];
//! let draft = import(ImportFormat::RegisterList, &files, &ImportOptions::default()).unwrap();
//! assert!(draft.remarks.is_empty());
//! assert!(draft.render("pump").contains("speed = { register = \"holding:0\""));
//! ```
//!
//! Use: `andon profile import` writes the text to a file and shows the remarks.

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

/// The formats that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportFormat {
    /// SunSpec model definitions (JSON).
    SunSpec,
    /// An EdgeX Modbus device profile (YAML or JSON).
    EdgeX,
    /// A list of registers with one row per point (CSV).
    RegisterList,
}

impl ImportFormat {
    /// The words of the formats on the command line.
    pub const WORDS: [(&str, ImportFormat); 3] = [
        ("sunspec", ImportFormat::SunSpec),
        ("edgex", ImportFormat::EdgeX),
        ("csv", ImportFormat::RegisterList),
    ];

    /// Returns the format of a file by the extension of its name. For an extension of several formats the text
    /// decides. `None` if the extension is unknown.
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

/// Options of an import.
#[derive(Debug, Clone, Default)]
pub struct ImportOptions {
    /// SunSpec: the register of the ID of the first model, from 0. `None`: the model after the mark "SunS" at
    /// register 40000.
    pub start: Option<u16>,
    /// SunSpec: the number of repetitions of a group, by the name of the group.
    pub repeats: BTreeMap<String, u16>,
    /// Register list: pairs of a field and its column. The column is a name in the header, or a number such as `#2`.
    pub map: Vec<(String, String)>,
    /// Register list: the area of register numbers without an area; `None` if every row has one.
    pub area: Option<Area>,
    /// Register list: true if register numbers count from 1.
    pub one_based: bool,
    /// Register list: pairs of a type word in the list and the type it means. A pair without a word gives the type of
    /// rows without a known type.
    pub types: Vec<(Option<String>, String)>,
}

impl ImportOptions {
    /// True if the options name every column by its number. The first line is then a row, not a header.
    fn is_headless(&self) -> bool {
        !self.map.is_empty() && self.map.iter().all(|(_, column)| column.starts_with('#'))
    }
}

/// Reads files of one format, in order, and makes one draft of them.
///
/// # Errors
/// The name of a file, and the reason why it does not have this format.
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
