//! The gateway's own configuration: links, equipment, and the profiles they need, resolved and checked together.
//!
//! Loading is all or nothing; every file's problems are told at once. *Must not know* how a link works.

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
