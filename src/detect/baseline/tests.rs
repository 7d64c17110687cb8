//! A baseline on made recordings, by itself and through the detector.

use std::time::Duration;

use super::*;
use crate::detect::{BaselineEvent, Detector, Transition, TransitionKind};
use crate::site::testing::site;
use crate::words::{BadReason, EquipmentIndex, Now, PointIndex, Presence, Reading, Value, Wall};

const POINTS: &str = "flow = { register = 'holding:0', type = 'f32', every = '1s', stale_after = '3s', unit = 'l/min' }\n\
    current = { register = 'holding:2', type = 'f32', every = '1s', stale_after = '3s', unit = 'A' }\n\
    running = { register = 'coil:0', type = 'bool', every = '1s', stale_after = '3s' }";
const BASELINE: &str = "[baseline.loop]\npoints = ['flow', 'current']\nlearn = 100\n";

pub(super) fn spec(points: usize, learn: Learn) -> Baseline {
    let points = (0..points).map(PointIndex).collect();
    Baseline {
        points,
        learn,
        regime: None,
        cycle: None,
        follows: true,
        smooth: 2.0,
        limit: 3.0,
        definition: "d".to_owned(),
    }
}

/// Noise between -1 and 1 that is the same each time.
fn noise(n: u64) -> f64 {
    let x = n.wrapping_mul(6_364_136_223_846_793_005).rotate_left(17).wrapping_mul(2_862_933_555_777_941_757);
    f64::from(u32::try_from(x >> 32).unwrap()) / f64::from(u32::MAX) * 2.0 - 1.0
}

pub(super) fn good(n: u64) -> [f64; 2] {
    [100.0 + noise(n), 5.0 + 0.1 * noise(n + 7_777)]
}

pub(super) fn at(n: u64) -> Mono {
    Mono(n * 1_000_000_000)
}

/// A watcher that has learned from the first 100 samples.
fn learned() -> Watcher {
    let mut w = Watcher::new(&spec(2, Learn::Samples(100)));
    for n in 0..100 {
        assert_eq!(w.is_excursion(), None, "it learns");
        w.sample(at(n), &good(n));
    }
    assert_eq!(w.is_excursion(), Some(false));
    w
}

#[test]
fn what_is_as_learned_is_no_excursion_and_what_is_not_is_one() {
    let mut w = learned();
    for n in 100..2000 {
        w.sample(at(n), &good(n));
        assert_eq!(w.is_excursion(), Some(false), "sample {n}: {:?}", w.distance);
    }
    for n in 2000..2020 {
        let [flow, current] = good(n);
        w.sample(at(n), &[flow - 6.0, current]);
    }
    assert_eq!(w.is_excursion(), Some(true));
    let ranking = w.ranking();
    assert_eq!(ranking[0].0, 0, "the flow makes it: {ranking:?}");
    assert!(ranking[0].1 > 0.9);
    for n in 2020..2030 {
        w.sample(at(n), &good(n));
    }
    assert_eq!(w.is_excursion(), Some(false));
}

#[test]
fn a_single_sample_is_no_excursion() {
    let mut w = learned();
    let [_, current] = good(100);
    w.sample(at(100), &[130.0, current]);
    assert_eq!(w.is_excursion(), Some(false));
}

#[test]
fn points_that_no_longer_go_together_are_an_excursion() {
    let mut w = Watcher::new(&spec(2, Learn::Samples(200)));
    let together = |n: u64| [100.0 + 5.0 * noise(n), 50.0 + 2.5 * noise(n) + 0.05 * noise(n + 99)];
    for n in 0..400 {
        w.sample(at(n), &together(n));
    }
    assert_eq!(w.is_excursion(), Some(false));
    // Each stays within what it was; one goes up where the other goes down.
    for n in 400..410 {
        w.sample(at(n), &[103.0, 48.5]);
    }
    assert_eq!(w.is_excursion(), Some(true));
}

#[test]
fn the_reference_follows_drift_but_never_an_excursion() {
    let mut w = learned();
    let mut told = 0;
    for n in 100..3000 {
        let [flow, current] = good(n);
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let drift = (n - 100) as f64 * 0.002;
        told +=
            u32::from(matches!(w.sample(at(n), &[flow + drift, current]), Some(BaselineChange::Followed(_))));
        assert_eq!(w.is_excursion(), Some(false), "sample {n}: {:?}", w.distance);
    }
    assert!((5..60).contains(&told), "told now and then, for the journal: {told}");
    let reference = |w: &Watcher| match &w.phase {
        Phase::Watching(judge) => judge.reference.clone(),
        Phase::Learning(_) => Vec::new(),
    };
    for n in 3000..3003 {
        w.sample(at(n), &[150.0, 5.0]);
    }
    assert_eq!(w.is_excursion(), Some(true));
    let before = reference(&w);
    for n in 3003..4000 {
        w.sample(at(n), &[150.0, 5.0]);
    }
    assert_eq!(reference(&w), before);
}

#[test]
fn memory_is_bounded_while_it_learns() {
    let mut learning = Learning::new(2, 2.0);
    for n in 0..50_000 {
        learning.sample(at(n), &good(n));
    }
    assert!(learning.is_over(Learn::For(Duration::from_secs(49_999))));
    let kept = crate::limits::BASELINE_SAMPLES_KEPT * 2;
    let model = learning.model("d".to_owned()).unwrap().judge.model;
    assert_eq!(model.samples, 50_000);
    assert!(
        (model.centre[0].get() - 100.0).abs() < 0.1 && (model.scale[0].get() - 0.577).abs() < 0.02,
        "{model:?}"
    );
    assert!(format!("{learning:?}").matches(',').count() < 2 * kept + 10);
}

#[test]
fn a_point_that_did_not_move_counts_once_it_does() {
    let mut w = Watcher::new(&spec(2, Learn::Samples(60)));
    for n in 0..80 {
        w.sample(at(n), &[good(n)[0], 5.0]);
    }
    assert_eq!(w.is_excursion(), Some(false));
    for n in 80..84 {
        w.sample(at(n), &[good(n)[0], 6.0]);
    }
    assert_eq!(w.is_excursion(), Some(true));
    assert_eq!(w.ranking()[0].0, 1);
}

fn now(n: u64) -> Now {
    Now { mono: at(n), wall: Wall::from_millis(i64::try_from(n * 1000).unwrap()) }
}

fn read(d: &mut Detector, n: u64, flow: f64, running: bool) {
    let [_, current] = good(n);
    let values = [Value::Real(flow), Value::Real(current), Value::Bool(running)];
    let readings = values.into_iter().enumerate();
    let readings = readings.map(|(p, value)| (PointIndex(p), Reading { value: Ok(value), at: now(n) }));
    d.readings(now(n), EquipmentIndex(0), readings.collect(), Presence::Answered);
}

/// What came and went of the baseline.
fn told(d: &mut Detector) -> Vec<Transition> {
    let all = d.take_transitions().into_iter();
    all.filter(|t| t.fault == 0 && t.equipment == EquipmentIndex(0)).collect()
}

#[test]
fn an_excursion_raises_its_fault_with_the_points_ranked_and_a_restart_keeps_what_was_learned() {
    let site = site(POINTS, BASELINE);
    let mut d = Detector::new(site.clone(), now(0));
    for n in 0..100 {
        read(&mut d, n, good(n)[0], true);
    }
    let learned = d.take_learned();
    let [BaselineEvent::Learned { equipment, fault, model }] = learned.as_slice() else {
        panic!("{learned:?}");
    };
    assert_eq!((equipment.as_str(), fault.as_str()), ("e", "loop"));
    for n in 100..110 {
        read(&mut d, n, 80.0, true);
    }
    let t = told(&mut d);
    assert_eq!((t.len(), t[0].kind), (1, TransitionKind::Raised));
    assert!(t[0].text.as_ref().unwrap().starts_with("flow "), "{:?}", t[0].text);
    assert_eq!(t[0].values["flow"], "80 l/min");

    let mut again = Detector::new(site.clone(), now(200));
    again.restore_baseline("e", "loop", model);
    again.restore_active("e", "loop");
    for n in 200..203 {
        read(&mut again, n, 80.0, true);
    }
    assert_eq!(told(&mut again), [], "it still stands");
    for n in 203..220 {
        read(&mut again, n, good(n)[0], true);
    }
    assert_eq!(told(&mut again)[0].kind, TransitionKind::Cleared);

    let mut other = Detector::new(site, now(300));
    other.restore_baseline(
        "e",
        "loop",
        &Model { definition: "of other points".to_owned(), ..*model.clone() },
    );
    assert_eq!(
        other.explain(EquipmentIndex(0), 0, now(300)).unwrap().recalled[0].1,
        "0 of 100 samples of good operation"
    );
}

#[test]
fn other_regimes_are_neither_learned_nor_judged() {
    let site = site(POINTS, &format!("{BASELINE}while = 'running'\n"));
    let mut d = Detector::new(site, now(0));
    for n in 0..300 {
        let running = n % 30 < 20;
        read(&mut d, n, if running { good(n)[0] } else { 0.0 }, running);
    }
    assert!(matches!(d.take_learned().as_slice(), [BaselineEvent::Learned { .. }]));
    assert_eq!(told(&mut d), []);
    for n in 300..320 {
        read(&mut d, n, 80.0, true);
    }
    assert_eq!(told(&mut d).len(), 1);
    for n in 320..330 {
        read(&mut d, n, 100.0, false);
    }
    assert_eq!(told(&mut d), [], "it stands until its regime says otherwise");
    d.forget_baseline("e", "loop", now(330));
    assert_eq!(told(&mut d)[0].kind, TransitionKind::Cleared);
}

#[test]
fn slow_drift_is_an_excursion_where_it_is_not_followed() {
    let drifting = |follows: bool| {
        let mut w = Watcher::new(&Baseline { follows, smooth: 20.0, ..spec(2, Learn::Samples(400)) });
        for n in 0..6000 {
            let [flow, current] = good(n);
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            let drift = n as f64 * 0.0005;
            w.sample(at(n), &[flow + drift, current]);
        }
        (w.is_excursion(), w.ranking())
    };
    assert_eq!(drifting(true).0, Some(false));
    let (stands, ranking) = drifting(false);
    assert_eq!((stands, ranking[0].0), (Some(true), 0));
}

/// Cycles of `running`, so many seconds each with ten between; the current is higher in them.
fn cycles(d: &mut Detector, from: u64, count: u64, seconds: impl Fn(u64) -> u64, current: f64) -> u64 {
    let mut n = from;
    for cycle in 0..count {
        for (length, running) in [(seconds(cycle), true), (10, false)] {
            for _ in 0..length {
                let amps = if running { current + 0.05 * noise(n) } else { 0.5 };
                let values = [Value::Real(0.0), Value::Real(amps), Value::Bool(running)];
                let readings = values.into_iter().enumerate();
                let readings =
                    readings.map(|(p, value)| (PointIndex(p), Reading { value: Ok(value), at: now(n) }));
                d.readings(now(n), EquipmentIndex(0), readings.collect(), Presence::Answered);
                n += 1;
            }
        }
    }
    n
}

const CYCLE: &str = "[baseline.signature]\ncycle = 'running'\npoints = ['current']\nlearn = 50\n";

#[test]
fn a_cycle_that_takes_longer_or_draws_more_is_an_excursion() {
    let usual = |n: u64| 20 + n % 3;
    for (seconds, current, first) in [(26_u64, 5.0, "duration"), (21, 6.0, "current")] {
        let mut d = Detector::new(site(POINTS, CYCLE), now(0));
        let n = cycles(&mut d, 1, 120, usual, 5.0);
        assert!(matches!(d.take_learned().first(), Some(BaselineEvent::Learned { .. })));
        assert_eq!(told(&mut d), []);
        let n = cycles(&mut d, n, 6, |_| seconds, current);
        let t = told(&mut d);
        assert_eq!((t.len(), t[0].kind), (1, TransitionKind::Raised), "{seconds} {current}");
        assert!(t[0].text.as_ref().unwrap().starts_with(first), "{:?}", t[0].text);
        cycles(&mut d, n, 12, usual, 5.0);
        assert_eq!(told(&mut d)[0].kind, TransitionKind::Cleared);
    }
}

#[test]
fn a_cycle_of_which_something_was_not_known_is_no_sample() {
    let mut d = Detector::new(site(POINTS, CYCLE), now(0));
    // It begins within a cycle, of which the beginning is not known.
    let n = cycles(&mut d, 1, 1, |_| 20, 5.0);
    for p in 0..3 {
        let bad = vec![(PointIndex(p), Reading { value: Err(BadReason::NotANumber), at: now(n) })];
        d.readings(now(n), EquipmentIndex(0), bad, Presence::Answered);
    }
    let n = cycles(&mut d, n + 1, 1, |_| 20, 5.0);
    let learned = |d: &Detector| d.explain(EquipmentIndex(0), 0, now(n)).unwrap().recalled[0].1.clone();
    assert_eq!(learned(&d), "0 of 50 samples of good operation");
    cycles(&mut d, n, 1, |_| 20, 5.0);
    assert_eq!(learned(&d), "1 of 50 samples of good operation");
}
