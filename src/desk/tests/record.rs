//! Tests of the record: proven lines, answers from the state on disk, clocks that step or stop.

use super::*;
use crate::alarm::AlarmVerb;
use crate::detect::TransitionKind;
use crate::gateway::GatewayVerb;
use crate::words::{Damage, EquipmentId, Severity};

fn stepped(ms: u64, by_days: i64) -> Now {
    let at = now(ms);
    Now { mono: at.mono, wall: Wall::from_millis(at.wall.millis() + by_days * 86_400_000) }
}

/// Handles an input at a wall clock that is wrong by some days, and writes the events.
fn at_days(w: &mut World, ms: u64, days: i64, input: Input) {
    w.ms = ms;
    w.desk.handle(stepped(ms, days), input);
    w.drain();
    while let Some(last) = w.unwritten.last().map(|r| r.seq) {
        let written = std::mem::take(&mut w.unwritten);
        w.record.extend(written);
        w.desk.handle(stepped(ms, days), Input::Written(last));
        w.drain();
    }
}

fn x_reads(ms: u64, days: i64, x: i128) -> Input {
    let reading = Reading { value: Ok(Value::Integer(x)), at: stepped(ms, days) };
    let readings = vec![(PointIndex(0), reading)];
    Input::Readings { equipment: EquipmentIndex(0), readings, presence: Presence::Answered }
}

fn closed() -> World {
    let mut w = World::new();
    w.x(1000, 6);
    w.done(TicketVerb::Start).unwrap();
    w.x(2000, 1);
    w.done(fix()).unwrap();
    w.done(TicketVerb::Close { note: None }).unwrap();
    w
}

#[test]
fn a_clock_that_jumps_a_year_ends_no_watch_and_no_shelf() {
    // The watch of this fault is an hour.
    let mut w = closed();
    at_days(&mut w, 3000, 400, x_reads(3000, 400, 1));
    at_days(&mut w, 4000, 0, x_reads(4000, 0, 1));
    assert!(!w.kinds().contains(&"ticket-fix-verified".to_owned()), "{:?}", w.kinds());
    at_days(&mut w, 5000, 0, x_reads(5000, 0, 9));
    assert_eq!(w.ticket().state, TicketState::Reopened, "the fault came back within the watch");
    assert_eq!(w.kinds().iter().filter(|k| *k == "clock-stepped").count(), 2);

    // The clock stays ahead: the watch still takes one hour.
    let mut w = closed();
    at_days(&mut w, 3000, 400, x_reads(3000, 400, 1));
    at_days(&mut w, 3_000_000, 400, x_reads(3_000_000, 400, 1));
    assert!(w.desk.recorded().tickets.live.contains_key(&TicketNumber(1)));
    at_days(&mut w, 3_610_000, 400, x_reads(3_610_000, 400, 1));
    assert!(w.kinds().contains(&"ticket-fix-verified".to_owned()));

    // The clock goes back by a year: the watch ends as well.
    let mut w = closed();
    at_days(&mut w, 3000, -400, x_reads(3000, -400, 1));
    at_days(&mut w, 3_610_000, -400, x_reads(3_610_000, -400, 1));
    assert!(w.kinds().contains(&"ticket-fix-verified".to_owned()));

    let mut w = World::new();
    let (equipment, fault, until) = ("e".to_owned(), "a".to_owned(), now(60_000).wall);
    w.handle(asked(Token(1), AlarmVerb::Shelve { equipment, fault, until, reason: "r".to_owned() }));
    w.write();
    at_days(&mut w, 1000, 400, x_reads(1000, 400, 9));
    assert!(!w.kinds().iter().any(|k| k == "alarm-unshelved" || k == "alarm-raised"), "{:?}", w.kinds());
    at_days(&mut w, 61_000, 400, Input::Elapsed);
    assert!(w.kinds().contains(&"alarm-unshelved".to_owned()), "its minute is over");
}

#[test]
fn a_delay_runs_on_through_a_step_of_the_clock() {
    let delayed = "[faults.a]\nseverity = 'major'\nwhen = 'x > 5'\non_delay = '10s'\nmeans = 'm'\n";
    let is_raised =
        |w: &World| w.desk.recorded().alarms.standing.keys().any(|(_, fault)| fault.as_str() == "a");
    for days in [-400, -1, 1, 400] {
        let mut w = World::of(site(POINTS, delayed));
        w.x(1000, 9);
        at_days(&mut w, 6000, days, Input::Elapsed);
        let due = w.desk.poll_timeout().unwrap().0;
        assert!(due <= now(11_000).mono, "the delay ends when it would have: {due:?}");
        at_days(&mut w, 10_999, days, x_reads(10_999, days, 9));
        assert!(!is_raised(&w), "{days} days");
        at_days(&mut w, 11_000, days, Input::Elapsed);
        assert!(is_raised(&w), "{days} days: {:?}", w.kinds());
    }
}

#[test]
fn before_the_clock_was_set_nothing_ends_and_then_everything_in_its_time() {
    // A gateway without a battery starts in 1970, and its clock is set later.
    let unset = |ms: u64| Now { mono: now(ms).mono, wall: Wall::from_millis(i64::try_from(ms).unwrap()) };
    let w = closed();
    let state = w.desk.recorded().clone();
    let mut desk = Desk::new(w.desk.site().clone(), state, unset(0));
    desk.start_without_daemon();
    let mut verified = |at: Now| {
        desk.handle(at, Input::Elapsed);
        let mut kinds = Vec::new();
        while let Some(output) = desk.poll_output() {
            if let Output::Write(draft) = output {
                kinds.push(kind(&draft.record.event));
            }
        }
        kinds.contains(&"ticket-fix-verified".to_owned())
    };
    assert!(!verified(unset(7_200_000)), "two hours by a clock that was never set end no watch");
    assert!(!verified(now(1_800_000)), "the clock was set: half of the hour is over");
    assert!(!verified(now(3_601_000)));
    assert!(verified(now(3_602_000)), "the hour is over by the clock");
}

#[test]
fn a_pause_of_the_program_is_no_step_of_the_clock_and_ends_nothing() {
    let mut w = World::new();
    w.x(1000, 1);
    // The program did not run for forty seconds: the wall clock counts them, the monotonic clock does not.
    let after = Now { mono: now(1100).mono, wall: now(41_100).wall };
    w.desk.handle(after, Input::Paused(std::time::Duration::from_secs(40)));
    w.drain();
    w.desk.handle(after, Input::Elapsed);
    w.drain();
    let kinds: Vec<String> = w.unwritten.iter().map(|r| kind(&r.event)).collect();
    assert_eq!(kinds, ["gateway-paused"]);
    let Event::Gateway(GatewayEvent::Paused { for_ms }) = &w.unwritten[0].event else { panic!() };
    assert_eq!(*for_ms, 40_000);
}

#[test]
fn answers_show_what_is_on_disk_and_nothing_else() {
    let mut w = World::new();
    w.ms = 1000;
    w.handle(x_reads(1000, 0, 9));
    assert!(!w.unwritten.is_empty(), "the ticket is decided");
    let recorded = w.desk.recorded();
    assert!(recorded.tickets.live.is_empty() && recorded.alarms.standing.is_empty(), "and not shown");
    w.write();
    assert_eq!(w.desk.recorded().tickets.live.len(), 1);
    w.is_full = true;
    w.ask(TicketVerb::Acknowledge);
    assert_eq!(w.ticket().state, TicketState::Open);
    w.write();
    assert_eq!(w.ticket().state, TicketState::Open);
    assert_eq!(w.replies.pop().unwrap().unwrap_err().rule, Rule::JournalNotWritable);
}

#[test]
fn while_nothing_can_be_recorded_alarms_are_shown_as_such_and_wait() {
    let mut w = World::new();
    w.is_full = true;
    w.x(1000, 9);
    let shown = w.snapshot().unrecorded;
    assert_eq!(shown.len(), 1);
    assert_eq!(
        (shown[0].key.1.as_str(), shown[0].severity, shown[0].kind),
        ("a", Severity::Major, TransitionKind::Raised)
    );
    let kinds = |w: &World| w.snapshot().unrecorded.iter().map(|u| u.kind).collect::<Vec<_>>();
    w.x(2000, 1);
    assert_eq!(kinds(&w), [TransitionKind::Cleared], "its condition has gone again");
    w.x(3000, 9);
    assert_eq!(kinds(&w), [TransitionKind::Raised]);
    w.is_full = false;
    w.handle(Input::Writable);
    w.write();
    assert!(w.snapshot().unrecorded.is_empty() && w.desk.not_writable().is_none());
    assert_eq!(w.desk.recorded().alarms.standing.len(), 1);
    assert_eq!(w.ticket().occurrences, 2, "both times are on record");
    // An alarm was active when the disk became full, and its condition cleared meanwhile.
    w.is_full = true;
    w.x(4000, 1);
    let desk = w.snapshot();
    let (kind, key) = (desk.unrecorded[0].kind, &desk.unrecorded[0].key);
    assert_eq!((kind, Some(key)), (TransitionKind::Cleared, desk.state.alarms.standing.keys().next()));
}

#[test]
fn a_snapshot_stays_as_it_was_when_it_was_taken() {
    let mut w = World::new();
    w.x(1000, 9);
    let before = w.snapshot();
    let shown = |desk: &Snapshot| {
        let point = desk.detector.point_state(EquipmentIndex(0), PointIndex(0), desk.at).unwrap();
        let active = desk.detector.is_active(EquipmentIndex(0), 0);
        let alarm = desk.state.alarms.standing.values().next().map(|a| a.state);
        format!("{:?} {active} {alarm:?} {}", point.value, desk.state.seq)
    };
    let then = shown(&before);
    assert!(then.contains("Integer(9)") && then.contains("true Some(Unacknowledged)"), "{then}");
    w.x(2000, 1);
    assert_eq!(shown(&before), then);
    assert_ne!(shown(&w.snapshot()), then);
}

#[test]
fn what_ends_while_nothing_can_be_recorded_waits_once() {
    let mut w = closed();
    w.is_full = true;
    for second in 0..600 {
        w.x(3_700_000 + second * 1000, 1);
    }
    assert_eq!(w.snapshot().changes_dropped, 0);
    w.is_full = false;
    w.at(4_400_000);
    assert_eq!(w.kinds().iter().filter(|k| *k == "ticket-fix-verified").count(), 1);
}

/// A site in which a fault's meaning is longer than any line: loading refuses such a file.
fn with_a_text_of(bytes: usize) -> Arc<Site> {
    let mut s =
        (*site(POINTS, &format!("{FAULT}\n[faults.b]\nseverity = 'major'\nwhen = 'x > 7'\nmeans = 'b'\n")))
            .clone();
    let mut profile = (*s.equipment[0].profile).clone();
    let fault = profile.faults.iter_mut().find(|f| f.name.as_str() == "a").unwrap();
    fault.guidance.means = "\u{1}".repeat(bytes);
    s.equipment[0].profile = Arc::new(profile);
    Arc::new(s)
}

#[test]
fn an_event_that_cannot_be_recorded_is_told_and_counted_and_everything_else_goes_on() {
    let mut w = World::of(with_a_text_of(60_000));
    let bugs = |w: &mut World| {
        let mut found = Vec::new();
        while let Some(output) = w.desk.poll_output() {
            match output {
                Output::Bug(text) => found.push(text),
                Output::Write(draft) => w.unwritten.push(Arc::unwrap_or_clone(draft.record)),
                Output::Reply(..) | Output::Read(_) | Output::Order(_) => {}
            }
        }
        found
    };
    w.ms = 1000;
    w.desk.handle(now(1000), x_reads(1000, 0, 9));
    let told = bugs(&mut w);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("bytes") && told[0].len() < 1000, "{}", told[0]);
    assert_eq!(w.snapshot().not_recordable, 1);
    w.write();
    assert_eq!(w.kinds()[2..], ["alarm-raised", "ticket-opened"], "the other fault has its ticket");
    assert!(w.desk.not_writable().is_none(), "nothing is thought full");
    assert_eq!(w.done(TicketVerb::Note { text: "n".to_owned() }), Ok(()));
    // A command with such an event is refused, and changes nothing.
    let mut ticket = w.ticket().clone();
    ticket.number = TicketNumber(77);
    ticket.equipment = EquipmentId::parse("e").unwrap();
    let long = Ask {
        by: Author::unproven("\u{1}".repeat(300_000)),
        verb: about(Target::Number(TicketNumber(1)), TicketVerb::Acknowledge).into(),
    };
    let before = w.desk.decided_seq();
    w.handle(Input::Asked(Token(1), long));
    assert!(w.replies.pop().unwrap().is_err());
    assert_eq!(w.desk.decided_seq(), before);
    assert_eq!(Rule::NotRecordable.code(), "journal/not-recordable");
}

#[test]
fn damage_is_recorded_once_and_shown_until_it_is_accepted() {
    let mut w = World::new();
    let part = |first, last| Damage {
        segment: "00000001.ndjson".to_owned(),
        line: 3,
        first_seq: Seq(first),
        last_seq: Seq(last),
        why: "it was changed".to_owned(),
    };
    w.handle(Input::Damaged(vec![part(3, 3), part(7, 9)]));
    w.write();
    w.handle(Input::Damaged(vec![part(3, 3), part(7, 9)]));
    w.write();
    assert_eq!(w.kinds()[2..], ["gateway-journal-damaged", "gateway-journal-damaged"]);
    let accept = |reason: &str| asked(Token(1), GatewayVerb::AcceptDamage { reason: reason.to_owned() });
    w.handle(accept(" "));
    assert_eq!(w.replies.pop().unwrap().unwrap_err().rule, Rule::BadText);
    w.handle(accept("seen"));
    w.write();
    assert!(w.replies.pop().unwrap().is_ok());
    assert!(w.desk.recorded().gateway.damage.iter().all(|d| d.accepted.as_ref().unwrap().by == "eva"));
    w.handle(accept("seen"));
    assert_eq!(w.replies.pop().unwrap().unwrap_err().rule, Rule::NothingToAccept);
    w.handle(Input::Damaged(vec![part(3, 3), part(11, 11)]));
    w.write();
    assert_eq!(w.desk.recorded().gateway.damage.iter().filter(|d| d.accepted.is_none()).count(), 1);
}

#[test]
fn a_stop_is_the_last_event_of_the_record() {
    let mut w = World::new();
    w.x(1000, 1);
    w.handle(Input::Stopping);
    // A fault, a command and time arrive while the stop is being written.
    w.x(2000, 6);
    w.ask(TicketVerb::Acknowledge);
    w.at(10_000_000);
    assert_eq!(w.kinds().last().map(String::as_str), Some("gateway-stopped"));
    assert!(!w.desk.has_unwritten());
    // On a full disk the stop does not wait.
    let mut w = World::new();
    w.is_full = true;
    w.handle(Input::Stopping);
    w.write();
    w.x(2000, 6);
    assert_eq!(w.kinds(), ["gateway-started", "configuration-loaded"]);
}
