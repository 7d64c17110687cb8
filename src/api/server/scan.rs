//! `GET /v1/links/{name}/try` (one request to a Modbus unit) and `/heard` (the messages of a broker).

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use tokio::sync::{Semaphore, oneshot};

use super::links::find_link;
use super::{Answer, usage};
use crate::ambient;
use crate::api::Gateway;
use crate::limits;
use crate::link::{LinkCommand, TryEnd, TryOrder, TryWhat, heard as listen};
use crate::profile::{Area, IDENTIFICATION};
use crate::site::LinkKind;
use crate::v1::{HeardV1, TriedV1};
use crate::words::{Refusal, Rule};

#[derive(Deserialize)]
pub(super) struct TryQuery {
    unit: u8,
    #[serde(default)]
    identify: bool,
    area: Option<String>,
    #[serde(default)]
    start: u16,
    count: Option<u16>,
    timeout_ms: Option<u64>,
}

pub(super) async fn try_unit(
    State(g): State<Gateway>,
    Path(name): Path<String>,
    Query(q): Query<TryQuery>,
) -> Answer<TriedV1> {
    let at = find_link(&g, &name)?;
    let what = if q.identify {
        TryWhat::Identify
    } else {
        let word = q.area.as_deref().unwrap_or("holding");
        let area = Area::TABLES.into_iter().find(|a| a.word() == word);
        let area = area.ok_or_else(|| usage(format!("there is no area {word}")))?;
        let count = q.count.unwrap_or(1).clamp(1, limits::REGISTERS_MAX);
        TryWhat::Read { area, start: q.start, count }
    };
    let timeout = q.timeout_ms.map_or(limits::TIMEOUT_DEFAULT, Duration::from_millis);
    if !(limits::TIMEOUT_MIN..=limits::TRY_TIMEOUT_MAX).contains(&timeout) {
        return Err(usage(format!(
            "the timeout must be from {:?} to {:?}, not {timeout:?}: all other units on the line wait during this time",
            limits::TIMEOUT_MIN,
            limits::TRY_TIMEOUT_MAX
        )));
    }
    if let Some(LinkKind::Serial(_) | LinkKind::Mqtt(_)) = g.site.links.get(at).map(|l| &l.kind) {
        return Err(usage(format!("link {name} is not a Modbus line, so it has no unit ids")));
    }
    let away = || {
        Refusal::new(Rule::LinkAway, format!("link {name} has no connection"))
            .command("see the reason", "andon link list")
    };
    let (done, end) = oneshot::channel();
    let order = LinkCommand::Try(TryOrder { unit: q.unit, what, timeout, done });
    let sender = g.link(at).ok_or_else(away)?;
    let asked = async {
        sender.send(order).await.map_err(|_| away())?;
        end.await.map_err(|_| away())
    };
    let busy = |_| {
        let text = format!("link {name} had no time for this request within {:?}", limits::TRY_WAIT_MAX);
        Refusal::new(Rule::TooBusy, text)
            .command("see the load of the line", format!("andon link plan {name}"))
    };
    Ok(Json(row(tokio::time::timeout(limits::TRY_WAIT_MAX, asked).await.map_err(busy)??)))
}

fn row(end: TryEnd) -> TriedV1 {
    let blank = TriedV1::default();
    match end {
        TryEnd::Words(words) => TriedV1 { answered: true, words, message: "answers".to_owned(), ..blank },
        TryEnd::Identified(objects) => {
            let name = |id: u8| {
                let known = IDENTIFICATION.iter().find(|(_, n)| *n == u16::from(id));
                known.map_or_else(|| format!("object-{id}"), |(word, _)| (*word).to_owned())
            };
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
            TriedV1 {
                answered: true,
                identification: objects.iter().map(|(id, bytes)| (name(*id), text(bytes))).collect(),
                message: "identifies itself".to_owned(),
                ..blank
            }
        }
        // The exceptions 10 and 11 come from a network gateway: the unit behind the gateway did not respond.
        TryEnd::Exception(code @ (10 | 11), message) => TriedV1 { exception: Some(code), message, ..blank },
        TryEnd::Exception(code, message) => {
            TriedV1 { answered: true, exception: Some(code), message, ..blank }
        }
        TryEnd::Failed(message) => TriedV1 { message, ..blank },
        TryEnd::Fault(fault, message) => TriedV1 { message, fault: fault.to_owned(), ..blank },
    }
}

/// The places for scans that listen on brokers at the same time.
static LISTENING: Semaphore = Semaphore::const_new(limits::HEARD_AT_ONCE_MAX);

#[derive(Deserialize)]
pub(super) struct HeardQuery {
    seconds: Option<u64>,
}

pub(super) async fn heard(
    State(g): State<Gateway>,
    Path(name): Path<String>,
    Query(q): Query<HeardQuery>,
) -> Answer<Vec<HeardV1>> {
    let at = find_link(&g, &name)?;
    let Some(LinkKind::Mqtt(broker)) = g.site.links.get(at).map(|l| &l.kind) else {
        return Err(usage(format!("link {name} is not an MQTT broker")));
    };
    let busy = |_| {
        let text = format!("{} scans already listen on brokers", limits::HEARD_AT_ONCE_MAX);
        Refusal::new(Rule::TooBusy, text).remedy("try again when one of them has ended")
    };
    let _listening = LISTENING.try_acquire().map_err(busy)?;
    let time = Duration::from_secs(q.seconds.unwrap_or(5)).min(limits::HEARD_MAX);
    let topics = listen(broker, time, ambient::seed()).await;
    let topics = topics
        .map_err(|why| Refusal::new(Rule::LinkAway, format!("andon cannot listen on {name}: {why}")))?;
    let rows = topics.into_iter().map(|t| HeardV1 {
        topic: t.topic,
        sample: t.sample,
        messages: t.messages,
        retained: t.retained,
    });
    Ok(Json(rows.collect()))
}
