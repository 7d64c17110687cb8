//! Tests old formats: each later build must read the sample of each event, which the build that introduced the event wrote.

use std::collections::BTreeSet;

use andon::alarm::AlarmEvent;
use andon::desk::{Event, Record, State};
use andon::detect::BaselineEvent;
use andon::gateway::GatewayEvent;
use andon::service::ServiceEvent;
use andon::ticket::TicketEvent;
use andon::words::Seq;
use andon::writing::WriteEvent;

/// The sample files, in the order in which they were added. These files are never edited.
const JOURNAL_V1: [&str; 6] = [
    include_str!("../samples/journal/v1.ndjson"),
    include_str!("../samples/journal/v1-record.ndjson"),
    include_str!("../samples/journal/v1-scales.ndjson"),
    include_str!("../samples/journal/v1-authors.ndjson"),
    include_str!("../samples/journal/v1-reports.ndjson"),
    include_str!("../samples/journal/v1-daily.ndjson"),
];

/// Returns the name of an event. For a new event, the compiler requires a name here, and the test requires a sample.
fn name(event: &Event) -> &'static str {
    match event {
        Event::Gateway(e) => match e {
            GatewayEvent::Started { .. } => "gateway-started",
            GatewayEvent::Stopped {} => "gateway-stopped",
            GatewayEvent::ConfigurationLoaded { .. } => "configuration-loaded",
            GatewayEvent::JournalDamaged { .. } => "gateway-journal-damaged",
            GatewayEvent::ClockStepped { .. } => "clock-stepped",
            GatewayEvent::DamageAccepted { .. } => "gateway-damage-accepted",
            GatewayEvent::Paused { .. } => "gateway-paused",
        },
        Event::Alarm(e) => match e {
            AlarmEvent::Raised { .. } => "alarm-raised",
            AlarmEvent::Cleared { .. } => "alarm-cleared",
            AlarmEvent::Acknowledged { .. } => "alarm-acknowledged",
            AlarmEvent::Shelved { .. } => "alarm-shelved",
            AlarmEvent::Unshelved { .. } => "alarm-unshelved",
            AlarmEvent::Chattering { .. } => "alarm-chattering",
            AlarmEvent::Damped { .. } => "alarm-damped",
        },
        Event::Ticket(e) => match e {
            TicketEvent::Opened(_) => "ticket-opened",
            TicketEvent::Recurred { .. } => "ticket-recurred",
            TicketEvent::Returned { .. } => "ticket-returned",
            TicketEvent::Acknowledged { .. } => "ticket-acknowledged",
            TicketEvent::Assigned { .. } => "ticket-assigned",
            TicketEvent::Started { .. } => "ticket-started",
            TicketEvent::Held { .. } => "ticket-held",
            TicketEvent::Noted { .. } => "ticket-noted",
            TicketEvent::StepAnswered { .. } => "ticket-step-answered",
            TicketEvent::Fixed { .. } => "ticket-fixed",
            TicketEvent::Closed { .. } => "ticket-closed",
            TicketEvent::Reopened { .. } => "ticket-reopened",
            TicketEvent::Cancelled { .. } => "ticket-cancelled",
            TicketEvent::FixVerified { .. } => "ticket-fix-verified",
            TicketEvent::ReportedAgain { .. } => "ticket-reported-again",
            TicketEvent::SeveritySet { .. } => "ticket-severity-set",
        },
        Event::Write(e) => match e {
            WriteEvent::Ordered { .. } => "equipment-write-ordered",
            WriteEvent::Done { .. } => "equipment-written",
            WriteEvent::Failed { .. } => "equipment-write-failed",
        },
        Event::Service(e) => match e {
            ServiceEvent::OutOfService { .. } => "equipment-out-of-service",
            ServiceEvent::ReturnedToService { .. } => "equipment-returned-to-service",
        },
        Event::Baseline(e) => match e {
            BaselineEvent::Learned { .. } => "baseline-learned",
            BaselineEvent::Followed { .. } => "baseline-followed",
            BaselineEvent::Forgotten { .. } => "baseline-forgotten",
        },
        Event::Other { .. } => "other",
    }
}

#[test]
fn every_event_of_version_1_is_read_as_what_it_was() {
    let mut seen = BTreeSet::new();
    let mut state = State::default();
    let lines = || JOURNAL_V1.into_iter().flat_map(str::lines);
    for line in lines() {
        let record = Record::from_line(line).unwrap_or_else(|e| panic!("{line}: {e}"));
        let json: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(json["kind"], name(&record.event));
        assert_eq!(json["v"], 1);
        // An event that was read is written again exactly as it was, so no field is lost.
        let prev = json["prev"].as_str().unwrap();
        assert_eq!(record.to_line(prev).unwrap(), line);
        seen.insert(name(&record.event));
        state.apply(&record, &mut |_| None);
    }
    assert_eq!(seen.len(), 38, "{seen:?}");
    assert_eq!(state.seq, Seq(u64::try_from(lines().count()).unwrap()));
}

#[test]
fn an_event_of_a_later_version_is_passed_over_and_kept() {
    let line = r#"{"seq":1,"prev":"","at":"2030-01-01T00:00:00.000Z","by":{"who":"gateway"},"v":9,"kind":"ticket-teleported","data":{"number":1}}"#;
    let record = Record::from_line(line).unwrap();
    assert_eq!(record.event, Event::Other { kind: "ticket-teleported".to_owned() });
    assert!(record.to_line("").is_err(), "what is not understood is not written");
}

#[test]
fn a_word_of_a_known_kind_that_is_not_known_is_not_taken_for_a_later_kind() {
    let known = JOURNAL_V1.into_iter().flat_map(str::lines).find(|l| l.contains("alarm-raised")).unwrap();
    let changed = known.replacen("\"severity\":\"critical\"", "\"severity\":\"dreadful\"", 1);
    let changed = changed.replacen("\"severity\":\"major\"", "\"severity\":\"dreadful\"", 1);
    assert_ne!(changed, known);
    let error = Record::from_line(&changed).unwrap_err().to_string();
    assert!(error.contains("unknown variant"), "it is damage, whatever the words of the error: {error}");
}

#[test]
fn kinds_are_those_that_are_written() {
    // The error of serde lists all known kinds.
    fn known<E: for<'de> serde::Deserialize<'de> + std::fmt::Debug>() -> Vec<String> {
        let error = serde_json::from_str::<E>("{\"kind\":\"x\",\"data\":{}}").unwrap_err().to_string();
        error.split('`').skip(3).step_by(2).map(str::to_owned).collect()
    }
    assert_eq!(known::<TicketEvent>(), TicketEvent::KINDS);
    assert_eq!(known::<AlarmEvent>(), AlarmEvent::KINDS);
    assert_eq!(known::<ServiceEvent>(), ServiceEvent::KINDS);
    assert_eq!(known::<WriteEvent>(), WriteEvent::KINDS);
    assert_eq!(known::<BaselineEvent>(), BaselineEvent::KINDS);
    assert_eq!(known::<GatewayEvent>(), GatewayEvent::KINDS);
}
