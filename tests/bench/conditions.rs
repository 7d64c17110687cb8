//! Measures how many conditions the detector evaluates per second on one core: simple conditions, and conditions with
//! windows. Each reading of a device evaluates every condition once, including delays and transitions.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark")]

#[path = "made.rs"]
mod made;

use std::sync::Arc;
use std::time::Instant;

use andon::detect::Detector;
use andon::site::Site;
use andon::words::{EquipmentIndex, Mono, Now, PointIndex, Presence, Reading, Value, Wall};

const SIMPLE: [&str; 8] = [
    "x > 90",
    "x < 3 and y > 2",
    "not (x > 5 or y < 1)",
    "x + y > 150",
    "x - y < -95",
    "x * 2 > y + 180",
    "x == 50 and y == 50",
    "-x > 1 or y > 99",
];
const WINDOWED: [&str; 8] = [
    "avg(x, 1m) > 90",
    "min(x, 1m) > 60 and y > 2",
    "max(x, 1m) < 10",
    "delta(x, 1m) > 95",
    "rate(x, 10s) > 9",
    "count(x, 1m) > 70",
    "stddev(x, 1m) > 60",
    "zscore(x, 1m) > 6",
];

const POINTS: &str =
    "x = { register = \"holding:0\", type = \"f32\" }\ny = { register = \"holding:2\", type = \"f32\" }\n";

fn site(conditions: &[&str]) -> Arc<Site> {
    let fault = |(i, when): (usize, &&str)| {
        format!("[faults.f{i}]\nseverity = \"minor\"\nwhen = \"{when}\"\nmeans = \"m\"\non_delay = \"5s\"\n")
    };
    made::site(POINTS, &conditions.iter().enumerate().map(fault).collect::<String>())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn run(name: &str, conditions: &[&str], readings: u64) {
    let mut detector = Detector::new(site(conditions), at(0));
    let mut chance = 1_u64;
    let mut draw = || {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (chance >> 33) as f64 / f64::from(1_u32 << 31) * 100.0
    };
    let values: Vec<(f64, f64)> = (0..4096).map(|_| (draw(), draw())).collect();
    let begun = Instant::now();
    let mut transitions = 0;
    for (n, (x, y)) in (1..=readings).zip(values.iter().cycle()) {
        let now = at(n);
        let reading = |value: f64| Reading { value: Ok(Value::Real(value)), at: now };
        let both = vec![(PointIndex(0), reading(*x)), (PointIndex(1), reading(*y))];
        detector.readings(now, EquipmentIndex(0), both, Presence::Answered);
        transitions += detector.take_transitions().len();
    }
    let took = begun.elapsed().as_secs_f64();
    let evaluations = readings * conditions.len() as u64;
    println!(
        "{name:9} {:.2} M evaluations/s, {:.0} ns each ({evaluations} in {took:.2} s, {transitions} transitions)",
        evaluations as f64 / took / 1e6,
        took * 1e9 / evaluations as f64
    );
}

fn at(second: u64) -> Now {
    Now {
        mono: Mono((second + 10_000_000) * 1_000_000_000),
        wall: Wall::from_millis(1_790_000_000_000 + i64::try_from(second * 1000).unwrap()),
    }
}

fn main() {
    run("simple", &SIMPLE, 2_000_000);
    run("windowed", &WINDOWED, 1_000_000);
}
