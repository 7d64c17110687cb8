//! Recorded readings: of one point, and those kept with a ticket.

use serde::{Deserialize, Serialize};

use crate::words::Wall;

/// A recorded reading: its time, and its value; `None` if the reading was bad.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SampleV1(pub Wall, pub Option<f64>);

/// `GET /v1/equipment/{id}/points/{point}/history`: the recorded readings of a point.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PointHistoryV1 {
    /// The id of the equipment.
    pub equipment: String,
    /// The name of the point.
    pub point: String,
    /// The unit of measure; empty if there is none.
    pub unit: String,
    /// The start of the period.
    pub since: Wall,
    /// The end of the period.
    pub until: Wall,
    /// The readings in the order of time.
    pub samples: Vec<SampleV1>,
}

/// `GET /v1/tickets/{target}/trace`: the readings kept with a ticket.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TraceV1 {
    /// The number of the ticket.
    pub ticket: u64,
    /// The id of the equipment.
    pub equipment: String,
    /// The name of the fault.
    pub fault: String,
    /// The time when the condition became true, before the delay.
    pub onset: Wall,
    /// The start of the trace.
    pub from: Wall,
    /// The end of the trace.
    pub until: Wall,
    /// The points. The name of a point of other equipment is `@ID:POINT`.
    pub series: Vec<TraceSeriesV1>,
}

impl TraceV1 {
    /// True if the trace has no reading.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.series.iter().all(|s| s.samples.is_empty())
    }
}

/// The readings of one point of a trace.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TraceSeriesV1 {
    /// The name of the point.
    pub point: String,
    /// The unit of measure; empty if there is none.
    pub unit: String,
    /// The numbers with which the fault's condition compares the point.
    #[serde(default)]
    pub limits: Vec<f64>,
    /// The readings in the order of time.
    pub samples: Vec<SampleV1>,
}
