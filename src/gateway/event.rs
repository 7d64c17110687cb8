//! The events of the gateway itself.

use serde::{Deserialize, Serialize};

use crate::site::FileHash;
use crate::words::Damage;

/// An event of the gateway itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum GatewayEvent {
    /// The daemon started.
    #[serde(rename = "gateway-started")]
    Started {
        /// The version of andon.
        version: String,
        /// The gateway's name.
        name: String,
    },
    /// The daemon stopped normally.
    #[serde(rename = "gateway-stopped")]
    Stopped {},
    /// The configuration was loaded: these files are in force from here on.
    #[serde(rename = "configuration-loaded")]
    ConfigurationLoaded {
        /// Each file with its SHA-256.
        files: Vec<FileHash>,
    },
    /// A part of the journal cannot be read as it was written.
    #[serde(rename = "gateway-journal-damaged")]
    JournalDamaged {
        /// The damage, as a sentence.
        message: String,
        /// The segment, line and events; `None` in journals of earlier versions.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        damage: Option<Damage>,
    },
    /// A person accepted the damage, so it is no longer shown on the first screen.
    #[serde(rename = "gateway-damage-accepted")]
    DamageAccepted {
        /// The number of damaged parts that were known.
        parts: usize,
        /// The reason that the person gave.
        reason: String,
    },
    /// The daemon did not run for a while, for example because its computer was suspended. Delays do not count that
    /// time.
    #[serde(rename = "gateway-paused")]
    Paused {
        /// The length of the pause, in milliseconds.
        for_ms: u64,
    },
    /// The wall clock was set to another time.
    #[serde(rename = "clock-stepped")]
    ClockStepped {
        /// The change in milliseconds; positive if the clock was set forward.
        by_ms: i64,
    },
}

impl GatewayEvent {
    /// The names of these events in the journal, as `serde` writes them (test: `kinds_are_those_that_are_written`).
    pub const KINDS: &[&str] = &[
        "gateway-started",
        "gateway-stopped",
        "configuration-loaded",
        "gateway-journal-damaged",
        "gateway-damage-accepted",
        "gateway-paused",
        "clock-stepped",
    ];
}
