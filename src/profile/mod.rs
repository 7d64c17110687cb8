//! Device models: points, faults, steps and cases, from the files in `device-profiles/`.
//!
//! A profile is read to its end, and all problems are reported at once. A profile with an error is not loaded. The
//! registers of a point are decoded and encoded in `decode` (test: `decode_reads_what_encode_wrote`, against a
//! second, simple implementation). *Must not know* any equipment of a site.
//!
//! ```
//! use andon::profile::{load, run_cases, scaffold};
//! use andon::source::SourceText;
//! use andon::words::ProfileName;
//! let name = ProfileName::parse("pump").unwrap();
//! let (profile, problems) = load(&name, &SourceText::new("pump.toml", &scaffold("pump")));
//! assert!(!problems.has_errors());
//! let profile = profile.unwrap();
//! assert!(profile.fault("overspeed").is_some());
//! assert!(run_cases(&profile).iter().all(|case| case.problems.is_empty()));
//! ```
//!
//! Use: `site` loads the profiles that `andon.toml` names. `link` asks a device for the points of its profile and
//! decodes the answers. `detect` evaluates the conditions of the faults.

mod absent;
mod accept;
mod address;
mod baseline;
#[cfg(test)]
mod bounds;
mod builtin;
mod capture;
mod cases;
mod data_type;
mod decode;
mod fault;
mod faults;
mod firmware;
mod frame;
mod import;
mod kind;
mod load;
mod modbus;
mod model;
mod mqtt;
mod pattern;
mod place;
mod points;
mod scaffold;
mod select;
mod serial;
mod textual;
#[cfg(test)]
mod values;
mod write;

pub use absent::{Absent, Valid, within_valid};
pub use accept::Accept;
pub use address::{Area, IDENTIFICATION, RegisterAddress};
pub use builtin::{built_in, built_in_names, built_in_notes};
pub use capture::{Frame, Playback, Played, WireKind, from_pcap, play, to_pcap};
pub use cases::{CaseResult, run_cases};
pub use data_type::{DataType, TypeWord, type_word};
pub use decode::{Order, decode, encode, raw_unsigned};
pub use fault::{Baseline, Fault, Follow, Guidance, Learn, Part, Question, Step, Target, Trace, Trigger};
pub use firmware::{Firmware, FirmwareNote, VersionRange, compare_versions, load_note};
pub use frame::{Cut, FrameShape, crc16, from_hex, is_proven, to_hex};
pub use import::{Draft, ImportFormat, ImportOptions, area_of, encoding_of, import, quoted, text_of};
pub use load::{load, load_with};
pub use modbus::{LineDefaults, LineParity, ModbusSettings};
pub use model::{Case, Device, Point, Profile, Writable, scalar};
pub use mqtt::{Availability, MqttSettings, check_filter, fits};
pub use place::{Place, Protocol};
pub use scaffold::{SCAFFOLD_KINDS, scaffold};
pub use select::Selection;
pub use serial::{Checksum, LineRequest, SerialSettings, Stream};
pub use textual::{parse_bytes, parse_json, parse_payload, parse_text, truth_of};
pub use write::{WriteProblem, to_write};
