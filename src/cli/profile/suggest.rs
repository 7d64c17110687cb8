//! `andon profile suggest`: proposes a patch for a profile from a recording of normal operation, and counts the false
//! alarms before and after.

use serde::Serialize;

use super::loaded;
use super::recording::{HowToRead, Recording};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::render::plural;
use crate::detect::{Column, Proposal, Replay, Seen, suggest};
use crate::profile::{Profile, load};
use crate::source::SourceText;
use crate::words::{EquipmentId, Outcome, ProfileName, render_duration, render_real};

/// `andon profile suggest PROFILE --csv FILE`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  andon profile suggest my-press --csv good-week.csv\n  andon profile suggest device-profiles/my-press.toml --csv good-week.csv > tuned.patch\n  patch device-profiles/my-press.toml tuned.patch\n\nThe recording must show normal operation: andon treats every alarm on it as a false alarm. See: andon guide tuning"
)]
pub struct SuggestArgs {
    /// File or name of the profile
    #[arg(value_name = "FILE|NAME")]
    profile: String,
    /// Recording of normal operation
    #[arg(long, value_name = "FILE")]
    csv: String,
    /// Name of the column with the times [default: time, timestamp or datetime]
    #[arg(long, value_name = "NAME")]
    time_column: Option<String>,
    /// Time zone of times without a zone, and of daily profiles
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    timezone: String,
    /// Accept times before 1990
    #[arg(long)]
    before_1990: bool,
}

#[derive(Serialize)]
struct Suggested {
    changes: Vec<String>,
    false_alarms_before: usize,
    false_alarms_after: usize,
    patch: String,
}

pub(super) fn run(cx: &Context<'_>, args: &SuggestArgs) -> Result<Outcome, CliError> {
    let (name, text, profile) = loaded(cx, &args.profile)?;
    let (before, proposals, notes) = replayed(args, &name, &profile)?;
    for note in &notes {
        cx.remark(note)?;
    }
    let mut lines: Vec<String> = text.text.lines().map(str::to_owned).collect();
    let mut changes = Vec::new();
    for proposal in &proposals {
        changes.push(match apply(&mut lines, proposal) {
            true => told(proposal),
            false => {
                format!("{}; andon did not find its table in the file: change it by hand", told(proposal))
            }
        });
    }
    let changed = lines.join("\n") + "\n";
    let (patched, diagnostics) = load(&name, &SourceText::new(&args.profile, &changed));
    let patched = patched.ok_or_else(|| CliError::Files(vec![diagnostics]))?;
    let (after, ..) = replayed(args, &name, &patched)?;
    let file = args.profile.trim_start_matches("./");
    let diff = similar::TextDiff::from_lines(text.text.as_ref(), changed.as_str());
    let patch = diff.unified_diff().header(file, file).to_string();
    if cx.global.json {
        let (false_alarms_before, false_alarms_after) = (before, after);
        cx.json(&Suggested { changes, false_alarms_before, false_alarms_after, patch })?;
        return Ok(Outcome::Done);
    }
    let mut out = String::new();
    for change in &changes {
        out.push_str(&format!("# {change}\n"));
    }
    let now = plural(before, "false alarm");
    out.push_str(&match proposals.is_empty() {
        true => format!("# {now} on this recording, and nothing to propose\n"),
        false => format!("# {now} on this recording before, {after} after\n{patch}"),
    });
    cx.print_exact(&out)?;
    Ok(Outcome::Done)
}

/// Replays the recording. Returns the number of alarms, the proposals, and notes about unreadable cells.
fn replayed(
    args: &SuggestArgs,
    name: &ProfileName,
    profile: &Profile,
) -> Result<(usize, Vec<Proposal>, Vec<String>), CliError> {
    let how = HowToRead {
        time_column: args.time_column.as_deref(),
        timezone: &args.timezone,
        is_old: args.before_1990,
    };
    let mut recording = Recording::open(&args.csv, &how)?;
    let equipment = EquipmentId::parse(name.as_str()).map_err(|e| CliError::usage(e.to_string()))?;
    let mut replay = Replay::new(profile, &equipment, None)
        .in_zone(recording.zone.clone())
        .with_decimal_commas(recording.has_decimal_commas);
    let named = recording.columns.iter().enumerate();
    let columns: Vec<(usize, Column)> =
        named.filter_map(|(i, column)| Some((i, replay.column(column)?))).collect();
    if columns.is_empty() {
        return Err(CliError::usage(format!("{}: no column is a point of {name}", args.csv)));
    }
    let mut seen = vec![Seen::default(); profile.points.len()];
    recording.rows(|at, line, record| {
        let cells = columns.iter().map(|(i, column)| (*column, record.get(*i).unwrap_or("")));
        for (column, cell) in cells.clone() {
            let place = column.own_point().and_then(|p| seen.get_mut(p.0));
            if let (Some(seen), Some(value)) = (place, replay.number(column, cell)) {
                seen.note(at, value);
            }
        }
        replay.row(at, line, cells);
    })?;
    let notes = recording.unreadable(&replay, &columns)?;
    let Some((_, end)) = replay.period() else { return Ok((0, Vec::new(), notes)) };
    Ok((replay.alarms().len(), suggest(profile, replay.alarms(), &seen, end), notes))
}

/// Formats a proposal as one line.
fn told(proposal: &Proposal) -> String {
    match proposal {
        Proposal::Delay { fault, on_delay, reason } => {
            format!("{fault}: on_delay {}: {reason}", render_duration(*on_delay))
        }
        Proposal::Limit { fault, from, to, reason } => {
            format!("{fault}: {} instead of {}: {reason}", render_real(*to), render_real(*from))
        }
        Proposal::Add { fault, point, .. } => format!("{fault}: no fault used {point} before"),
        Proposal::Look { fault, reason } => format!("{fault}: {reason}"),
    }
}

/// Applies a proposal to the lines of a profile. Returns false if the place was not found.
fn apply(lines: &mut Vec<String>, proposal: &Proposal) -> bool {
    match proposal {
        Proposal::Look { .. } => true,
        Proposal::Add { fault, point, threshold, clear, on_delay } => {
            let (raise, back) = if threshold.is_above { (">", "<") } else { ("<", ">") };
            lines.extend([
                String::new(),
                format!("[faults.{fault}]"),
                "severity = \"advisory\"".to_owned(),
                format!("when = \"{point} {raise} {}\"", render_real(threshold.limit)),
                format!("clear = \"{point} {back} {}\"", render_real(*clear)),
                format!("on_delay = \"{}\"", render_duration(*on_delay)),
                format!("means = \"{point} is outside its range in normal operation.\""),
            ]);
            true
        }
        Proposal::Delay { fault, on_delay, .. } => {
            let line = format!("on_delay = \"{}\"", render_duration(*on_delay));
            let Some((from, until)) = table(lines, fault.as_str()) else { return false };
            let key = |key: &str, lines: &[String]| {
                (from..until).find(|i| lines.get(*i).is_some_and(|l| is_key(l, key)))
            };
            if let Some(old) = key("on_delay", lines).and_then(|at| lines.get_mut(at)) {
                *old = line;
            } else if let Some(when) = key("when", lines) {
                lines.insert(when + 1, line);
            } else {
                return false;
            }
            true
        }
        Proposal::Limit { fault, from: limit, to, .. } => {
            let Some((from, until)) = table(lines, fault.as_str()) else { return false };
            let when = lines.iter_mut().take(until).skip(from).find(|l| is_key(l, "when"));
            when.is_some_and(|line| match with_number(line, *limit, *to) {
                Some(changed) => {
                    *line = changed;
                    true
                }
                None => false,
            })
        }
    }
}

fn is_key(line: &str, key: &str) -> bool {
    line.trim_start().strip_prefix(key).is_some_and(|rest| rest.trim_start().starts_with('='))
}

/// Returns the first line of a fault's table after its header, and the line after its end.
fn table(lines: &[String], fault: &str) -> Option<(usize, usize)> {
    let header = lines.iter().position(|l| {
        let l = l.trim();
        l == format!("[faults.{fault}]") || l == format!("[faults.\"{fault}\"]")
    })?;
    let rest = lines.iter().skip(header + 1);
    let end = rest.take_while(|l| !l.trim_start().starts_with('[')).count();
    Some((header + 1, header + 1 + end))
}

/// Replaces the number `from` in a line; `None` if the line does not contain it exactly once.
fn with_number(line: &str, from: f64, to: f64) -> Option<String> {
    let begin = line.find('=')?;
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    let mut found = None;
    let mut at = begin;
    while let Some(first) = line.get(at..)?.find(|c: char| c.is_ascii_digit()) {
        let start = at + first;
        let end = line.get(start..)?.find(|c| !is_part(c)).map_or(line.len(), |n| start + n);
        // A digit in a name is not a number.
        let before = line.get(..start)?.chars().next_back();
        let is_name = before.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        let minus = line.get(..start)?.ends_with('-');
        let value = line.get(start..end)?.parse::<f64>().ok().map(|v| if minus { -v } else { v });
        if !is_name && value.is_some_and(|v| (v - from).abs() <= from.abs() * 1e-12) {
            let start = start - usize::from(minus);
            if found.replace((start, end)).is_some() {
                return None;
            }
        }
        at = end.max(start + 1);
    }
    let (start, end) = found?;
    Some(format!("{}{}{}", line.get(..start)?, render_real(to), line.get(end..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_number_itself_is_replaced() {
        let change = |line: &str, from: f64, to: f64| with_number(line, from, to);
        let expected = "when = \"l1_voltage > 230.5 and x2 < 3\"";
        assert_eq!(change("when = \"l1_voltage > 210 and x2 < 3\"", 210.0, 230.5).as_deref(), Some(expected));
        assert_eq!(change("when = \"x1 > 1\"", 1.0, 2.0).as_deref(), Some("when = \"x1 > 2\""));
        assert_eq!(change("when = \"t < -5\"", -5.0, -8.0).as_deref(), Some("when = \"t < -8\""));
        assert_eq!(
            change("when = \"a > 5 or b > 5\"", 5.0, 6.0),
            None,
            "andon does not know which number is meant"
        );
        assert_eq!(change("when = \"a > 0x05\"", 5.0, 6.0), None);
    }
}
