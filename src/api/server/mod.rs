//! The routes, one file for each noun. Every change goes through [`Gateway::ask`].

mod alarms;
mod audit;
mod capture;
mod equipment;
mod firmware;
mod links;
mod reload;
mod samples;
mod scan;
mod status;
mod tickets;
mod why;

use std::time::Duration;

use axum::extract::DefaultBodyLimit;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;

use super::gateway::{Gateway, Served};
use crate::limits;
use crate::site::Equipment;
use crate::v1::{ErrorBody, ErrorV1};
use crate::words::{EquipmentIndex, Outcome, Refusal, Wall};

/// An error response.
struct Failure(ErrorV1);

impl From<Refusal> for Failure {
    fn from(r: Refusal) -> Self {
        let outcome = r.rule.outcome();
        Failure(ErrorV1 { rule: r.rule.code().to_owned(), message: r.message, remedies: r.remedies, outcome })
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        tracing::debug!("refused by {}: {}", self.0.rule, self.0.message);
        let status =
            StatusCode::from_u16(self.0.outcome.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(ErrorBody { error: self.0 })).into_response()
    }
}

fn own_failure(message: String) -> Failure {
    Failure(ErrorV1 {
        rule: "gateway/own-failure".to_owned(),
        message,
        remedies: Vec::new(),
        outcome: Outcome::OwnFailure,
    })
}

fn usage(message: String) -> Failure {
    Failure(ErrorV1 { rule: "api/usage".to_owned(), message, remedies: Vec::new(), outcome: Outcome::Usage })
}

/// The start and the end of a period in a query, as RFC 3339.
#[derive(Deserialize)]
struct Period {
    since: Option<String>,
    until: Option<String>,
}

impl Period {
    /// Returns the start and the end; `None` for a time that the query does not give.
    fn named(&self) -> Result<(Option<Wall>, Option<Wall>), Failure> {
        let instant = |text: &Option<String>| {
            let read = |t: &String| Wall::parse(t).map_err(|e| usage(format!("{t} is not a time: {e}")));
            text.as_ref().map(read).transpose()
        };
        let (since, until) = (instant(&self.since)?, instant(&self.until)?);
        if let (Some(since), Some(until)) = (since, until) {
            in_order(since, until)?;
        }
        Ok((since, until))
    }

    /// Returns the start and the end. The default of the end is `now`, of the start `length` before the end.
    fn of(&self, now: Wall, length: Duration) -> Result<(Wall, Wall), Failure> {
        let (since, until) = self.named()?;
        let until = until.unwrap_or(now);
        let since = since.unwrap_or(until.before(length));
        in_order(since, until)?;
        Ok((since, until))
    }
}

fn in_order(since: Wall, until: Wall) -> Result<(), Failure> {
    if since < until {
        return Ok(());
    }
    Err(usage(format!("the start of the period, {since}, is not before its end, {until}")))
}

type Answer<T> = Result<Json<T>, Failure>;

/// Returns the routes of a gateway.
pub fn router(served: Served) -> Router {
    Router::new()
        .route("/v1/status", get(status::status))
        .route("/v1/alarms", get(alarms::alarms))
        .route("/v1/equipment", get(equipment::equipment_list))
        .route("/v1/equipment/{id}", get(equipment::equipment_show))
        .route("/v1/equipment/{id}/readings", get(equipment::readings))
        .route("/v1/equipment/{id}/points/{point}", post(equipment::write))
        .route("/v1/equipment/{id}/points/{point}/history", get(samples::point_history))
        .route("/v1/firmware", get(firmware::firmware))
        .route("/v1/links", get(links::links))
        .route("/v1/links/{name}/capture", get(capture::link_capture))
        .route("/v1/links/{name}/try", get(scan::try_unit))
        .route("/v1/links/{name}/heard", get(scan::heard))
        .route("/v1/links/{name}/plan", get(links::link_plan))
        .route("/v1/tickets", get(tickets::tickets).post(tickets::report))
        .route("/v1/tickets/{target}", get(tickets::ticket_show).post(tickets::ticket_change))
        .route("/v1/tickets/{target}/trace", get(samples::ticket_trace))
        .route("/v1/tickets/{target}/wire", get(capture::ticket_wire))
        .route("/v1/operations", post(alarms::operate))
        .route("/v1/reports/alarms", get(alarms::report))
        .route("/v1/history", get(tickets::history))
        .route("/v1/why/{equipment}/{name}", get(why::why))
        .route("/v1/reload", post(reload::reload))
        .route("/v1/audit/verify", get(audit::audit_verify))
        .route("/v1/audit/accept", post(audit::audit_accept))
        .fallback(|| async { usage("there is no such path".to_owned()) })
        .layer(DefaultBodyLimit::max(limits::BODY_BYTES_MAX))
        .with_state(served)
}

fn find<'a>(gateway: &'a Gateway, id: &str) -> Result<(EquipmentIndex, &'a Equipment), Failure> {
    Ok(gateway.site.known(id)?)
}
