//! Tests of requests of people beside polls on one bus, in simulated time.

use std::time::Duration;

use tokio::sync::oneshot;

use super::*;
use crate::link::TryWhat;
use crate::link::modbus::plan::{PlannedPoint, PlannedRequest};
use crate::link::modbus::schedule::{Next, Outcome, UnitSetup};
use crate::profile::Area;
use crate::words::{EquipmentId, EquipmentIndex, PointIndex, PointName};

const ANSWERED: Duration = Duration::from_millis(20);

fn ms(n: u64) -> Mono {
    Mono(n * 1_000_000)
}

fn unit(id: u8, every_ms: u64, min_interval: Duration) -> UnitSetup {
    let point = PlannedPoint { point: PointIndex(0), offset: 0, width: 1, factor: None };
    let request = PlannedRequest {
        area: Area::Holding,
        start: 0,
        count: 1,
        every: Duration::from_millis(every_ms),
        points: vec![point],
        is_used_by_fault: true,
    };
    UnitSetup {
        equipment: EquipmentIndex(usize::from(id)),
        unit: id,
        requests: vec![request],
        timeout: Duration::from_millis(500),
        retries: 0,
        min_interval,
    }
}

fn try_of(unit: u8) -> (Order, oneshot::Receiver<TryEnd>) {
    let (done, end) = oneshot::channel();
    let what = TryWhat::Read { area: Area::Holding, start: 0, count: 1 };
    (Order::Try(TryOrder { unit, what, timeout: limits::TRY_TIMEOUT_MAX, done }), end)
}

fn write_of(equipment: &str) -> (Order, oneshot::Receiver<WriteEnd>) {
    let (done, end) = oneshot::channel();
    let equipment = EquipmentId::parse(equipment).unwrap();
    let point = PointName::parse("x").unwrap();
    (Order::Write(WriteOrder { equipment, point, words: vec![1], done }), end)
}

/// Runs a bus for `time` while several people request a silent unit without pause. Returns the largest delay of a
/// poll, and the number of requests of people that were sent.
fn worked(units: Vec<UnitSetup>, askers: usize, time: Duration) -> (Duration, u64) {
    let mut schedule = Schedule::new(units.clone(), ms(0));
    let mut asked = HumanRequests::default();
    let mut due: Vec<Mono> = units.iter().map(|_| ms(0)).collect();
    let (mut now, mut late, mut tries) = (ms(0), Duration::ZERO, 0);
    let mut ends: Vec<oneshot::Receiver<TryEnd>> = Vec::new();
    while now < ms(0) + time {
        while asked.waiting.len() < askers {
            let (order, end) = try_of(99);
            asked.push(99, order);
            ends.push(end);
        }
        if asked.next(&schedule, now).is_some() {
            tries += 1;
            now = now + limits::TRY_TIMEOUT_MAX;
            asked.ended(now);
            continue;
        }
        match schedule.next(now) {
            Next::Ask(ask) => {
                let every = units[ask.index].requests[0].every;
                late = late.max(now.since(due[ask.index]));
                now = now + ANSWERED;
                schedule.answered(&ask, &Outcome::Answered(vec![0]), ANSWERED, now);
                while due[ask.index] <= now {
                    due[ask.index] = due[ask.index] + every;
                }
            }
            Next::Wait(at) => now = at,
            Next::Idle => panic!("idle"),
        }
    }
    (late, tries)
}

#[test]
fn polls_of_a_living_unit_are_late_by_one_try_at_most() {
    for askers in [1, 5, limits::LINK_COMMANDS_MAX] {
        let (late, tries) = worked(vec![unit(1, 1000, Duration::ZERO)], askers, Duration::from_secs(600));
        assert!(late <= limits::TRY_TIMEOUT_MAX + ANSWERED, "{askers} askers: {late:?} late");
        // The people do not wait for ever either: 600 s are enough for 297 of their requests and as many polls.
        assert!(tries > 290, "{askers} askers: {tries} tries");
    }
    // Ten units use half of the line. A request of a person delays each of them, and they delay each other.
    let units = (1..=10).map(|id| unit(id, 400, Duration::ZERO)).collect();
    let (late, tries) = worked(units, 5, Duration::from_secs(600));
    assert!(late <= limits::TRY_TIMEOUT_MAX + ANSWERED * 10, "{late:?} late");
    assert!(tries > 200, "{tries} tries");
    // If the polls alone fill the line, people still get their turn.
    let units = (1..=10).map(|id| unit(id, 100, Duration::ZERO)).collect();
    assert!(worked(units, 2, Duration::from_secs(60)).1 > 20);
}

#[test]
fn who_is_gone_is_not_asked_for() {
    let schedule = Schedule::new(Vec::new(), ms(0));
    let mut asked = HumanRequests::default();
    let (first, gone) = try_of(9);
    let (write, given_up) = write_of("e");
    let (second, mut waits) = try_of(8);
    asked.push(9, first);
    asked.push(1, write);
    asked.push(8, second);
    drop((gone, given_up));
    let next = asked.next(&schedule, ms(0));
    assert!(matches!(next, Some(Order::Try(TryOrder { unit: 8, .. }))), "{next:?}");
    assert!(asked.next(&schedule, ms(0)).is_none());
    assert!(waits.try_recv().is_err(), "it was not answered yet");
}

#[test]
fn a_write_goes_before_tries_and_waits_until_its_unit_has_rested() {
    let mut schedule = Schedule::new(vec![unit(1, 1000, Duration::from_millis(300))], ms(0));
    let mut asked = HumanRequests::default();
    let Next::Ask(ask) = schedule.next(ms(0)) else { panic!("nothing is due") };
    schedule.answered(&ask, &Outcome::Answered(vec![0]), ANSWERED, ms(20));
    let ((first, _a), (second, _b), (write, _c)) = (try_of(9), try_of(9), write_of("e"));
    asked.push(9, first);
    asked.push(9, second);
    asked.push(1, write);
    // The unit received a request at 0 ms and needs a pause until 300 ms; meanwhile another unit may be asked.
    assert!(matches!(asked.next(&schedule, ms(20)), Some(Order::Try(_))));
    asked.ended(ms(200));
    assert!(matches!(asked.next(&schedule, ms(300)), Some(Order::Write(_))));
    schedule.spoken_to(1, Some(EquipmentIndex(1)), ms(310));
    asked.ended(ms(310));
    // The write is read back when the unit has had its pause again.
    assert_eq!(schedule.next(ms(310)), Next::Wait(ms(610)));
    assert!(matches!(asked.next(&schedule, ms(310)), Some(Order::Try(_))));
}

#[test]
fn a_full_queue_tells_the_newest() {
    let mut asked = HumanRequests::default();
    let mut ends: Vec<_> = (0..limits::LINK_COMMANDS_MAX)
        .map(|_| {
            let (order, end) = try_of(9);
            asked.push(9, order);
            end
        })
        .collect();
    let (order, mut end) = try_of(9);
    asked.push(9, order);
    assert!(matches!(end.try_recv(), Ok(TryEnd::Failed(why)) if why.contains("64 requests already wait")));
    assert!(ends.iter_mut().all(|e| e.try_recv().is_err()));
}

#[test]
fn who_asks_for_readings_without_end_takes_no_line() {
    let mut schedule = Schedule::new(vec![unit(1, 10_000, Duration::ZERO)], ms(0));
    let (mut now, mut asks) = (ms(0), 0);
    while now < ms(10_000) {
        schedule.read_now(EquipmentIndex(1), now);
        match schedule.next(now) {
            Next::Ask(ask) => {
                asks += 1;
                now = now + ANSWERED;
                schedule.answered(&ask, &Outcome::Answered(vec![0]), ANSWERED, now);
            }
            Next::Wait(at) => now = at,
            Next::Idle => panic!("idle"),
        }
    }
    // One read per 200 ms plus its answer time: 10 s / 220 ms.
    assert_eq!(asks, 46);
}
