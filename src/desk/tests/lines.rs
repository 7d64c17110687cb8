//! Tests of every kind of event with random numbers and texts: a recorded line reads back as the same event.

use proptest::prelude::*;

use super::*;
use crate::alarm::{AlarmEvent, AlarmName};
use crate::detect::BaselineEvent;
use crate::limits;
use crate::service::ServiceEvent;
use crate::site::FileHash;
use crate::ticket::{Answer, CancelReason, TicketEvent, TicketOpening, TicketOrigin, UsedPart};
use crate::words::{Damage, EquipmentId, FaultName, PointName, Severity};

/// Texts of every length up to and above the bound, with characters that JSON writes in six bytes.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<String>(),
        1 => (0..60_usize, prop_oneof![Just('\\'), Just('\u{1}'), Just('x'), Just('\u{1F600}')])
            .prop_map(|(kilos, c)| c.to_string().repeat(kilos * 1024)),
        1 => (limits::LINE_BYTES_MAX - 700..limits::LINE_BYTES_MAX + 700).prop_map(|n| "y".repeat(n)),
    ]
}

fn wall() -> impl Strategy<Value = Wall> {
    prop_oneof![any::<i64>(), 0..4_000_000_000_000_i64].prop_map(Wall::from_millis)
}

fn model() -> impl Strategy<Value = crate::detect::Model> {
    let number =
        prop_oneof![any::<f64>(), Just(f64::MAX), Just(f64::MIN_POSITIVE / 4.0), Just(-0.0), Just(1.5e200)];
    (proptest::collection::vec(number, 1..40), text()).prop_map(|(numbers, definition)| {
        let finite: Vec<crate::words::Finite> =
            numbers.iter().filter_map(|n| crate::words::Finite::new(*n)).collect();
        let one = finite.first().copied().unwrap_or_default();
        let longer =
            crate::detect::LongerScale { covariance: finite.clone(), t2: one, error: one, most: one };
        let daily = crate::detect::DailyProfile { point: 3, hours: finite.clone() };
        crate::detect::Model {
            definition,
            samples: 9,
            centre: finite.clone(),
            scale: finite.clone(),
            covariance: finite.clone(),
            t2: one,
            error: one,
            reference: finite,
            most: (one.get() > 0.0).then_some(one),
            longer: vec![longer; numbers.len() % 3],
            widened: (one.get() > 1.0).then_some(one),
            daily: vec![daily; numbers.len() % 2],
        }
    })
}

#[expect(clippy::too_many_lines, reason = "one arm an event: every kind on one page")]
fn events() -> impl Strategy<Value = Event> {
    let e = || EquipmentId::parse("press-7").unwrap();
    let f = || FaultName::parse("high").unwrap();
    let p = || PointName::parse("x").unwrap();
    let n = TicketNumber(u64::MAX);
    let values = || proptest::collection::btree_map(text(), text(), 0..3);
    let gateway = prop_oneof![
        (text(), text()).prop_map(|(version, name)| GatewayEvent::Started { version, name }),
        Just(GatewayEvent::Stopped {}),
        (text(), text()).prop_map(|(name, sha256)| GatewayEvent::ConfigurationLoaded {
            files: vec![FileHash { name, sha256 }]
        }),
        (text(), text(), any::<u64>()).prop_map(|(message, why, at)| GatewayEvent::JournalDamaged {
            message,
            damage: Some(Damage {
                segment: why.clone(),
                line: at,
                first_seq: Seq(at),
                last_seq: Seq(at),
                why
            }),
        }),
        text().prop_map(|reason| GatewayEvent::DamageAccepted { parts: 3, reason }),
        any::<u64>().prop_map(|for_ms| GatewayEvent::Paused { for_ms }),
        any::<i64>().prop_map(|by_ms| GatewayEvent::ClockStepped { by_ms }),
    ];
    let service = prop_oneof![
        text().prop_map(move |reason| ServiceEvent::OutOfService { equipment: e(), reason }),
        text().prop_map(move |reason| ServiceEvent::ReturnedToService { equipment: e(), reason }),
    ];
    let write = prop_oneof![
        (text(), text(), any::<Vec<u16>>()).prop_map(move |(value, reason, registers)| {
            let before = Some(value.clone());
            WriteEvent::Ordered { equipment: e(), point: p(), value, before, registers, reason }
        }),
        text().prop_map(move |value| WriteEvent::Done { equipment: e(), point: p(), value }),
        (text(), text()).prop_map(move |(value, message)| WriteEvent::Failed {
            equipment: e(),
            point: p(),
            value,
            message
        }),
    ];
    let alarm = prop_oneof![
        (wall(), values()).prop_map(move |(onset, values)| AlarmEvent::Raised {
            equipment: e(),
            fault: f(),
            severity: Severity::Critical,
            onset,
            latch: true,
            values,
            first_up: Some(AlarmName { equipment: e(), fault: f() }),
        }),
        text().prop_map(move |r| AlarmEvent::Cleared { equipment: e(), fault: f(), reason: Some(r) }),
        Just(AlarmEvent::Acknowledged { equipment: e(), fault: f() }),
        (wall(), text()).prop_map(move |(until, reason)| AlarmEvent::Shelved {
            equipment: e(),
            fault: f(),
            until,
            reason
        }),
        any::<u64>().prop_map(move |held_back| AlarmEvent::Unshelved {
            equipment: e(),
            fault: f(),
            reason: None,
            held_back
        }),
        Just(AlarmEvent::Chattering { equipment: e(), fault: f() }),
        (wall(), text(), any::<u64>()).prop_map(move |(since, proposal, repeats)| AlarmEvent::Damped {
            equipment: e(),
            fault: f(),
            since,
            repeats,
            goes_on: false,
            proposal
        }),
    ];
    let baseline = prop_oneof![
        model().prop_map(move |m| BaselineEvent::Learned { equipment: e(), fault: f(), model: Box::new(m) }),
        model().prop_map(move |m| BaselineEvent::Followed {
            equipment: e(),
            fault: f(),
            reference: m.reference,
            widened: m.widened,
        }),
        text().prop_map(move |reason| BaselineEvent::Forgotten { equipment: e(), fault: f(), reason }),
    ];
    let ticket = prop_oneof![
        (text(), values(), wall()).prop_map(move |(summary, values, onset)| {
            TicketEvent::Opened(TicketOpening {
                number: n,
                equipment: e(),
                fault: f(),
                origin: TicketOrigin::Fault,
                severity: Severity::Advisory,
                code: Some(summary.clone()),
                summary,
                onset,
                values,
                profile: "p".to_owned(),
                profile_sha256: "s".to_owned(),
                firmware: None,
                firmware_notes: vec!["n".to_owned()],
                first_up: Some("e f".to_owned()),
            })
        }),
        (wall(), values()).prop_map(move |(onset, values)| TicketEvent::Recurred {
            number: n,
            onset,
            values
        }),
        Just(TicketEvent::Returned { number: n }),
        Just(TicketEvent::Acknowledged { number: n }),
        text().prop_map(move |person| TicketEvent::Assigned { number: n, person }),
        Just(TicketEvent::Started { number: n }),
        text().prop_map(move |reason| TicketEvent::Held { number: n, reason }),
        text().prop_map(move |text| TicketEvent::Noted { number: n, text }),
        (text(), text(), values()).prop_map(move |(question, note, values)| TicketEvent::StepAnswered {
            number: n,
            step: StepId::parse("bus").unwrap(),
            question,
            answer: Answer::Skip,
            checked_by_gateway: true,
            note: Some(note.clone()),
            values,
            next: Some(StepId::parse("next").unwrap()),
            finding: Some(note),
        }),
        (text(), text(), text()).prop_map(move |(cause, action, id)| TicketEvent::Fixed {
            number: n,
            cause,
            action,
            parts: vec![UsedPart { id, quantity: u32::MAX }],
            minutes: Some(u32::MAX),
            while_active: Some("w".to_owned()),
        }),
        (wall(), text()).prop_map(move |(watch_until, note)| TicketEvent::Closed {
            number: n,
            watch_until,
            note: Some(note)
        }),
        (text(), values()).prop_map(move |(reason, values)| TicketEvent::Reopened {
            number: n,
            reason,
            fix_ineffective: true,
            values
        }),
        text().prop_map(move |note| TicketEvent::Cancelled {
            number: n,
            reason: CancelReason::DuplicateOf(n),
            note: Some(note)
        }),
        Just(TicketEvent::FixVerified { number: n }),
    ];
    prop_oneof![
        gateway.prop_map(Event::Gateway),
        service.prop_map(Event::Service),
        write.prop_map(Event::Write),
        alarm.prop_map(Event::Alarm),
        baseline.prop_map(Event::Baseline),
        ticket.prop_map(Event::Ticket),
    ]
}

fn authors() -> impl Strategy<Value = Author> {
    prop_oneof![
        Just(Author::Gateway),
        text().prop_map(|name| Author::OsUser { name }),
        (text(), proptest::option::of(text())).prop_map(|(name, os_user)| Author::Unproven { name, os_user }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]
    #[test]
    fn an_event_is_read_back_as_it_was_written_or_never_recorded(
        event in events(),
        at in wall(),
        author in authors(),
        seq in any::<u64>(),
    ) {
        let record = Record { seq: Seq(seq), at, by: author, event };
        let prev = "0123456789abcdef".repeat(4);
        let naive = record.to_line(&prev).unwrap();
        match record.prove() {
            Ok(line) => {
                let line = line.with_prev(&prev);
                prop_assert!(line.len() <= limits::LINE_BYTES_MAX && !line.contains('\n'));
                prop_assert_eq!(&line, &naive);
                prop_assert_eq!(Record::from_line(&line).unwrap(), record);
            }
            Err(why) => {
                prop_assert!(naive.len() > limits::LINE_BYTES_MAX, "{} bytes: {why}", naive.len());
            }
        }
    }
}
