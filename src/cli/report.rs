//! `andon report alarms`: compares the alarm system with the targets of ISA-18.2 / IEC 62682.

use clap::Subcommand;

use super::context::Context;
use super::error::CliError;
use super::render::{Sheet, heading};
use super::when::Period;
use crate::client::Client;
use crate::v1::{AlarmCountV1, AlarmReportV1};
use crate::words::{Outcome, Wall};

/// The verbs of `andon report`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Report alarm rate, floods, chattering and stale alarms, compared with the targets of ISA-18.2
    #[command(
        after_help = "Examples:\n  andon report alarms --since 30d\n  andon report alarms --since 2026-03-01 --until 2026-04-01 --json\n\nWithout --since the period is a week long."
    )]
    Alarms(Period),
}

pub(super) async fn run(cx: &mut Context<'_>, command: Command) -> Result<Outcome, CliError> {
    let Command::Alarms(period) = command;
    let query = Client::query(&cx.period(&period)?);
    let report: AlarmReportV1 = cx.get(&format!("/v1/reports/alarms{query}")).await?;
    if cx.global.json {
        cx.json(&report)?;
        return Ok(Outcome::Done);
    }
    let mut sheet = Sheet::new(&["figure", "value", "target", "target_met"]);
    for f in figures(&report, &|at| cx.time(at)) {
        let meets = match f.meets {
            Some(true) => "yes",
            Some(false) => "NO",
            None => "",
        };
        sheet.row([f.name, f.value, f.target.to_owned(), meets.to_owned()]);
    }
    if cx.global.is_csv() {
        cx.list(&report, &sheet, "")?;
        return Ok(Outcome::Done);
    }
    let mut text = heading(&format!("Alarms from {} to {}", cx.time(report.since), cx.time(report.until)));
    text.push_str(&sheet.table());
    text.push_str(&ranking("The ten most frequent", &report.top));
    text.push_str(&ranking("Chattering: repeats that were only counted", &report.chattering));
    text.push_str(&ranking("Fleeting: cleared within a minute", &report.fleeting));
    if !report.stale.is_empty() {
        text.push_str(&format!("\n{}", heading("Stale: active for more than a day")));
        let mut sheet = Sheet::new(&["equipment", "fault", "since"]);
        for s in &report.stale {
            sheet.row([s.equipment.clone(), s.fault.clone(), cx.time(s.raised_at)]);
        }
        text.push_str(&sheet.table());
    }
    cx.print(&text)?;
    Ok(Outcome::Done)
}

fn ranking(title: &str, counts: &[AlarmCountV1]) -> String {
    if counts.is_empty() {
        return String::new();
    }
    let mut sheet = Sheet::new(&["equipment", "fault", "alarms"]);
    for c in counts {
        sheet.row([c.equipment.clone(), c.fault.clone(), c.times.to_string()]);
    }
    format!("\n{}{}", heading(title), sheet.table())
}

struct Figure {
    name: String,
    value: String,
    target: &'static str,
    /// True if the value meets the target; `None` if there is no data to compare.
    meets: Option<bool>,
}

/// Returns the figures of the report with the targets of ISA-18.2-2016, clause 16, for one operator.
fn figures(r: &AlarmReportV1, time: &dyn Fn(Wall) -> String) -> Vec<Figure> {
    let figure = |name: &str, value: String, target: &'static str, meets: bool| Figure {
        name: name.to_owned(),
        value,
        target,
        meets: Some(meets),
    };
    let no_data = |name: &str, target: &'static str| Figure {
        name: name.to_owned(),
        value: "no data".to_owned(),
        target,
        meets: None,
    };
    let peak = r.peak_at.map_or_else(String::new, |at| format!(", until {}", time(at)));
    let critical = r.by_severity.get("critical").copied().unwrap_or(0.0);
    let split = ["critical", "major", "minor", "advisory"]
        .map(|s| format!("{s} {:.0} %", r.by_severity.get(s).copied().unwrap_or(0.0)));
    vec![
        figure(
            "alarms in 10 minutes",
            format!("{:.2} ({} in all)", r.per_10_minutes, r.alarms),
            "1 or fewer, 2 at most",
            r.per_10_minutes <= 2.0,
        ),
        figure(
            "most in 10 minutes",
            format!("{}{peak}", r.peak_10_minutes),
            "10 or fewer",
            r.peak_10_minutes <= 10,
        ),
        figure(
            "time in flood",
            format!("{:.1} %, {} floods", r.flood_percent, r.floods),
            "less than 1 %",
            r.flood_percent < 1.0,
        ),
        match r.different {
            0 => no_data("ten most frequent", "less than 5 %, of more than ten"),
            different => Figure {
                meets: (different > 10).then_some(r.top_percent < 5.0),
                ..figure(
                    "ten most frequent",
                    format!("{:.0} % of all, {different} different", r.top_percent),
                    "less than 5 %, of more than ten",
                    false,
                )
            },
        },
        figure("chattering alarms", r.chattering.len().to_string(), "none", r.chattering.is_empty()),
        figure("fleeting alarms", r.fleeting.len().to_string(), "none", r.fleeting.is_empty()),
        figure("stale alarms", r.stale.len().to_string(), "fewer than 5", r.stale.len() < 5),
        match r.alarms {
            0 => no_data("by severity", "about 5 % of the highest"),
            _ => figure("by severity", split.join(", "), "about 5 % of the highest", critical <= 10.0),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alarm::report::Reporter;
    use crate::view;

    #[test]
    fn what_has_nothing_to_count_says_so_and_meets_nothing() {
        let reporter = Reporter::<u32>::new(Wall::from_millis(0));
        let report = view::alarm_report(reporter.finish(Wall::from_millis(3_600_000), |_| None));
        let told: Vec<(String, String, Option<bool>)> =
            figures(&report, &|_| String::new()).into_iter().map(|f| (f.name, f.value, f.meets)).collect();
        let of = |name: &str| told.iter().find(|(n, ..)| n == name).map(|(_, v, m)| (v.as_str(), *m));
        assert_eq!(of("ten most frequent"), Some(("no data", None)));
        assert_eq!(of("by severity"), Some(("no data", None)));
        assert_eq!(
            of("alarms in 10 minutes"),
            Some(("0.00 (0 in all)", Some(true))),
            "no alarms is a count, and it meets the target"
        );
    }
}
