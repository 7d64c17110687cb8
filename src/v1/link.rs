//! Links, and what is planned on them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::words::Wall;

/// A link's state.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LinkV1 {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
    /// Where it leads.
    pub place: String,
    /// `online`, `degraded`, `offline`.
    pub state: String,
    /// Since when.
    pub since: Wall,
    /// Requests sent.
    pub requests: u64,
    /// Failures by kind.
    pub errors: BTreeMap<String, u64>,
    /// What is wrong, as a sentence.
    pub message: String,
    /// Share of the time the line was in use since its task began.
    pub line_use: f64,
}

/// `GET /v1/links/{name}/plan`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanV1 {
    /// The link.
    pub link: String,
    /// Its kind.
    pub kind: String,
    /// Share of its time that the line is in use.
    pub load: f64,
    /// Whether it can carry what is asked of it.
    pub carries: bool,
    /// Its requests.
    pub requests: Vec<PlanRowV1>,
}

/// A planned request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanRowV1 {
    /// The equipment's id.
    pub equipment: String,
    /// The name of a request to a device with its own serial protocol, which has no unit id, area and registers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<String>,
    /// Its unit.
    pub unit: u8,
    /// `holding`, `input`, `coil`, `discrete`.
    pub area: String,
    /// The first register, zero-based.
    pub start: u16,
    /// How many.
    pub count: u16,
    /// How many of them a point reads.
    pub used: usize,
    /// How often, in milliseconds.
    pub every_ms: u64,
    /// How long it takes on the line, in milliseconds.
    pub takes_ms: f64,
    /// Whether that was measured, or only assumed.
    #[serde(default)]
    pub measured: bool,
    /// The points it brings.
    pub points: Vec<String>,
}
