//! `GET /v1/links/{name}/capture` and `/v1/tickets/{target}/wire`: captured frames as a pcap file.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;

use super::links::find_link;
use super::{Answer, own_failure};
use crate::api::Gateway;
use crate::profile::to_pcap;
use crate::v1::CaptureV1;
use crate::words::{Refusal, Rule};

#[derive(Deserialize)]
pub(super) struct CaptureQuery {
    seconds: Option<u64>,
}

pub(super) async fn link_capture(
    State(g): State<Gateway>,
    Path(name): Path<String>,
    Query(q): Query<CaptureQuery>,
) -> Answer<CaptureV1> {
    let at = find_link(&g, &name)?;
    let (Some(link), Some(board)) = (g.site.links.get(at), g.boards.get(at)) else {
        return Err(Refusal::new(Rule::NeedsDaemon, "only a running daemon has captured frames")
            .command("start it", "andon daemon")
            .into());
    };
    let now = g.clock.now().wall.millis();
    let back = q.seconds.map(|s| Duration::from_secs(s).as_millis());
    let from = back.map_or(0, |ms| now.saturating_sub(i64::try_from(ms).unwrap_or(i64::MAX)));
    let frames = board.record().since(from.saturating_mul(1000));
    Ok(Json(CaptureV1 { frames: frames.len(), pcap: hex(&to_pcap(link.kind.wire(), &frames)) }))
}

pub(super) async fn ticket_wire(State(g): State<Gateway>, Path(which): Path<String>) -> Answer<CaptureV1> {
    let number = super::tickets::number_of(&g, &which).await?;
    let path = g.captures.join(format!("ticket-{number}.pcap"));
    let bytes = match tokio::task::spawn_blocking(move || std::fs::read(path)).await {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(e)) if e.kind() == std::io::ErrorKind::NotFound => {
            let text = format!("no frames are kept with ticket {number}");
            return Err(Refusal::new(Rule::NoCapture, text)
                .remedy("andon keeps frames some seconds after a ticket is opened, and only for the last ten thousand tickets")
                .into());
        }
        Ok(Err(e)) => return Err(own_failure(e.to_string())),
        Err(e) => return Err(own_failure(e.to_string())),
    };
    let frames = crate::profile::from_pcap(&bytes).map_or(0, |(_, frames)| frames.len());
    Ok(Json(CaptureV1 { frames, pcap: hex(&bytes) }))
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut out, b| {
        let _written = write!(out, "{b:02x}");
        out
    })
}
