//! Measures how well baselines detect faults on published plant data, compared with plain thresholds and published
//! figures. All data sets use the same settings (the defaults):
//!
//! * a water circulation loop (Skoltech Anomaly Benchmark, github.com/waico/SKAB). For all rows after the first 400 of each
//!   file: F1, false alarms in percent of the good rows, missed rows in percent of the bad rows. For the same loop without a
//!   fault: the share of rows in alarm;
//! * a chemical plant (Tennessee Eastman: Downs and Vogel 1993, recorded by Russell, Chiang and Braatz) with four baselines
//!   of 13 points: the share of rows in alarm, for rows with a fault and for rows without a fault;
//! * the temperature of a machine (Numenta Anomaly Benchmark, github.com/numenta/NAB): the labelled windows with an alarm,
//!   and the alarms outside the windows;
//! * the CPU time for a sample of 16 points.
//!
//! Run `cargo bench --bench baseline -- DIR` with `DIR/pump-loop/{N.csv,anomaly-free.csv}`,
//! `DIR/tennessee-eastman/{normal-learn,normal,fault-NN}.csv` and `DIR/machine-temperature/{readings.csv,windows.json}`.
//! Without DIR, only the CPU time is measured. All other figures use `andon profile replay`.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "a benchmark"
)]

#[path = "made.rs"]
mod made;
#[path = "process.rs"]
mod process;

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use andon::detect::{BaselineEvent, Detector};
use andon::words::{EquipmentIndex, Mono, Now, PointIndex, Presence, Reading, Value, Wall};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use process::Workplace;

const LEARN: usize = 400;
const DEVICE: &str = "[device]\nvendor = \"Bench\"\nmodel = \"Recording\"\nkind = \"bench\"\n[points]\n";

/// A recording: the names of its columns as in a profile, and the values of each row.
struct Recording {
    file: PathBuf,
    names: Vec<String>,
    times: Vec<Timestamp>,
    rows: Vec<Vec<f64>>,
}

fn read(file: &Path, separator: u8) -> Recording {
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_path(file).unwrap();
    let written = |name: &str| -> String {
        name.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
    };
    let names = reader.headers().unwrap().iter().skip(1).map(written).collect();
    let (mut times, mut rows) = (Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.unwrap();
        times
            .push(record[0].parse().map_or_else(|_| utc(&record[0]), |s| Timestamp::from_second(s).unwrap()));
        rows.push(record.iter().skip(1).map(|x| x.parse().unwrap()).collect());
    }
    Recording { file: file.to_owned(), names, times, rows }
}

fn utc(text: &str) -> Timestamp {
    TimeZone::UTC.to_timestamp(text.parse::<DateTime>().unwrap()).unwrap()
}

fn points(names: &[String]) -> String {
    names.iter().map(|n| format!("{n} = {{ topic = \"{n}\", type = \"f64\" }}\n")).collect()
}

fn baseline(names: &[String], rest: &str) -> String {
    format!("{DEVICE}{}[baseline.normal]\npoints = {names:?}\n{rest}\n", points(names))
}

const LABELS: [&str; 2] = ["anomaly", "changepoint"];

fn inputs(r: &Recording) -> Vec<String> {
    r.names.iter().filter(|n| !LABELS.contains(&n.as_str())).cloned().collect()
}

/// Makes a profile with one fault for each point: the value is more than `deviations` standard deviations away from the
/// mean of the first `learn` rows.
fn thresholds(of: &Recording, names: &[String], learn: usize, deviations: f64) -> String {
    let mut text = format!("{DEVICE}{}", points(names));
    for (j, name) in names.iter().enumerate() {
        let column: Vec<f64> = of.rows[..learn].iter().map(|r| r[j]).collect();
        let mean = column.iter().sum::<f64>() / column.len() as f64;
        let deviation = (column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / column.len() as f64).sqrt();
        let (low, high) = (mean - deviations * deviation, mean + deviations * deviation);
        text += &format!(
            "[faults.p{j}]\nseverity = \"minor\"\nwhen = \"{name} < {low} or {name} > {high}\"\nmeans = \"m\"\n"
        );
    }
    text
}

/// Returns the start and the end of each alarm; the end is `None` if the alarm is active at the end.
fn replay(place: &Workplace, profile: &str, on: &Recording) -> Vec<(Timestamp, Option<Timestamp>)> {
    place.write("profile.toml", profile);
    let out = Command::new(env!("CARGO_BIN_EXE_andon"))
        .args(["profile", "replay", "--json"])
        .arg(place.path().join("profile.toml"))
        .arg("--csv")
        .arg(&on.file)
        .stderr(Stdio::null())
        .output()
        .unwrap();
    assert!(out.status.success(), "profile replay refuses {}", on.file.display());
    let alarms: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    let time = |x: &serde_json::Value| x.as_str().map(|t| t.parse::<Timestamp>().unwrap());
    alarms
        .as_array()
        .unwrap()
        .iter()
        .map(|a| (time(&a["raised_at"]).unwrap(), time(&a["cleared_at"])))
        .collect()
}

#[derive(Default)]
struct Score {
    hit: f64,
    false_alarm: f64,
    missed: f64,
    good: f64,
}

impl Score {
    fn add(&mut self, on: &Recording, alarms: &[(Timestamp, Option<Timestamp>)]) {
        let label = on.names.iter().position(|n| n == "anomaly").unwrap();
        for (at, row) in on.times.iter().zip(&on.rows).skip(LEARN) {
            let is_in_alarm = alarms.iter().any(|(from, to)| from <= at && to.is_none_or(|to| *at < to));
            match (is_in_alarm, row[label] > 0.5) {
                (true, true) => self.hit += 1.0,
                (true, false) => self.false_alarm += 1.0,
                (false, true) => self.missed += 1.0,
                (false, false) => self.good += 1.0,
            }
        }
    }

    fn text(&self) -> String {
        let f1 = 2.0 * self.hit / (2.0 * self.hit + self.false_alarm + self.missed);
        let far = 100.0 * self.false_alarm / (self.false_alarm + self.good);
        let missed = 100.0 * self.missed / (self.missed + self.hit);
        format!("F1 {f1:.3}   false alarms {far:4.1} %   missed {missed:4.1} %")
    }
}

fn pump_loop(place: &Workplace, dir: &Path) {
    let mut files: Vec<(u32, PathBuf)> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter_map(|p| Some((p.file_stem()?.to_str()?.parse().ok()?, p)))
        .collect();
    files.sort();
    let recordings: Vec<Recording> = files.iter().map(|(_, p)| read(p, b';')).collect();
    println!("pump loop, {} files", recordings.len());
    let mut all = Score::default();
    for (r, (number, _)) in recordings.iter().zip(&files) {
        let alarms = replay(place, &baseline(&inputs(r), "learn = 400"), r);
        let mut one = Score::default();
        one.add(r, &alarms);
        all.add(r, &alarms);
        println!("  file {number:2}              {}   {} alarms", one.text(), alarms.len());
    }
    println!("  baseline, learn = 400 {}   (to come to: F1 0.80 at 18 %)", all.text());
    let mut wider = Score::default();
    for r in &recordings {
        wider.add(r, &replay(place, &baseline(&inputs(r), "learn = 400\nlimit = 4"), r));
    }
    println!("  the same, limit = 4   {}   (F1 0.77 at 16 %)", wider.text());
    for deviations in [3.0, 4.0, 6.0] {
        let mut plain = Score::default();
        for r in &recordings {
            plain.add(r, &replay(place, &thresholds(r, &inputs(r), LEARN, deviations), r));
        }
        println!("  thresholds at {deviations:.0} s.d. {}", plain.text());
    }
}

/// Returns for each row whether an alarm was active.
fn standing(on: &Recording, alarms: &[(Timestamp, Option<Timestamp>)]) -> Vec<bool> {
    let stood = |at: &Timestamp| alarms.iter().any(|(from, to)| from <= at && to.is_none_or(|to| *at < to));
    on.times.iter().map(stood).collect()
}

fn percent(rows: &[bool]) -> f64 {
    100.0 * rows.iter().filter(|x| **x).count() as f64 / rows.len().max(1) as f64
}

fn without_a_fault(place: &Workplace, file: &Path) {
    let r = read(file, b';');
    for (learn, yardstick) in [(400, "(to come to: at most 15 %)"), (3600, "")] {
        let alarms = replay(place, &baseline(&inputs(&r), &format!("learn = {learn}")), &r);
        let share = percent(&standing(&r, &alarms)[learn..]);
        let count = alarms.len();
        println!(
            "  without a fault, learn = {learn}: {share:.1} % of rows in alarm, {count} alarms {yardstick}"
        );
    }
}

/// Makes a new file with the rows of `learned`, followed by the rows of `then`.
fn after(place: &Workplace, learned: &Recording, then: &Recording) -> Recording {
    let step = learned.times[1].duration_since(learned.times[0]);
    let rows: Vec<Vec<f64>> = learned.rows.iter().chain(&then.rows).cloned().collect();
    let times: Vec<Timestamp> =
        (0..rows.len()).map(|n| learned.times[0] + step * i32::try_from(n).unwrap()).collect();
    let mut text = format!("time,{}\n", learned.names.join(","));
    for (at, row) in times.iter().zip(&rows) {
        let cells: Vec<String> = row.iter().map(f64::to_string).collect();
        writeln!(text, "{at},{}", cells.join(",")).unwrap();
    }
    place.write("both.csv", &text);
    Recording { file: place.path().join("both.csv"), names: learned.names.clone(), times, rows }
}

fn tennessee_eastman(place: &Workplace, dir: &Path) {
    const ONSET: usize = 160;
    let learned = read(&dir.join("normal-learn.csv"), b';');
    let (names, learn) = (inputs(&learned), learned.rows.len());
    let mut sections = format!("{DEVICE}{}", points(&names));
    for (n, section) in names.chunks(13).enumerate() {
        writeln!(sections, "[baseline.section-{n}]\npoints = {section:?}\nlearn = {learn}").unwrap();
    }
    let judged = |file: &Path| {
        let both = after(place, &learned, &read(file, b';'));
        standing(&both, &replay(place, &sections, &both)).split_off(learn)
    };
    println!(
        "tennessee eastman, sections of 13 points (published, PCA at 1 % false alarms, mean of 21 faults: T2 51.4 %, Q 62.8 %)"
    );
    let mut faults: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().path())
        .filter(|p| p.file_stem().is_some_and(|s| s.to_string_lossy().starts_with("fault-")))
        .collect();
    faults.sort();
    let mut sum = 0.0;
    for file in &faults {
        let rate = percent(&judged(file)[ONSET..]);
        sum += rate;
        println!("  {}: {rate:5.1} %", file.file_stem().unwrap().to_string_lossy());
    }
    let mean = sum / faults.len() as f64;
    let normal = percent(&judged(&dir.join("normal.csv")));
    println!("  mean of {} faults {mean:.1} %   false alarms {normal:.1} % (to come to: none)", faults.len());
}

fn machine_temperature(place: &Workplace, dir: &Path) {
    let r = read(&dir.join("readings.csv"), b',');
    let text = std::fs::read_to_string(dir.join("windows.json")).unwrap();
    let windows: Vec<[String; 2]> = serde_json::from_str(&text).unwrap();
    let windows: Vec<(Timestamp, Timestamp)> =
        windows.iter().map(|[from, to]| (utc(from), utc(to))).collect();
    let learn = "learn = \"3d\"";
    let print = |name: &str, alarms: &[(Timestamp, Option<Timestamp>)]| {
        let touches = |(from, to): &(Timestamp, Option<Timestamp>), w: &(Timestamp, Timestamp)| {
            *from <= w.1 && to.is_none_or(|to| to >= w.0)
        };
        let found = windows.iter().filter(|w| alarms.iter().any(|a| touches(a, w))).count();
        let outside = alarms.iter().filter(|a| !windows.iter().any(|w| touches(a, w))).count();
        println!("  {name}  {found} of {} windows, {outside} alarms outside", windows.len());
    };
    println!("machine temperature (to come to: 3 of 4, at most 1 outside)");
    let names = std::slice::from_ref(&r.names[0]);
    print(&format!("baseline, {learn}"), &replay(place, &baseline(names, learn), &r));
    for deviations in [2.0, 3.0, 4.0] {
        let plain = thresholds(&r, names, 3 * 288, deviations);
        print(&format!("thresholds at {deviations:.0} s.d."), &replay(place, &plain, &r));
    }
}

/// Measures the CPU time for a sample of 16 points, with a baseline and without. There is a sample every two minutes. With a
/// swing, each point has a daily profile.
fn cost() {
    const POINTS: usize = 16;
    const SAMPLES: u64 = 50_000;
    let names: Vec<String> = (0..POINTS).map(|n| format!("p{n}")).collect();
    let points: String = (0..POINTS)
        .map(|n| format!("p{n} = {{ register = \"holding:{}\", type = \"f64\" }}\n", 4 * n))
        .collect();
    let mut state = 1_u64;
    let mut noise = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        f64::from(u32::try_from(state >> 32).unwrap()) / f64::from(u32::MAX)
    };
    let mut seconds = |faults: &str, swing: f64| {
        let now = |n: u64| Now {
            mono: Mono(n * 120_000_000_000),
            wall: Wall::from_millis(1_800_000_000_000 + i64::try_from(n).unwrap() * 120_000),
        };
        let mut detector = Detector::new(made::site(&points, faults), now(0));
        let mut spent = 0.0;
        for n in 1..=4000 + SAMPLES {
            let at = now(n);
            let daily = swing * (n as f64 / 720.0 * std::f64::consts::TAU).sin();
            let value = |p: usize, x: f64| (PointIndex(p), Reading { value: Ok(Value::Real(x)), at });
            let readings = (0..POINTS).map(|p| value(p, daily + noise())).collect();
            let begun = Instant::now();
            detector.readings(at, EquipmentIndex(0), readings, Presence::Answered);
            if n > 4000 {
                spent += begun.elapsed().as_secs_f64();
            }
        }
        let learned = detector.take_learned();
        let profiles = learned.first().map(|event| match event {
            BaselineEvent::Learned { model, .. } => model.daily.len(),
            BaselineEvent::Followed { .. } | BaselineEvent::Forgotten { .. } => 0,
        });
        let expected = if swing > 0.0 { POINTS } else { 0 };
        assert!(faults.is_empty() || profiles == Some(expected), "it has learned");
        spent / SAMPLES as f64
    };
    let baseline = format!("[baseline.b]\npoints = {names:?}\nlearn = 4000\n");
    for (swing, name) in [(0.0, ""), (10.0, " with daily profiles")] {
        let cost = 1e6 * (seconds(&baseline, swing) - seconds("", swing));
        println!("cost: {cost:.2} us a sample of {POINTS} points{name} (to come to: 5 us)");
    }
}

fn main() {
    cost();
    let dir = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let Some(dir) = dir.map(PathBuf::from) else {
        println!("baseline: say where the recordings are: cargo bench --bench baseline -- DIR");
        return;
    };
    let place = Workplace::new("baseline");
    pump_loop(&place, &dir.join("pump-loop"));
    without_a_fault(&place, &dir.join("pump-loop/anomaly-free.csv"));
    tennessee_eastman(&place, &dir.join("tennessee-eastman"));
    machine_temperature(&place, &dir.join("machine-temperature"));
}
