//! The readings around a fault's onset, kept with its ticket: cut from the recorder once they have all come.

use std::io;
use std::path::Path;

use axum::extract::FromRef;

use super::log::Log;
use crate::api::v1::TraceV1;
use crate::api::{Gateway, Served, cut_trace};
use crate::words::TicketNumber;

/// Keeps the trace of a ticket.
pub(super) async fn keep(served: Served, number: TicketNumber, log: Log) {
    let gateway = Gateway::from_ref(&served);
    let Ok(Some(ticket)) = gateway.ticket(number).await else { return };
    let after = {
        let found = gateway.site.find(ticket.equipment.as_str());
        found.and_then(|(_, e)| e.profile.fault(ticket.fault.as_str())).map(|f| f.trace.after)
    };
    let Some(after) = after else { return };
    tokio::time::sleep(ticket.onset.after(after).since(gateway.clock.now().wall)).await;
    let gateway = Gateway::from_ref(&served);
    let kept = match cut_trace(&gateway, &ticket).await {
        Ok(trace) if trace.series.iter().all(|s| s.samples.is_empty()) => return,
        Ok(trace) => {
            let folder = gateway.traces.clone();
            tokio::task::spawn_blocking(move || write(&folder, &trace)).await
        }
        Err(refusal) => Ok(Err(io::Error::other(refusal.to_string()))),
    };
    if let Ok(Err(e)) = kept {
        log.warn(&format!("the readings around ticket {number} were not kept: {e}"));
    }
}

/// Keeps what a stop of the daemon left undone: of live tickets without a trace.
pub(super) async fn catch_up(served: Served, log: Log) {
    let gateway = Gateway::from_ref(&served);
    let live = gateway
        .look(|desk, _| {
            let live = desk.state().tickets.values().filter(|t| t.state.is_live());
            live.map(|t| t.number).collect::<Vec<_>>()
        })
        .await;
    for number in live.unwrap_or_default() {
        if !gateway.traces.join(format!("ticket-{number}.json")).exists() {
            keep(served.clone(), number, log).await;
        }
    }
}

/// Writes a trace whole or not at all.
fn write(folder: &Path, trace: &TraceV1) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let path = folder.join(format!("ticket-{}.json", trace.ticket));
    let beside = path.with_extension("new");
    std::fs::write(&beside, serde_json::to_vec(trace)?)?;
    std::fs::rename(&beside, &path)
}
