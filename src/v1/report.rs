//! The alarm report: figures of the performance of the alarm system.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::words::Wall;

/// `GET /v1/reports/alarms`: the figures of a period.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlarmReportV1 {
    /// The start of the period.
    pub since: Wall,
    /// The end of the period.
    pub until: Wall,
    /// The number of alarms raised. Repeats of a chattering alarm that were only counted are not included.
    pub alarms: u64,
    /// The average number of alarms in ten minutes.
    pub per_10_minutes: f64,
    /// The largest number of alarms in any ten minutes.
    pub peak_10_minutes: u64,
    /// The end of those ten minutes; `None` without alarms.
    pub peak_at: Option<Wall>,
    /// The number of floods. A flood begins with more than ten alarms in ten minutes and ends with fewer than five.
    pub floods: u64,
    /// The share of the period in flood, in percent.
    pub flood_percent: f64,
    /// The share of each severity among the alarms, in percent.
    pub by_severity: BTreeMap<String, f64>,
    /// The ten most frequent alarms with their counts, including counted repeats.
    pub top: Vec<AlarmCountV1>,
    /// The number of different alarms.
    pub different: usize,
    /// The share of the ten most frequent alarms among all, in percent.
    pub top_percent: f64,
    /// The chattering alarms with the number of counted repeats.
    pub chattering: Vec<AlarmCountV1>,
    /// The alarms that cleared within a minute, with the number of times.
    pub fleeting: Vec<AlarmCountV1>,
    /// The alarms that have been active for more than a day at the end of the period.
    pub stale: Vec<AlarmStandingV1>,
}

/// The number of times that an alarm was raised.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlarmCountV1 {
    /// The id of the equipment.
    pub equipment: String,
    /// The name of the fault.
    pub fault: String,
    /// The number of times.
    pub times: u64,
}

/// An alarm that is active.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlarmStandingV1 {
    /// The id of the equipment.
    pub equipment: String,
    /// The name of the fault.
    pub fault: String,
    /// The time when the alarm was raised.
    pub raised_at: Wall,
}
