//! [`Gateway`]: the access of the routes to the desk (by messages), the store (by a reader) and the links (by their boards).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::FromRef;
use tokio::sync::{mpsc, oneshot};

use super::queues::{QueryQueue, QueryQueues};
use crate::ambient::Clock;
use crate::desk::{Ask, Reply, Snapshot, Verb};
use crate::feed::Feed;
use crate::journal::{Cursor, Verified};
use crate::limits;
use crate::link::{EquipmentStats, LinkBoard, LinkCommand};
use crate::recorder::Recorder;
use crate::site::Site;
use crate::store::tables::TableError;
use crate::store::{StoreHealth, StoreReader, StoreView};
use crate::ticket::Ticket;
use crate::v1::AlarmReportV1;
use crate::view::Boards;
use crate::words::{Author, Damage, LinkName, Refusal, Rule, TicketNumber, Wall};

/// A message to the driver of the desk.
pub enum Message {
    /// A request to change something, and the sender of its reply.
    Ask(Box<Ask>, oneshot::Sender<Result<Reply, Refusal>>),
    /// Parts of the journal that cannot be read were found.
    Damaged(Vec<Damage>),
    /// This site is in force from now on. The sender is used when the desk uses this site.
    Reload(Arc<Site>, oneshot::Sender<()>),
    /// A snapshot is wanted, for a question.
    Snapshot(oneshot::Sender<Box<Snapshot>>),
}

/// A gateway, as the routes see it. A clone is cheap.
#[derive(Clone)]
pub struct Gateway {
    /// The site in force.
    pub site: Arc<Site>,
    /// True for a daemon, which reads equipment. False for a single command.
    pub daemon: bool,
    /// The clock.
    pub clock: Clock,
    /// The folder of the frames kept with tickets.
    pub captures: PathBuf,
    /// The recorded readings.
    pub recorder: Recorder,
    /// The folder of the readings kept with tickets.
    pub traces: PathBuf,
    /// The messages to the driver of the desk.
    pub desk: mpsc::Sender<Message>,
    /// The recorded events.
    pub feed: Feed,
    /// The ticket database.
    pub store: StoreView,
    /// The queues for questions that take long.
    pub queues: QueryQueues,
    /// The last alarm report; `None` before the first one. Locked while a report is computed, so that others wait for it.
    pub report: Arc<tokio::sync::Mutex<Option<KeptReport>>>,
    /// The damaged parts of the journal that were found when it was opened.
    pub found: Arc<Vec<Damage>>,
    /// The boards of the links, in the order of the site; empty without a daemon.
    pub boards: Vec<LinkBoard>,
    /// The command channels of the links.
    pub links: Links,
    /// The requests to reload the configuration; `None` without a daemon.
    pub reload: Option<mpsc::Sender<ReloadAsk>>,
}

/// The command channel of each link. A channel is replaced when the task of its link is started again.
pub type Links = Arc<Mutex<BTreeMap<LinkName, mpsc::Sender<LinkCommand>>>>;

/// A request to reload: the sender of the result.
pub type ReloadAsk = oneshot::Sender<Result<Reloaded, String>>;

/// The result of a reload.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reloaded {
    /// The number of pieces of equipment that are unchanged.
    pub kept: usize,
    /// The ids of new or changed equipment.
    pub changed: Vec<String>,
    /// The ids of equipment that is no longer configured.
    pub removed: Vec<String>,
}

/// A gateway whose configuration can be reloaded. A request sees the same site from its beginning to its end.
#[derive(Clone)]
pub struct Served(Arc<Mutex<Gateway>>);

impl Served {
    /// Wraps a gateway.
    #[must_use]
    pub fn new(gateway: Gateway) -> Self {
        Self(Arc::new(Mutex::new(gateway)))
    }

    /// Replaces the site and the boards for all later requests.
    pub fn replace(&self, site: Arc<Site>, boards: Vec<LinkBoard>) {
        let mut gateway = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        gateway.site = site;
        gateway.boards = boards;
    }
}

impl FromRef<Served> for Gateway {
    fn from_ref(served: &Served) -> Self {
        served.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn gone() -> Refusal {
    Refusal::new(Rule::TooBusy, "the gateway is stopping")
}

impl Gateway {
    /// Returns the command channel of the link at position `at` of the site; `None` if it has no task.
    #[must_use]
    pub fn link(&self, at: usize) -> Option<mpsc::Sender<LinkCommand>> {
        let name = &self.site.links.get(at)?.name;
        self.links.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Returns a copy of the boards of all links.
    #[must_use]
    pub fn boards(&self) -> Boards {
        let boards = self.site.links.iter().zip(&self.boards);
        boards.map(|(link, board)| (link.name.clone(), board.lock().clone())).collect()
    }

    /// Returns the statistics that a link has of a piece of equipment; `None` without a daemon.
    #[must_use]
    pub fn equipment_stats(&self, id: &str) -> Option<EquipmentStats> {
        let (_, e) = self.site.find(id)?;
        self.boards.get(e.link)?.lock().equipment.get(&e.id).cloned()
    }

    /// Returns the file of the readings kept with a ticket.
    #[must_use]
    pub fn trace_path(&self, number: TicketNumber) -> PathBuf {
        self.traces.join(format!("ticket-{number}.json"))
    }

    /// Returns a snapshot of the desk. Drop the snapshot before you wait for anything else: while it exists, the desk must
    /// copy every part that changes.
    ///
    /// # Errors
    /// If the gateway is stopping.
    pub async fn snapshot(&self) -> Result<Box<Snapshot>, Refusal> {
        let (tx, rx) = oneshot::channel();
        self.desk.send(Message::Snapshot(tx)).await.map_err(|_| gone())?;
        rx.await.map_err(|_| gone())
    }

    /// Sends a request to the desk, and waits until its events are on disk.
    ///
    /// # Errors
    /// If a rule refuses the request.
    pub async fn ask(&self, by: Author, verb: impl Into<Verb>) -> Result<Reply, Refusal> {
        let (tx, rx) = oneshot::channel();
        let ask = Ask { by, verb: verb.into() };
        self.desk.send(Message::Ask(Box::new(ask), tx)).await.map_err(|_| gone())?;
        rx.await.map_err(|_| gone())?
    }

    /// Sends a request whose reply is a sentence; see [`Gateway::ask`].
    ///
    /// # Errors
    /// If a rule refuses the request.
    pub async fn ask_for_sentence(&self, by: Author, verb: impl Into<Verb>) -> Result<String, Refusal> {
        match self.ask(by, verb).await? {
            Reply::Told(told) => Ok(told),
            Reply::Ticket(..) | Reply::Wrote(_) => Err(gone()),
        }
    }

    /// Returns the refusal of a question that the ticket database cannot answer now.
    fn behind(&self) -> Refusal {
        let (durable, applied) = (self.feed.end_seq(), *self.store.applied().borrow());
        let how = match self.store.health() {
            StoreHealth::Ready => format!("it has {applied} of {durable} events"),
            StoreHealth::Rebuilding(how) => format!("it is being rebuilt from the journal: {how}"),
            StoreHealth::WaitsForRoom(why) => format!("it waits for space on the disk: {why}"),
            StoreHealth::Away(why) => format!("it cannot be used: {why}"),
        };
        Refusal::new(Rule::StoreBehind, format!("the ticket database is behind the journal: {how}"))
            .command("try again in a few seconds; see the progress", "andon status")
    }

    /// Waits until the ticket database has all events that are durable now, then returns a reader of the database.
    async fn store_within(&self, wait: Duration) -> Result<StoreReader, Refusal> {
        let durable = self.feed.end_seq();
        let mut applied = self.store.applied();
        let caught_up = applied.wait_for(|seq| *seq >= durable);
        if !matches!(tokio::time::timeout(wait, caught_up).await, Ok(Ok(_))) {
            return Err(self.behind());
        }
        self.store.reader().ok_or_else(|| self.behind())
    }

    /// Runs a query when the ticket database has all durable events. If a row cannot be read, the thread of the store
    /// rebuilds the database.
    ///
    /// # Errors
    /// If the ticket database is behind or damaged.
    pub async fn query<T: Send + 'static>(
        &self,
        f: impl FnOnce(&StoreReader) -> Result<T, TableError> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.query_in(&self.queues.long, limits::STORE_CATCH_UP_MAX, f).await
    }

    /// Runs a short query about a single ticket; see [`Gateway::query`]. `wait` is the longest time to wait for the ticket
    /// database.
    ///
    /// # Errors
    /// If the ticket database is behind or damaged.
    pub async fn query_within<T: Send + 'static>(
        &self,
        wait: Duration,
        f: impl FnOnce(&StoreReader) -> Result<T, TableError> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.query_in(&self.queues.quick, wait, f).await
    }

    async fn query_in<T: Send + 'static>(
        &self,
        queue: &QueryQueue,
        wait: Duration,
        f: impl FnOnce(&StoreReader) -> Result<T, TableError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let reader = self.store_within(wait).await?;
        let suspect = |why: String| {
            self.store.suspect(why);
            Err(self.behind())
        };
        match queue.run(move || std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| f(&reader)))).await?
        {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(e)) => suspect(e.to_string()),
            Err(_panic) => suspect("reading the ticket database failed inside sled".to_owned()),
        }
    }

    /// Returns a durable ticket, live or from the store; `None` if this number does not exist.
    ///
    /// # Errors
    /// If the gateway is stopping, or the ticket is not live and the ticket database is behind.
    pub async fn ticket(&self, number: TicketNumber) -> Result<Option<Arc<Ticket>>, Refusal> {
        let live = self.snapshot().await?.state.tickets.live.get(&number).cloned();
        match live {
            Some(ticket) => Ok(Some(ticket)),
            None => {
                self.query_within(limits::STORE_CATCH_UP_MAX, move |store| {
                    Ok(store.ticket(number)?.map(Arc::new))
                })
                .await
            }
        }
    }

    /// Checks the hash chain of the journal up to the last durable event. Calls during a check share the next check.
    ///
    /// # Errors
    /// If the folder of the journal cannot be listed.
    pub async fn verify(&self) -> Result<Verified, Refusal> {
        let feed = self.feed.clone();
        let check = async move {
            let checked = tokio::task::spawn_blocking(move || feed.verify()).await;
            let failed = |e: &dyn std::fmt::Display| {
                Refusal::new(Rule::JournalNotWritable, format!("the journal cannot be read: {e}"))
            };
            checked.map_err(|e| failed(&e))?.map_err(|e| failed(&e))
        };
        self.queues.journal.ask(check).await
    }
}

/// The last alarm report, kept for equal questions.
#[derive(Debug, Clone)]
pub struct KeptReport {
    /// The period of the report.
    pub period: (Wall, Wall),
    /// The last recorded event when the report was made.
    pub at: Cursor,
    /// The report.
    pub report: AlarmReportV1,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::site::testing::site;

    #[tokio::test]
    async fn a_gateway_that_stops_is_too_busy_to_answer() {
        let (desk, gone) = mpsc::channel(1);
        drop(gone);
        let gateway = Gateway {
            site: site("x = { register = 'holding:0', type = 'u16' }", ""),
            daemon: true,
            clock: Clock::start(),
            captures: PathBuf::new(),
            recorder: Recorder::reading(PathBuf::new()),
            traces: PathBuf::new(),
            desk,
            feed: Feed::default(),
            store: StoreView::default(),
            queues: QueryQueues::default(),
            report: Arc::default(),
            found: Arc::default(),
            boards: Vec::new(),
            links: Arc::default(),
            reload: None,
        };
        assert_eq!(gateway.snapshot().await.unwrap_err().rule, Rule::TooBusy);
    }
}
