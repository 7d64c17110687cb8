//! Without an answer there is no reading: the last reading stays valid, but uncertain, until it is stale.

use std::time::Duration;

use super::*;
use crate::expr::Truth;
use crate::site::testing::site;
use crate::words::{
    BadReason, EquipmentIndex, Mono, Now, PointIndex, Presence, Quality, Reading, Value, Wall,
};

const POINTS: &str = "x = { register = 'holding:0', type = 'u16', every = '1s', stale_after = '3s' }";

fn now(ms: u64) -> Now {
    Now { mono: Mono(ms * 1_000_000), wall: Wall::from_millis(i64::try_from(ms).unwrap()) }
}

fn detector(fault: &str) -> Detector {
    Detector::new(site(POINTS, &format!("[faults.a]\nseverity = 'major'\n{fault}")), now(0))
}

fn read(d: &mut Detector, ms: u64, x: i128) {
    let reading = Reading { value: Ok(Value::Integer(x)), at: now(ms) };
    d.readings(now(ms), EquipmentIndex(0), vec![(PointIndex(0), reading)], Presence::Answered);
}

fn missed(d: &mut Detector, ms: u64) {
    let reading = Reading { value: Err(BadReason::NoAnswer("no answer in time".into())), at: now(ms) };
    d.readings(now(ms), EquipmentIndex(0), vec![(PointIndex(0), reading)], Presence::NoAnswer);
}

#[test]
fn no_answer_is_no_reading_a_delay_runs_on_and_ends_when_it_is_due() {
    let mut d = detector("when = 'x > 5'\non_delay = '7s'");
    let state = |d: &Detector, ms| d.point_state(EquipmentIndex(0), PointIndex(0), now(ms)).unwrap();
    assert_eq!(state(&d, 0).quality, Quality::Bad, "never read");
    // Every second poll has no answer, as on a gateway that closes each connection.
    for ms in (1000..8000).step_by(2000) {
        read(&mut d, ms, 6);
        assert_eq!(state(&d, ms).quality, Quality::Good);
        missed(&mut d, ms + 1000);
        let told = state(&d, ms + 1000);
        assert_eq!((told.quality, told.value), (Quality::Uncertain, Some(Value::Integer(6))));
        assert_eq!(told.reason.unwrap().to_string(), "no answer in time");
        assert_eq!((told.at, told.tried), (Some(now(ms)), Some(now(ms + 1000))));
    }
    d.elapsed(now(8000));
    let raised: Vec<_> = d.take_transitions().into_iter().map(|t| (t.onset.mono, t.at.mono)).collect();
    assert_eq!(raised, [(now(1000).mono, now(8000).mono)]);
}

#[test]
fn what_is_missed_for_too_long_is_bad_and_its_condition_unknown() {
    let mut d = detector("when = 'x > 5'\non_delay = '7s'");
    read(&mut d, 1000, 6);
    for ms in [2000, 3000, 4000] {
        missed(&mut d, ms);
    }
    // A reading is stale after three periods of one second.
    let quality = |d: &mut Detector, ms: u64| {
        d.elapsed(now(ms));
        d.point_state(EquipmentIndex(0), PointIndex(0), now(ms)).unwrap().quality
    };
    assert_eq!(quality(&mut d, 4000), Quality::Uncertain);
    assert_eq!(quality(&mut d, 4001), Quality::Bad);
    let explained = d.explain(EquipmentIndex(0), 0, now(4001)).unwrap();
    assert_eq!((explained.when.unwrap().1, explained.pending), (Truth::Unknown, None));
    d.elapsed(now(9000));
    assert!(!d.is_active(EquipmentIndex(0), 0));
    // A new value starts the delay again.
    read(&mut d, 9000, 6);
    assert_eq!(
        d.explain(EquipmentIndex(0), 0, now(9000)).unwrap().pending.unwrap().1,
        Duration::from_secs(7)
    );
}

#[test]
fn what_the_device_itself_calls_no_value_is_bad_at_once() {
    let reasons =
        [BadReason::Refused("exception 2".into()), BadReason::NotANumber, BadReason::Absent(0x8000)];
    for reason in reasons {
        let mut d = detector("when = 'x > 5'\non_delay = '7s'");
        read(&mut d, 1000, 6);
        let reading = Reading { value: Err(reason.clone()), at: now(2000) };
        d.readings(now(2000), EquipmentIndex(0), vec![(PointIndex(0), reading)], Presence::Answered);
        let told = d.point_state(EquipmentIndex(0), PointIndex(0), now(2000)).unwrap();
        assert_eq!((told.quality, told.reason), (Quality::Bad, Some(reason)));
        // A missing answer after that does not make the value good again.
        missed(&mut d, 2500);
        let told = d.point_state(EquipmentIndex(0), PointIndex(0), now(2500)).unwrap();
        assert_eq!(told.quality, Quality::Bad);
        d.elapsed(now(9000));
        assert!(!d.is_active(EquipmentIndex(0), 0));
    }
}

#[test]
fn a_retained_value_is_told_as_such() {
    let mut d = detector("when = 'x > 5'");
    let reading = Reading { value: Ok(Value::Integer(6)), at: now(1000) };
    d.readings(now(1000), EquipmentIndex(0), vec![(PointIndex(0), reading)], Presence::Retained);
    let told = d.take_transitions();
    assert_eq!(told[0].values["x"], "6 (retained)");
    assert!(d.point_state(EquipmentIndex(0), PointIndex(0), now(1000)).unwrap().is_retained);
    // A live value is not retained.
    read(&mut d, 2000, 6);
    assert!(!d.point_state(EquipmentIndex(0), PointIndex(0), now(2000)).unwrap().is_retained);
    assert_eq!(d.explain(EquipmentIndex(0), 0, now(2000)).unwrap().operands[0].value, "6");
}
