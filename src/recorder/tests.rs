//! Tests: recorded samples are found in memory, on disk, after a restart and around damage, within the budget.

use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::site::Site;
use crate::site::testing::site;
use crate::words::{BadReason, Now};

const POINTS: &str = "x = { register = 'holding:0', type = 'f32' }\n\
    n = { register = 'holding:2', type = 'u16' }\n\
    calm = { register = 'holding:3', type = 'f32', deadband = 0.5 }\n\
    text = { register = 'holding:9', type = 'string', length = 4 }";

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        Self(std::env::temp_dir().join(format!("andon-recorder-{name}-{}", std::process::id())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

fn reading(p: usize, ms: i64, value: Result<Value, BadReason>) -> (PointIndex, Reading) {
    let mono = Mono(u64::try_from(ms).unwrap() * 1_000_000);
    (PointIndex(p), Reading { value, at: Now { mono, wall: Wall::from_millis(ms) } })
}

fn note(r: &Recorder, s: &Site, ms: i64, x: f64) {
    let n = Value::Integer(i128::from(ms / 1000));
    let text = Value::Text("on".into());
    let readings = [reading(0, ms, Ok(Value::Real(x))), reading(1, ms, Ok(n)), reading(3, ms, Ok(text))];
    r.note(&s.equipment[0], &readings);
}

fn all(r: &Recorder, point: &str) -> Vec<(i64, Option<f64>)> {
    let (since, until) = (Wall::from_millis(0), Wall::from_millis(i64::MAX / 2));
    let wanted = [Wanted { equipment: "e", point }];
    r.samples(since, until, &wanted)
        .unwrap()
        .remove(0)
        .into_iter()
        .map(|s| (s.at.millis(), s.value))
        .collect()
}

#[test]
fn samples_are_found_before_and_after_they_are_on_disk_and_after_a_restart() {
    let folder = Folder::new("restart");
    let s = site(POINTS, "");
    let (r, thread) = Recorder::start(folder.0.clone(), 1 << 20).unwrap();
    for ms in 0..700 {
        note(&r, &s, ms * 1000, 20.5);
    }
    r.note(&s.equipment[0], &[reading(0, 700_000, Err(BadReason::NotANumber))]);
    let expected: Vec<(i64, Option<f64>)> =
        (0..700).map(|ms| (ms * 1000, Some(20.5))).chain([(700_000, None)]).collect();
    assert_eq!(all(&r, "x"), expected);
    assert_eq!(all(&r, "n").len(), 700);
    assert_eq!(all(&r, "text"), []);
    assert_eq!(all(&r, "nobody"), []);
    r.stop();
    thread.join().unwrap();
    let later = Recorder::reading(folder.0.clone());
    assert_eq!(all(&later, "x"), expected);
    let wanted = Wanted { equipment: "e", point: "n" };
    let both = [wanted, Wanted { equipment: "f", ..wanted }];
    let found = later.samples(Wall::from_millis(5000), Wall::from_millis(7000), &both).unwrap();
    let few: Vec<Option<f64>> = found[0].iter().map(|s| s.value).collect();
    assert_eq!(few, [Some(5.0), Some(6.0)]);
    assert_eq!(found[1], []);
}

#[test]
fn what_is_within_the_deadband_is_not_kept() {
    let folder = Folder::new("deadband");
    let s = site(POINTS, "");
    let r = Recorder::reading(folder.0.clone());
    for (ms, x) in [(0, 1.0), (1000, 1.4), (2000, 0.6), (3000, 1.5), (4000, 1.6), (5000, 0.9)] {
        r.note(&s.equipment[0], &[reading(2, ms, Ok(Value::Real(x)))]);
    }
    assert_eq!(all(&r, "calm"), [(0, Some(1.0)), (3000, Some(1.5)), (5000, Some(0.9))]);
}

#[test]
fn a_torn_or_damaged_block_takes_only_itself() {
    let folder = Folder::new("torn");
    let s = site(POINTS, "");
    for part in 0..3 {
        let (r, thread) = Recorder::start(folder.0.clone(), 1 << 20).unwrap();
        for ms in 0..300 {
            note(&r, &s, part * 300_000 + ms * 1000, 1.0);
        }
        r.stop();
        thread.join().unwrap();
    }
    let files = disk_files(&folder.0);
    assert_eq!(files.len(), 3);
    let whole = std::fs::read(&files[1]).unwrap();
    // Put all blocks into one file, with the second block damaged and the last block torn.
    let mut bytes = std::fs::read(&files[0]).unwrap();
    let mut middle = whole.clone();
    let place = middle.len() / 2;
    middle[place] ^= 0x10;
    bytes.extend(&middle);
    bytes.extend(std::fs::read(&files[2]).unwrap());
    bytes.extend(&whole[..whole.len() - 5]);
    std::fs::write(&files[0], &bytes).unwrap();
    std::fs::remove_file(&files[1]).unwrap();
    std::fs::remove_file(&files[2]).unwrap();
    let found = all(&Recorder::reading(folder.0.clone()), "x");
    assert_eq!(found.len(), 600);
    assert_eq!((found[299].0, found[300].0), (299_000, 600_000));
}

fn disk_files(folder: &std::path::Path) -> Vec<PathBuf> {
    crate::disk::list(folder, ".seg").unwrap()
}

#[test]
fn the_oldest_go_when_the_budget_is_spent() {
    let folder = Folder::new("budget");
    let s = site(POINTS, "");
    let budget = 64 * 1024;
    let mut noise = 1_u64;
    for round in 0..40 {
        let (r, thread) = Recorder::start(folder.0.clone(), budget).unwrap();
        for ms in 0..500 {
            noise = noise.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            note(&r, &s, round * 500_000 + ms * 1000, f64::from_bits(noise >> 12 | 0x3FF0 << 48));
        }
        r.stop();
        thread.join().unwrap();
    }
    let bytes: u64 = disk_files(&folder.0).iter().map(|p| p.metadata().unwrap().len()).sum();
    assert!(bytes <= budget && bytes > budget / 2, "{bytes}");
    let found = all(&Recorder::reading(folder.0.clone()), "x");
    assert_eq!(found.last().unwrap().0, 39 * 500_000 + 499_000);
    assert!(found[0].0 > 20 * 500_000 / 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_samples_come_back_as_they_were(
        rows in proptest::collection::vec((0_i64..1000, proptest::option::of(proptest::num::f64::NORMAL), any::<bool>()), 1..400),
    ) {
        let folder = Folder::new("any");
        let s = site(POINTS, "");
        let (r, thread) = Recorder::start(folder.0.clone(), 1 << 24).unwrap();
        let (mut expected, mut ms) = (Vec::new(), 0);
        for (step, x, both) in rows {
            ms += step + 1;
            let value = x.map_or(Err(BadReason::NotANumber), |x| Ok(Value::Real(x)));
            let mut readings = vec![reading(0, ms, value)];
            if both {
                readings.push(reading(1, ms, Ok(Value::Integer(i128::from(ms)))));
            }
            r.note(&s.equipment[0], &readings);
            expected.push((ms, x));
        }
        r.stop();
        thread.join().unwrap();
        prop_assert_eq!(all(&Recorder::reading(folder.0.clone()), "x"), expected);
    }
}

#[test]
fn readings_let_go_are_counted_as_they_are() {
    let s = site(POINTS, "");
    // No thread writes, so no buffer ever reaches the disk.
    let r = Recorder::reading(Folder::new("slow").0.clone());
    // Each response has two samples and a text, which is not kept. Each buffer holds the responses of five minutes, both
    // ends included: two responses, four samples.
    for ms in 0..7 {
        note(&r, &s, ms * 600_000, 1.0);
        note(&r, &s, ms * 600_000 + 300_000, 1.0);
    }
    assert_eq!(r.backlog(), limits::RECORDER_LEAVING);
    assert_eq!(r.trouble(), (None, (7 - limits::RECORDER_LEAVING as u64) * 4));
    // The first buffer is never dropped, because the writing thread may be writing it.
    assert!(all(&r, "x").iter().any(|(ms, _)| *ms == 0));
    assert!(all(&r, "x").iter().all(|(ms, _)| *ms != 600_000));
}
