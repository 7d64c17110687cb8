//! Links and their planned requests.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::words::Wall;

/// The state of a link.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LinkV1 {
    /// The name of the link.
    pub name: String,
    /// The kind of the link, as in `andon.toml`.
    pub kind: String,
    /// The address or the serial port.
    pub place: String,
    /// The state: `online`, `degraded` or `offline`.
    pub state: String,
    /// The time of the last change of `state`.
    pub since: Wall,
    /// The number of requests sent since the daemon started.
    pub requests: u64,
    /// The number of failed requests by kind of failure.
    pub errors: BTreeMap<String, u64>,
    /// The state as a sentence.
    pub message: String,
    /// The share of the time in which the line was in use, from 0 to 1, since the link's task started.
    pub line_use: f64,
}

/// `GET /v1/links/{name}/plan`: the load of a link.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanV1 {
    /// The name of the link.
    pub link: String,
    /// The kind of the link, as in `andon.toml`.
    pub kind: String,
    /// The share of the time that all requests need: 1 is 100 %. It can be larger than 1.
    pub load: f64,
    /// True if the line has time for all requests.
    pub carries: bool,
    /// The planned requests.
    pub requests: Vec<PlanRowV1>,
}

/// A planned request.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PlanRowV1 {
    /// The id of the equipment.
    pub equipment: String,
    /// The name of a request to a device with its own serial protocol, which has no unit id, area and registers.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub request: Option<String>,
    /// The unit id.
    pub unit: u8,
    /// The area: `holding`, `input`, `coil` or `discrete`; empty for a request with its own name.
    pub area: String,
    /// The first register, zero-based.
    pub start: u16,
    /// The number of registers or bits.
    pub count: u16,
    /// The number of these registers or bits that a point uses.
    pub used: usize,
    /// The period in milliseconds.
    pub every_ms: u64,
    /// The time on the line in milliseconds.
    pub takes_ms: f64,
    /// True if `takes_ms` was measured, false if it is calculated.
    #[serde(default)]
    pub measured: bool,
    /// The points that the response contains.
    pub points: Vec<String>,
}
