//! What the routes reach: the desk by messages, the store by a reader, the links by their boards.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::FromRef;
use tokio::sync::{mpsc, oneshot, watch};

use crate::ambient::Clock;
use crate::desk::{Command, Desk, Done, OperationAsk, WriteAsk, Wrote};
use crate::limits;
use crate::link::{LinkBoard, LinkCommand};
use crate::recorder::Recorder;
use crate::site::Site;
use crate::store::StoreReader;
use crate::ticket::Ticket;
use crate::words::{LinkName, Now, Refusal, Rule, Seq, TicketNumber};

type Look = Box<dyn FnOnce(&Desk, Now) + Send>;

/// What the desk's task is sent.
pub enum Message {
    /// A command, and where its reply goes.
    Ask(Box<Command>, oneshot::Sender<Result<Done, Refusal>>),
    /// A write to equipment, and where its end goes.
    Write(Box<WriteAsk>, oneshot::Sender<Result<Done, Refusal>>),
    /// An operation, and where its reply goes.
    Operate(Box<OperationAsk>, oneshot::Sender<Result<Done, Refusal>>),
    /// Other files are in force from here on; told once the desk goes by them.
    Reload(Arc<Site>, oneshot::Sender<()>),
    /// A look at the desk.
    Look(Look),
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
    /// The journal's folder.
    pub journal: PathBuf,
    /// The folder of the frames kept with tickets.
    pub captures: PathBuf,
    /// Recorded readings.
    pub recorder: Recorder,
    /// The folder of the readings kept with tickets.
    pub traces: PathBuf,
    /// The desk.
    pub desk: mpsc::Sender<Message>,
    /// The store; absent while it is opened again.
    pub store: Arc<Mutex<Option<StoreReader>>>,
    /// The last event the store has taken in.
    pub applied: watch::Receiver<Seq>,
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

    /// Where the readings kept with a ticket are.
    #[must_use]
    pub fn trace_path(&self, number: TicketNumber) -> PathBuf {
        self.traces.join(format!("ticket-{number}.json"))
    }

    /// Looks at the desk between two of its inputs.
    ///
    /// # Errors
    /// When the gateway is stopping.
    pub async fn look<T: Send + 'static>(
        &self,
        f: impl FnOnce(&Desk, Now) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let (tx, rx) = oneshot::channel();
        let look: Look = Box::new(move |desk, now| {
            // Nobody may be waiting any more.
            let _sent = tx.send(f(desk, now));
        });
        self.desk.send(Message::Look(look)).await.map_err(|_| gone())?;
        rx.await.map_err(|_| gone())
    }

    /// Sends what is asked to the desk and waits for its end.
    async fn done(
        &self,
        message: impl FnOnce(oneshot::Sender<Result<Done, Refusal>>) -> Message,
    ) -> Result<Done, Refusal> {
        let (tx, rx) = oneshot::channel();
        self.desk.send(message(tx)).await.map_err(|_| gone())?;
        rx.await.map_err(|_| gone())?
    }

    /// Asks for a change and waits until it is on disk.
    ///
    /// # Errors
    /// The rule that refuses.
    pub async fn ask(&self, command: Command) -> Result<Ticket, Refusal> {
        match self.done(|tx| Message::Ask(Box::new(command), tx)).await? {
            Done::Ticket(ticket) => Ok(*ticket),
            Done::Wrote(_) | Done::Operated(_) => Err(gone()),
        }
    }

    /// Asks for a write to equipment and waits until it was read back and that is on disk.
    ///
    /// # Errors
    /// The rule that refuses.
    pub async fn write(&self, ask: WriteAsk) -> Result<Wrote, Refusal> {
        match self.done(|tx| Message::Write(Box::new(ask), tx)).await? {
            Done::Wrote(wrote) => Ok(*wrote),
            Done::Ticket(_) | Done::Operated(_) => Err(gone()),
        }
    }

    /// Asks for an operation and waits until it is on disk: what was done, as a sentence.
    ///
    /// # Errors
    /// The rule that refuses.
    pub async fn operate(&self, ask: OperationAsk) -> Result<String, Refusal> {
        match self.done(|tx| Message::Operate(Box::new(ask), tx)).await? {
            Done::Operated(told) => Ok(told),
            Done::Ticket(_) | Done::Wrote(_) => Err(gone()),
        }
    }

    /// Runs a query on the store, once it has taken in everything that is on disk.
    ///
    /// # Errors
    /// When the gateway is stopping or the store does not answer.
    pub async fn query<T: Send + 'static>(
        &self,
        f: impl FnOnce(&StoreReader) -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let durable = self.look(|desk, _| desk.durable_seq()).await?;
        let mut applied = self.applied.clone();
        let caught_up = tokio::time::timeout(limits::STORE_CATCH_UP_MAX, async {
            applied.wait_for(|seq| *seq >= durable).await.is_ok()
        });
        let behind = || {
            Refusal::new(Rule::TooBusy, "the store is still catching up with the journal")
                .remedy("try again in a moment; andon status tells when it is there")
        };
        if caught_up.await != Ok(true) {
            return Err(behind());
        }
        let reader = self.store.lock().unwrap_or_else(PoisonError::into_inner).clone().ok_or_else(behind)?;
        tokio::task::spawn_blocking(move || f(&reader))
            .await
            .map_err(|e| Refusal::new(Rule::TooBusy, format!("the store failed: {e}")))
    }

    /// A ticket, live or stored.
    ///
    /// # Errors
    /// When the gateway is stopping.
    pub async fn ticket(&self, number: TicketNumber) -> Result<Option<Ticket>, Refusal> {
        let live = self.look(move |desk, _| desk.state().tickets.get(&number).cloned()).await?;
        match live {
            Some(ticket) => Ok(Some(ticket)),
            None => self.query(move |store| store.ticket(number)).await,
        }
    }
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
            journal: PathBuf::new(),
            captures: PathBuf::new(),
            recorder: Recorder::reading(PathBuf::new()),
            traces: PathBuf::new(),
            desk,
            store: Arc::new(Mutex::new(None)),
            applied: watch::channel(Seq(0)).1,
            boards: Vec::new(),
            links: Arc::default(),
            reload: None,
        };
        assert_eq!(gateway.look(|_, _| ()).await.unwrap_err().rule, Rule::TooBusy);
    }
}
