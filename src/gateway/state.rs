//! The files in force and the damage of the journal.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::site::FileHash;
use crate::words::{Damage, Wall};

/// A recorded part of the journal that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownDamage {
    /// The time when the damage was recorded.
    pub found_at: Wall,
    /// The place and kind of the damage; `None` if an earlier version recorded it.
    pub damage: Option<Damage>,
    /// The damage, as a sentence.
    pub message: String,
    /// The acceptance by a person; `None` if the damage waits to be accepted.
    pub accepted: Option<Accepted>,
}

/// The acceptance of damage by a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The person.
    pub by: String,
    /// The time of the acceptance.
    pub at: Wall,
    /// The reason that the person gave.
    pub reason: String,
}

/// The state of the gateway itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GatewayState {
    /// The configuration files in force.
    pub files: Arc<Vec<FileHash>>,
    /// The recorded damage of the journal: the first [`crate::limits::DAMAGE_KEPT`] parts.
    pub damage: imbl::Vector<KnownDamage>,
}
