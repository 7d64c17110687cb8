//! Tests of daily profiles. A second implementation computes the profiles directly from the formulas, with a time zone
//! of its own.

#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "small numbers of samples"
)]

use std::collections::BTreeSet;
use std::f64::consts::TAU;
use std::sync::Arc;

use jiff::tz::TimeZone;

use super::naive::Naive;
use super::tests::{normal, spec};
use super::*;
use crate::detect::{BaselineEvent, Detector, Replay};
use crate::site::{Site, testing::site};
use crate::words::{EquipmentId, EquipmentIndex, Now, PointIndex, Presence, Reading, Value, Wall};

const MINUTE: u64 = 60_000;
const DAY: u64 = 1440 * MINUTE;
/// 2027-03-24T00:00:00Z. On the 28th, at 01:00 UTC, clocks in Berlin change from UTC+1 to UTC+2.
const BEGIN: u64 = 1_805_846_400_000;
const CHANGE: u64 = BEGIN + 4 * DAY + 60 * MINUTE;

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

/// `ms` milliseconds after the beginning.
fn after(ms: u64) -> SampleTime {
    let wall = Wall::from_millis(i64::try_from(BEGIN + ms).unwrap());
    SampleTime { mono: Mono(ms * 1_000_000), local: Some(wall.local(&berlin())) }
}

/// The local time in hours since the beginning, computed without a time zone database.
fn hours(ms: u64) -> f64 {
    let at = BEGIN + ms;
    ms as f64 / 3_600_000.0 + if at < CHANGE { 1.0 } else { 2.0 }
}

fn noise(n: u64) -> f64 {
    0.5 * normal(n)
}

/// A hall that is 10 warmer at two in the afternoon and 10 colder at two in the night, local time; a shift from 6 to
/// 14 that needs 20 more; and noise.
fn hall(ms: u64) -> Vec<f64> {
    let hour = hours(ms) % 24.0;
    let warm = 50.0 - 10.0 * ((hour - 2.0) / 24.0 * TAU).cos();
    let shift = if (6.0..14.0).contains(&hour) { 20.0 } else { 0.0 };
    let n = ms / MINUTE;
    vec![warm + noise(n), 100.0 + shift + noise(n + 3_000_000), 7.0 + noise(n + 6_000_000)]
}

fn noisy(ms: u64) -> Vec<f64> {
    (0..3).map(|j| 7.0 + noise(ms / MINUTE + 3_000_000 * j)).collect()
}

/// A watcher that has learned for some days from a sample every `minutes`, and its model.
fn learned(days: u64, minutes: u64, sample: impl Fn(u64) -> Vec<f64>) -> (Watcher, Model) {
    learned_at(days, minutes, sample, after)
}

fn learned_at(
    days: u64,
    minutes: u64,
    sample: impl Fn(u64) -> Vec<f64>,
    at: impl Fn(u64) -> SampleTime,
) -> (Watcher, Model) {
    let mut w = Watcher::new(&spec(sample(0).len(), Learn::For(Duration::from_millis(days * DAY))));
    for ms in (0..).step_by(usize::try_from(minutes * MINUTE).unwrap()) {
        if let Some(BaselineChange::Learned(model)) = w.sample(at(ms), &sample(ms)) {
            return (w, *model);
        }
    }
    unreachable!("it learns or goes on");
}

fn used(model: &Model) -> Vec<usize> {
    model.daily.iter().map(|d| d.point).collect()
}

fn middle(mut x: Vec<f64>) -> f64 {
    x.sort_by(f64::total_cmp);
    f64::midpoint(x[(x.len() - 1) / 2], x[x.len() / 2])
}

/// The 24 numbers from samples `(hours, value)`. Every hour must have samples.
fn naive_profile(samples: &[(f64, f64)]) -> Vec<f64> {
    let of = |h: usize| samples.iter().filter(|(at, _)| (at % 24.0) as usize == h).map(|(_, x)| *x).collect();
    let medians: Vec<f64> = (0..24).map(|h| middle(of(h))).collect();
    let smooth = |h: usize| 0.25 * medians[(h + 23) % 24] + 0.5 * medians[h] + 0.25 * medians[(h + 1) % 24];
    let smoothed: Vec<f64> = (0..24).map(smooth).collect();
    smoothed.iter().map(|x| x - middle(smoothed.clone())).collect()
}

fn naive_at(profile: &[f64], hours: f64) -> f64 {
    let hour = hours % 24.0;
    let near = |h: usize| (hour - 0.5 - h as f64).rem_euclid(24.0);
    let before = (0..24).min_by(|a, b| near(*a).total_cmp(&near(*b))).unwrap();
    profile[before] + near(before) * (profile[(before + 1) % 24] - profile[before])
}

/// The profile of a point, and for each sample the profile of the other days, if it is used.
fn naive_used(samples: &[(f64, f64)]) -> Option<(Vec<f64>, Vec<f64>)> {
    let day = |at: f64| (at / 24.0) as usize;
    let days: BTreeSet<usize> = samples.iter().map(|(at, _)| day(*at)).collect();
    let of_others: Vec<Vec<f64>> = (0..=*days.last().unwrap())
        .map(|d| naive_profile(&samples.iter().copied().filter(|(at, _)| day(*at) != d).collect::<Vec<_>>()))
        .collect();
    let predicted: Vec<f64> = samples.iter().map(|(at, _)| naive_at(&of_others[day(*at)], *at)).collect();
    let median = middle(samples.iter().map(|(_, x)| *x).collect());
    let with: f64 = samples.iter().zip(&predicted).map(|((_, x), y)| (x - median - y).powi(2)).sum();
    let without: f64 = samples.iter().map(|(_, x)| (x - median).powi(2)).sum();
    (with <= 0.7 * without).then(|| (naive_profile(samples), predicted))
}

#[test]
fn the_profile_and_the_judgement_are_those_of_the_formulas() {
    // The clocks change on the fifth of the seven days of learning.
    let (mut w, model) = learned(7, 10, hall);
    assert_eq!(used(&model), [0, 1]);
    let mut rows: Vec<Vec<f64>> = (0..=7 * 144).map(|n| hall(n * 10 * MINUTE)).collect();
    let mut profiles = vec![vec![0.0; 24]; 3];
    for (j, profile) in profiles.iter_mut().enumerate() {
        let samples: Vec<(f64, f64)> =
            (0..).zip(&rows).map(|(n, row)| (hours(n * 10 * MINUTE), row[j])).collect();
        let found = naive_used(&samples);
        assert_eq!(found.is_some(), j < 2, "point {j}");
        if let Some((hours, left_out)) = found {
            rows.iter_mut().zip(left_out).for_each(|(row, usual)| row[j] -= usual);
            let ours: Vec<f64> = model.daily[j].hours.iter().map(|x| x.get()).collect();
            assert!(ours.iter().zip(&hours).all(|(a, b)| (a - b).abs() < 1e-9), "{ours:?} {hours:?}");
            *profile = hours;
        }
    }
    let mut naive = Naive::learn(&rows, 2.0, 3.0);
    let mut raised = 0;
    for n in 7 * 144 + 1..14 * 144 {
        let ms = n * 10 * MINUTE;
        let mut row = hall(ms);
        row[0] += if n % 300 > 280 { 5.0 } else { 0.0 };
        w.sample(after(ms), &row);
        (0..3).for_each(|j| row[j] -= naive_at(&profiles[j], hours(ms)));
        let stands = naive.watch(&row);
        assert_eq!(w.is_excursion(), Some(stands), "sample {n}");
        let WatcherPhase::Watching(judge) = &w.phase else { panic!("it watches") };
        let strength = w.distance.as_ref().unwrap().strength / 3.0;
        let theirs = naive.strength * naive.widened_before.exp();
        assert!((strength - theirs).abs() < 1e-7 * strength.max(1.0), "sample {n}: {strength} {theirs}");
        assert!(
            judge.reference.iter().zip(&naive.reference).all(|(a, b)| (a - b).abs() < 1e-7),
            "sample {n}"
        );
        raised += u32::from(stands);
    }
    assert!(raised > 20, "{raised}");
}

/// The number of samples in an excursion from `from` to `to`, in minutes after the beginning.
fn in_excursion(w: &mut Watcher, [from, to]: [u64; 2], sample: impl Fn(u64) -> Vec<f64>) -> usize {
    let times = (from..to).step_by(10).map(|n| n * MINUTE);
    let stands = |ms: u64| {
        w.sample(after(ms), &sample(ms));
        w.is_excursion() == Some(true)
    };
    times.map(stands).filter(|stands| *stands).count()
}

#[test]
fn a_fault_in_the_night_within_the_range_of_the_day_is_found() {
    let (mut w, model) = learned(7, 10, hall);
    // The same learning, on a gateway whose clock is not set.
    let untimed = |ms| SampleTime { local: None, ..after(ms) };
    let (mut plain, without) = learned_at(7, 10, hall, untimed);
    assert_eq!((used(&model), used(&without)), (vec![0, 1], vec![]));
    // Seven normal days, then one night as warm as an afternoon.
    let (learned, night) = (7 * 1440 + 10, 14 * 1440 + 22 * 60);
    assert_eq!(in_excursion(&mut w, [learned, night], hall), 0);
    assert_eq!(in_excursion(&mut plain, [learned, night], hall), 0);
    let warm = |ms: u64| {
        let [_, load, other] = hall(ms)[..] else { return hall(ms) };
        vec![58.0 + noise(ms / MINUTE), load, other]
    };
    let night = [night, night + 6 * 60];
    assert!(in_excursion(&mut w, night, warm) > 20, "found, and until the morning");
    assert_eq!(w.ranking()[0].0, 0);
    assert_eq!(in_excursion(&mut plain, night, warm), 0, "58 is normal in the afternoon");
}

#[test]
fn a_profile_is_not_used_without_a_swing_or_from_less_than_three_days() {
    for days in [3, 4, 7] {
        assert_eq!(used(&learned(days, 10, noisy).1), [0; 0], "{days} days");
        assert_eq!(used(&learned(days, 10, hall).1), [0, 1], "{days} days");
        assert_eq!(used(&learned(days, 60, hall).1), [0, 1], "{days} days, a sample an hour");
    }
    assert_eq!(used(&learned(2, 10, hall).1), [0; 0]);
    // At most every two hours; the hours between lie on a line.
    assert_eq!(used(&learned(7, 120, hall).1), [0, 1]);
    assert_eq!(used(&learned(7, 130, hall).1), [0; 0]);
    // A slow wander is as large as a swing, but is different every day.
    let wandering = |ms: u64| vec![(hours(ms) / 17.0).sin() * 5.0 + noise(ms / MINUTE)];
    assert_eq!(used(&learned(7, 10, wandering).1), [0; 0]);
}

#[test]
fn the_shift_is_where_the_clocks_show_it_before_and_after_they_change() {
    let (mut w, model) = learned(7, 10, hall);
    let of_shift: Vec<f64> = model.daily[1].hours.iter().map(|x| x.get()).collect();
    for (h, x) in of_shift.iter().enumerate() {
        let expected = match h {
            7..=12 => 20.0,
            6 | 13 => 15.0,
            5 | 14 => 5.0,
            _ => 0.0,
        };
        assert!((x - expected).abs() < 0.5, "{h}: {x}");
    }
    assert_eq!(in_excursion(&mut w, [7 * 1440 + 10, 28 * 1440], hall), 0);
}

#[test]
fn a_restart_judges_with_the_profile_of_the_journal() {
    let (mut w, model) = learned(4, 10, hall);
    let line = serde_json::to_string(&model).unwrap();
    assert!(line.contains("\"daily\":[{\"point\":0,\"hours\":["), "{line}");
    let mut again = Watcher::new(&spec(3, Learn::For(Duration::from_millis(4 * DAY))));
    again.restore(&serde_json::from_str(&line).unwrap());
    w.pause();
    for n in 1..500 {
        let ms = 4 * DAY + n * 10 * MINUTE;
        w.sample(after(ms), &hall(ms));
        again.sample(after(ms), &hall(ms));
        let (a, b) = (w.distance.as_ref().unwrap(), again.distance.as_ref().unwrap());
        assert!((a.strength - b.strength).abs() <= 1e-9 * a.strength, "sample {n}");
    }
    // A stored profile that does not fit is not used; the baseline learns again.
    for (point, count) in [(3, 24), (0, 23)] {
        let hours = vec![Finite::default(); count];
        let mut other = Watcher::new(&spec(3, Learn::For(Duration::from_millis(4 * DAY))));
        other.restore(&Model { daily: vec![DailyProfile { point, hours }], ..model.clone() });
        assert_eq!(other.is_excursion(), None);
    }
}

#[test]
fn a_long_learning_in_bounded_memory_comes_to_the_same() {
    // 10 081 samples, of which every fourth is stored; the profile is subtracted from samples that were smoothed before.
    let (mut w, model) = learned(7, 1, hall);
    assert_eq!(used(&model), [0, 1]);
    let mut rows: Vec<Vec<f64>> = (0..=7 * 1440).map(|n| hall(n * MINUTE)).collect();
    for j in 0..2 {
        let samples: Vec<(f64, f64)> = (0..).zip(&rows).map(|(n, row)| (hours(n * MINUTE), row[j])).collect();
        let (_, left_out) = naive_used(&samples).unwrap();
        rows.iter_mut().zip(left_out).for_each(|(row, usual)| row[j] -= usual);
    }
    let naive = Naive::learn(&rows, 2.0, 3.0).limits();
    let longer = model.longer.iter().map(|l| [l.t2.get(), l.error.get(), l.most.get()]);
    let shortest = [model.t2.get(), model.error.get(), model.most.unwrap().get()];
    for (ours, theirs) in std::iter::once(shortest).chain(longer).zip(naive) {
        assert!(ours.iter().zip(theirs).all(|(a, b)| (a / b - 1.0).abs() < 0.1), "{ours:?} {theirs:?}");
    }
    let stands = (7 * 1440 + 1..14 * 1440).map(|n| n * MINUTE).filter(|ms| {
        w.sample(after(*ms), &hall(*ms));
        w.is_excursion() == Some(true)
    });
    assert_eq!(stands.count(), 0);
}

#[test]
fn a_clock_that_is_not_set_gives_no_profile_and_none_is_used() {
    let untimed_before = |minutes: u64| {
        move |ms: u64| SampleTime { local: after(ms).local.filter(|_| ms >= minutes * MINUTE), ..after(ms) }
    };
    assert_eq!(used(&learned_at(7, 10, hall, untimed_before(1440)).1), [0; 0]);
    // A clock that is set soon after the start.
    let (mut w, model) = learned_at(7, 10, hall, untimed_before(60));
    assert_eq!(used(&model), [0, 1]);
    let names = ["temperature".to_owned(), "load".to_owned(), "level".to_owned()];
    let said =
        |w: &Watcher| w.told(&names).into_iter().find(|(name, _)| name == "a daily profile").unwrap().1;
    assert_eq!(said(&w), "used for: temperature, load");
    for n in 1..200 {
        let ms = 7 * DAY + n * 10 * MINUTE;
        assert_eq!(w.sample(SampleTime { local: None, ..after(ms) }, &hall(ms)), None);
        assert_eq!(w.is_excursion(), Some(false), "sample {n}");
    }
    assert!(said(&w).contains("the clock of the gateway is not set"), "{}", said(&w));
    w.sample(after(9 * DAY), &hall(9 * DAY));
    assert_eq!(said(&w), "used for: temperature, load");
}

#[test]
fn steps_of_the_wall_clock_break_nothing() {
    // The clock is three hours ahead for a day, then years ahead for an hour, then back by two days for an hour.
    let stepped = |ms: u64| {
        let off = match ms / MINUTE {
            1440..2880 => 180 * MINUTE,
            4000..4060 => 3000 * DAY,
            _ => 0,
        };
        let back = if (5000..5060).contains(&(ms / MINUTE)) { 2 * DAY } else { 0 };
        SampleTime { local: after(ms + off - back.min(ms)).local, ..after(ms) }
    };
    let (mut w, model) = learned_at(7, 10, hall, stepped);
    assert_eq!(used(&model), [0, 1]);
    assert_eq!(in_excursion(&mut w, [7 * 1440 + 10, 14 * 1440], hall), 0);
    // A clock that shows another day with each sample: every group of days is left out in a bounded time.
    let wild = |ms: u64| {
        let time = (ms / MINUTE).wrapping_mul(0x9E37_79B9_7F4A_7C15) % (30_000 * DAY);
        SampleTime { local: after(time).local, ..after(ms) }
    };
    assert_eq!(used(&learned_at(7, 10, hall, wild).1), [0; 0]);
}

#[test]
fn extreme_samples_do_not_move_a_profile() {
    let spoiled = |ms: u64| {
        let n = ms / MINUTE;
        if n % 2000 == 30 { vec![1e308, -1e300, f64::MAX] } else { hall(ms) }
    };
    let (_, clean) = learned(7, 10, hall);
    let (_, model) = learned(7, 10, spoiled);
    assert_eq!(used(&model), [0, 1]);
    for (a, b) in clean.daily.iter().zip(&model.daily) {
        assert!(a.hours.iter().zip(&b.hours).all(|(a, b)| (a.get() - b.get()).abs() < 1.0), "{b:?}");
    }
    let huge = |ms: u64| vec![if (ms / DAY).is_multiple_of(2) { 1e300 } else { -1e300 }];
    assert_eq!(used(&learned(7, 10, huge).1), [0; 0]);
}

const POINTS: &str = "warm = { register = 'holding:0', type = 'f32', every = '1s', stale_after = '3s' }\n\
    load = { register = 'holding:2', type = 'f32', every = '1s', stale_after = '3s' }";
const BASELINE: &str = "[baseline.hall]\npoints = ['warm', 'load']\nlearn = '4d'\n";

#[test]
fn the_detector_takes_the_time_zone_of_the_site_and_says_which_points_have_a_profile() {
    let plain = site(POINTS, BASELINE);
    let zoned = Arc::new(Site { zone: berlin(), ..(*plain).clone() });
    for (site, of, first) in [(&zoned, BEGIN, 6), (&plain, BEGIN, 5), (&zoned, 0, 24)] {
        let now =
            |ms: u64| Now { mono: after(ms).mono, wall: Wall::from_millis(i64::try_from(of + ms).unwrap()) };
        let mut d = Detector::new(site.clone(), now(0));
        for ms in (0..=4 * DAY).step_by(usize::try_from(10 * MINUTE).unwrap()) {
            let readings = hall(ms).into_iter().take(2).enumerate();
            let reading =
                |(p, x): (usize, f64)| (PointIndex(p), Reading { value: Ok(Value::Real(x)), at: now(ms) });
            d.readings(now(ms), EquipmentIndex(0), readings.map(reading).collect(), Presence::Answered);
        }
        let BaselineEvent::Learned { model, .. } = &d.take_learned()[0] else { panic!("it has learned") };
        // The first hour of the shift, in the time zone of the site.
        let rises = model.daily.get(1).and_then(|load| load.hours.iter().position(|x| x.get() > 10.0));
        assert_eq!(rises.unwrap_or(24), first);
        let told = d.explain(EquipmentIndex(0), 0, now(4 * DAY)).unwrap().recalled;
        let said = told.iter().find(|(name, _)| name == "a daily profile").map(|(_, text)| text.as_str());
        assert_eq!(said, (first < 24).then_some("used for: warm, load"), "a clock in 1970 is not set");
    }
}

#[test]
fn a_replay_takes_the_times_of_an_old_recording_as_they_are() {
    let profile = &site(POINTS, BASELINE).equipment[0].profile;
    let mut replay = Replay::new(profile, &EquipmentId::parse("e").unwrap(), None).in_zone(berlin());
    let columns = [replay.column("warm").unwrap(), replay.column("load").unwrap()];
    // The calendar of 2021 is that of 2027.
    let begin = Wall::parse("2021-03-24T00:00:00Z").unwrap();
    let night = 9 * 1440 + 22 * 60..9 * 1440 + 28 * 60;
    for minutes in (0..11 * 1440).step_by(10) {
        let row = hall(minutes * MINUTE);
        let warm = if night.contains(&minutes) { row[0].max(58.0) } else { row[0] };
        let cells = [warm.to_string(), row[1].to_string()];
        let at = begin.after(Duration::from_millis(minutes * MINUTE));
        replay.row(at, minutes, columns.into_iter().zip(cells.iter().map(String::as_str)));
    }
    let raised: Vec<u64> = replay.alarms().iter().map(|a| a.raised_at.since(begin).as_secs() / 60).collect();
    assert!(raised.len() == 1 && night.contains(&raised[0]), "{raised:?}");
}
