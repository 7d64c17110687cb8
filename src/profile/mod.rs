//! What a device model is: its points, faults, steps and cases, from a file in `device-profiles/`.
//!
//! *Must not know* any equipment of a site. A profile is read to its end and every problem is told at
//! once; one with an error is not loaded. Decoding and encoding of registers stand in `decode`
//! (test: `decode_reads_what_encode_wrote`, against a naive twin).

mod accept;
mod address;
mod baseline;
#[cfg(test)]
mod bounds;
mod builtin;
mod capture;
mod cases;
mod decode;
mod fault;
mod faults;
mod firmware;
mod frame;
mod import;
mod load;
mod model;
mod mqtt;
mod pattern;
mod place;
mod points;
mod scaffold;
mod serial;
mod textual;
mod write;

pub use accept::Accept;
pub use address::{Area, IDENTIFICATION, RegisterAddress};
pub use builtin::{built_in, built_in_names, built_in_notes};
pub use capture::{Frame, Played, WireKind, from_pcap, play, to_pcap};
pub use cases::{CaseResult, run_cases};
pub use decode::{DataType, Order, decode, encode, raw_unsigned};
pub use fault::{Baseline, Fault, Guidance, Learn, Part, Question, Step, Target, Trace, Trigger};
pub use firmware::{Firmware, FirmwareNote, VersionRange, compare_versions, load_note};
pub use frame::{Cut, FrameShape, crc16, from_hex, is_proven, to_hex};
pub use import::{Draft, ImportFormat, ImportOptions, import, quoted};
pub use load::{load, load_with};
pub use model::{Case, Device, ModbusSettings, Point, Profile, Writable, scalar};
pub use mqtt::{Availability, MqttSettings, check_filter, fits};
pub use place::{Place, Protocol};
pub use scaffold::{SCAFFOLD_KINDS, scaffold};
pub use serial::{Checksum, LineRequest, SerialSettings, Stream};
pub use textual::{parse_bytes, parse_json, parse_payload, parse_text};
pub use write::{WriteProblem, to_write};
