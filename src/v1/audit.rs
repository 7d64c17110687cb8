//! The check of the record, and damage of it.

use serde::{Deserialize, Serialize};

use crate::words::{Damage, Seq, Wall};

/// `GET /v1/audit/verify`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AuditV1 {
    /// Whether the chain holds.
    pub verified: bool,
    /// Events that follow each other from the first on.
    pub events: u64,
    /// The last good event.
    pub seq: Seq,
    /// Its hash.
    pub head: String,
    /// Where the chain breaks first.
    pub broken: Option<BreakV1>,
    /// Every part of the journal that cannot be read as it was written.
    #[serde(default)]
    pub damage: Vec<DamageV1>,
}

/// A part of the journal that cannot be read as it was written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DamageV1 {
    /// Where and what; absent for what earlier versions recorded.
    #[serde(flatten)]
    pub damage: Option<Damage>,
    /// The same as a sentence.
    pub message: String,
    /// When it was put on record; absent while it is not.
    pub recorded_at: Option<Wall>,
    /// Who accepted it.
    pub accepted_by: Option<String>,
    /// Why it was accepted.
    pub accepted_because: Option<String>,
}

/// `POST /v1/audit/accept`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AcceptV1 {
    /// Why.
    pub reason: String,
}

/// Where the chain breaks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BreakV1 {
    /// The segment's file name.
    pub segment: String,
    /// The line in it.
    pub line: usize,
    /// The event.
    pub seq: Seq,
    /// What is wrong.
    pub message: String,
}
