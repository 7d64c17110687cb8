//! The report of how an alarm system does.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::words::Wall;

/// `GET /v1/reports/alarms`: the figures of a period.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlarmReportV1 {
    /// From when.
    pub since: Wall,
    /// Until when.
    pub until: Wall,
    /// Alarms raised; repeats that were only counted are not among them.
    pub alarms: u64,
    /// Alarms in ten minutes, on average.
    pub per_10_minutes: f64,
    /// The most alarms in any ten minutes.
    pub peak_10_minutes: u64,
    /// When those ended.
    pub peak_at: Option<Wall>,
    /// Floods: more than ten in ten minutes, until fewer than five.
    pub floods: u64,
    /// The share of the time in flood, in percent.
    pub flood_percent: f64,
    /// Alarms by severity, in percent.
    pub by_severity: BTreeMap<String, f64>,
    /// The ten most frequent, with how often each came, repeats included.
    pub top: Vec<AlarmCountV1>,
    /// How many different alarms there were.
    pub different: usize,
    /// The share of the ten most frequent among all, in percent.
    pub top_percent: f64,
    /// Alarms that chattered, with how often each came while its repeats were counted.
    pub chattering: Vec<AlarmCountV1>,
    /// Alarms that were gone within a minute, with how often.
    pub fleeting: Vec<AlarmCountV1>,
    /// Alarms that have stood for more than a day at the end of the period.
    pub stale: Vec<AlarmStandingV1>,
}

/// How often an alarm came.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlarmCountV1 {
    /// On which equipment.
    pub equipment: String,
    /// Which fault.
    pub fault: String,
    /// How often.
    pub times: u64,
}

/// Since when an alarm stands.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AlarmStandingV1 {
    /// On which equipment.
    pub equipment: String,
    /// Which fault.
    pub fault: String,
    /// Since when.
    pub raised_at: Wall,
}
