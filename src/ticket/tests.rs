//! Tests of the lifecycle: random sequences of verbs, compared with the table in the design.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::site::testing::site;
use crate::words::{
    Author, EquipmentId, FaultName, Mono, Now, Rule, Seq, Severity, StepId, TicketNumber, Wall,
};
use TicketState as S;

fn ticket() -> Ticket {
    let opening = TicketOpening {
        number: TicketNumber(1),
        equipment: EquipmentId::parse("e").unwrap(),
        fault: FaultName::parse("a").unwrap(),
        origin: TicketOrigin::Fault,
        severity: Severity::Major,
        summary: "s".to_owned(),
        code: None,
        onset: Wall::from_millis(0),
        values: BTreeMap::new(),
        profile: "p".to_owned(),
        profile_sha256: String::new(),
        firmware: None,
        firmware_notes: Vec::new(),
        first_up: None,
    };
    opened(Seq(1), Wall::from_millis(0), &Author::Gateway, &opening).0
}

const FAULT: &str = "[faults.a]\nseverity = 'major'\nwhen = 'x > 5'\nsteps = [\n\
    { id = 'one', do = 'Look', yes = 'two', no = 'cause:Cable' },\n\
    { id = 'two', do = 'Look again', yes = 'done', no = 'cause:Motor' } ]";

fn now() -> Now {
    Now { mono: Mono(0), wall: Wall::from_millis(1_000) }
}

/// Decides a verb and applies its events.
fn run(t: &mut Ticket, command: &TicketVerb) -> Result<(), Rule> {
    let s = site("x = { register = 'holding:0', type = 'u16' }", FAULT);
    let fault = s.equipment[0].profile.fault("a");
    let by = Author::unproven("eva");
    for event in decide(t, fault, command, now()).map_err(|r| r.rule)? {
        apply(t, Seq(2), now().wall, &by, &event);
    }
    Ok(())
}

fn commands() -> Vec<TicketVerb> {
    let step = |id: &str, answer| TicketVerb::Step {
        step: StepId::parse(id).unwrap(),
        answer: Some(answer),
        note: None,
    };
    let fix = |while_active: Option<&str>| TicketVerb::Fix {
        cause: "c".to_owned(),
        action: "a".to_owned(),
        parts: Vec::new(),
        minutes: None,
        while_active: while_active.map(str::to_owned),
    };
    vec![
        TicketVerb::Acknowledge,
        TicketVerb::Assign { person: "max".to_owned() },
        TicketVerb::Start,
        TicketVerb::Hold { reason: "parts".to_owned() },
        TicketVerb::Note { text: "n".to_owned() },
        step("one", Answer::Yes),
        step("two", Answer::No),
        fix(None),
        fix(Some("no spare")),
        TicketVerb::Close { note: None },
        TicketVerb::Reopen { reason: "r".to_owned() },
        TicketVerb::Cancel { reason: CancelReason::Nuisance, note: None },
    ]
}

/// The transitions of the lifecycle in the design. A start from `Open` also acknowledges.
const EDGES: [(S, S); 15] = [
    (S::Open, S::Acknowledged),
    (S::Open, S::InProgress),
    (S::Acknowledged, S::InProgress),
    (S::InProgress, S::OnHold),
    (S::OnHold, S::InProgress),
    (S::InProgress, S::Fixed),
    (S::Fixed, S::Closed),
    (S::Fixed, S::Reopened),
    (S::Closed, S::Reopened),
    (S::Reopened, S::InProgress),
    (S::Open, S::Cancelled),
    (S::Acknowledged, S::Cancelled),
    (S::InProgress, S::Cancelled),
    (S::OnHold, S::Cancelled),
    (S::Reopened, S::Cancelled),
];

#[test]
fn every_edge_of_the_lifecycle_is_reached_by_a_command() {
    let mut reached = BTreeSet::new();
    let mut seen = Vec::new();
    let mut waiting = vec![ticket()];
    while let Some(t) = waiting.pop() {
        if seen.contains(&(t.state, t.condition)) {
            continue;
        }
        seen.push((t.state, t.condition));
        let mut gone = t.clone();
        apply(&mut gone, Seq(2), now().wall, &Author::Gateway, &TicketEvent::Returned { number: t.number });
        waiting.push(gone);
        for command in commands() {
            let mut next = t.clone();
            if run(&mut next, &command).is_ok() && next.state != t.state {
                reached.insert((t.state, next.state));
                waiting.push(next);
            }
        }
    }
    assert_eq!(reached, EDGES.into_iter().collect());
}

proptest! {
    #[test]
    fn no_sequence_leaves_the_lifecycle(picks in proptest::collection::vec((0usize..12, proptest::bool::ANY), 0..60)) {
        let all = commands();
        let mut t = ticket();
        for (pick, returned) in picks {
            if returned {
                let gone = TicketEvent::Returned { number: t.number };
                apply(&mut t, Seq(2), now().wall, &Author::Gateway, &gone);
            }
            let before = t.clone();
            let done = run(&mut t, &all[pick]);
            if done.is_err() {
                prop_assert_eq!(&t, &before, "a refusal changes nothing");
            } else if before.state != t.state {
                prop_assert!(EDGES.contains(&(before.state, t.state)), "{:?} -> {:?}", before.state, t.state);
            }
            if t.state == S::Closed && before.state == S::Fixed {
                prop_assert_eq!(t.condition, Condition::Returned);
                prop_assert!(t.watch_until.is_some());
            }
            if t.state == S::OnHold {
                prop_assert!(t.hold_reason.is_some());
            }
            if t.state == S::Cancelled {
                prop_assert!(!t.is_held_by_desk());
            }
        }
    }
}

#[track_caller]
fn refused(state: S, condition: Condition, command: &TicketVerb, rule: Rule) {
    let mut t = Ticket { state, condition, ..ticket() };
    assert_eq!(run(&mut t, command), Err(rule));
}

#[test]
fn refusals_name_their_rule() {
    let all = commands();
    let (active, gone) = (Condition::Active, Condition::Returned);
    refused(S::InProgress, active, &all[7], Rule::FixWhileActive);
    refused(S::Fixed, active, &TicketVerb::Close { note: None }, Rule::CloseWhileActive);
    refused(S::Open, gone, &all[7], Rule::WrongState);
    refused(S::Closed, gone, &TicketVerb::Acknowledge, Rule::WrongState);
    refused(S::InProgress, gone, &all[6], Rule::StepOutOfOrder);
    refused(S::InProgress, gone, &TicketVerb::Hold { reason: " ".to_owned() }, Rule::BadText);
    let own = TicketVerb::Cancel { reason: CancelReason::DuplicateOf(TicketNumber(1)), note: None };
    refused(S::Open, gone, &own, Rule::BadDuplicate);
    let step = |id: &str| TicketVerb::Step { step: StepId::parse(id).unwrap(), answer: None, note: None };
    refused(S::InProgress, gone, &step("nine"), Rule::NoSuchStep);
    refused(S::InProgress, gone, &step("one"), Rule::StepNeedsAnswer);
    let mut full = Ticket { state: S::InProgress, ..ticket() };
    full.entries = crate::limits::TICKET_ENTRIES_MAX;
    assert_eq!(run(&mut full, &TicketVerb::Note { text: "n".to_owned() }), Err(Rule::RecordFull));
}

#[test]
fn the_walk_leads_to_a_cause() {
    let all = commands();
    let mut t = Ticket { state: S::InProgress, ..ticket() };
    run(&mut t, &all[5]).unwrap();
    run(&mut t, &all[6]).unwrap();
    assert_eq!((t.finding.as_deref(), t.walked), (Some("Motor"), true));
    assert_eq!(run(&mut t, &all[5]), Err(Rule::StepOutOfOrder));
}

#[test]
fn repeats_by_the_machine_are_counted_and_do_not_fill_the_record() {
    let mut t = ticket();
    for i in 0..1000 {
        let event = TicketEvent::Recurred { number: t.number, onset: now().wall, values: BTreeMap::new() };
        apply(&mut t, Seq(i), now().wall, &Author::Gateway, &event);
    }
    assert_eq!(t.occurrences, 1001);
    assert_eq!((t.own_entries, t.entries), (1001, 0));
    t.state = S::InProgress;
    assert_eq!(run(&mut t, &TicketVerb::Note { text: "n".to_owned() }), Ok(()));
}

fn reported() -> Ticket {
    let s = site("x = { register = 'holding:0', type = 'u16' }", FAULT);
    let asked = TicketReport { equipment: "e".to_owned(), text: "squeals".to_owned() };
    let mut tickets = Tickets::default();
    tickets.last = 6;
    let event = report(&tickets, &asked, &s.equipment[0], now()).unwrap();
    let TicketEvent::Opened(opening) = event else { panic!("{event:?}") };
    opened(Seq(1), now().wall, &Author::unproven("max"), &opening).0
}

#[test]
fn a_report_is_worked_to_its_close_without_a_condition() {
    let mut t = reported();
    assert_eq!((t.number, t.origin, t.severity), (TicketNumber(7), TicketOrigin::Report, Severity::Minor));
    assert_eq!((t.summary.as_str(), t.fault.as_str(), t.severity_set), ("squeals", "report-7", false));
    run(&mut t, &TicketVerb::Severity { severity: Severity::Critical }).unwrap();
    let again = TicketVerb::ReportAgain { equipment: "e".to_owned(), text: "smokes".to_owned() };
    run(&mut t, &again).unwrap();
    assert_eq!((t.severity, t.severity_set, t.occurrences), (Severity::Critical, true, 2));
    run(&mut t, &TicketVerb::Start).unwrap();
    let (cause, action) = ("belt".to_owned(), "tightened".to_owned());
    let fix = TicketVerb::Fix { cause, action, parts: Vec::new(), minutes: None, while_active: None };
    run(&mut t, &fix).unwrap();
    run(&mut t, &TicketVerb::Close { note: None }).unwrap();
    assert_eq!(t.state, S::Closed);
    assert_eq!(run(&mut t, &again), Err(Rule::WrongState), "a closed ticket takes no report");
}

#[test]
fn what_a_report_needs_is_said() {
    let s = site("x = { register = 'holding:0', type = 'u16' }", FAULT);
    let rule = |text: &str| {
        let asked = TicketReport { equipment: "e".to_owned(), text: text.to_owned() };
        report(&Tickets::default(), &asked, &s.equipment[0], now()).map_err(|r| r.rule).err()
    };
    assert_eq!(rule(" "), Some(Rule::BadText));
    assert_eq!(rule(&"x".repeat(crate::limits::PROSE_BYTES_MAX + 1)), Some(Rule::BadText));
    assert_eq!(rule(&"x".repeat(crate::limits::PROSE_BYTES_MAX)), None);
    let other = TicketVerb::ReportAgain { equipment: "f".to_owned(), text: "smokes".to_owned() };
    assert_eq!(run(&mut reported(), &other), Err(Rule::OtherEquipment));
    let severity = TicketVerb::Severity { severity: Severity::Critical };
    assert_eq!(run(&mut ticket(), &severity), Err(Rule::SeverityOfFault));
}
