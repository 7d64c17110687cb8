//! The alarm report, and recorded readings.

use crate::alarm::report::{AlarmCount, AlarmReport};
use crate::recorder::Sample;
use crate::v1::{AlarmCountV1, AlarmReportV1, AlarmStandingV1, SampleV1};

/// Returns the alarm report of a period.
#[must_use]
pub fn alarm_report(report: AlarmReport) -> AlarmReportV1 {
    AlarmReportV1 {
        since: report.since,
        until: report.until,
        alarms: report.alarms,
        per_10_minutes: report.per_10_minutes,
        peak_10_minutes: report.peak_10_minutes,
        peak_at: report.peak_at,
        floods: report.floods,
        flood_percent: report.flood_percent,
        by_severity: report.by_severity,
        top: counts(report.top),
        different: report.different,
        top_percent: report.top_percent,
        chattering: counts(report.chattering),
        fleeting: counts(report.fleeting),
        stale: report
            .stale
            .into_iter()
            .map(|s| AlarmStandingV1 { equipment: s.equipment, fault: s.fault, raised_at: s.raised_at })
            .collect(),
    }
}

fn counts(all: Vec<AlarmCount>) -> Vec<AlarmCountV1> {
    let row = |c: AlarmCount| AlarmCountV1 { equipment: c.equipment, fault: c.fault, times: c.times };
    all.into_iter().map(row).collect()
}

/// Returns a recorded reading.
#[must_use]
pub fn sample(sample: Sample) -> SampleV1 {
    SampleV1(sample.at, sample.value)
}
