//! What the routes reach: the desk by messages, the store by a reader, the links by their boards.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::FromRef;
use tokio::sync::{mpsc, oneshot};

use super::heavy::{Heavy, Lanes};
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

/// What the desk's task is sent.
pub enum Message {
    /// What somebody asks, and where the reply goes.
    Ask(Box<Ask>, oneshot::Sender<Result<Reply, Refusal>>),
    /// Parts of the journal that cannot be read were found.
    Damaged(Vec<Damage>),
    /// Other files are in force from here on; told once the desk goes by them.
    Reload(Arc<Site>, oneshot::Sender<()>),
    /// The desk as it stands is wanted, for a question.
    Snapshot(oneshot::Sender<Box<Snapshot>>),
}

/// A gateway, as the routes see it; cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    /// The site in force.
    pub site: Arc<Site>,
    /// Whether links are served.
    pub daemon: bool,
    /// The clock.
    pub clock: Clock,
    /// The folder of the frames kept with tickets.
    pub captures: PathBuf,
    /// Recorded readings.
    pub recorder: Recorder,
    /// The folder of the readings kept with tickets.
    pub traces: PathBuf,
    /// The desk.
    pub desk: mpsc::Sender<Message>,
    /// What is on record.
    pub feed: Feed,
    /// The ticket database.
    pub store: StoreView,
    /// Where questions wait their turn.
    pub lanes: Lanes,
    /// The last report of alarms; held while one is made, so that others who ask for the same get it too.
    pub report: Arc<tokio::sync::Mutex<Option<KeptReport>>>,
    /// Damaged parts of the journal that were found when it was opened.
    pub found: Arc<Vec<Damage>>,
    /// Each link's board, in the site's order.
    pub boards: Vec<LinkBoard>,
    /// Each link's commands.
    pub links: Links,
    /// Who loads the configuration again; nobody does without a daemon.
    pub reload: Option<mpsc::Sender<ReloadAsk>>,
}

/// Each link's commands, by its name; replaced when a link's task is started again.
pub type Links = Arc<Mutex<BTreeMap<LinkName, mpsc::Sender<LinkCommand>>>>;

/// Where the end of a reload goes.
pub type ReloadAsk = oneshot::Sender<Result<Reloaded, String>>;

/// What a reload changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reloaded {
    /// Equipment that goes on as it was.
    pub kept: usize,
    /// Equipment that is new or begins anew.
    pub changed: Vec<String>,
    /// Equipment that is gone.
    pub removed: Vec<String>,
}

/// A gateway whose site may be loaded again; every request sees one site from its beginning to its end.
#[derive(Clone)]
pub struct Served(Arc<Mutex<Gateway>>);

impl Served {
    /// Serves a gateway.
    #[must_use]
    pub fn new(gateway: Gateway) -> Self {
        Self(Arc::new(Mutex::new(gateway)))
    }

    /// From here on requests see this site and these boards.
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
    /// The commands of the link at this place.
    #[must_use]
    pub fn link(&self, at: usize) -> Option<mpsc::Sender<LinkCommand>> {
        let name = &self.site.links.get(at)?.name;
        self.links.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// What is known of each link now.
    #[must_use]
    pub fn boards(&self) -> Boards {
        let boards = self.site.links.iter().zip(&self.boards);
        boards.map(|(link, board)| (link.name.clone(), board.lock().clone())).collect()
    }

    /// What is known now of a piece of equipment on its link; `None` where no daemon serves the link.
    #[must_use]
    pub fn equipment_stats(&self, id: &str) -> Option<EquipmentStats> {
        let (_, e) = self.site.find(id)?;
        self.boards.get(e.link)?.lock().equipment.get(&e.id).cloned()
    }

    /// Where the readings kept with a ticket are.
    #[must_use]
    pub fn trace_path(&self, number: TicketNumber) -> PathBuf {
        self.traces.join(format!("ticket-{number}.json"))
    }

    /// The desk as it stands between two of its inputs. To be dropped soon: what changes while it is kept is copied.
    ///
    /// # Errors
    /// When the gateway is stopping.
    pub async fn snapshot(&self) -> Result<Box<Snapshot>, Refusal> {
        let (tx, rx) = oneshot::channel();
        self.desk.send(Message::Snapshot(tx)).await.map_err(|_| gone())?;
        rx.await.map_err(|_| gone())
    }

    /// Asks the desk and waits until what was asked is done and on disk.
    ///
    /// # Errors
    /// The rule that refuses.
    pub async fn ask(&self, by: Author, verb: impl Into<Verb>) -> Result<Reply, Refusal> {
        let (tx, rx) = oneshot::channel();
        let ask = Ask { by, verb: verb.into() };
        self.desk.send(Message::Ask(Box::new(ask), tx)).await.map_err(|_| gone())?;
        rx.await.map_err(|_| gone())?
    }

    /// The same for what is answered by a sentence.
    ///
    /// # Errors
    /// The rule that refuses.
    pub async fn tell(&self, by: Author, verb: impl Into<Verb>) -> Result<String, Refusal> {
        match self.ask(by, verb).await? {
            Reply::Told(told) => Ok(told),
            Reply::Ticket(..) | Reply::Wrote(_) => Err(gone()),
        }
    }

    /// Why the ticket database cannot answer now.
    fn behind(&self) -> Refusal {
        let (durable, applied) = (self.feed.end_seq(), *self.store.applied().borrow());
        let how = match self.store.health() {
            StoreHealth::Ready => format!("it is at event {applied} of {durable}"),
            StoreHealth::Rebuilding(how) => format!("it is being rebuilt from the journal: {how}"),
            StoreHealth::WaitsForRoom(why) => format!("it waits for room on the disk: {why}"),
            StoreHealth::Away(why) => format!("it cannot be used: {why}"),
        };
        Refusal::new(Rule::StoreBehind, format!("the ticket database is behind the journal: {how}"))
            .command("ask again in a moment, and see how far it is", "andon status")
    }

    /// A handle on the ticket database once it has taken in everything that is on record now.
    async fn store_within(&self, wait: Duration) -> Result<StoreReader, Refusal> {
        let durable = self.feed.end_seq();
        let mut applied = self.store.applied();
        let caught_up = applied.wait_for(|seq| *seq >= durable);
        if !matches!(tokio::time::timeout(wait, caught_up).await, Ok(Ok(_))) {
            return Err(self.behind());
        }
        self.store.reader().ok_or_else(|| self.behind())
    }

    /// Runs a query on the ticket database, once it has taken in everything that is on record. Rows that cannot be read are
    /// told to the store's thread, which rebuilds them.
    ///
    /// # Errors
    /// When the ticket database is behind or damaged.
    pub async fn query<T: Send + 'static>(
        &self,
        f: impl FnOnce(&StoreReader) -> Result<T, TableError> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.query_in(&self.lanes.long, limits::STORE_CATCH_UP_MAX, f).await
    }

    /// The same for a single ticket, waiting only so long for the ticket database.
    ///
    /// # Errors
    /// When the ticket database is behind or damaged.
    pub async fn query_within<T: Send + 'static>(
        &self,
        wait: Duration,
        f: impl FnOnce(&StoreReader) -> Result<T, TableError> + Send + 'static,
    ) -> Result<T, Refusal> {
        self.query_in(&self.lanes.quick, wait, f).await
    }

    async fn query_in<T: Send + 'static>(
        &self,
        lane: &Heavy,
        wait: Duration,
        f: impl FnOnce(&StoreReader) -> Result<T, TableError> + Send + 'static,
    ) -> Result<T, Refusal> {
        let reader = self.store_within(wait).await?;
        let suspect = |why: String| {
            self.store.suspect(why);
            Err(self.behind())
        };
        match lane.run(move || std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| f(&reader)))).await? {
            Ok(Ok(found)) => Ok(found),
            Ok(Err(e)) => suspect(e.to_string()),
            Err(_panic) => suspect("reading the ticket database failed inside sled".to_owned()),
        }
    }

    /// A ticket on record, live or stored; `None` when there is no such ticket.
    ///
    /// # Errors
    /// When the gateway is stopping, or a ticket that is not live is asked for while the ticket database is behind.
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

    /// Checks the journal's chain up to what is on record now. Those who ask while it is checked share the next check.
    ///
    /// # Errors
    /// When the journal's folder cannot be listed.
    pub async fn verify(&self) -> Result<Verified, Refusal> {
        let feed = self.feed.clone();
        let check = async move {
            let checked = tokio::task::spawn_blocking(move || feed.verify()).await;
            let failed = |e: &dyn std::fmt::Display| {
                Refusal::new(Rule::JournalNotWritable, format!("the journal cannot be read: {e}"))
            };
            checked.map_err(|e| failed(&e))?.map_err(|e| failed(&e))
        };
        self.lanes.journal.ask(check).await
    }
}

/// The last report of alarms, and what it was of.
#[derive(Debug, Clone)]
pub struct KeptReport {
    /// From when until when it was asked for.
    pub period: (Wall, Wall),
    /// The last event on record when it was made.
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
            lanes: Lanes::default(),
            report: Arc::default(),
            found: Arc::default(),
            boards: Vec::new(),
            links: Arc::default(),
            reload: None,
        };
        assert_eq!(gateway.snapshot().await.unwrap_err().rule, Rule::TooBusy);
    }
}
