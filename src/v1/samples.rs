//! Recorded readings: of a point, and those kept with a ticket.

use serde::{Deserialize, Serialize};

use crate::words::Wall;

/// A recorded reading: when, and the value; nothing where it was bad.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SampleV1(pub Wall, pub Option<f64>);

/// `GET /v1/equipment/{id}/points/{point}/history`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PointHistoryV1 {
    /// Of which equipment.
    pub equipment: String,
    /// Of which point.
    pub point: String,
    /// Its unit.
    pub unit: String,
    /// From when.
    pub since: Wall,
    /// Until when.
    pub until: Wall,
    /// In order of time.
    pub samples: Vec<SampleV1>,
}

/// The readings kept with a ticket: `GET /v1/tickets/{target}/trace`
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TraceV1 {
    /// Which ticket.
    pub ticket: u64,
    /// Its equipment.
    pub equipment: String,
    /// Its fault.
    pub fault: String,
    /// Since when the condition held.
    pub onset: Wall,
    /// From when.
    pub from: Wall,
    /// Until when.
    pub until: Wall,
    /// Each point; those of other equipment as `@ID:POINT`.
    pub series: Vec<TraceSeriesV1>,
}

impl TraceV1 {
    /// Whether nothing was recorded of any of its points.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.iter().all(|s| s.samples.is_empty())
    }
}

/// A point of a trace.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TraceSeriesV1 {
    /// Which point.
    pub point: String,
    /// Its unit.
    pub unit: String,
    /// The numbers its fault compares it with.
    #[serde(default)]
    pub limits: Vec<f64>,
    /// In order of time.
    pub samples: Vec<SampleV1>,
}
