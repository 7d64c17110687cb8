//! Measures the recorder on slowly changing data: the bytes per sample, the bytes written to the disk, and the time.
//!
//! The data are two hours of twenty devices with thirty points, read once per second with some milliseconds of jitter:
//! temperatures and pressures that change in steps of their resolution, counters, states, and a few constants.
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark")]

#[path = "made.rs"]
mod made;
#[path = "process.rs"]
mod process;

use std::path::Path;
use std::time::Instant;

use andon::recorder::{Recorder, Wanted};
use andon::site::Equipment;
use andon::words::{EquipmentId, Mono, Now, PointIndex, Reading, Value, Wall};
use process::Workplace;

const DEVICES: usize = 20;
const POINTS: usize = 30;
const SECONDS: u64 = 7200;

struct Chance(u64);

impl Chance {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }
}

/// Returns `count` devices of one model with `points` points.
fn devices(count: usize, points: usize) -> Vec<Equipment> {
    let points: String = (0..points)
        .map(|p| format!("p{p} = {{ register = \"holding:{}\", type = \"f32\" }}\n", p * 2))
        .collect();
    let one = made::site(&points, "").equipment.first().unwrap().clone();
    let of = |n| Equipment { id: EquipmentId::parse(&format!("device-{n}")).unwrap(), ..one.clone() };
    (0..count).map(of).collect()
}

/// Returns the bytes that this process has written to the storage so far, as the kernel counts them.
fn written() -> u64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap();
    let line = io.lines().find_map(|l| l.strip_prefix("write_bytes: ")).unwrap();
    line.parse().unwrap()
}

fn bytes_in(folder: &Path) -> u64 {
    std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().metadata().unwrap().len()).sum()
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn main() {
    let place = Workplace::new("recorder");
    // Use a folder on a real disk, so that the kernel counts the written bytes.
    let folder = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    let folder =
        folder.map_or_else(|| place.path().join("recorder"), |f| Path::new(&f).join("andon-recorder-bench"));
    let devices = devices(DEVICES, POINTS);
    let mut chance = Chance(1);
    let mut values = vec![vec![0_i64; POINTS]; DEVICES];
    let before = written();
    let (recorder, thread) = Recorder::start(folder.clone(), 256 << 20).unwrap();
    let begun = Instant::now();
    let mut samples = 0_u64;
    for second in 0..SECONDS {
        for (device, own) in devices.iter().zip(&mut values) {
            let ms = second * 1000 + chance.below(7);
            let at = Now {
                mono: Mono(ms * 1_000_000),
                wall: Wall::from_millis(1_790_000_000_000 + i64::try_from(ms).unwrap()),
            };
            let mut readings = Vec::with_capacity(POINTS);
            for (p, x) in own.iter_mut().enumerate() {
                match p % 6 {
                    // A temperature that sometimes changes by a tenth of a degree.
                    0 => *x += i64::from(chance.below(20) == 0) * (chance.below(3) as i64 - 1),
                    // A value whose last digit changes often.
                    1 | 2 => *x += chance.below(3) as i64 - 1,
                    // A counter.
                    3 => *x += i64::from(chance.below(4) == 0),
                    // A state that changes every few minutes.
                    4 => *x = if chance.below(300) == 0 { 1 - *x } else { *x },
                    _ => {}
                }
                let value = 20.0 + *x as f64 * 0.1;
                readings.push((PointIndex(p), Reading { value: Ok(Value::Real(value)), at }));
            }
            recorder.note(device, &readings);
            samples += POINTS as u64;
        }
        // Wait for the disk: here two hours pass in seconds, and a real gateway writes much less per second.
        while recorder.backlog() > 2 {
            std::thread::yield_now();
        }
    }
    recorder.stop();
    thread.join().unwrap();
    let took = begun.elapsed().as_secs_f64();
    let bytes = bytes_in(&folder);
    println!(
        "{samples} samples of {} points in {took:.2} s: {:.1} M samples/s",
        DEVICES * POINTS,
        samples as f64 / took / 1e6
    );
    println!(
        "{bytes} bytes in {} segments: {:.3} bytes a sample",
        std::fs::read_dir(&folder).unwrap().count(),
        bytes as f64 / samples as f64
    );
    let reached = written() - before;
    if reached == 0 {
        println!("the folder is in memory: name one on a disk to see the write amplification");
    } else {
        println!(
            "{reached} bytes reached the disk: write amplification {:.3}",
            reached as f64 / bytes as f64
        );
    }
    let begun = Instant::now();
    let wanted = [Wanted { equipment: "device-7", point: "p1" }];
    let (since, until) = (Wall::from_millis(0), Wall::from_millis(i64::MAX / 2));
    let found = recorder.samples(since, until, &wanted).unwrap().concat().len();
    assert_eq!(found as u64, SECONDS, "nothing was let go");
    println!("one point's {found} samples found in {:.1} ms", begun.elapsed().as_secs_f64() * 1000.0);
    std::fs::remove_dir_all(&folder).unwrap();
    wide(&folder);
}

/// Measures a thousand devices with a hundred points for half a minute: the cost of a sample if a buffer holds only few
/// samples of each point.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn wide(folder: &Path) {
    let devices = devices(1000, 100);
    let mut chance = Chance(2);
    let (recorder, thread) = Recorder::start(folder.to_owned(), 256 << 20).unwrap();
    let begun = Instant::now();
    let mut samples = 0_u64;
    for second in 0..30_u64 {
        for device in &devices {
            let ms = second * 1000 + chance.below(7);
            let at = Now {
                mono: Mono(ms * 1_000_000),
                wall: Wall::from_millis(1_790_000_000_000 + i64::try_from(ms).unwrap()),
            };
            let reading =
                |p: usize| Reading { value: Ok(Value::Integer((p as u64 + second / 7) as i128)), at };
            let readings: Vec<(PointIndex, Reading)> =
                (0..100).map(|p| (PointIndex(p), reading(p))).collect();
            recorder.note(device, &readings);
            samples += 100;
        }
        while recorder.backlog() > 2 {
            std::thread::yield_now();
        }
    }
    recorder.stop();
    thread.join().unwrap();
    let took = begun.elapsed().as_secs_f64();
    let bytes = bytes_in(folder);
    println!(
        "1,000 devices of 100 points: {samples} samples in {took:.2} s, {:.0} ns each, {:.3} bytes a sample",
        took * 1e9 / samples as f64,
        bytes as f64 / samples as f64
    );
    std::fs::remove_dir_all(folder).unwrap();
}
