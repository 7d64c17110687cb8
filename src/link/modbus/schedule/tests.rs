//! Tests of the schedule, step by step.

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
        is_used_by_fault: false,
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

/// Runs a schedule for a time. `answers` gives the duration and the result of a request. Returns the requests and
/// their times.
fn worked(
    s: &mut Schedule,
    (from, to): (u64, u64),
    mut answers: impl FnMut(&Ask, u64) -> (u64, Outcome),
) -> Vec<(u64, Ask, Report)> {
    let mut now = from;
    let mut asked = Vec::new();
    while now < to {
        match s.next(ms(now)) {
            Next::Ask(a) => {
                let sent = now;
                let (took, outcome) = answers(&a, now);
                now += took;
                let report = s.answered(&a, &outcome, Duration::from_millis(took), ms(now));
                asked.push((sent, a, report));
            }
            Next::Wait(at) => now = at.0.div_ceil(1_000_000).max(now),
            Next::Idle => panic!("idle"),
        }
    }
    asked
}

fn answered(a: &Ask) -> Outcome {
    Outcome::Answered(vec![0; usize::from(a.count)])
}

/// A silent unit costs the whole timeout.
fn silent(a: &Ask) -> (u64, Outcome) {
    (u64::try_from(a.timeout.as_millis()).unwrap(), Outcome::Failed(WireFault::Timeout))
}

#[test]
fn a_dead_unit_costs_its_budget_and_is_back_within_a_second_on_a_free_line() {
    // Unit 1 is alive and polled each second; unit 2 is silent and comes back at 60.1 s.
    let poll = |id| unit(id, vec![request(0, 4, 1000)]);
    let mut s = Schedule::new(vec![poll(1), poll(2)], ms(0)).with_transaction_ids();
    let asked = worked(&mut s, (0, 62_000), |a, now| match a.unit {
        1 => (20, answered(a)),
        _ if now >= 60_100 => (20, answered(a)),
        _ => silent(a),
    });
    let back = asked.iter().find(|(_, a, r)| a.unit == 2 && matches!(r, Report::Values(_))).unwrap().0;
    assert!(back < 61_100, "{back}: the line is free");
    let dead = |from: u64, to: u64| {
        let of = asked.iter().filter(|(at, a, _)| a.unit == 2 && (from..to).contains(at));
        of.map(|(_, a, _)| a.timeout).sum::<Duration>()
    };
    // Three probes of 20 ms, and every sixteenth with 500 ms.
    assert!(dead(10_000, 60_000) <= Duration::from_millis(50_000 / 8), "{:?}", dead(10_000, 60_000));
    // The living unit is delayed by at most one probe.
    let polls: Vec<u64> = asked.iter().filter(|(_, a, _)| a.unit == 1).map(|(at, ..)| *at).collect();
    assert!(polls.windows(2).all(|w| w[1] - w[0] <= 1600), "{polls:?}");
}

#[test]
fn dead_units_cost_a_full_line_a_twentieth_of_its_time() {
    // The polls of six units fill the line; two units never answer.
    let units = (1..=8).map(|id| unit(id, vec![request(0, 4, 100)])).collect();
    let mut s = Schedule::new(units, ms(0)).with_transaction_ids();
    let asked = worked(&mut s, (0, 120_000), |a, _| if a.unit <= 6 { (20, answered(a)) } else { silent(a) });
    let late: Vec<_> = asked.iter().filter(|(at, ..)| *at >= 20_000).collect();
    let time: Duration = late.iter().filter(|(_, a, _)| a.unit > 6).map(|(_, a, _)| a.timeout).sum();
    assert!(time <= Duration::from_millis(100_000 / 20 + 500), "{time:?} of 100 s");
    assert!(time >= Duration::from_millis(100_000 / 25), "{time:?}: they are probed as often as that allows");
    let polls = late.iter().filter(|(_, a, _)| a.unit <= 6).count();
    assert!(polls >= 4700, "{polls} of the 5000 that a line without dead units has time for");
}

#[test]
fn units_that_fall_silent_together_do_not_keep_the_living_waiting() {
    // Seven of eight units become silent at once. Until they count as dead, the eighth is polled after each timeout.
    let units = (1..=8).map(|id| unit(id, vec![request(0, 4, 500)])).collect();
    let mut s = Schedule::new(units, ms(0)).with_transaction_ids();
    let asked =
        worked(
            &mut s,
            (0, 60_000),
            |a, now| {
                if a.unit == 1 || now < 10_000 { (10, answered(a)) } else { silent(a) }
            },
        );
    let polls: Vec<u64> = asked.iter().filter(|(_, a, _)| a.unit == 1).map(|(at, ..)| *at).collect();
    let longest = |from: u64| {
        let after = polls.windows(2).filter(|w| w[0] >= from);
        after.map(|w| w[1] - w[0]).max().unwrap()
    };
    // At first andon waits for each of them once. From then on there is a poll between any two timeouts.
    assert!(longest(0) <= 7 * 500 + 20, "{} ms between two polls", longest(0));
    assert!(longest(14_000) <= 500 + 500 + 10, "{} ms between two polls", longest(14_000));
}

#[test]
fn signs_of_life_keep_a_unit_alive() {
    let faults = [
        Outcome::Exception(4),
        Outcome::Exception(6),
        Outcome::Failed(WireFault::Garbled(5)),
        Outcome::Failed(WireFault::Foreign("unit 9".to_owned())),
        Outcome::Failed(WireFault::Length { got: 2, wanted: 8 }),
        Outcome::Failed(WireFault::Closed),
    ];
    for fault in faults {
        let mut s = Schedule::new(vec![unit(1, vec![request(0, 4, 1000)])], ms(0)).with_transaction_ids();
        let asked = worked(&mut s, (0, 60_000), |_, _| (50, fault.clone()));
        assert!(!s.is_probed(0), "{fault:?}");
        assert!(asked.len() >= 60, "{fault:?}: it is polled as ever");
    }
    // An exception with which a gateway reports a missing device is not an answer of the device.
    let mut s = Schedule::new(vec![unit(1, vec![request(0, 4, 1000)])], ms(0)).with_transaction_ids();
    worked(&mut s, (0, 60_000), |_, _| (50, Outcome::Exception(11)));
    assert!(s.is_probed(0));
}

#[test]
fn misses_alone_make_no_unit_dead() {
    // Half of the answers are lost: sometimes five in a row, but not for three polls of 500 ms with four requests
    // each.
    let requests = (0..4).map(|i| request(i * 100, 4, 500)).collect();
    let mut s = Schedule::new(vec![unit(1, requests)], ms(0)).with_transaction_ids();
    let mut seed = 7_u64;
    let mut values = Vec::new();
    for (at, _, report) in worked(&mut s, (0, 600_000), |a, _| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        if seed >> 33 & 1 == 0 { (10, answered(a)) } else { (100, Outcome::Failed(WireFault::Timeout)) }
    }) {
        if matches!(report, Report::Values(_)) {
            values.push(at);
        }
    }
    let longest = values.windows(2).map(|w| w[1] - w[0]).max().unwrap();
    assert!(longest <= 2000, "{longest} ms without a value");
}

#[test]
fn a_busy_device_is_asked_again_after_a_short_wait_within_its_retries() {
    let setup = UnitSetup { retries: 2, ..unit(1, vec![request(0, 2, 1000)]) };
    let mut s = Schedule::new(vec![setup], ms(0)).with_transaction_ids();
    for (at, code, expected) in [(0, 6, true), (120, 5, true), (240, 6, false)] {
        let a = ask(&mut s, at);
        let report = s.answered(&a, &Outcome::Exception(code), Duration::from_millis(20), ms(at + 20));
        assert_eq!(report == Report::Nothing, expected, "{at}");
        if expected {
            assert_eq!(s.next(ms(at + 20)), Next::Wait(ms(at + 120)), "it is left alone for a while");
        } else {
            assert!(matches!(report, Report::Failed(..)), "{report:?}: no reading, not a bad one");
        }
    }
    // The next read keeps its time.
    assert_eq!(s.next(ms(360)), Next::Wait(ms(1000)));
}

#[test]
fn only_what_the_device_says_itself_is_a_bad_reading() {
    for (code, is_bad) in
        [(1, false), (2, true), (3, true), (4, false), (5, false), (6, false), (8, false), (11, false)]
    {
        let mut s = Schedule::new(vec![unit(1, vec![request(0, 1, 1000)])], ms(0)).with_transaction_ids();
        let a = ask(&mut s, 0);
        let report = s.answered(&a, &Outcome::Exception(code), Duration::from_millis(20), ms(20));
        assert_eq!(matches!(report, Report::Refused(..)), is_bad, "exception {code}: {report:?}");
        assert_eq!(matches!(report, Report::Failed(..)), !is_bad, "exception {code}: {report:?}");
    }
}

#[test]
fn a_request_is_spared_once_a_turn() {
    let mut s = Schedule::new(vec![unit(1, vec![request(0, 2, 1000)])], ms(0)).with_transaction_ids();
    let a = ask(&mut s, 0);
    assert!(s.send_again(&a), "the connection had served others: it is sent again");
    let a = ask(&mut s, 1);
    assert!(!s.send_again(&a), "it may be this request of which connections die");
    let report = s.answered(&a, &Outcome::Failed(WireFault::Closed), Duration::ZERO, ms(2));
    assert!(matches!(report, Report::Failed(..)));
    assert_eq!(s.troubles(0), ((1, 1), Some("the connection was closed")));
    let a = ask(&mut s, 1000);
    assert!(s.send_again(&a));
}

#[test]
fn after_a_timeout_the_next_request_has_another_shape() {
    let mut s = Schedule::new(vec![unit(1, vec![request(0, 4, 1000), request(100, 4, 1000)])], ms(0));
    let first = ask(&mut s, 0);
    s.answered(&first, &Outcome::Failed(WireFault::Timeout), Duration::from_millis(20), ms(500));
    let second = ask(&mut s, 500);
    assert_eq!(
        (second.start, second.count, second.purpose),
        (100, 3, Purpose::Poll(1)),
        "it brings three of the four"
    );
    s.answered(&second, &Outcome::Failed(WireFault::Timeout), Duration::from_millis(20), ms(1000));
    let third = ask(&mut s, 1000);
    assert_eq!(third.count, 2);
    let report = s.answered(&third, &Outcome::Answered(vec![0; 2]), Duration::from_millis(20), ms(1010));
    let Report::Values(part) = report else { panic!("{report:?}") };
    assert_eq!((part.start, part.count, part.points.len()), (third.start, 2, 2));
    let whole = ask(&mut s, 1010);
    assert_eq!((whole.purpose, whole.count), (Purpose::Poll(0), 4));
}

#[test]
fn a_few_registers_more_bring_the_value_of_a_single_one() {
    let mut s = Schedule::new(vec![unit(1, vec![request(7, 1, 1000)])], ms(0));
    let first = ask(&mut s, 0);
    s.answered(&first, &Outcome::Failed(WireFault::Timeout), Duration::from_millis(500), ms(500));
    let more = ask(&mut s, 1000);
    assert_eq!((more.area, more.start, more.count), (Area::Holding, 7, 2));
    let report = s.answered(&more, &Outcome::Answered(vec![5, 6]), Duration::from_millis(20), ms(1020));
    assert!(matches!(report, Report::Values(part) if part.points.len() == 1));
    // If the device refuses the longer read, it is not sent again, and the refusal does not belong to the planned
    // request.
    let poll = ask(&mut s, 2000);
    assert_eq!(poll.count, 1);
    s.answered(&poll, &Outcome::Failed(WireFault::Timeout), Duration::from_millis(500), ms(2500));
    let more = ask(&mut s, 3000);
    let report = s.answered(&more, &Outcome::Exception(2), Duration::from_millis(20), ms(3020));
    assert_eq!((report, s.troubles(0).0), (Report::Nothing, (1, 1)), "the timeout's trouble, and no refusal");
    let other = ask(&mut s, 3020);
    assert_eq!((other.area, other.purpose), (Area::Input, Purpose::Resync(0)));
    s.answered(&other, &Outcome::Exception(2), Duration::from_millis(20), ms(3040));
    let poll = ask(&mut s, 3040);
    s.answered(&poll, &Outcome::Failed(WireFault::Timeout), Duration::from_millis(500), ms(3540));
    assert_eq!(ask(&mut s, 4000).area, Area::Input, "not beyond its end");
}

#[test]
fn a_single_register_is_told_apart_by_other_functions_and_counts() {
    // Unit 1 is silent all the time, and its answers may arrive up to five seconds late.
    let mut s =
        Schedule::new(vec![unit(1, vec![request(0, 1, 100)]), unit(2, vec![request(0, 1, 100)])], ms(0));
    let asked = worked(&mut s, (0, 60_000), |a, _| if a.unit == 1 { silent(a) } else { (1, answered(a)) });
    let mut last: BTreeMap<(Area, u16), u64> = BTreeMap::new();
    for (at, a, _) in asked.iter().filter(|(_, a, _)| a.unit == 1) {
        let given_up = at + u64::try_from(a.timeout.as_millis()).unwrap();
        if let Some(before) = last.insert((a.area, a.count), given_up) {
            assert!(at - before >= 5000, "{a:?} was asked again {} ms after it was given up", at - before);
        }
    }
    let shapes: Vec<_> =
        asked.iter().filter(|(_, a, _)| a.unit == 1).map(|(_, a, _)| (a.area, a.count)).collect();
    // A few registers more, which also bring the value; then another function.
    let first: Vec<_> = (1..=5).map(|count| (Area::Holding, count)).chain([(Area::Input, 1)]).collect();
    assert_eq!(shapes[..6], first);
    // The silent unit is asked all the time, and the other unit goes on.
    for id in [1, 2] {
        let times: Vec<u64> = asked.iter().filter(|(_, a, _)| a.unit == id).map(|(at, ..)| *at).collect();
        let longest = times.windows(2).map(|w| w[1] - w[0]).max().unwrap();
        assert!(longest <= if id == 1 { 11_000 } else { 700 }, "unit {id}: {longest}");
    }
}

#[test]
fn where_nothing_can_be_told_apart_a_unit_waits_and_the_others_go_on() {
    let many: Vec<PlannedRequest> = vec![request(65_535, 1, 100)];
    let mut s = Schedule::new(vec![unit(1, many), unit(2, vec![request(0, 1, 100)])], ms(0));
    // At the last register no further register can be read: four shapes remain.
    let asked = worked(&mut s, (0, 5400), |a, _| if a.unit == 1 { silent(a) } else { (1, answered(a)) });
    assert!(asked.iter().filter(|(_, a, _)| a.unit == 1).count() <= 4);
    let last = asked.iter().rfind(|(_, a, _)| a.unit == 2).unwrap().0;
    assert!(last > 5000, "{last}");
}

#[test]
fn an_exception_proves_nothing_while_its_function_is_outstanding() {
    let mut s = Schedule::new(vec![unit(1, vec![request(0, 2, 1000)])], ms(0));
    let first = ask(&mut s, 0);
    s.answered(&first, &Outcome::Failed(WireFault::Timeout), Duration::from_millis(500), ms(500));
    let second = ask(&mut s, 1000);
    assert_eq!((second.area, second.count, second.purpose), (Area::Holding, 1, Purpose::Poll(0)));
    s.answered(&second, &Outcome::Exception(4), Duration::from_millis(10), ms(1010));
    // The exception may answer the first request. The next request uses another function, and any answer to that is a
    // proof.
    let third = ask(&mut s, 1010);
    assert_eq!((third.area, third.purpose), (Area::Input, Purpose::Resync(0)));
    s.answered(&third, &Outcome::Exception(1), Duration::from_millis(10), ms(1020));
    assert_eq!(ask(&mut s, 1020).purpose, Purpose::Poll(0));
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
    let judged = |start| PlannedRequest { is_used_by_fault: true, ..request(start, 1, 100) };
    let plain = |start| request(start, 1, 100);
    let units = (1..=4).map(|id| unit(id, vec![judged(0), plain(100)])).collect();
    let mut s = Schedule::new(units, ms(0));
    let mut counts = [0_u32; 2];
    // Eight requests of 20 ms are due every 100 ms: the line has time for five of them.
    for turn in 0..1000 {
        let now = 10 + turn * 20;
        let a = ask(&mut s, now);
        counts[usize::from(a.start == 100)] += 1;
        s.answered(&a, &Outcome::Answered(vec![0]), Duration::from_millis(20), ms(now + 20));
    }
    assert!(counts[0] >= 700, "{counts:?}: of 800 turns of what is judged hardly any is lost");
    assert!(counts[1] >= 150, "{counts:?}: the others are late, not forgotten");
    assert!((0..4).all(|u| s.missed(u) > 0), "the skipped reads are counted");
}
