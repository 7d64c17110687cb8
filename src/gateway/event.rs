//! What happens to the gateway itself.

use serde::{Deserialize, Serialize};

use crate::site::FileHash;
use crate::words::Damage;

/// What happened to the gateway itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum GatewayEvent {
    /// The daemon started.
    #[serde(rename = "gateway-started")]
    Started {
        /// The program's version.
        version: String,
        /// The gateway's name.
        name: String,
    },
    /// The daemon stopped in order.
    #[serde(rename = "gateway-stopped")]
    Stopped {},
    /// These files are in force from here on.
    #[serde(rename = "configuration-loaded")]
    ConfigurationLoaded {
        /// Each file with its SHA-256.
        files: Vec<FileHash>,
    },
    /// A part of the journal cannot be read as it was written.
    #[serde(rename = "gateway-journal-damaged")]
    JournalDamaged {
        /// What was found, as a sentence.
        message: String,
        /// The segment, line and events; absent in journals of earlier versions.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        damage: Option<Damage>,
    },
    /// Somebody has taken note of the damage: it is no longer shown on the first screen.
    #[serde(rename = "gateway-damage-accepted")]
    DamageAccepted {
        /// How many damaged parts were known.
        parts: usize,
        /// Why.
        reason: String,
    },
    /// The daemon did not run for a while, as when its machine was suspended. Delays do not count that time.
    #[serde(rename = "gateway-paused")]
    Paused {
        /// For how many milliseconds.
        for_ms: u64,
    },
    /// The wall clock was stepped.
    #[serde(rename = "clock-stepped")]
    ClockStepped {
        /// By how many milliseconds, forward when positive.
        by_ms: i64,
    },
}

impl GatewayEvent {
    /// The kinds that stand in the journal, as `serde` names them (test: `kinds_are_those_that_are_written`).
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
