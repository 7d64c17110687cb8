//! Tests of a baseline through the detector: samples from readings, the fault that an excursion raises, and cycles.

use super::tests::{at, good, noise};
use super::*;
use crate::detect::{BaselineEvent, Detector, Transition, TransitionKind};
use crate::site::testing::site;
use crate::words::{BadReason, EquipmentIndex, Now, PointIndex, Presence, Reading, Value, Wall};

const POINTS: &str = "flow = { register = 'holding:0', type = 'f32', every = '1s', stale_after = '3s', unit = 'l/min' }\n\
    current = { register = 'holding:2', type = 'f32', every = '1s', stale_after = '3s', unit = 'A' }\n\
    running = { register = 'coil:0', type = 'bool', every = '1s', stale_after = '3s' }";
const BASELINE: &str = "[baseline.loop]\npoints = ['flow', 'current']\nlearn = 100\n";

fn now(n: u64) -> Now {
    Now { mono: at(n).mono, wall: Wall::from_millis(i64::try_from(n * 1000).unwrap()) }
}

fn read(d: &mut Detector, n: u64, flow: f64, running: bool) {
    let [_, current] = good(n);
    let values = [Value::Real(flow), Value::Real(current), Value::Bool(running)];
    let readings = values.into_iter().enumerate();
    let readings = readings.map(|(p, value)| (PointIndex(p), Reading { value: Ok(value), at: now(n) }));
    d.readings(now(n), EquipmentIndex(0), readings.collect(), Presence::Answered);
}

/// The transitions of the baseline.
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
    assert_eq!(told(&mut again), [], "the excursion is still active");
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
        "0 of 100 samples of normal operation"
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
    assert_eq!(told(&mut d), [], "the excursion stays active while the operating state is another");
    d.forget_baseline("e", "loop", now(330));
    assert_eq!(told(&mut d)[0].kind, TransitionKind::Cleared);
}

/// Cycles of `running`, each `seconds` long with ten seconds between them; the current is higher during a cycle.
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
    // The recording begins within a cycle whose beginning is unknown.
    let n = cycles(&mut d, 1, 1, |_| 20, 5.0);
    for p in 0..3 {
        let bad = vec![(PointIndex(p), Reading { value: Err(BadReason::NotANumber), at: now(n) })];
        d.readings(now(n), EquipmentIndex(0), bad, Presence::Answered);
    }
    let n = cycles(&mut d, n + 1, 1, |_| 20, 5.0);
    let learned = |d: &Detector| d.explain(EquipmentIndex(0), 0, now(n)).unwrap().recalled[0].1.clone();
    assert_eq!(learned(&d), "0 of 50 samples of normal operation");
    cycles(&mut d, n, 1, |_| 20, 5.0);
    assert_eq!(learned(&d), "1 of 50 samples of normal operation");
}
