//! Tests of a link without connection: one fault of the link, and suppressed alarms behind the link.

use super::*;
use crate::alarm::AlarmState;
use crate::alarm::AlarmVerb;
use crate::site::testing::{dependent, listened, site};
use crate::words::LinkName;

const DELAYED: &str = "[faults.a]\nseverity = 'major'\nwhen = 'x > 5'\non_delay = '7s'\nmeans = 'too much'";
const WHY: &str = "cannot connect to 127.0.0.1:1: connection refused";

fn link(w: &mut World, ms: u64, away: Option<&str>) {
    w.ms = ms;
    w.handle(Input::Link { link: LinkName::parse("l").unwrap(), away: away.map(str::to_owned) });
    w.write();
}

fn reads(w: &mut World, equipment: usize, ms: u64, x: i128) {
    w.ms = ms;
    let readings = vec![(PointIndex(0), Reading { value: Ok(Value::Integer(x)), at: now(ms) })];
    w.handle(Input::Readings {
        equipment: EquipmentIndex(equipment),
        readings,
        presence: Presence::Answered,
    });
    w.write();
}

/// Returns the kinds of the events since the last call.
fn news(w: &mut World) -> String {
    let kinds = w.kinds().join(" ");
    w.record.clear();
    kinds
}

fn alarms(w: &World) -> Vec<String> {
    w.desk
        .recorded()
        .alarms
        .standing
        .values()
        .map(|a| format!("{} {} {}", a.equipment, a.fault, a.state.word()))
        .collect()
}

#[test]
fn a_link_that_is_away_is_one_ticket_and_what_outlives_its_return_rings_by_itself() {
    let mut w = World::of(site(POINTS, DELAYED));
    news(&mut w);
    link(&mut w, 0, Some(WHY));
    w.at(9_999);
    assert_eq!(news(&mut w), "");
    assert_eq!(w.desk.poll_timeout().unwrap().0, now(10_000).mono);
    w.at(10_000);
    // Communication with both pieces of equipment is lost at the same time: two consequences, noted on the ticket.
    assert_eq!(news(&mut w), "alarm-raised ticket-opened ticket-noted ticket-noted");
    let ticket = w.desk.recorded().tickets.live.values().next().unwrap().clone();
    assert_eq!((ticket.equipment.as_str(), ticket.fault.as_str()), ("l", "link-away"));
    assert_eq!(ticket.summary, format!("Link l has no connection: {WHY}. Equipment on this link: e, f."));
    let desk = w.snapshot();
    let states: Vec<_> = desk.suppressed.iter().map(|s| desk.suppression(&s.key).unwrap().state).collect();
    assert_eq!(states, [AlarmState::SuppressedByDesign; 2]);
    let own = (ticket.equipment.clone(), ticket.fault.clone());
    assert_eq!(desk.suppression(&own), None, "the link's own alarm is no consequence");
    link(&mut w, 20_000, Some("the network is unreachable"));
    w.at(50_000);
    assert_eq!(news(&mut w), "", "the alarm is recorded once");
    link(&mut w, 60_000, None);
    assert_eq!(news(&mut w), "alarm-cleared ticket-returned");
    for ms in [61_000, 70_000, 79_000, 88_000] {
        reads(&mut w, 0, ms, 1);
    }
    w.at(89_999);
    assert_eq!(news(&mut w), "");
    w.at(90_000);
    assert_eq!(news(&mut w), "alarm-raised ticket-opened");
    assert_eq!(alarms(&w), ["f communication-lost unacknowledged"]);
    reads(&mut w, 0, 95_000, 1);
    // The connection is lost again: the occurrence counts on the same ticket.
    link(&mut w, 100_000, Some(WHY));
    w.at(110_000);
    assert!(news(&mut w).starts_with("alarm-raised ticket-recurred"));
}

#[test]
fn a_short_outage_is_nothing_and_a_delay_runs_on_through_it() {
    let mut w = World::of(site(POINTS, DELAYED));
    reads(&mut w, 0, 1000, 9);
    reads(&mut w, 1, 1000, 1);
    news(&mut w);
    link(&mut w, 3000, Some(WHY));
    w.at(7_999);
    assert_eq!(news(&mut w), "");
    // The delay ends while the link has no connection: the last value counts.
    w.at(8000);
    assert_eq!(news(&mut w), "alarm-raised ticket-opened");
    link(&mut w, 9000, None);
    reads(&mut w, 1, 9100, 1);
    reads(&mut w, 0, 9100, 9);
    w.at(18_000);
    assert_eq!(news(&mut w), "");
    assert_eq!(alarms(&w), ["e a unacknowledged"]);
}

#[test]
fn a_restart_keeps_the_alarm_of_a_link_until_the_link_opens() {
    let mut w = World::of(site(POINTS, DELAYED));
    link(&mut w, 0, Some(WHY));
    w.at(10_000);
    let state = w.desk.recorded().clone();
    let mut again = World::of(site(POINTS, DELAYED));
    again.desk = Desk::new(site(POINTS, DELAYED), state, now(20_000));
    again.ms = 20_000;
    again.desk.start(now(20_000), "1", &[]);
    again.drain();
    again.write();
    news(&mut again);
    again.at(31_000);
    assert_eq!(alarms(&again), ["l link-away unacknowledged"], "and what is behind it is held back");
    link(&mut again, 32_000, None);
    assert_eq!(alarms(&again), Vec::<String>::new());
}

#[test]
fn what_depends_on_equipment_behind_an_away_link_is_its_consequence() {
    let mut w = World::of(dependent(POINTS, DELAYED));
    link(&mut w, 0, Some(WHY));
    w.at(10_000);
    news(&mut w);
    // `f` depends on `e`, and both are behind the link: neither raises an alarm.
    reads(&mut w, 1, 11_000, 9);
    w.at(20_000);
    assert!(alarms(&w).iter().all(|a| a.starts_with("l ")), "{:?}", alarms(&w));
}

#[test]
fn a_check_of_points_that_report_by_themselves_ends_with_what_they_said_last() {
    let step = || TicketVerb::Step { step: StepId::parse("one").unwrap(), answer: None, note: None };
    let mut w = World::of(listened("x = { topic = '{id}/x', type = 'f64' }", FAULT));
    w.x(1000, 6);
    w.done(TicketVerb::Start).unwrap();
    w.x(2000, 1);
    w.ask(step());
    w.at(4900);
    assert!(w.replies.is_empty(), "it may still report");
    // Three seconds after the request, and the two seconds of the check.
    w.at(5000).at(7000);
    assert!(ticket(w.replies.pop()).walked);
}

#[test]
fn the_alarm_of_a_link_can_be_shelved() {
    let mut w = World::of(site(POINTS, DELAYED));
    let shelve = |fault: &str| {
        let (equipment, fault, until) = ("l".to_owned(), fault.to_owned(), now(30_000).wall);
        let reason = "the switch is replaced".to_owned();
        asked(Token(1), AlarmVerb::Shelve { equipment, fault, until, reason })
    };
    w.handle(shelve("a"));
    assert_eq!(w.replies.pop().unwrap().unwrap_err().rule, Rule::NoSuchPointOrFault);
    w.handle(shelve("link-away"));
    w.write();
    assert!(w.replies.pop().unwrap().is_ok());
    link(&mut w, 0, Some(WHY));
    w.at(29_999);
    assert_eq!(alarms(&w), Vec::<String>::new());
    // The link has no connection when the shelving ends.
    w.at(30_000);
    assert!(alarms(&w).contains(&"l link-away unacknowledged".to_owned()), "{:?}", alarms(&w));
}
