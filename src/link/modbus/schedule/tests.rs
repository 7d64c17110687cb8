//! The schedule, driven by hand.

use super::*;
use crate::words::PointIndex;

fn request(start: u16, count: u16, every_ms: u64) -> PlannedRequest {
    let points = (0..count)
        .map(|i| super::super::PlannedPoint {
            point: PointIndex(usize::from(i)),
            offset: i,
            width: 1,
            factor: None,
        })
        .collect();
    PlannedRequest {
        area: Area::Holding,
        start,
        count,
        every: Duration::from_millis(every_ms),
        points,
        is_judged: false,
    }
}

fn unit(id: u8, requests: Vec<PlannedRequest>) -> UnitSetup {
    UnitSetup {
        equipment: EquipmentIndex(usize::from(id)),
        unit: id,
        requests,
        timeout: Duration::from_millis(500),
        retries: 0,
        min_interval: Duration::ZERO,
    }
}

fn ms(n: u64) -> Mono {
    Mono(n * 1_000_000)
}

#[track_caller]
fn ask(s: &mut Schedule, now: u64) -> Ask {
    match s.next(ms(now)) {
        Next::Ask(ask) => ask,
        other => panic!("{other:?}"),
    }
}

#[test]
fn deadlines_do_not_drift() {
    let mut s = Schedule::new(vec![unit(1, vec![request(0, 2, 1000)])], ms(0));
    for turn in 0..100 {
        let a = ask(&mut s, turn * 1000 + 7);
        s.answered(&a, &Outcome::Answered(vec![0, 0]), Duration::from_millis(20), ms(turn * 1000 + 20));
        assert_eq!(s.next(ms(turn * 1000 + 20)), Next::Wait(ms((turn + 1) * 1000)));
    }
    assert_eq!(s.missed(0), 0);
    ask(&mut s, 105_500);
}

#[test]
fn units_take_turns() {
    let fast = |id| unit(id, vec![request(0, 1, 10)]);
    let mut s = Schedule::new(vec![fast(1), fast(2), fast(3)], ms(0));
    let mut counts = [0; 4];
    for i in 0..300 {
        let a = ask(&mut s, 100 + i * 20);
        counts[usize::from(a.unit)] += 1;
        s.answered(&a, &Outcome::Answered(vec![0]), Duration::from_millis(20), ms(100 + i * 20 + 19));
    }
    assert_eq!(counts, [0, 100, 100, 100]);
}

#[test]
fn a_silent_unit_is_probed_ever_more_rarely_and_back_at_once() {
    let mut s = Schedule::new(vec![unit(1, vec![request(0, 4, 100)])], ms(0));
    let mut now = 0;
    let mut sent = 0;
    while now < 100_000 {
        match s.next(ms(now)) {
            Next::Ask(a) => {
                sent += 1;
                now += 500;
                s.answered(&a, &Outcome::Failed(WireFault::Timeout), Duration::from_millis(20), ms(now));
            }
            Next::Wait(at) => now = at.0 / 1_000_000,
            Next::Idle => panic!("idle"),
        }
    }
    assert!(sent < 25, "{sent} requests in 100 s to a silent unit");
    let a = loop {
        match s.next(ms(now)) {
            Next::Ask(a) => break a,
            Next::Wait(at) => now = at.0 / 1_000_000,
            Next::Idle => panic!("idle"),
        }
    };
    s.answered(&a, &Outcome::Answered(vec![0; usize::from(a.count)]), Duration::from_millis(20), ms(now));
    assert!(!s.is_probed(0));
    assert_eq!(ask(&mut s, now + 100).purpose, Purpose::Poll(0));
}

#[test]
fn after_a_timeout_the_next_request_has_another_shape() {
    let mut s = Schedule::new(vec![unit(1, vec![request(0, 4, 1000), request(100, 4, 1000)])], ms(0));
    let first = ask(&mut s, 0);
    s.answered(&first, &Outcome::Failed(WireFault::Timeout), Duration::from_millis(20), ms(500));
    let second = ask(&mut s, 500);
    assert_eq!((second.start, second.count, second.purpose), (100, 3, Purpose::Resync(1)));
    s.answered(&second, &Outcome::Failed(WireFault::Timeout), Duration::from_millis(20), ms(1000));
    let third = ask(&mut s, 1000);
    assert_eq!(third.count, 2);
    s.answered(&third, &Outcome::Answered(vec![0; 2]), Duration::from_millis(20), ms(1010));
    assert_eq!(ask(&mut s, 1010).purpose, Purpose::Poll(0));
}

#[test]
fn a_single_register_is_told_apart_by_the_sister_function_or_by_waiting() {
    let mut s = Schedule::new(vec![unit(1, vec![request(0, 1, 100)])], ms(0));
    let first = ask(&mut s, 0);
    s.answered(&first, &Outcome::Failed(WireFault::Timeout), Duration::from_millis(20), ms(500));
    let second = ask(&mut s, 600);
    assert_eq!((second.area, second.count), (Area::Input, 1));
    s.answered(&second, &Outcome::Failed(WireFault::Timeout), Duration::from_millis(20), ms(1100));
    assert_eq!(s.next(ms(1200)), Next::Wait(ms(6100)));
    assert_eq!(ask(&mut s, 6100).purpose, Purpose::Poll(0));
}

#[test]
fn a_refused_block_is_split_and_remembered() {
    let mut s = Schedule::new(vec![unit(1, vec![request(0, 3, 1000)])], ms(0));
    let mut asked = Vec::new();
    for turn in 0..6 {
        while let Next::Ask(a) = s.next(ms(turn * 1000)) {
            let refused = (a.start..a.start + a.count).contains(&1);
            let outcome = if refused {
                Outcome::Exception(2)
            } else {
                Outcome::Answered(vec![0; usize::from(a.count)])
            };
            s.answered(&a, &outcome, Duration::from_millis(20), ms(turn * 1000));
            if turn > 0 {
                asked.push((a.start, a.count));
            }
        }
    }
    assert!(asked.iter().all(|(start, count)| !(*start..start + count).contains(&1)), "{asked:?}");
    assert_eq!(asked.len(), 10);
}

#[test]
fn what_faults_are_judged_by_goes_first_on_a_line_that_cannot_carry_all_and_nothing_is_forgotten() {
    let judged = |start| PlannedRequest { is_judged: true, ..request(start, 1, 100) };
    let plain = |start| request(start, 1, 100);
    let units = (1..=4).map(|id| unit(id, vec![judged(0), plain(100)])).collect();
    let mut s = Schedule::new(units, ms(0));
    let mut counts = [0_u32; 2];
    // Eight requests of 20 ms are due every 100 ms: the line carries five of them.
    for turn in 0..1000 {
        let now = 10 + turn * 20;
        let a = ask(&mut s, now);
        counts[usize::from(a.start == 100)] += 1;
        s.answered(&a, &Outcome::Answered(vec![0]), Duration::from_millis(20), ms(now + 20));
    }
    assert!(counts[0] >= 700, "{counts:?}: of 800 turns of what is judged hardly any is lost");
    assert!(counts[1] >= 150, "{counts:?}: the others are late, not forgotten");
    assert!((0..4).all(|u| s.missed(u) > 0), "it is told");
}
