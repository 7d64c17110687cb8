//! `andon profile replay`: shows the alarms that a profile would have raised on recorded readings.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use super::loaded;
use super::recording::{HowToRead, Recording};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::render::{Sheet, plural};
use crate::cli::when::Period;
use crate::client::Client;
use crate::detect::{Column, Replay, Replayed};
use crate::v1::{PointHistoryV1, SampleV1};
use crate::words::{EquipmentId, Outcome, Wall, parse_duration, render_duration};

/// `andon profile replay PROFILE --csv FILE`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  andon profile replay my-press --csv january.csv\n  andon profile replay my-press --csv january.csv --against my-press-tuned.toml\n  andon profile replay my-press --recorded press-7 --since 7d\n\n--since and --until belong to --recorded; without --since the period is one hour.\n\nThe file has one column for the time and one column for each point, separated by comma, semicolon or tab. Times are\nRFC 3339, YYYY-MM-DD HH:MM:SS, Unix seconds or milliseconds. An empty cell means: no reading. A cell that does not fit\nthe point's type is a bad reading, and andon reports it; a column without any cell that fits is refused. If semicolons or\ntabs separate the columns, numbers may have decimal commas. A number may have the unit of its point after it.\nSee: andon guide tuning"
)]
pub struct ReplayArgs {
    /// File or name of the profile
    #[arg(value_name = "FILE|NAME")]
    profile: String,
    /// Recording: a file with a column of times and a column for each point
    #[arg(long, value_name = "FILE", required_unless_present = "recorded", conflicts_with_all = ["since", "until"])]
    csv: Option<String>,
    /// Recording: the readings that the gateway recorded of this equipment
    #[arg(long, value_name = "ID", conflicts_with_all = ["csv", "time_column"])]
    recorded: Option<String>,
    /// Period of the recorded readings.
    #[command(flatten)]
    period: Period,
    /// Compare with this second profile
    #[arg(long, value_name = "FILE|NAME")]
    against: Option<String>,
    /// Equipment id in the output [default: the name of the profile]
    #[arg(long, value_name = "ID")]
    equipment: Option<String>,
    /// Name of the column with the times [default: time, timestamp or datetime]
    #[arg(long, value_name = "NAME")]
    time_column: Option<String>,
    /// Time zone of times without a zone, and of daily profiles
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    timezone: String,
    /// Accept times before 1990
    #[arg(long)]
    before_1990: bool,
    /// Time after which a value becomes stale [default: a value is valid until the next value]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    stale_after: Option<Duration>,
}

#[derive(Serialize)]
struct Row {
    fault: String,
    equipment: String,
    severity: &'static str,
    onset: Wall,
    raised_at: Wall,
    cleared_at: Option<Wall>,
}

#[derive(Serialize)]
struct Compared {
    profile: Vec<Row>,
    against: Vec<Row>,
}

/// One profile of the comparison, with its replay and the columns that it uses.
struct Side {
    name: String,
    equipment: EquipmentId,
    replay: Replay,
    columns: Vec<(usize, Column)>,
}

impl Side {
    fn rows(&self) -> Vec<Row> {
        let row = |a: &Replayed| Row {
            fault: a.fault.to_string(),
            equipment: self.equipment.to_string(),
            severity: a.severity.word(),
            onset: a.onset,
            raised_at: a.raised_at,
            cleared_at: a.cleared_at,
        };
        self.replay.alarms().iter().map(row).collect()
    }
}

pub(super) async fn run(cx: &mut Context<'_>, args: &ReplayArgs) -> Result<Outcome, CliError> {
    let (sides, rows) = match (&args.csv, &args.recorded) {
        (Some(csv), _) => from_file(cx, args, csv)?,
        (None, Some(id)) => from_gateway(cx, args, id).await?,
        (None, None) => {
            return Err(CliError::usage("name a recording: --csv FILE or --recorded ID".to_owned()));
        }
    };
    match sides.as_slice() {
        [one] if cx.global.json => cx.json(&one.rows())?,
        [one, two, ..] if cx.global.json => {
            cx.json(&Compared { profile: one.rows(), against: two.rows() })?;
        }
        [one] => tell(cx, one, rows)?,
        [one, two, ..] => compare(cx, one, two, rows)?,
        [] => {}
    }
    Ok(Outcome::Done)
}

fn from_file(cx: &Context<'_>, args: &ReplayArgs, csv: &str) -> Result<(Vec<Side>, u64), CliError> {
    let how = HowToRead {
        time_column: args.time_column.as_deref(),
        timezone: &args.timezone,
        is_old: args.before_1990,
    };
    let mut recording = Recording::open(csv, &how)?;
    let mut sides = vec![side(cx, &args.profile, args, csv, &recording)?];
    if let Some(other) = &args.against {
        sides.push(side(cx, other, args, csv, &recording)?);
    }
    let rows = recording.rows(|at, line, record| {
        for side in &mut sides {
            let cells = side.columns.iter().map(|(i, column)| (*column, record.get(*i).unwrap_or("")));
            side.replay.row(at, line, cells);
        }
    })?;
    let mut notes = std::collections::BTreeSet::new();
    for side in &sides {
        notes.extend(recording.unreadable(&side.replay, &side.columns)?);
    }
    for note in &notes {
        cx.remark(note)?;
    }
    Ok((sides, rows))
}

/// Replays all points that the faults need, from the readings that the gateway recorded.
async fn from_gateway(
    cx: &mut Context<'_>,
    args: &ReplayArgs,
    id: &str,
) -> Result<(Vec<Side>, u64), CliError> {
    let query = Client::query(&cx.period(&args.period)?);
    let mut sides = Vec::new();
    let mut rows: BTreeMap<Wall, Vec<(usize, Column, Option<f64>)>> = BTreeMap::new();
    for which in [Some(&args.profile), args.against.as_ref()].into_iter().flatten() {
        let (name, _, profile) = loaded(cx, which)?;
        let equipment = EquipmentId::parse(args.equipment.as_deref().unwrap_or(id))
            .map_err(|e| CliError::usage(format!("{id}: {e}")))?;
        let zone = cx.zone().clone();
        let replay = Replay::new(&profile, &equipment, args.stale_after).in_zone(zone);
        for wanted in replay.unserved(&[]) {
            let Some(column) = replay.column(&wanted) else { continue };
            let (of, point) =
                wanted.strip_prefix('@').and_then(|w| w.split_once(':')).unwrap_or((id, &wanted));
            let path = format!("{}{query}", Client::path("/v1/equipment/{}/points/{}/history", &[of, point]));
            let found: PointHistoryV1 = cx.get(&path).await?;
            for SampleV1(at, value) in found.samples {
                rows.entry(at).or_default().push((sides.len(), column, value));
            }
        }
        sides.push(Side { name: name.to_string(), equipment, replay, columns: Vec::new() });
    }
    if rows.is_empty() {
        return Err(CliError::Other(
            Outcome::NoSuchThing,
            format!(
                "no readings of {id} are recorded in this period; show the recorded readings: andon equipment history {id} POINT"
            ),
        ));
    }
    for (at, samples) in &rows {
        for (place, side) in sides.iter_mut().enumerate() {
            let own = samples.iter().filter(|(s, _, _)| *s == place).map(|(_, c, value)| (*c, *value));
            side.replay.recorded(*at, own);
        }
    }
    Ok((sides, rows.len() as u64))
}

/// Prepares a profile for the columns of a recording. Prints columns and points that do not fit to standard error.
fn side(
    cx: &Context<'_>,
    which: &str,
    args: &ReplayArgs,
    csv: &str,
    recording: &Recording,
) -> Result<Side, CliError> {
    let (name, _, profile) = loaded(cx, which)?;
    let id = args.equipment.clone().unwrap_or_else(|| name.to_string());
    let equipment = EquipmentId::parse(&id).map_err(|e| CliError::usage(format!("--equipment {id}: {e}")))?;
    let replay = Replay::new(&profile, &equipment, args.stale_after)
        .in_zone(recording.zone.clone())
        .with_decimal_commas(recording.has_decimal_commas);
    let mut columns: Vec<(usize, Column)> = Vec::new();
    let mut unused = Vec::new();
    for (index, column) in recording.columns.iter().enumerate().filter(|(i, _)| *i != recording.time) {
        match replay.column(column) {
            Some(at) if columns.iter().any(|(_, c)| *c == at) => {
                return Err(CliError::usage(format!("{csv}: two columns belong to the point {column}")));
            }
            Some(at) => columns.push((index, at)),
            None => unused.push(column.as_str()),
        }
    }
    if columns.is_empty() {
        return Err(CliError::usage(format!("{csv}: no column is a point of {name}: {}", unused.join(", "))));
    }
    let served: Vec<Column> = columns.iter().map(|(_, c)| *c).collect();
    let unserved = replay.unserved(&served);
    let note = |what: &str, names: &[&str]| match names {
        [] => Ok(()),
        names => cx.remark(&format!("note: {name}: {what}: {}", names.join(", "))),
    };
    note("columns that are not points of this profile", &unused)?;
    note(
        "points that the faults need but that have no column",
        &unserved.iter().map(String::as_str).collect::<Vec<_>>(),
    )?;
    Ok(Side { name: name.to_string(), equipment, replay, columns })
}

fn tell(cx: &Context<'_>, side: &Side, rows: u64) -> Result<(), CliError> {
    let mut sheet = Sheet::new(&["fault", "severity", "raised", "cleared", "duration", "values"]);
    for alarm in side.replay.alarms() {
        let values: Vec<String> = alarm.values.iter().map(|(n, v)| format!("{n} = {v}")).collect();
        sheet.row([
            alarm.fault.to_string(),
            alarm.severity.word().to_owned(),
            alarm.raised_at.to_string(),
            alarm.cleared_at.map_or_else(|| "active at the end".to_owned(), |at| at.to_string()),
            alarm.cleared_at.map_or_else(String::new, |at| render_duration(at.since(alarm.raised_at))),
            values.join("; "),
        ]);
    }
    let mut text = if sheet.is_empty() { String::new() } else { sheet.table() + "\n" };
    text.push_str(&about(side, rows));
    for (fault, (count, stood)) in summary(side) {
        text.push_str(&format!("  {fault}: {}, {} in all\n", plural(count, "alarm"), render_duration(stood)));
    }
    cx.print(&text)
}

fn compare(cx: &Context<'_>, one: &Side, two: &Side, rows: u64) -> Result<(), CliError> {
    let (a, b) = (summary(one), summary(two));
    let mut sheet = Sheet::new(&["fault", "alarms", "active_time", "alarms_against", "active_time_against"]);
    let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
    let cells = |s: &BTreeMap<String, (usize, Duration)>, name: &String| match s.get(name) {
        Some((count, stood)) => [count.to_string(), render_duration(*stood)],
        None => ["0".to_owned(), String::new()],
    };
    for name in names {
        sheet.row([vec![name.clone()], cells(&a, name).to_vec(), cells(&b, name).to_vec()].concat());
    }
    let mut text = about(one, rows);
    text.push_str(&format!("{} against {}\n\n", one.name, two.name));
    text.push_str(&if sheet.is_empty() {
        "neither profile raises an alarm\n".to_owned()
    } else {
        sheet.table()
    });
    cx.print(&text)
}

fn about(side: &Side, rows: u64) -> String {
    let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
    let late = side.replay.out_of_order();
    let mut text = plural(side.replay.alarms().len(), "alarm");
    text.push_str(&format!(" in {}", plural(count(rows), "row")));
    if let Some((from, to)) = side.replay.period() {
        text.push_str(&format!(" over {}, from {from} to {to}", render_duration(to.since(from))));
    }
    if late > 0 {
        text.push_str(&format!(
            "; {} left out, because of times before the previous row",
            plural(count(late), "row")
        ));
    }
    text + "\n"
}

/// Returns for each fault the number of alarms and their total duration.
fn summary(side: &Side) -> BTreeMap<String, (usize, Duration)> {
    let end = side.replay.period().map(|(_, to)| to);
    let mut all: BTreeMap<String, (usize, Duration)> = BTreeMap::new();
    for alarm in side.replay.alarms() {
        let entry = all.entry(alarm.fault.to_string()).or_default();
        entry.0 += 1;
        let until = alarm.cleared_at.or(end).unwrap_or(alarm.raised_at);
        entry.1 += until.since(alarm.raised_at);
    }
    all
}
