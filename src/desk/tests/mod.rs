//! Tests of the desk without a disk or a clock: when replies leave, and the behaviour on a full disk.

mod alarms;
mod lines;
mod links;
mod plant;
mod record;
mod reports;

use std::sync::Arc;

use super::*;
use crate::gateway::GatewayEvent;
use crate::site::Site;
use crate::site::testing::site;
use crate::ticket::{Condition, Target, Ticket, TicketAsk, TicketChange, TicketState, TicketVerb};
use crate::words::{
    Author, EquipmentIndex, Mono, Now, PointIndex, Presence, Reading, Rule, Seq, StepId, TicketNumber, Value,
    Wall,
};
use crate::writing::{Carried, Order, WriteEvent, WriteVerb};

const POINTS: &str =
    "x = { register = 'holding:0', type = 'u16', stale_after = '1h', writable = { min = 1, max = 9 } }";
const FAULT: &str = "[faults.a]\nseverity = 'major'\nwhen = 'x > 5'\nmeans = 'too much'\nwatch = '1h'\n\
    steps = [{ id = 'one', check = 'x < 3 for 2s', yes = 'done', no = 'cause:Cable' }]";

/// A desk with its journal in memory, and a disk that can be full.
struct World {
    desk: Desk,
    ms: u64,
    unwritten: Vec<Record>,
    record: Vec<Record>,
    /// The state after applying the recorded events a second time, and the lines of the tickets' logs.
    folded: State,
    log: Vec<(TicketNumber, String)>,
    replies: Vec<Result<Reply, crate::words::Refusal>>,
    reads: usize,
    orders: Vec<Order>,
    is_full: bool,
}

impl World {
    fn new() -> Self {
        Self::of(site(POINTS, &format!("{FAULT}\n")))
    }

    fn of(s: Arc<Site>) -> Self {
        let mut desk = Desk::new(s, State::default(), now(0));
        desk.start(now(0), "1", &[]);
        let mut w = World {
            desk,
            ms: 0,
            unwritten: Vec::new(),
            record: Vec::new(),
            folded: State::default(),
            log: Vec::new(),
            replies: Vec::new(),
            reads: 0,
            orders: Vec::new(),
            is_full: false,
        };
        w.drain();
        w.write();
        w
    }

    fn handle(&mut self, input: Input) {
        self.desk.handle(now(self.ms), input);
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(output) = self.desk.poll_output() {
            match output {
                Output::Write(draft) => {
                    assert_eq!(draft.line.with_prev("x"), draft.record.to_line("x").unwrap());
                    self.unwritten.push(Arc::unwrap_or_clone(draft.record));
                }
                Output::Bug(text) => panic!("{text}"),
                Output::Reply(_, reply) => self.replies.push(*reply),
                Output::Read(_) => self.reads += 1,
                Output::Order(order) => self.orders.push(order),
            }
        }
    }

    /// Writes the waiting records, or fails if the disk is full.
    fn write(&mut self) {
        let Some(first) = self.unwritten.first().map(|r| r.seq) else { return };
        let waiting = std::mem::take(&mut self.unwritten);
        if self.is_full {
            self.handle(Input::NotWritten(first, "no space".to_owned()));
            return;
        }
        let last = waiting.last().unwrap().seq;
        for r in &waiting {
            if let Touched::Ticket(t, entry) = self.folded.apply(r, &mut |_| None) {
                self.log.push((t.number, entry.text));
            }
        }
        self.record.extend(waiting);
        self.handle(Input::Written(last));
        self.write();
    }

    fn at(&mut self, ms: u64) -> &mut Self {
        self.ms = ms;
        self.handle(Input::Elapsed);
        self.write();
        self
    }

    fn x(&mut self, ms: u64, x: i128) -> &mut Self {
        self.ms = ms;
        let readings = vec![(PointIndex(0), Reading { value: Ok(Value::Integer(x)), at: now(ms) })];
        self.handle(Input::Readings { equipment: EquipmentIndex(0), readings, presence: Presence::Answered });
        self.write();
        self
    }

    fn ask(&mut self, verb: TicketVerb) {
        self.handle(asked(Token(1), about(Target::Number(TicketNumber(1)), verb)));
    }

    fn done(&mut self, verb: TicketVerb) -> Result<(), Rule> {
        self.ask(verb);
        self.write();
        self.replies.pop().unwrap().map(|_| ()).map_err(|r| r.rule)
    }

    fn snapshot(&self) -> Snapshot {
        self.desk.snapshot(now(self.ms))
    }

    fn kinds(&self) -> Vec<String> {
        self.record.iter().map(|r| kind(&r.event)).collect()
    }

    fn log_of(&self, number: u64) -> Vec<&str> {
        self.log.iter().filter(|(n, _)| n.0 == number).map(|(_, text)| text.as_str()).collect()
    }

    #[track_caller]
    fn ticket(&self) -> &crate::ticket::Ticket {
        &self.desk.recorded().tickets.live[&TicketNumber(1)]
    }
}

/// A request of eva.
fn asked(token: Token, verb: impl Into<Verb>) -> Input {
    Input::Asked(token, Ask { by: Author::unproven("eva"), verb: verb.into() })
}

fn about(target: Target, verb: TicketVerb) -> TicketAsk {
    TicketAsk::Change(TicketChange { target, verb, stored: None, duplicate_exists: false })
}

fn kind(event: &Event) -> String {
    let line = Record { seq: Seq(1), at: Wall::from_millis(0), by: Author::Gateway, event: event.clone() };
    let json: serde_json::Value = serde_json::from_str(&line.to_line("").unwrap()).unwrap();
    json["kind"].as_str().unwrap().to_owned()
}

fn now(ms: u64) -> Now {
    let base = 1_800_000_000_000_i64;
    Now { mono: Mono(ms * 1_000_000), wall: Wall::from_millis(base + i64::try_from(ms).unwrap()) }
}

fn fix() -> TicketVerb {
    TicketVerb::Fix {
        cause: "c".to_owned(),
        action: "a".to_owned(),
        parts: Vec::new(),
        minutes: Some(5),
        while_active: None,
    }
}

#[test]
fn one_live_ticket_a_fault() {
    let mut w = World::new();
    w.x(1000, 6).x(2000, 1).x(3000, 7);
    assert_eq!(
        w.kinds(),
        [
            "gateway-started",
            "configuration-loaded",
            "alarm-raised",
            "ticket-opened",
            "alarm-cleared",
            "ticket-returned",
            "alarm-raised",
            "ticket-recurred"
        ]
    );
    let t = w.ticket();
    assert_eq!((t.occurrences, t.condition, t.state), (2, Condition::Active, TicketState::Open));
    assert_eq!(t.summary, "too much");
}

#[test]
fn nothing_is_told_before_it_is_written() {
    let mut w = World::new();
    w.x(1000, 6);
    w.ask(TicketVerb::Acknowledge);
    assert!(w.replies.is_empty() && !w.unwritten.is_empty());
    w.write();
    assert_eq!(ticket(w.replies.pop()).state, TicketState::Acknowledged);
}

#[test]
fn a_full_disk_undoes_and_catches_up() {
    let mut w = World::new();
    w.x(1000, 6);
    w.is_full = true;
    assert_eq!(w.done(TicketVerb::Acknowledge), Err(Rule::JournalNotWritable));
    assert_eq!(w.ticket().state, TicketState::Open, "undone");
    // The machine change waits and is tried again. Meanwhile commands are refused at once.
    w.x(2000, 1);
    assert_eq!(w.ticket().condition, Condition::Active);
    assert_eq!(w.done(TicketVerb::Acknowledge), Err(Rule::JournalNotWritable));
    assert!(w.desk.not_writable().is_some());
    let retry = w.desk.poll_timeout().unwrap();
    assert_eq!(retry.1, "the journal is tried again");
    w.at(2600).at(3200);
    w.is_full = false;
    w.at(4000);
    assert_eq!(w.ticket().condition, Condition::Returned);
    assert!(w.desk.not_writable().is_none());
    let seqs: Vec<u64> = w.record.iter().map(|r| r.seq.0).collect();
    assert_eq!(seqs, (1..=6).collect::<Vec<_>>(), "no number is left out or used twice");
    assert_eq!(w.done(TicketVerb::Acknowledge), Ok(()));
}

#[test]
fn a_fault_that_comes_back_reopens_and_marks_the_fix() {
    let mut w = World::new();
    w.x(1000, 6);
    w.done(TicketVerb::Start).unwrap();
    assert_eq!(w.done(fix()), Err(Rule::FixWhileActive));
    w.x(2000, 1);
    w.done(fix()).unwrap();
    w.done(TicketVerb::Close { note: None }).unwrap();
    assert_eq!(w.ticket().state, TicketState::Closed);
    w.x(10_000, 6);
    let t = w.ticket();
    assert_eq!((t.state, t.fixes[0].effective), (TicketState::Reopened, Some(false)));
}

#[test]
fn a_fault_that_stays_away_verifies_the_fix() {
    let mut w = World::new();
    w.x(1000, 6);
    w.done(TicketVerb::Start).unwrap();
    w.x(2000, 1);
    w.done(fix()).unwrap();
    w.done(TicketVerb::Close { note: None }).unwrap();
    let hour = 3_600_000;
    let due = w.desk.poll_timeout().unwrap();
    assert!(due.0 <= now(2000 + hour).mono);
    w.at(2000 + hour);
    assert!(!w.desk.recorded().tickets.live.contains_key(&TicketNumber(1)), "the desk lets go of it");
    assert!(w.kinds().contains(&"ticket-fix-verified".to_owned()));
    // The next occurrence opens a new ticket.
    w.x(2000 + hour + 1000, 6);
    let again = w.desk.recorded().tickets.live.values().find(|t| t.fault.as_str() == "a").unwrap();
    assert!(again.number > TicketNumber(1) && again.fixes.is_empty());
}

#[test]
fn a_check_is_answered_by_fresh_readings_held_long_enough() {
    let step = || TicketVerb::Step { step: StepId::parse("one").unwrap(), answer: None, note: None };
    let mut w = World::new();
    w.x(1000, 6);
    w.done(TicketVerb::Start).unwrap();
    w.x(2000, 1);
    w.ask(step());
    assert_eq!(w.reads, 1, "the equipment is read at once");
    w.at(2500);
    assert!(w.replies.is_empty(), "readings from before the question do not count");
    w.x(3000, 2).x(4000, 2).at(5000);
    let ticket = ticket(w.replies.pop());
    assert!(ticket.walked && ticket.finding.is_none());
    assert!(w.log_of(1).last().unwrap().contains("read by the gateway"));
}

#[test]
fn a_check_without_an_answer_is_refused_in_time() {
    let step = || TicketVerb::Step { step: StepId::parse("one").unwrap(), answer: None, note: None };
    let mut w = World::new();
    w.x(1000, 6);
    w.done(TicketVerb::Start).unwrap();
    w.ask(step());
    w.ask(step());
    assert_eq!(w.replies.pop().unwrap().unwrap_err().rule, Rule::CheckUnderWay);
    w.at(60_000);
    assert_eq!(w.replies.pop().unwrap().unwrap_err().rule, Rule::CheckUnanswered);
}

#[test]
fn who_and_what_must_be_named() {
    let mut w = World::new();
    w.x(1000, 6);
    let ask = |by: &str, target, verb| Ask { by: Author::unproven(by), verb: about(target, verb).into() };
    let mut rule = |ask| {
        w.handle(Input::Asked(Token(1), ask));
        w.replies.pop().unwrap().unwrap_err().rule
    };
    let ack = || TicketVerb::Acknowledge;
    assert_eq!(rule(ask("", Target::Number(TicketNumber(1)), ack())), Rule::NoPerson);
    assert_eq!(rule(ask("eva", Target::Number(TicketNumber(9)), ack())), Rule::NoSuchTicket);
    assert_eq!(rule(ask("eva", Target::Equipment("x".to_owned()), ack())), Rule::NoSuchEquipment);
    assert_eq!(rule(ask("eva", Target::Equipment("f".to_owned()), ack())), Rule::NoLiveTicket);
    // `communication-lost` is another fault, so it has its own ticket.
    w.at(12_000);
    let both = ask("eva", Target::Equipment("e".to_owned()), ack());
    w.handle(Input::Asked(Token(1), both));
    let refusal = w.replies.pop().unwrap().unwrap_err();
    assert_eq!(refusal.rule, Rule::SeveralLiveTickets);
    assert!(refusal.remedies[0].text.contains("1 (a), 3 (communication-lost)"), "{refusal:?}");
}

#[test]
fn a_stepped_clock_is_on_record_and_changes_no_delay() {
    let mut w = World::new();
    w.x(1000, 1);
    let stepped = Now { mono: now(2000).mono, wall: now(3_600_000).wall };
    w.desk.handle(stepped, Input::Elapsed);
    w.drain();
    w.write();
    assert_eq!(w.kinds()[2], "clock-stepped");
}

#[test]
fn a_restart_from_the_record_comes_to_the_same_state() {
    let mut w = World::new();
    w.x(1000, 6);
    w.done(TicketVerb::Start).unwrap();
    w.x(2000, 1).x(3000, 8);
    let mut folded = State::default();
    for r in &w.record {
        let line = r.to_line("").unwrap();
        assert_eq!(Record::from_line(&line).unwrap(), *r);
        folded.apply(&Record::from_line(&line).unwrap(), &mut |_| None);
    }
    assert_eq!(folded, *w.desk.recorded());
    // The next daemon keeps the active alarm, once.
    let mut next = Desk::new(w.desk.site().clone(), folded, now(4000));
    next.start(now(4000), "1", &[]);
    let reading = Reading { value: Ok(Value::Integer(8)), at: now(5000) };
    let readings = vec![(PointIndex(0), reading)];
    next.handle(
        now(5000),
        Input::Readings { equipment: EquipmentIndex(0), readings, presence: Presence::Answered },
    );
    let mut kinds = Vec::new();
    while let Some(output) = next.poll_output() {
        if let Output::Write(draft) = output {
            kinds.push(kind(&draft.record.event));
        }
    }
    assert_eq!(kinds, ["gateway-started"]);
    assert_eq!(next.recorded().tickets.live[&TicketNumber(1)].occurrences, 2);
}

fn ticket(reply: Option<Result<Reply, crate::words::Refusal>>) -> Ticket {
    match reply.unwrap().unwrap() {
        Reply::Ticket(ticket, _) => Arc::unwrap_or_clone(ticket),
        Reply::Wrote(_) | Reply::Told(_) => panic!("a ticket was asked"),
    }
}

fn ask_write(value: &str, reason: &str) -> Input {
    let (equipment, point) = ("e".to_owned(), "x".to_owned());
    asked(Token(7), WriteVerb { equipment, point, value: value.to_owned(), reason: reason.to_owned() })
}

fn carried(w: &mut World, answer: Result<(), String>, read_back: Result<Vec<u16>, String>) {
    let id = w.orders.last().unwrap().id;
    w.handle(Input::Carried(id, Carried { answer, read_back }));
}

#[test]
fn a_write_is_on_record_before_it_is_sent_and_done_once_it_reads_back() {
    let mut w = World::new();
    w.handle(ask_write("4", "recipe"));
    assert!(w.orders.is_empty(), "a write is sent only when its event is on disk");
    w.write();
    assert_eq!(w.orders.len(), 1);
    assert_eq!(w.orders[0].words, [4]);
    w.handle(ask_write("5", "recipe"));
    assert_eq!(w.replies.pop().unwrap().unwrap_err().rule, Rule::WriteUnderWay);
    carried(&mut w, Ok(()), Ok(vec![4]));
    assert!(w.replies.is_empty(), "a reply leaves only when its event is on disk");
    w.write();
    let Ok(Reply::Wrote(wrote)) = w.replies.pop().unwrap() else { panic!("it was written") };
    assert_eq!(wrote.value, "4");
    let last = &w.record.last().unwrap().event;
    assert!(matches!(last, Event::Write(WriteEvent::Done { .. })), "{last:?}");
    // A write with a lost response is done if the value reads back. A confirmed write with another value is not done.
    w.handle(ask_write("5", "recipe"));
    w.write();
    carried(&mut w, Err("no answer".to_owned()), Ok(vec![5]));
    w.write();
    assert!(w.replies.pop().unwrap().is_ok());
    w.handle(ask_write("6", "recipe"));
    w.write();
    carried(&mut w, Ok(()), Ok(vec![5]));
    w.write();
    let refusal = w.replies.pop().unwrap().unwrap_err();
    assert_eq!(refusal.rule, Rule::WriteUnconfirmed);
    assert!(refusal.message.contains("the device returns 5"), "{}", refusal.message);
    let last = &w.record.last().unwrap().event;
    assert!(matches!(last, Event::Write(WriteEvent::Failed { .. })), "{last:?}");
}

#[test]
fn a_write_is_refused_with_the_rule() {
    let mut w = World::new();
    let refused = |w: &mut World, value: &str, reason: &str| {
        w.handle(ask_write(value, reason));
        w.replies.pop().unwrap().unwrap_err().rule
    };
    assert_eq!(refused(&mut w, "10", "r"), Rule::OutOfBounds);
    assert_eq!(refused(&mut w, "x", "r"), Rule::BadValue);
    assert_eq!(refused(&mut w, "4", " "), Rule::BadText);
    let mut closed = World::new();
    closed.desk.start_without_daemon();
    assert_eq!(refused(&mut closed, "4", "r"), Rule::NeedsDaemon);
    let plain = site("x = { register = 'holding:0', type = 'u16' }", "");
    let mut w = World::new();
    w.desk = Desk::new(plain, State::default(), now(0));
    assert_eq!(refused(&mut w, "4", "r"), Rule::NotWritable);
    // On a full disk nothing is sent to the equipment.
    let mut w = World::new();
    w.is_full = true;
    w.handle(ask_write("4", "r"));
    w.write();
    assert!(w.orders.is_empty());
    assert_eq!(w.replies.pop().unwrap().unwrap_err().rule, Rule::JournalNotWritable);
}
