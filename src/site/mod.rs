//! Configuration of the gateway: links, equipment, and the profiles of the equipment, checked together.
//!
//! A configuration is loaded only if all its files are correct. The problems of all files are reported at once.
//! *Must not know* how a link works.
//!
//! ```
//! use andon::profile::{built_in, built_in_names};
//! use andon::site::{ProfileFiles, load};
//! use andon::source::SourceText;
//! use andon::words::ProfileName;
//! struct BuiltIn;
//! impl ProfileFiles for BuiltIn {
//!     fn text(&self, name: &ProfileName) -> Option<SourceText> {
//!         built_in(name)
//!     }
//!     fn names(&self) -> Vec<String> {
//!         built_in_names().iter().map(ToString::to_string).collect()
//!     }
//! }
//! let text = "gateway = { name = 'line-3' }
//!     link = [{ name = 'bus', kind = 'modbus-tcp', address = '192.168.10.20' }]
//!     equipment = [{ id = 'meter-1', profile = 'eastron-sdm630', link = 'bus' }]";
//! let (site, problems) = load(&SourceText::new("andon.toml", text), &BuiltIn);
//! assert!(problems.iter().all(|file| !file.has_errors()));
//! assert_eq!(site.unwrap().equipment[0].id.as_str(), "meter-1");
//! ```
//!
//! Use: `daemon` loads the site and gives it to `link`, which reads the equipment, and to `detect`, `alarm` and
//! `ticket`, which find a fault of a piece of equipment in its profile.

mod checked;
mod config;
mod link_kind;
mod model;
mod names;
#[cfg(test)]
pub mod testing;

pub use config::{data_of, load};
pub use model::{
    Character, Criticality, Equipment, FileHash, Link, LinkKind, MqttBroker, Parity, ProfileFiles,
    SerialDevice, SerialLine, SerialPlace, Site, SparkplugId, TlsFiles,
};
