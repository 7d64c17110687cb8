//! The files in force and the damage of the journal.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::site::FileHash;
use crate::words::{Damage, Wall};

/// A part of the journal that cannot be read, as it was recorded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownDamage {
    /// When it was recorded.
    pub found_at: Wall,
    /// Where and what; absent in what earlier versions recorded.
    pub damage: Option<Damage>,
    /// What was found, as a sentence.
    pub message: String,
    /// Who accepted it, and why; `None` while it waits for that.
    pub accepted: Option<Accepted>,
}

/// Who took note of damage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// The person.
    pub by: String,
    /// When.
    pub at: Wall,
    /// Why.
    pub reason: String,
}

/// What is known of the gateway itself.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GatewayState {
    /// The files in force.
    pub files: Arc<Vec<FileHash>>,
    /// Damaged parts of the journal that are on record, the first [`crate::limits::DAMAGE_KEPT`] of them.
    pub damage: imbl::Vector<KnownDamage>,
}
