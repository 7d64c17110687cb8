//! The frames and readings kept with a ticket: the frames around its fault, copied from the link's ring buffer some seconds
//! after the ticket was opened, and the readings around its onset (`traces.rs`).
//!
//! One worker does one job at a time for all tickets, outside the thread of the desk. A flood of tickets shares one copy of
//! a link's frames, one file, and one read of the recorder (test: `a_flood_shares_its_frames_and_readings`).

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use axum::extract::FromRef;
use tokio::sync::mpsc;

use super::traces::Traces;
use crate::api::{Gateway, Served, TraceOf};
use crate::disk;
use crate::limits;
use crate::link::LinkBoard;
use crate::profile::{WireKind, to_pcap};
use crate::ticket::TicketOpening;
use crate::words::{EquipmentId, LinkName, Mono, Now, TicketNumber};

/// A ticket that was opened, and the time.
#[derive(Debug, Clone)]
pub(super) struct NewTicket {
    pub of: TraceOf,
    pub at: Now,
}

/// The sender of new tickets to the worker. It never waits.
#[derive(Debug, Clone)]
pub(super) struct NewTicketSender {
    queue: mpsc::Sender<NewTicket>,
    passed_over: Arc<AtomicU64>,
}

/// The receiver of new tickets in the worker.
pub(super) struct NewTicketReceiver {
    queue: mpsc::Receiver<NewTicket>,
    passed_over: Arc<AtomicU64>,
}

/// Creates a bounded queue of new tickets.
pub(super) fn new_tickets() -> (NewTicketSender, NewTicketReceiver) {
    let (tx, rx) = mpsc::channel(limits::CAPTURES_QUEUED_MAX);
    let passed_over = Arc::new(AtomicU64::new(0));
    (
        NewTicketSender { queue: tx, passed_over: passed_over.clone() },
        NewTicketReceiver { queue: rx, passed_over },
    )
}

impl NewTicketSender {
    /// Sends a ticket that was opened. If the queue is full, the ticket is skipped and counted.
    pub(super) fn note(&self, ticket: &TicketOpening, at: Now) {
        let of = TraceOf {
            number: ticket.number,
            equipment: ticket.equipment.clone(),
            fault: ticket.fault.clone(),
            onset: ticket.onset,
        };
        if self.queue.try_send(NewTicket { of, at }).is_err() {
            self.passed_over.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Keeps the frames and the readings of each new ticket. Ends when the sender is dropped.
pub(super) async fn keep(mut receiver: NewTicketReceiver, served: Served) {
    let mut work = Work::new(&Gateway::from_ref(&served), receiver.passed_over.clone());
    work.traces.catch_up(&Gateway::from_ref(&served)).await;
    let mut tickets = Vec::new();
    loop {
        let clock = Gateway::from_ref(&served).clock;
        let due = work.due();
        let sleep = async {
            match due {
                Some(at) => tokio::time::sleep_until(clock.instant(at).into()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            count = receiver.queue.recv_many(&mut tickets, limits::OPENED_TAKEN_MAX) => {
                if count == 0 {
                    return;
                }
                work.take(&Gateway::from_ref(&served), tickets.drain(..));
            }
            () = sleep => {
                let now = clock.now();
                work.carry_out(&Gateway::from_ref(&served), now).await;
            }
        }
    }
}

/// Tickets of one link that were opened at about the same time and share their frames.
struct Burst {
    link: LinkName,
    board: LinkBoard,
    kind: WireKind,
    first: Now,
    last: Mono,
    tickets: Vec<TicketNumber>,
}

/// The jobs of the worker.
struct Work {
    bursts: VecDeque<Burst>,
    waiting: usize,
    captures: Option<Captures>,
    pub traces: Traces,
    passed_over: Arc<AtomicU64>,
    /// True when the worker has ended, so that a running job ends soon.
    over: Arc<AtomicBool>,
}

impl Drop for Work {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

impl Work {
    fn new(gateway: &Gateway, passed_over: Arc<AtomicU64>) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        Self {
            bursts: VecDeque::new(),
            waiting: 0,
            captures: Some(Captures::new(gateway.captures.clone())),
            traces: Traces::new(over.clone(), passed_over.clone()),
            passed_over,
            over,
        }
    }

    /// Returns the time of the next job; `None` if there is none.
    fn due(&self) -> Option<Mono> {
        let burst = self.bursts.front().map(|b| b.last + limits::CAPTURE_AFTER);
        burst.into_iter().chain(self.traces.due()).min()
    }

    /// Adds new tickets.
    fn take(&mut self, gateway: &Gateway, tickets: impl Iterator<Item = NewTicket>) {
        let mut known: BTreeMap<EquipmentId, Option<usize>> = BTreeMap::new();
        for NewTicket { of, at } in tickets {
            let link = *known
                .entry(of.equipment.clone())
                .or_insert_with(|| gateway.site.find(of.equipment.as_str()).map(|(_, e)| e.link));
            if let Some(link) = link {
                self.share(gateway, link, of.number, at);
            }
            self.traces.take(gateway, of, at);
        }
    }

    /// Adds a ticket to the burst of its link, or begins a burst.
    fn share(&mut self, gateway: &Gateway, link: usize, number: TicketNumber, at: Now) {
        let (Some(board), Some(on)) = (gateway.boards.get(link), gateway.site.links.get(link)) else {
            return;
        };
        if self.waiting >= limits::CAPTURES_QUEUED_MAX {
            self.passed_over.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.waiting += 1;
        let burst = self.bursts.iter_mut().rev().find(|b| b.link == on.name);
        match burst.filter(|b| at.mono.since(b.first.mono) <= limits::CAPTURE_SHARED) {
            Some(burst) => {
                burst.last = burst.last.max(at.mono);
                burst.tickets.push(number);
            }
            None => self.bursts.push_back(Burst {
                link: on.name.clone(),
                board: board.clone(),
                kind: on.kind.wire(),
                first: at,
                last: at.mono,
                tickets: vec![number],
            }),
        }
    }

    /// Does the jobs that are due, one after the other.
    async fn carry_out(&mut self, gateway: &Gateway, now: Now) {
        while let Some(burst) = self.bursts.pop_front_if(|b| b.last + limits::CAPTURE_AFTER <= now.mono) {
            self.waiting -= burst.tickets.len();
            self.cut(burst).await;
        }
        self.traces.carry_out(gateway, now).await;
        let passed_over = self.passed_over.load(Ordering::Relaxed);
        if passed_over > 0 && self.waiting == 0 {
            self.passed_over.fetch_sub(passed_over, Ordering::Relaxed);
            tracing::warn!(
                "no frames or readings were kept for {passed_over} tickets: too many tickets were opened at once"
            );
        }
    }

    /// Writes the frames of a burst.
    async fn cut(&mut self, burst: Burst) {
        let before = i64::try_from(limits::CAPTURE_BEFORE.as_micros()).unwrap_or(i64::MAX);
        let from = burst.first.wall.millis().saturating_mul(1000).saturating_sub(before);
        let frames = burst.board.record().since(from);
        let (Some(mut captures), false) = (self.captures.take(), frames.is_empty()) else { return };
        let (kind, over, first) = (burst.kind, self.over.clone(), burst.tickets.first().copied());
        let written = tokio::task::spawn_blocking(move || {
            let pcap = to_pcap(kind, &frames);
            let end = captures.write(&burst.tickets, &pcap, &over);
            (captures, end)
        });
        let failed = match written.await {
            Ok((captures, end)) => {
                self.captures = Some(captures);
                end.err().map(|e| e.to_string())
            }
            Err(e) => Some(e.to_string()),
        };
        if let (Some(why), Some(number)) = (failed, first) {
            tracing::warn!("the frames around ticket {number} were not kept: {why}");
        }
    }
}

/// The folder of the frames kept with tickets, with a largest number and size. Tickets of a burst share one file.
struct Captures {
    folder: PathBuf,
    /// The file (inode) and its size in bytes for each ticket; `None` until the folder was read.
    kept: Option<BTreeMap<u64, (u64, u64)>>,
    /// The number of tickets that share each file.
    shared: BTreeMap<u64, usize>,
    bytes: u64,
}

impl Captures {
    fn new(folder: PathBuf) -> Self {
        Self { folder, kept: None, shared: BTreeMap::new(), bytes: 0 }
    }

    fn path(&self, number: u64) -> PathBuf {
        self.folder.join(format!("ticket-{number}.pcap"))
    }

    /// Writes one capture for all these tickets, and removes the oldest captures above the limits.
    fn write(&mut self, tickets: &[TicketNumber], pcap: &[u8], over: &AtomicBool) -> io::Result<()> {
        self.look()?;
        let Some((first, others)) = tickets.split_first() else { return Ok(()) };
        let mut path = self.path(first.0);
        disk::write_whole(&path, pcap)?;
        self.note(first.0)?;
        for number in others {
            if over.load(Ordering::Relaxed) {
                break;
            }
            let other = self.path(number.0);
            disk::remove(&other)?;
            // If the file system does not allow (another) hard link, the ticket gets its own file.
            if std::fs::hard_link(&path, &other).is_err() {
                disk::write_whole(&other, pcap)?;
            }
            self.note(number.0)?;
            // The file of the first ticket may be removed by now.
            path = other;
        }
        if !others.is_empty() {
            std::fs::File::open(&self.folder)?.sync_all()?;
        }
        Ok(())
    }

    /// Reads the folder, at the first call.
    fn look(&mut self) -> io::Result<()> {
        if self.kept.is_some() {
            return Ok(());
        }
        disk::make_folder(&self.folder)?;
        self.kept = Some(BTreeMap::new());
        for entry in std::fs::read_dir(&self.folder)?.flatten() {
            let name = entry.file_name();
            let number =
                name.to_str().and_then(|n| n.strip_prefix("ticket-")?.strip_suffix(".pcap")?.parse().ok());
            if let Some(number) = number {
                self.note(number)?;
            }
        }
        Ok(())
    }

    /// Counts the file of a ticket, and removes the oldest files above the limits.
    fn note(&mut self, number: u64) -> io::Result<()> {
        use std::os::unix::fs::MetadataExt;
        let found = std::fs::metadata(self.path(number))?;
        let (file, size) = (found.ino(), found.len());
        self.forget(number);
        self.kept.get_or_insert_default().insert(number, (file, size));
        let count = self.shared.entry(file).or_default();
        *count += 1;
        if *count == 1 {
            self.bytes += size;
        }
        loop {
            let kept = self.kept.get_or_insert_default();
            let is_too_much = kept.len() > limits::CAPTURES_KEPT || self.bytes > limits::CAPTURES_BYTES_MAX;
            let oldest = kept.first_key_value().map(|(n, _)| *n).filter(|n| is_too_much && *n != number);
            let Some(oldest) = oldest else { return Ok(()) };
            disk::remove(&self.path(oldest))?;
            self.forget(oldest);
        }
    }

    fn forget(&mut self, number: u64) {
        let Some((file, size)) = self.kept.as_mut().and_then(|k| k.remove(&number)) else { return };
        if let Some(count) = self.shared.get_mut(&file) {
            *count -= 1;
            if *count == 0 {
                self.shared.remove(&file);
                self.bytes -= size;
            }
        }
    }
}

#[cfg(test)]
mod tests;
