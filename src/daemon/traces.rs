//! The readings around the onset of a fault, kept with its ticket in `traces/`. They are read from the recorder when the
//! period of the trace has ended. Tickets of a burst share one read.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::api::{Cut, Gateway, TraceOf};
use crate::disk;
use crate::limits;
use crate::words::{Mono, Now, TicketNumber};

/// The traces to write, by the time at which they are due.
pub(super) struct Traces {
    waiting: BTreeMap<(Mono, TicketNumber), TraceOf>,
    over: Arc<AtomicBool>,
    passed_over: Arc<AtomicU64>,
}

impl Traces {
    pub(super) fn new(over: Arc<AtomicBool>, passed_over: Arc<AtomicU64>) -> Self {
        Self { waiting: BTreeMap::new(), over, passed_over }
    }

    /// Returns the time of the next writing: shortly after the first trace is due, so that further traces can share the read.
    pub(super) fn due(&self) -> Option<Mono> {
        self.waiting.first_key_value().map(|((at, _), _)| *at + limits::CAPTURE_SHARED)
    }

    /// Adds a ticket. If too many wait, the ticket is skipped; its trace is then read when a person asks for it.
    pub(super) fn take(&mut self, gateway: &Gateway, of: TraceOf, now: Now) {
        let Some(after) = of.found(&gateway.site).map(|(_, fault)| fault.trace.after) else { return };
        if self.waiting.len() >= limits::TRACES_QUEUED_MAX {
            self.passed_over.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let due = now.mono + of.onset.after(after).since(now.wall);
        self.waiting.insert((due, of.number), of);
    }

    /// Adds the live tickets that have no trace because the daemon stopped.
    pub(super) async fn catch_up(&mut self, gateway: &Gateway) {
        let Ok(desk) = gateway.snapshot().await else { return };
        let live = desk.state.tickets.live.values().filter(|t| t.state.is_live());
        let live: Vec<TraceOf> = live.map(|t| TraceOf::from(t.as_ref())).collect();
        let now = desk.at;
        // While the snapshot exists, the desk must copy every part that changes.
        drop(desk);
        let folder = gateway.clone();
        let without = tokio::task::spawn_blocking(move || {
            let mut live = live;
            live.retain(|t| !folder.trace_path(t.number).exists());
            live
        });
        for of in without.await.unwrap_or_default() {
            self.take(gateway, of, now);
        }
    }

    /// Writes the traces that are due.
    pub(super) async fn carry_out(&mut self, gateway: &Gateway, now: Now) {
        if self.due().is_none_or(|at| at > now.mono) {
            return;
        }
        let mut due = Vec::new();
        while let Some(first) = self.waiting.first_entry()
            && first.key().0 <= now.mono
            && due.len() < limits::TRACES_SHARED_MAX
        {
            let (_, of) = first.remove_entry();
            due.push((gateway.trace_path(of.number), of));
        }
        let first = due.first().map(|(_, of)| of.number);
        let (gateway, over) = (gateway.clone(), self.over.clone());
        let written = tokio::task::spawn_blocking(move || write(&gateway, &due, &over));
        let failed = match written.await {
            Ok(end) => end.err().map(|e| e.to_string()),
            Err(e) => Some(e.to_string()),
        };
        if let (Some(why), Some(number)) = (failed, first) {
            tracing::warn!("the readings around ticket {number} were not kept: {why}");
        }
    }
}

/// Writes traces from one read of the recorder. Empty traces are written as well, so that the next start skips these tickets.
fn write(gateway: &Gateway, due: &[(PathBuf, TraceOf)], over: &AtomicBool) -> io::Result<()> {
    let cut = Cut::read(&gateway.site, &gateway.recorder, due.iter().map(|(_, of)| of))?;
    for (at, (path, of)) in due.iter().enumerate() {
        let is_last = at + 1 == due.len() || over.load(Ordering::Relaxed);
        let bytes = serde_json::to_vec(&cut.trace(&gateway.site, of))?;
        if is_last {
            return disk::write_whole(path, &bytes);
        }
        disk::place_whole(path, &bytes)?;
    }
    Ok(())
}
