//! Tests of suppressed, counted and grouped alarms: shelving, service, dependency, chattering, floods, restarts.

use super::*;
use crate::alarm::{AlarmState, AlarmVerb};
use crate::baseline::BaselineVerb;
use crate::service::ServiceVerb;
use crate::site::testing::dependent;

const PLAIN: &str = "[faults.a]\nseverity = 'critical'\nwhen = 'x > 5'\nmeans = 'too much'";

fn operation(w: &mut World, verb: impl Into<Verb>) -> Result<(), Rule> {
    w.handle(asked(Token(9), verb));
    w.write();
    w.replies.pop().unwrap().map(|_| ()).map_err(|r| r.rule)
}

fn why() -> String {
    "work on it".to_owned()
}

fn shelve(until_ms: u64, on: &str) -> AlarmVerb {
    let (equipment, fault, until) = (on.to_owned(), "a".to_owned(), now(until_ms).wall);
    AlarmVerb::Shelve { equipment, fault, until, reason: why() }
}

fn unshelve(fault: &str, on: &str) -> AlarmVerb {
    AlarmVerb::Unshelve { equipment: on.to_owned(), fault: fault.to_owned(), reason: why() }
}

fn take_out(on: &str) -> ServiceVerb {
    ServiceVerb::TakeOut { equipment: on.to_owned(), reason: why() }
}

fn put_back(on: &str) -> ServiceVerb {
    ServiceVerb::Return { equipment: on.to_owned(), reason: why() }
}

/// Returns the kinds of the events since the last call, without those of a start.
fn news(w: &mut World) -> String {
    let kinds = w.kinds().join(" ");
    w.record.clear();
    kinds.replace("gateway-started configuration-loaded", "").replace("gateway-started", "").trim().to_owned()
}

fn f_reads(w: &mut World, ms: u64, x: i128) {
    w.ms = ms;
    let readings = vec![(PointIndex(0), Reading { value: Ok(Value::Integer(x)), at: now(ms) })];
    w.handle(Input::Readings { equipment: EquipmentIndex(1), readings, presence: Presence::Answered });
    w.write();
}

fn state_of(w: &World, equipment: &str) -> Option<AlarmState> {
    let desk = w.snapshot();
    let standing =
        desk.state.alarms.standing.keys().find(|(e, f)| e.as_str() == equipment && f.as_str() == "a");
    let suppressed = || desk.suppressed.iter().map(|s| &s.key).find(|(e, _)| e.as_str() == equipment);
    let key = standing.or_else(suppressed)?;
    let own = desk.state.alarms.standing.get(key).map(|a| a.state);
    desk.suppression(key).map(|h| h.state).or(own)
}

#[test]
fn what_is_shelved_makes_no_alarm_and_is_raised_at_the_end_if_it_is_there() {
    let mut w = World::of(site(POINTS, PLAIN));
    news(&mut w);
    assert_eq!(operation(&mut w, shelve(5000, "e")), Ok(()));
    assert_eq!(news(&mut w), "alarm-shelved");
    w.x(1000, 9).x(2000, 1).x(3000, 9);
    assert_eq!(news(&mut w), "", "it comes, goes and comes");
    assert_eq!(state_of(&w, "e"), Some(AlarmState::Shelved));
    assert!(w.desk.poll_timeout().unwrap().0 <= now(5000).mono);
    w.at(5000);
    assert_eq!(news(&mut w), "alarm-unshelved alarm-raised ticket-opened");
    assert_eq!(w.desk.recorded().alarms.standing.values().next().unwrap().onset, now(3000).wall);
}

#[test]
fn a_standing_alarm_is_shelved_and_its_going_is_told() {
    let mut w = World::of(site(POINTS, PLAIN));
    w.x(1000, 9);
    assert_eq!(operation(&mut w, shelve(9000, "e")), Ok(()));
    news(&mut w);
    w.x(2000, 1);
    assert_eq!(news(&mut w), "alarm-cleared ticket-returned");
    w.x(3000, 9);
    assert_eq!(news(&mut w), "");
    assert_eq!(operation(&mut w, unshelve("a", "e")), Ok(()));
    assert_eq!(news(&mut w), "alarm-unshelved alarm-raised ticket-recurred");
}

#[test]
fn shelving_has_an_end_within_a_week_and_refusals_name_their_rule() {
    let mut w = World::of(site(POINTS, PLAIN));
    w.at(1000);
    let week = 7 * 86_400_000 + 1000;
    assert_eq!(operation(&mut w, shelve(1000, "e")), Err(Rule::BadShelf));
    assert_eq!(operation(&mut w, shelve(week + 1, "e")), Err(Rule::BadShelf));
    assert_eq!(operation(&mut w, shelve(week, "e")), Ok(()));
    assert_eq!(operation(&mut w, unshelve("a", "f")), Err(Rule::NotShelved));
    assert_eq!(operation(&mut w, unshelve("a", "g")), Err(Rule::NoSuchEquipment));
    assert_eq!(operation(&mut w, unshelve("b", "e")), Err(Rule::NoSuchPointOrFault));
    assert_eq!(operation(&mut w, put_back("e")), Err(Rule::WrongService));
    assert_eq!(operation(&mut w, take_out("e")), Ok(()));
    assert_eq!(operation(&mut w, take_out("e")), Err(Rule::WrongService));
    assert_eq!(
        operation(
            &mut w,
            BaselineVerb::Relearn { equipment: "e".to_owned(), fault: "a".to_owned(), reason: why() }
        ),
        Err(Rule::NoSuchPointOrFault)
    );
}

#[test]
fn what_is_out_of_service_is_raised_when_it_returns() {
    let mut w = World::of(site(POINTS, PLAIN));
    assert_eq!(operation(&mut w, take_out("e")), Ok(()));
    news(&mut w);
    w.x(1000, 9).at(20_000);
    assert_eq!(state_of(&w, "e"), Some(AlarmState::OutOfService));
    // f never responded. e does not respond either; it raises no alarm and opens no ticket.
    assert_eq!(news(&mut w), "alarm-raised ticket-opened");
    w.x(21_000, 9);
    assert_eq!(operation(&mut w, put_back("e")), Ok(()));
    assert_eq!(news(&mut w), "equipment-returned-to-service alarm-raised ticket-opened");
}

#[test]
fn what_depends_on_what_is_down_is_a_consequence_and_rings_if_it_outlives_it() {
    let mut w = World::of(dependent(POINTS, PLAIN));
    w.x(1000, 9);
    assert!(w.desk.recorded().alarms.standing.keys().any(|(e, _)| e.as_str() == "e"));
    news(&mut w);
    f_reads(&mut w, 2000, 9);
    assert_eq!(news(&mut w), "ticket-noted", "on the ticket of what is down");
    let note = w.log_of(1).last().unwrap().to_string();
    assert!(note.starts_with("note: consequence: a of f, since"), "{note}");
    assert_eq!(state_of(&w, "f"), Some(AlarmState::SuppressedByDesign));
    f_reads(&mut w, 3000, 1);
    f_reads(&mut w, 4000, 9);
    assert_eq!(news(&mut w), "", "the first time is told");
    w.x(5000, 1);
    assert_eq!(news(&mut w), "alarm-cleared ticket-returned");
    for ms in (6000..35_000).step_by(1000) {
        w.x(ms, 1);
        f_reads(&mut w, ms, 9);
    }
    assert_eq!(news(&mut w), "", "it is given a while to come back itself");
    w.at(35_000);
    assert_eq!(news(&mut w), "alarm-raised ticket-opened");
}

#[test]
fn what_comes_back_with_what_it_depends_on_never_rings() {
    let mut w = World::of(dependent(POINTS, PLAIN));
    w.x(1000, 9);
    f_reads(&mut w, 2000, 9);
    w.x(5000, 1);
    f_reads(&mut w, 7000, 1);
    news(&mut w);
    for ms in (8000..60_000).step_by(1000) {
        w.x(ms, 1);
        f_reads(&mut w, ms, 1);
    }
    assert_eq!(news(&mut w), "");
}

#[test]
fn a_relay_that_flutters_all_night_costs_a_few_lines() {
    let mut w = World::of(site(POINTS, PLAIN));
    news(&mut w);
    let night = 8 * 3_600_000;
    for ms in (1000..night).step_by(1000) {
        w.x(ms, if ms / 1000 % 2 == 0 { 9 } else { 1 });
    }
    let e = |r: &&Record| kind(&r.event).starts_with("alarm") && r.at > now(20_000).wall;
    let lines: Vec<String> = w.record.iter().filter(e).map(|r| r.to_line("").unwrap()).collect();
    assert_eq!(lines.len(), 7, "{lines:#?}");
    assert!(lines[0].contains("off_delay"), "{}", lines[0]);
    assert!(w.log_of(1).iter().any(|l| l.contains("chattered: raised 1799 times")), "{:?}", w.log_of(1));
    let bytes: usize = w.record.iter().map(|r| r.to_line("").unwrap().len()).sum();
    assert!(bytes < 16_000, "{bytes} bytes of journal");
    w.record.clear();
    w.x(night, 1).at(night + 10_000);
    w.at(night + 60_000);
    let last = news(&mut w);
    assert!(last.ends_with("alarm-damped alarm-cleared ticket-returned"), "{last}");
    w.x(night + 3_700_000, 9);
    assert!(news(&mut w).contains("alarm-raised"), "it is told again");
}

#[test]
fn the_first_of_a_burst_is_on_record_with_those_that_follow() {
    let mut w = World::of(site(POINTS, PLAIN));
    w.x(1000, 9);
    f_reads(&mut w, 3000, 9);
    let alarms = &w.desk.recorded().alarms;
    let first_up =
        |e: &str| alarms.standing.values().find(|a| a.equipment.as_str() == e).unwrap().first_up.clone();
    assert_eq!(first_up("e"), None);
    assert_eq!(first_up("f").unwrap().equipment.as_str(), "e");
    let of_f = w.desk.recorded().tickets.live.values().find(|t| t.equipment.as_str() == "f").unwrap();
    assert_eq!(w.log_of(of_f.number.0)[0], "opened: a, after e a");
}

#[test]
fn shelves_and_service_outlive_a_restart_and_what_was_held_back_comes_anew() {
    let mut w = World::of(site(POINTS, PLAIN));
    assert_eq!(operation(&mut w, shelve(60_000, "e")), Ok(()));
    w.x(1000, 9);
    let mut again = World::of(site(POINTS, PLAIN));
    let mut desk = Desk::new(site(POINTS, PLAIN), w.desk.recorded().clone(), now(2000));
    desk.start(now(2000), "1", &[]);
    again.desk = desk;
    again.ms = 2000;
    again.drain();
    again.write();
    news(&mut again);
    again.x(3000, 9);
    assert_eq!(news(&mut again), "");
    assert_eq!(state_of(&again, "e"), Some(AlarmState::Shelved));
    for ms in (4000..60_000).step_by(1000) {
        again.x(ms, 9);
    }
    assert!(!news(&mut again).contains("alarm-unshelved"));
    again.x(60_000, 9);
    assert!(news(&mut again).starts_with("alarm-unshelved alarm-raised"));
}

#[test]
fn a_delay_begins_again_after_a_restart() {
    let delayed = format!("{PLAIN}\non_delay = '10s'");
    let mut w = World::of(site(POINTS, &delayed));
    w.x(1000, 9).x(5000, 9);
    let state = w.desk.recorded().clone();
    w.desk = Desk::new(site(POINTS, &delayed), state, now(6000));
    w.desk.start(now(6000), "1", &[]);
    w.drain();
    w.write();
    w.record.clear();
    w.x(7000, 9).at(16_999);
    assert!(!w.desk.recorded().alarms.standing.keys().any(|(e, f)| e.as_str() == "e" && f.as_str() == "a"));
    w.x(17_000, 9);
    assert!(w.desk.recorded().alarms.standing.keys().any(|(e, f)| e.as_str() == "e" && f.as_str() == "a"));
}
