//! The check of the journal, and its damage.

use serde::{Deserialize, Serialize};

use crate::words::{Damage, Seq, Wall};

/// `GET /v1/audit/verify`: the result of checking the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuditV1 {
    /// True if the whole hash chain is correct.
    pub verified: bool,
    /// The number of events that follow each other without a break, from the first event on.
    pub events: u64,
    /// The number of the last good event.
    pub seq: Seq,
    /// The SHA-256 of the line of the last good event, in hexadecimal.
    pub head: String,
    /// The first break of the chain; `None` if there is none.
    pub broken: Option<BreakV1>,
    /// All damaged parts of the journal.
    #[serde(default)]
    pub damage: Vec<DamageV1>,
}

/// A damaged part of the journal: lines that cannot be read as they were written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DamageV1 {
    /// The place and kind of the damage; `None` for damage that an earlier version recorded.
    #[serde(flatten)]
    pub damage: Option<Damage>,
    /// The damage as a sentence.
    pub message: String,
    /// The time when the damage was recorded; `None` if it is not recorded yet.
    pub recorded_at: Option<Wall>,
    /// The person who accepted the damage; `None` if nobody did.
    pub accepted_by: Option<String>,
    /// The reason for accepting; `None` if nobody accepted.
    pub accepted_because: Option<String>,
}

/// `POST /v1/audit/accept`: accept the damage of the journal.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AcceptV1 {
    /// The reason that the person gives.
    pub reason: String,
}

/// A break of the hash chain.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BreakV1 {
    /// The file name of the segment.
    pub segment: String,
    /// The number of the line in the segment, from 1.
    pub line: usize,
    /// The number of the first event that is missing or damaged.
    pub seq: Seq,
    /// The problem, as a sentence.
    pub message: String,
}
