//! Tests of each rule for a condition over time, and of random readings against a second, naive implementation.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::site::Site;
use crate::site::testing::site;
use crate::words::{BadReason, EquipmentIndex, Mono, Now, PointIndex, Presence, Reading, Value, Wall};

const POINTS: &str = "x = { register = 'holding:0', type = 'u16', every = '1s', stale_after = '3s' }\n\
    y = { register = 'holding:1', type = 'u16', every = '1s', stale_after = '3s' }";

fn now(ms: u64) -> Now {
    Now { mono: Mono(ms * 1_000_000), wall: Wall::from_millis(i64::try_from(ms).unwrap()) }
}

fn read(d: &mut Detector, ms: u64, x: Option<i128>) {
    let value = x.map(Value::Integer).ok_or(BadReason::NotANumber);
    let reading = Reading { value, at: now(ms) };
    d.readings(now(ms), EquipmentIndex(0), vec![(PointIndex(0), reading)], Presence::Answered);
}

/// The transitions of the fault `a` on `e`: `+T` raised at T, `-T` cleared at T, each with the onset after `@`.
fn told(d: &mut Detector) -> String {
    let all = d.take_transitions();
    let a = all.iter().filter(|t| t.fault == 0 && t.equipment == EquipmentIndex(0));
    a.map(|t| {
        let sign = if t.kind == TransitionKind::Raised { '+' } else { '-' };
        format!("{sign}{}@{}", t.at.mono.0 / 1_000_000, t.onset.mono.0 / 1_000_000)
    })
    .collect::<Vec<_>>()
    .join(" ")
}

fn detector(fault: &str) -> Detector {
    Detector::new(site(POINTS, &format!("[faults.a]\nseverity = 'major'\n{fault}")), now(0))
}

/// Runs readings of `x` as (ms, value or bad), then no reading until `end`.
#[track_caller]
fn check(fault: &str, readings: &[(u64, Option<i128>)], end: u64, expected: &str) {
    let mut d = detector(fault);
    for (ms, x) in readings {
        read(&mut d, *ms, *x);
    }
    d.elapsed(now(end));
    assert_eq!(told(&mut d), expected);
}

const S: Option<i128> = None;

#[test]
fn raised_and_cleared_without_delay() {
    check(
        "when = 'x > 5'",
        &[(1000, Some(6)), (2000, Some(7)), (3000, Some(5))],
        4000,
        "+1000@1000 -3000@3000",
    );
}

#[test]
fn on_delay_ends_between_readings_and_keeps_its_onset() {
    check("when = 'x > 5'\non_delay = '1500ms'", &[(1000, Some(6)), (2000, Some(7))], 3000, "+2500@1000");
}

#[test]
fn false_or_unknown_starts_the_delay_again() {
    let fault = "when = 'x > 5'\non_delay = '2s'";
    check(fault, &[(1000, Some(6)), (2000, Some(5)), (2500, Some(6))], 5000, "+4500@2500");
    check(fault, &[(1000, Some(6)), (2000, S), (2500, Some(6))], 5000, "+4500@2500");
}

#[test]
fn a_delay_due_at_a_reading_ends_before_it_counts() {
    check(
        "when = 'x > 5'\non_delay = '1s'",
        &[(1000, Some(6)), (2000, Some(5))],
        3000,
        "+2000@1000 -2000@2000",
    );
}

#[test]
fn hysteresis_keeps_the_state_between() {
    let fault = "when = 'x > 10'\nclear = 'x < 5'\noff_delay = '1s'";
    let readings = [(1000, Some(11)), (2000, Some(7)), (3000, Some(4)), (3500, Some(6)), (4000, Some(3))];
    check(fault, &readings, 6000, "+1000@1000 -5000@4000");
}

#[test]
fn where_both_are_true_when_wins() {
    check("when = 'x > 5'\nclear = 'x > 0'", &[(1000, Some(6)), (2000, Some(7))], 3000, "+1000@1000");
}

#[test]
fn what_is_suppressed_by_design_is_not_told_and_is_told_after() {
    let fault = "when = 'x > 5'\non_delay = '1s'\nunless = 'y == 1'";
    let mut d = detector(fault);
    let both = |d: &mut Detector, ms: u64, x: i128, y: Result<i128, BadReason>| {
        let reading = |value| Reading { value, at: now(ms) };
        let readings = vec![
            (PointIndex(0), reading(Ok(Value::Integer(x)))),
            (PointIndex(1), reading(y.map(Value::Integer))),
        ];
        d.readings(now(ms), EquipmentIndex(0), readings, Presence::Answered);
    };
    for ms in [1000, 2000, 3000] {
        both(&mut d, ms, 6, Ok(1));
    }
    assert_eq!(told(&mut d), "");
    both(&mut d, 3500, 6, Ok(0));
    both(&mut d, 4500, 6, Ok(0));
    assert_eq!(told(&mut d), "+4500@3500", "its delay begins with the end of what suppresses it");
    both(&mut d, 5000, 6, Ok(1));
    let all = d.take_transitions();
    assert_eq!(all[0].kind, TransitionKind::Cleared);
    assert_eq!(all[0].text.as_deref(), Some("suppressed by design: y == 1"));
    both(&mut d, 6000, 6, Err(BadReason::NotANumber));
    both(&mut d, 7000, 6, Err(BadReason::NotANumber));
    assert_eq!(told(&mut d), "+7000@6000", "what is not known suppresses nothing");
}

#[test]
fn unknown_neither_raises_nor_clears() {
    check("when = 'x > 5'", &[(1000, S), (2000, Some(6)), (3000, S)], 4000, "+2000@2000");
}

#[test]
fn a_stale_point_is_unknown_just_after_its_limit() {
    // Read at 1000 and valid for 3 s: at 4000 the reading still counts, and the delay of 3 s ends at the same time.
    check("when = 'x > 5'\non_delay = '3s'", &[(1000, Some(6))], 9000, "+4000@1000");
    check("when = 'x > 5'\non_delay = '3001ms'", &[(1000, Some(6))], 9000, "");
}

#[test]
fn a_reading_at_the_limit_of_staleness_is_in_time() {
    check("when = 'x > 5'\non_delay = '5s'", &[(1000, Some(6)), (4000, Some(6))], 6500, "+6000@1000");
}

#[test]
fn silence_is_a_fault_and_makes_the_rest_unknown() {
    let mut d = detector("when = 'x > 5'");
    let lost =
        d.site.equipment[0].profile.faults.iter().position(|f| f.trigger == crate::profile::Trigger::Silence);
    let lost = lost.unwrap();
    read(&mut d, 1000, Some(6));
    d.elapsed(now(10_999));
    assert!(!d.is_lost(EquipmentIndex(0)));
    d.elapsed(now(11_000));
    assert!(d.is_lost(EquipmentIndex(0)) && d.is_active(EquipmentIndex(0), lost));
    assert!(d.is_active(EquipmentIndex(0), 0), "unknown keeps what stood");
    read(&mut d, 12_000, Some(5));
    assert!(!d.is_lost(EquipmentIndex(0)) && !d.is_active(EquipmentIndex(0), 0));
    let kinds: Vec<(usize, TransitionKind)> =
        d.take_transitions().iter().filter(|t| t.equipment.0 == 0).map(|t| (t.fault, t.kind)).collect();
    let (up, down) = (TransitionKind::Raised, TransitionKind::Cleared);
    assert_eq!(kinds, [(0, up), (lost, up), (lost, down), (0, down)]);
}

#[test]
fn readings_that_only_say_why_there_is_no_value_are_no_answer() {
    let mut d = detector("when = 'x > 5'");
    for ms in [1000, 5000, 9000] {
        let reading = Reading { value: Err(BadReason::NoAnswer("timeout".into())), at: now(ms) };
        d.readings(now(ms), EquipmentIndex(0), vec![(PointIndex(0), reading)], Presence::NoAnswer);
    }
    d.elapsed(now(10_000));
    assert!(d.is_lost(EquipmentIndex(0)));
}

#[test]
fn another_equipments_point_is_judged_too() {
    let points = POINTS;
    let s = site(points, "[faults.a]\nseverity = 'major'\nwhen = '@f:x > 5'");
    let mut d = Detector::new(s, now(0));
    let reading = Reading { value: Ok(Value::Integer(6)), at: now(1000) };
    d.readings(now(1000), EquipmentIndex(1), vec![(PointIndex(0), reading)], Presence::Answered);
    assert_eq!(told(&mut d), "+1000@1000");
}

#[test]
fn a_standing_alarm_taken_up_is_not_raised_again() {
    let mut d = detector("when = 'x > 5'");
    assert!(d.restore_active("e", "a"));
    read(&mut d, 1000, Some(6));
    assert_eq!(told(&mut d), "");
    read(&mut d, 2000, Some(5));
    assert_eq!(told(&mut d), "-2000@2000");
    assert!(!d.restore_active("e", "gone"));
}

#[test]
fn codes_by_value_and_by_bit() {
    let rest = "[codes.code]\npoint = 'x'\nstyle = 'value'\nnone = [0]\n7 = { name = 'seven', severity = 'major', means = 'm' }\n\
        [codes.flags]\npoint = 'y'\nstyle = 'bits'\n3 = { name = 'third', severity = 'minor', means = 'm' }";
    let s: Arc<Site> = site(POINTS, rest);
    let name = |f: usize| s.equipment[0].profile.faults[f].name.as_str().to_owned();
    let mut d = Detector::new(s.clone(), now(0));
    let both = |x: i128, y: i128, ms: u64| {
        vec![
            (PointIndex(0), Reading { value: Ok(Value::Integer(x)), at: now(ms) }),
            (PointIndex(1), Reading { value: Ok(Value::Integer(y)), at: now(ms) }),
        ]
    };
    d.readings(now(1000), EquipmentIndex(0), both(7, 8, 1000), Presence::Answered);
    d.readings(now(2000), EquipmentIndex(0), both(9, 4, 2000), Presence::Answered);
    d.readings(now(3000), EquipmentIndex(0), both(0, 0, 3000), Presence::Answered);
    let told: Vec<String> = d
        .take_transitions()
        .iter()
        .map(|t| {
            format!(
                "{}{}{}",
                name(t.fault),
                if t.kind == TransitionKind::Raised { "+" } else { "-" },
                t.text.as_deref().unwrap_or("")
            )
        })
        .collect();
    assert_eq!(
        told,
        ["seven+", "third+", "seven-", "unlisted-code+unlisted code 9", "third-", "unlisted-code-"]
    );
}

/// The same condition, evaluated by a search through all past readings. It shares no code with the detector.
fn naive(readings: &[(u64, Option<i128>)], on: u64, off: u64, end: u64) -> String {
    let value = |t: u64| {
        readings.iter().rev().find(|(at, _)| *at <= t).and_then(|(at, v)| v.filter(|_| t - at <= 3000))
    };
    let (mut active, mut since_true, mut since_clear) = (false, None, None);
    let mut out = Vec::new();
    for t in 0..=end {
        // A delay that is due now ends before a reading of now counts.
        if let Some(s) = since_true.filter(|s| !active && t - s >= on) {
            (active, since_clear) = (true, None);
            out.push(format!("+{t}@{s}"));
        }
        if let Some(s) = since_clear.filter(|s| active && t - s >= off) {
            (active, since_true) = (false, None);
            out.push(format!("-{t}@{s}"));
        }
        let x = value(t);
        let (when, clear) = (x.map(|x| x > 5), x.map(|x| x < 3));
        since_true = if when == Some(true) { since_true.or(Some(t)) } else { None };
        since_clear = if clear == Some(true) && when != Some(true) { since_clear.or(Some(t)) } else { None };
        if let Some(s) = since_true.filter(|_| !active && on == 0) {
            (active, since_clear) = (true, None);
            out.push(format!("+{t}@{s}"));
        }
        if let Some(s) = since_clear.filter(|_| active && off == 0) {
            (active, since_true) = (false, None);
            out.push(format!("-{t}@{s}"));
        }
    }
    out.join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn the_detector_agrees_with_looking_at_the_whole_past(
        steps in proptest::collection::vec((100u64..4500, proptest::option::weighted(0.85, 0i128..10)), 1..25),
        on in prop_oneof![Just(0u64), 500u64..4000], off in prop_oneof![Just(0u64), 500u64..4000],
    ) {
        let mut t = 0;
        let readings: Vec<(u64, Option<i128>)> = steps.iter().map(|(dt, v)| { t += dt; (t, *v) }).collect();
        let end = t + 9000;
        let mut d = detector(&format!("when = 'x > 5'\nclear = 'x < 3'\non_delay = '{on}ms'\noff_delay = '{off}ms'"));
        for (ms, x) in &readings {
            read(&mut d, *ms, *x);
        }
        d.elapsed(now(end));
        prop_assert_eq!(told(&mut d), naive(&readings, on, off, end));
    }

    #[test]
    fn extra_elapsed_changes_nothing(
        steps in proptest::collection::vec((100u64..4500, proptest::option::weighted(0.85, 0i128..10)), 1..25),
        extra in proptest::collection::vec(0u64..60_000, 0..40),
    ) {
        let fault = "when = 'x > 5'\non_delay = '1s'\noff_delay = '700ms'";
        let run = |looks: &[u64]| {
            let mut d = detector(fault);
            let mut looks = looks.to_vec();
            looks.sort_unstable();
            let mut t = 0;
            for (dt, x) in &steps {
                for look in looks.iter().filter(|l| **l > t && **l < t + dt) {
                    d.elapsed(now(*look));
                }
                t += dt;
                read(&mut d, t, *x);
            }
            d.elapsed(now(t + 20_000));
            told(&mut d)
        };
        prop_assert_eq!(run(&[]), run(&extra));
    }
}

#[test]
fn due_is_told() {
    let mut d = detector("when = 'x > 5'\non_delay = '1s'");
    read(&mut d, 1000, Some(6));
    assert_eq!(d.next_due(), Some(now(2000).mono));
    let x = d.explain(EquipmentIndex(0), 0, now(1400)).unwrap();
    assert_eq!(x.pending, Some((Duration::from_secs(1), Duration::from_millis(600))));
}

#[test]
fn what_is_known_to_be_away_is_lost_at_once_and_silence_alone_loses_nothing() {
    let mut d = Detector::new(
        crate::site::testing::listened(
            "x = { topic = 't', type = 'u16' }",
            "[faults.a]\nseverity = 'major'\nwhen = 'x > 5'",
        ),
        now(0),
    );
    read(&mut d, 1000, Some(6));
    d.elapsed(now(10_000_000));
    assert!(!d.is_lost(EquipmentIndex(0)) && d.is_active(EquipmentIndex(0), 0));
    assert_eq!(
        d.point_state(EquipmentIndex(0), PointIndex(0), now(10_000_000)).unwrap().quality,
        crate::words::Quality::Good
    );
    d.readings(now(10_001_000), EquipmentIndex(0), Vec::new(), Presence::Lost);
    assert!(d.is_lost(EquipmentIndex(0)));
    d.readings(now(10_002_000), EquipmentIndex(0), Vec::new(), Presence::Lost);
    read(&mut d, 10_003_000, Some(1));
    assert!(!d.is_lost(EquipmentIndex(0)) && !d.is_active(EquipmentIndex(0), 0));
    assert_eq!(told(&mut d), "+1000@1000 -10003000@10003000");
}

#[test]
fn windows_are_evaluated_at_readings() {
    check(
        "when = 'avg(x, 4s) > 5'",
        &[
            (0, Some(0)),
            (1000, Some(10)),
            (2000, Some(10)),
            (3000, Some(10)),
            (4000, Some(0)),
            (7000, Some(0)),
        ],
        8000,
        "+4000@4000 -7000@7000",
    );
    // Four of five seconds with known values are enough, fewer are not. A bad reading is a gap, and the window
    // recovers.
    check("when = 'avg(x, 5s) > 5'", &[(0, Some(9)), (3000, Some(9)), (4000, Some(9))], 5000, "+4000@4000");
    check("when = 'max(x, 2s) > 5'", &[(0, Some(9)), (1000, S), (2000, Some(9)), (3000, Some(1))], 3000, "");
}

#[test]
fn an_age_passes_its_limit_without_a_reading() {
    check("when = 'age(x) > 2s'", &[(1000, Some(1)), (3000, Some(1))], 6000, "+5000@5000");
    check(
        "when = 'age(x) >= 2s'",
        &[(1000, Some(1)), (3000, Some(1))],
        6000,
        "+3000@3000 -3000@3000 +5000@5000",
    );
    check(
        "when = 'age(x) > 2s'\non_delay = '500ms'",
        &[(1000, Some(1)), (4000, Some(1))],
        6400,
        "+3500@3000 -4000@4000",
    );
    check("when = 'age(x) < 2s'\noff_delay = '1s'", &[(1000, Some(1))], 6000, "+1000@1000 -4000@3000");
    // A bad reading does not count as a reading, so the age goes on.
    check("when = 'age(x) > 2s'", &[(1000, Some(1)), (2500, S)], 6000, "+3000@3000");
}

#[test]
fn while_equipment_is_lost_its_windows_are_unknown() {
    let mut d = detector("when = 'max(x, 60s) > 5'\nclear = 'max(x, 60s) < 5'");
    for s in 1..60 {
        read(&mut d, s * 1000, Some(9));
    }
    assert_eq!(told(&mut d), "+49000@49000");
    let mut recalled = |at| {
        d.elapsed(now(at));
        d.explain(EquipmentIndex(0), 0, now(at)).unwrap().recalled[0].1.clone()
    };
    // The window still has known values for more than four fifths of its length.
    assert_eq!(recalled(68_000), "9");
    assert_eq!(recalled(70_000), "unknown");
}
