//! The readings around a fault's onset, kept with its ticket: cut from the recorder once they have all come.

use std::io;

use axum::extract::FromRef;

use super::captures::write_whole;
use super::log::Log;
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
        // An empty one is kept as well: what was not recorded is not looked for at every start.
        Ok(trace) => {
            let path = gateway.trace_path(number);
            let written = move || write_whole(&path, &serde_json::to_vec(&trace)?);
            tokio::task::spawn_blocking(written).await
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
            let live = desk.recorded().tickets.values().filter(|t| t.state.is_live());
            live.map(|t| t.number).collect::<Vec<_>>()
        })
        .await;
    for number in live.unwrap_or_default() {
        if !gateway.trace_path(number).exists() {
            keep(served.clone(), number, log).await;
        }
    }
}
