//! `GET /v1/alarms`, `POST /v1/operations`, `GET /v1/reports/alarms`.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::extract::{Query, State};

use super::{Answer, Period};
use crate::alarm::report::Reporter;
use crate::alarm::{AlarmVerb, Key};
use crate::api::Gateway;
use crate::api::KeptReport;
use crate::api::transport::Identity;
use crate::baseline::BaselineVerb;
use crate::desk::Verb;
use crate::limits;
use crate::service::ServiceVerb;
use crate::v1::{AlarmReportV1, AlarmV1, OperatedV1, OperationKindV1, OperationV1};
use crate::view;
use crate::words::{Severity, Wall};

pub(super) async fn alarms(State(g): State<Gateway>) -> Answer<Vec<AlarmV1>> {
    Ok(Json(view::alarms(&*g.snapshot().await?)))
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
    Ok(Json(OperatedV1 { message: g.ask_for_sentence(by, verb).await? }))
}

/// The default length of the period: a week.
const REPORT_DEFAULT: Duration = Duration::from_secs(7 * 86_400);

pub(super) async fn report(State(g): State<Gateway>, Query(period): Query<Period>) -> Answer<AlarmReportV1> {
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
            Ok(view::alarm_report(reporter.finish(until, |alarm| names.get(&alarm).cloned())))
        })
        .await?;
    *last = Some(KeptReport { period: (since, until), at, report: report.clone() });
    Ok(Json(report))
}
