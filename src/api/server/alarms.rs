//! `GET /v1/alarms`, `POST /v1/operations`, `GET /v1/reports/alarms`.

use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};

use super::{Answer, Period};
use crate::alarm::report::{AlarmReport, Reporter};
use crate::alarm::{Alarm, AlarmState, AlarmVerb, Key};
use crate::api::Gateway;
use crate::api::KeptReport;
use crate::api::transport::Identity;
use crate::api::v1::{AlarmV1, OperatedV1, OperationKindV1, OperationV1, OutOfServiceV1, ShelvedV1};
use crate::baseline::BaselineVerb;
use crate::desk::{Snapshot, Verb};
use crate::detect::TransitionKind;
use crate::limits;
use crate::service::ServiceVerb;
use crate::words::{Severity, Wall};
use std::collections::BTreeMap;

pub(super) async fn alarms(State(g): State<Gateway>) -> Answer<Vec<AlarmV1>> {
    Ok(Json(alarm_rows(&*g.snapshot().await?)))
}

/// Alarms that stand and conditions that are held back, worst first; those of a burst after their first-up.
pub(super) fn alarm_rows(desk: &Snapshot) -> Vec<AlarmV1> {
    let standing = desk.state.alarms.standing.iter().map(|(key, a)| standing_row(desk, key, a));
    let suppressed = desk.suppressed.iter().filter_map(|s| {
        let hidden = desk.hidden(&s.key)?;
        let (equipment, fault) = &s.key;
        let (_, e) = desk.site.find(equipment.as_str())?;
        Some(AlarmV1 {
            equipment: equipment.to_string(),
            fault: fault.to_string(),
            severity: e.profile.fault(fault.as_str())?.severity,
            state: hidden.state,
            onset: s.onset,
            raised_at: s.raised_at,
            first_up: None,
            note: hidden.why,
            recorded: true,
        })
    });
    let raised = desk.unrecorded.iter().filter(|u| u.kind == TransitionKind::Raised);
    let unrecorded = raised.map(|u| AlarmV1 {
        equipment: u.key.0.to_string(),
        fault: u.key.1.to_string(),
        severity: u.severity,
        state: AlarmState::Unacknowledged,
        onset: u.onset,
        raised_at: u.at,
        first_up: None,
        note: "not on record yet: the journal cannot be written".to_owned(),
        recorded: false,
    });
    let mut rows: Vec<AlarmV1> = standing.chain(suppressed).chain(unrecorded).collect();
    rows.sort_by_key(|a| (a.severity, a.raised_at));
    let (mut firsts, followers): (Vec<AlarmV1>, Vec<AlarmV1>) =
        rows.into_iter().partition(|a| a.first_up.is_none());
    for follower in followers.into_iter().rev() {
        let first = |a: &AlarmV1| follower.first_up.as_ref() == Some(&format!("{} {}", a.equipment, a.fault));
        // Where the first-up has gone, what came after it stands for itself.
        let place = firsts.iter().position(first).map_or(firsts.len(), |at| at + 1);
        firsts.insert(place, follower);
    }
    firsts
}

fn standing_row(desk: &Snapshot, key: &Key, a: &Alarm) -> AlarmV1 {
    let hidden = desk.hidden(key);
    let is_cleared = desk.unrecorded.iter().any(|u| u.kind == TransitionKind::Cleared && u.key == *key);
    let cleared = is_cleared.then(|| "its condition is false now; that is not on record yet".to_owned());
    let chatters = a.chattering.map(|n| match n {
        0 => "chatters: its repeats are counted".to_owned(),
        n => format!("chatters: {n} repeats so far"),
    });
    let note = [chatters, cleared, hidden.as_ref().map(|h| h.why.clone())];
    AlarmV1 {
        equipment: a.equipment.to_string(),
        fault: a.fault.to_string(),
        severity: a.severity,
        state: hidden.map_or(a.state, |h| h.state),
        onset: a.onset,
        raised_at: a.raised_at,
        first_up: a.first_up.as_ref().map(ToString::to_string),
        note: note.into_iter().flatten().collect::<Vec<_>>().join("; "),
        recorded: true,
    }
}

pub(super) fn shelved_rows(desk: &Snapshot) -> Vec<ShelvedV1> {
    let row = |((equipment, fault), s): (&Key, &crate::alarm::Shelf)| ShelvedV1 {
        equipment: equipment.to_string(),
        fault: fault.to_string(),
        until: s.until,
        by: s.by.clone(),
        reason: s.reason.clone(),
    };
    desk.state.alarms.shelves.iter().map(row).collect()
}

pub(super) fn out_of_service_rows(desk: &Snapshot) -> Vec<OutOfServiceV1> {
    let out = desk.state.service.out.iter();
    out.map(|(id, o)| OutOfServiceV1 {
        equipment: id.to_string(),
        since: o.since,
        by: o.by.clone(),
        reason: o.reason.clone(),
    })
    .collect()
}

pub(super) async fn operate(
    State(g): State<Gateway>,
    Identity(by): Identity,
    Json(body): Json<OperationV1>,
) -> Answer<OperatedV1> {
    let now = g.clock.now().wall;
    let (equipment, reason) = (body.equipment, body.reason);
    let verb: Verb = match body.operation {
        OperationKindV1::Shelve { fault, for_ms } => {
            let until = now.after(Duration::from_millis(for_ms));
            AlarmVerb::Shelve { equipment, fault, until, reason }.into()
        }
        OperationKindV1::Unshelve { fault } => AlarmVerb::Unshelve { equipment, fault, reason }.into(),
        OperationKindV1::OutOfService => ServiceVerb::TakeOut { equipment, reason }.into(),
        OperationKindV1::Return => ServiceVerb::Return { equipment, reason }.into(),
        OperationKindV1::Relearn { baseline } => {
            BaselineVerb::Relearn { equipment, fault: baseline, reason }.into()
        }
    };
    Ok(Json(OperatedV1 { message: g.tell(by, verb).await? }))
}

/// A week where nothing else is asked for.
const REPORT_DEFAULT: Duration = Duration::from_secs(7 * 86_400);

pub(super) async fn report(State(g): State<Gateway>, Query(period): Query<Period>) -> Answer<AlarmReport> {
    let (since, until) = period.of(g.clock.now().wall, REPORT_DEFAULT)?;
    let at = g.feed.end().borrow().clone();
    let is_near = |a: Wall, b: Wall| a.since(b).max(b.since(a)) < limits::REPORT_KEPT_FOR;
    let mut last = g.report.lock().await;
    if let Some(kept) =
        last.as_ref().filter(|k| k.at == at && is_near(k.period.0, since) && is_near(k.period.1, until))
    {
        return Ok(Json(kept.report.clone()));
    }
    let active = g.snapshot().await?.state.alarms;
    let active = active.active().map(|(key, a)| (key.clone(), (a.severity, a.raised_at)));
    let standing: BTreeMap<Key, (Severity, Wall)> = active.collect();
    let report = g
        .query(move |store| {
            let mut reporter = Reporter::new(since);
            let each = &mut |at, alarm, what| reporter.event(at, alarm, what);
            let names = store.alarm_events(since, until, &standing, each)?;
            Ok(reporter.finish(until, |alarm| names.get(&alarm).cloned()))
        })
        .await?;
    *last = Some(KeptReport { period: (since, until), at, report: report.clone() });
    Ok(Json(report))
}
