//! How well a baseline tells good from bad on plant data that nobody here wrote, beside plain thresholds:
//!
//! * a water circulation loop (Skoltech Anomaly Benchmark, github.com/waico/SKAB): over all rows after the first 400 of
//!   each file, F1, false alarms in percent of the good rows, missed in percent of the bad ones;
//! * a machine's temperature (Numenta Anomaly Benchmark, github.com/numenta/NAB): labelled windows with an alarm, and
//!   alarms that touch none.
//!
//! `cargo bench --bench baseline -- DIR` with `DIR/pump-loop/N.csv` and `DIR/machine-temperature/{readings.csv,
//! windows.json}`. Everything goes through `andon profile replay`, one set of parameters for all files.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a benchmark"
)]

#[path = "process.rs"]
mod process;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use process::Workplace;

const LEARN: usize = 400;
const DEVICE: &str = "[device]\nvendor = \"Bench\"\nmodel = \"Recording\"\nkind = \"bench\"\n[points]\n";

/// A recording: its columns' names as a profile writes them, and the values row by row.
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
        times.push(utc(&record[0]));
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

/// One fault a point: outside the mean of the learned rows by more than so many standard deviations.
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

/// When alarms stood: from, and until where they ended.
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
            let told = alarms.iter().any(|(from, to)| from <= at && to.is_none_or(|to| *at < to));
            match (told, row[label] > 0.5) {
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
    let inputs = |r: &Recording| -> Vec<String> {
        r.names.iter().filter(|n| !["anomaly", "changepoint"].contains(&n.as_str())).cloned().collect()
    };
    println!("pump loop, {} files", recordings.len());
    let mut all = Score::default();
    for (r, (number, _)) in recordings.iter().zip(&files) {
        let alarms = replay(place, &baseline(&inputs(r), "learn = 400"), r);
        let mut one = Score::default();
        one.add(r, &alarms);
        all.add(r, &alarms);
        println!("  file {number:2}              {}   {} alarms", one.text(), alarms.len());
    }
    println!("  baseline, learn = 400 {}", all.text());
    for deviations in [3.0, 4.0, 6.0] {
        let mut plain = Score::default();
        for r in &recordings {
            plain.add(r, &replay(place, &thresholds(r, &inputs(r), LEARN, deviations), r));
        }
        println!("  thresholds at {deviations:.0} s.d. {}", plain.text());
    }
}

fn machine_temperature(place: &Workplace, dir: &Path) {
    let r = read(&dir.join("readings.csv"), b',');
    let text = std::fs::read_to_string(dir.join("windows.json")).unwrap();
    let windows: Vec<[String; 2]> = serde_json::from_str(&text).unwrap();
    let windows: Vec<(Timestamp, Timestamp)> =
        windows.iter().map(|[from, to]| (utc(from), utc(to))).collect();
    let learn = "learn = \"3d\"\nsmooth = 20\nlimit = 2";
    let told = |name: &str, alarms: &[(Timestamp, Option<Timestamp>)]| {
        let touches = |(from, to): &(Timestamp, Option<Timestamp>), w: &(Timestamp, Timestamp)| {
            *from <= w.1 && to.is_none_or(|to| to >= w.0)
        };
        let found = windows.iter().filter(|w| alarms.iter().any(|a| touches(a, w))).count();
        let outside = alarms.iter().filter(|a| !windows.iter().any(|w| touches(a, w))).count();
        println!("  {name}  {found} of {} windows, {outside} alarms outside", windows.len());
    };
    println!("machine temperature");
    let names = std::slice::from_ref(&r.names[0]);
    told(&format!("baseline, {}", learn.replace('\n', ", ")), &replay(place, &baseline(names, learn), &r));
    for deviations in [2.0, 3.0, 4.0] {
        let plain = thresholds(&r, names, 3 * 288, deviations);
        told(&format!("thresholds at {deviations:.0} s.d."), &replay(place, &plain, &r));
    }
}

fn main() {
    let dir = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let Some(dir) = dir.map(PathBuf::from) else {
        println!("baseline: say where the recordings are: cargo bench --bench baseline -- DIR");
        return;
    };
    let place = Workplace::new("baseline");
    pump_loop(&place, &dir.join("pump-loop"));
    machine_temperature(&place, &dir.join("machine-temperature"));
}
