//! Faults that people report.

use super::*;
use crate::ticket::{TicketOrigin, TicketReport};

fn report(w: &mut World, equipment: &str, text: &str) -> Result<Reply, Rule> {
    let report = TicketReport { equipment: equipment.to_owned(), text: text.to_owned() };
    w.handle(asked(Token(3), TicketAsk::Report(report)));
    w.write();
    w.replies.pop().unwrap().map_err(|r| r.rule)
}

#[test]
fn a_report_and_a_fault_of_the_same_name_have_nothing_to_do_with_each_other() {
    // The second ticket is that of fault `report-1`, which has the name that the first ticket's fault got.
    let fault = "[faults.report-1]\nseverity = 'critical'\nwhen = 'x > 5'\nmeans = 'too much'";
    let mut w = World::of(site("x = { register = 'holding:0', type = 'u16' }", fault));
    report(&mut w, "e", "squeals at start").unwrap();
    assert_eq!(w.ticket().origin, TicketOrigin::Report);
    w.x(100, 9);
    let desk = w.snapshot();
    let live: Vec<_> =
        desk.state.tickets.live.values().map(|t| (t.number.0, t.origin, t.occurrences)).collect();
    assert_eq!(live, [(1, TicketOrigin::Report, 1), (2, TicketOrigin::Fault, 1)]);
    // To acknowledge the report acknowledges no alarm.
    w.done(TicketVerb::Acknowledge).unwrap();
    assert_eq!(w.kinds().iter().filter(|k| *k == "alarm-acknowledged").count(), 0);
    assert_eq!(w.log_of(1), ["reported: squeals at start", "acknowledged"]);
}

#[test]
fn a_report_is_answered_once_it_is_on_record_and_names_equipment_that_is_there() {
    let mut w = World::new();
    assert_eq!(report(&mut w, "nobody", "squeals").err(), Some(Rule::NoSuchEquipment));
    w.is_full = true;
    assert_eq!(report(&mut w, "e", "squeals").err(), Some(Rule::JournalNotWritable));
    assert!(w.snapshot().state.tickets.live.is_empty());
    w.is_full = false;
    w.at(100_000);
    assert!(matches!(report(&mut w, "e", "squeals"), Ok(Reply::Ticket(t, _)) if t.summary == "squeals"));
}
