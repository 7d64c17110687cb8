//! Tests the longest events that profiles and readings allow: each fits into a line of the journal and can be read back.

use std::fmt::Write;
use std::sync::Arc;

use andon::alarm::AlarmEvent;
use andon::desk::{Event, Record};
use andon::detect::{BaselineEvent, DailyProfile, Detector, TransitionKind};
use andon::limits;
use andon::site::{ProfileFiles, Site};
use andon::source::SourceText;
use andon::ticket::{TicketEvent, TicketOpening, TicketOrigin};
use andon::words::{
    Author, EquipmentId, EquipmentIndex, FaultName, Finite, Mono, Now, PointIndex, Presence, ProfileName,
    Reading, Seq, Severity, TicketNumber, Value, Wall,
};

struct One(String);

impl ProfileFiles for One {
    fn text(&self, name: &ProfileName) -> Option<SourceText> {
        Some(SourceText::new(name.as_str(), &self.0))
    }
    fn names(&self) -> Vec<String> {
        Vec::new()
    }
}

fn site(profile: String) -> Arc<Site> {
    let text = "[gateway]\nname = 'g'\n[[link]]\nname = 'l'\nkind = 'mqtt'\nurl = 'mqtt://localhost:1883'\n[[equipment]]\nid = 'e'\nprofile = 'p'\nlink = 'l'\n";
    let (site, diagnostics) = andon::site::load(&SourceText::new("andon.toml", text), &One(profile));
    Arc::new(site.unwrap_or_else(|| panic!("{:#?}", andon::source::Diagnostics::lines_of(&diagnostics))))
}

fn now(seconds: u64) -> Now {
    Now { mono: Mono(seconds * 1_000_000_000), wall: Wall::from_millis(1_800_000_000_000) }
}

/// Returns a TOML string of `bytes` bytes, each of which needs six bytes in JSON.
fn worst(bytes: usize) -> String {
    format!("\"{}\"", "\\u0001".repeat(bytes))
}

#[track_caller]
fn is_a_line(event: Event) -> usize {
    let record = Record { seq: Seq(u64::MAX), at: now(0).wall, by: Author::Gateway, event };
    let line = record.to_line(&"f".repeat(64)).unwrap();
    assert!(line.len() < limits::LINE_BYTES_MAX, "{} bytes: {}...", line.len(), &line[..300]);
    assert_eq!(Record::from_line(&line).unwrap(), record);
    line.len()
}

fn id(letter: &str) -> String {
    letter.repeat(limits::ID_BYTES_MAX)
}

#[test]
fn an_alarm_and_a_ticket_of_the_longest_texts_fit_a_line() {
    let count = limits::POINTS_NAMED_MAX;
    let mut profile = "[device]\nvendor = 'v'\nmodel = 'm'\nkind = 'k'\n[points]\n".to_owned();
    let name = |n: usize| format!("p{n}");
    for n in 0..count {
        writeln!(
            profile,
            "{} = {{ topic = 't/{n}', type = 'string', unit = {} }}",
            name(n),
            worst(limits::NAME_BYTES_MAX)
        )
        .unwrap();
    }
    let names: Vec<String> = (0..count).map(|n| format!("{} != \"\"", name(n))).collect();
    let when: Vec<String> = names.chunks(10).map(|some| format!("({})", some.join(" or "))).collect();
    let fault = id("f");
    write!(
        profile,
        "[codes.c]\npoint = 'p0'\nnone = [0]\n[faults.{fault}]\nseverity = 'critical'\nmeans = {}\nwhen = '{}'\n",
        worst(limits::PROSE_BYTES_MAX),
        when.join(" or "),
    )
    .unwrap();
    let site = site(profile);
    let mut detector = Detector::new(site.clone(), now(0));
    let text = Value::text(&"\u{1}".repeat(limits::TEXT_VALUE_BYTES_MAX)).unwrap();
    let readings = (0..count).map(|p| (PointIndex(p), Reading { value: Ok(text.clone()), at: now(1) }));
    detector.readings(now(1), EquipmentIndex(0), readings.collect(), Presence::Answered);
    let raised: Vec<_> = detector.take_transitions();
    let raised = raised.iter().find(|t| t.kind == TransitionKind::Raised && t.values.len() == count).unwrap();
    let (equipment, fault) = (EquipmentId::parse(&id("e")).unwrap(), FaultName::parse(&fault).unwrap());
    let of = &site.equipment[0].profile.faults.iter().find(|f| f.name == fault).unwrap();
    is_a_line(Event::Alarm(AlarmEvent::Raised {
        equipment: equipment.clone(),
        fault: fault.clone(),
        severity: Severity::Critical,
        onset: now(0).wall,
        latch: true,
        values: raised.values.clone(),
        first_up: None,
    }));
    let opened = is_a_line(Event::Ticket(TicketEvent::Opened(TicketOpening {
        number: TicketNumber(u64::MAX),
        equipment,
        fault,
        origin: TicketOrigin::Fault,
        severity: Severity::Critical,
        summary: format!("{}: {}", of.guidance.means, raised.text.clone().unwrap_or_default()),
        code: Some("0".repeat(limits::KEY_BYTES_MAX)),
        onset: now(0).wall,
        values: raised.values.clone(),
        profile: id("p"),
        profile_sha256: "f".repeat(64),
        firmware: Some("\u{1}".repeat(limits::TEXT_VALUE_BYTES_MAX)),
        firmware_notes: vec![id("n"); limits::FILES_MAX],
        first_up: Some(format!("{} {}", id("e"), id("f"))),
    })));
    assert!(opened > limits::LINE_BYTES_MAX / 2, "{opened} bytes are near the bound");
}

#[test]
fn a_learned_baseline_of_the_most_points_fits_a_line() {
    let mut profile = "[device]\nvendor = 'v'\nmodel = 'm'\nkind = 'k'\n[points]\ntext = { topic = 't', type = 'string' }\n".to_owned();
    let names: Vec<String> = (0..limits::BASELINE_POINTS_MAX)
        .map(|n| format!("p{n:02}{}", "x".repeat(limits::ID_BYTES_MAX - 3)))
        .collect();
    for (n, name) in names.iter().enumerate() {
        writeln!(profile, "{name} = {{ topic = 't/{n}', type = 'f64' }}").unwrap();
    }
    let regime = format!("text != \\\"{}\\\"", "\\u0001".repeat(limits::EXPRESSION_BYTES_MAX - 20));
    writeln!(profile, "[baseline.b]\npoints = {names:?}\nlearn = 50\nwhile = \"{regime}\"").unwrap();
    let mut detector = Detector::new(site(profile), now(0));
    for n in 1..200_u64 {
        let value = |p: usize| {
            if p == 0 {
                Value::text("x").unwrap()
            } else {
                Value::Real(-1.0 / f64::from(u32::try_from(n * 7919 % 1009 + p as u64).unwrap()) * 1e-200)
            }
        };
        let readings = (0..=limits::BASELINE_POINTS_MAX)
            .map(|p| (PointIndex(p), Reading { value: Ok(value(p)), at: now(n) }));
        detector.readings(now(n), EquipmentIndex(0), readings.collect(), Presence::Answered);
    }
    let learned = detector.take_learned();
    assert!(matches!(learned.first(), Some(BaselineEvent::Learned { .. })), "{learned:?}");
    for mut event in learned {
        if let BaselineEvent::Learned { model, .. } = &mut event {
            let hours = vec![Finite::new(-1.0 / 3.0 * 1e-200).unwrap(); 24];
            let profile = |point| DailyProfile { point, hours: hours.clone() };
            model.daily = (0..limits::BASELINE_POINTS_MAX).map(profile).collect();
        }
        is_a_line(Event::Baseline(event));
    }
}
