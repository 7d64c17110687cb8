//! [`Driver`]: runs the desk. It gives the desk one input at a time and carries out the outputs. No other code does this.

use std::collections::{BTreeMap, VecDeque};
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::journal_thread::{Group, Written};
use crate::ambient::Clock;
use crate::api::{Links, Message};
use crate::desk::{Desk, Draft, Input, Output, Reply, Token};
use crate::limits;
use crate::link::{Batch, LinkCommand, LinkNews, LinkSays, WriteEnd, WriteOrder};
use crate::recorder::Recorder;
use crate::site::{Equipment, Site};
use crate::words::{EquipmentIndex, Now, Refusal, Seq};
use crate::writing::{Carried, Order, OrderId};

/// The desk and its connections.
pub(super) struct Driver {
    pub desk: Desk,
    pub clock: Clock,
    pub messages: mpsc::Receiver<Message>,
    pub readings: mpsc::Receiver<LinkSays>,
    pub written: mpsc::Receiver<Written>,
    pub groups: mpsc::Sender<Group>,
    pub links: Links,
    /// The recorder; `None` if readings are not recorded.
    pub recorder: Option<Recorder>,
    pub stop: oneshot::Receiver<()>,
}

struct DriverState {
    /// The time of the last input: time never goes back.
    last: Now,
    /// The number of failures of the journal. The journal's thread drops groups of an older epoch.
    epoch: u64,
    /// The last token given to a request.
    token: u64,
    /// The requests that wait for their reply.
    askers: BTreeMap<Token, oneshot::Sender<Result<Reply, Refusal>>>,
    drafts: Vec<Draft>,
    /// For each version of the site: the index of its equipment in the site in force; `None` if it was changed or removed.
    places: Vec<Vec<Option<EquipmentIndex>>>,
    /// Writes to equipment that links are carrying out.
    orders: JoinSet<(OrderId, Carried)>,
    /// The total time in which the program did not run, as given to the desk.
    lost: Duration,
    /// The links that wait until the events of their batch are on disk, with the number of the last event.
    receipts: VecDeque<(Seq, oneshot::Sender<()>)>,
}

impl DriverState {
    /// Returns a new token for a request, and keeps the sender of its reply.
    fn token_of(&mut self, asker: oneshot::Sender<Result<Reply, Refusal>>) -> Token {
        self.token += 1;
        self.askers.insert(Token(self.token), asker);
        Token(self.token)
    }
}

enum Woken {
    Written(Option<Written>),
    Message(Option<Message>),
    Readings(Option<LinkSays>),
    Carried(OrderId, Carried),
    Time,
    Stop,
}

impl Driver {
    /// Runs until it is stopped and all decided events are on disk, or until the journal's thread has ended.
    pub(super) async fn run(mut self) {
        self.work().await;
        // The recorder writes its last readings, for whatever reason the desk ended.
        if let Some(recorder) = &self.recorder {
            recorder.stop();
        }
    }

    async fn work(&mut self) {
        let now = self.clock.now();
        let mut state = DriverState {
            last: now,
            epoch: 0,
            token: 0,
            askers: BTreeMap::new(),
            drafts: Vec::new(),
            places: vec![places(self.desk.site())],
            orders: JoinSet::new(),
            lost: self.clock.lost(),
            receipts: VecDeque::new(),
        };
        let mut stopping = false;
        loop {
            self.outputs(&mut state);
            if !state.drafts.is_empty() {
                let group = Group { epoch: state.epoch, drafts: std::mem::take(&mut state.drafts) };
                if self.groups.send(group).await.is_err() {
                    return;
                }
            }
            if stopping && (!self.desk.has_unwritten() || self.desk.not_writable().is_some()) {
                return;
            }
            match self.woken(&mut state.orders, stopping).await {
                Woken::Written(Some(written)) => self.take_written(&mut state, written),
                Woken::Written(None) => return,
                Woken::Message(Some(message)) => self.take_message(&mut state, message),
                Woken::Readings(Some(said)) => self.take_readings(&mut state, said),
                Woken::Message(None) | Woken::Readings(None) => {}
                Woken::Carried(id, carried) => self.handle(&mut state, None, Input::Carried(id, carried)),
                Woken::Time => self.handle(&mut state, None, Input::Elapsed),
                Woken::Stop => {
                    stopping = true;
                    self.handle(&mut state, None, Input::Stopping);
                }
            }
        }
    }

    async fn woken(&mut self, orders: &mut JoinSet<(OrderId, Carried)>, stopping: bool) -> Woken {
        let due = self.desk.poll_timeout().map(|(at, _)| self.clock.instant(at));
        let sleep = async {
            match due {
                Some(at) => tokio::time::sleep_until(at.into()).await,
                None => std::future::pending().await,
            }
        };
        // Reports of the journal come first: their clients wait, and the journal's thread must never wait for the desk.
        tokio::select! {
            biased;
            written = self.written.recv() => Woken::Written(written),
            () = sleep, if !stopping => Woken::Time,
            message = self.messages.recv(), if !self.messages.is_closed() && !stopping => Woken::Message(message),
            Some(Ok((id, carried))) = orders.join_next(), if !orders.is_empty() => Woken::Carried(id, carried),
            batch = self.readings.recv(), if !self.readings.is_closed() && !stopping => Woken::Readings(batch),
            _ = &mut self.stop, if !stopping => Woken::Stop,
        }
    }

    /// Gives an input to the desk. The time of an input is never before the time of the previous input.
    fn handle(&mut self, state: &mut DriverState, at: Option<Now>, input: Input) {
        let now = at.unwrap_or_else(|| self.clock.now());
        if now.mono > state.last.mono {
            state.last = now;
        }
        let lost = self.clock.lost();
        if lost > state.lost {
            let gap = lost - state.lost;
            state.lost = lost;
            tracing::warn!(
                "andon did not run for {gap:.1?}: the process or the computer was stopped. Delays do not count this time"
            );
            let now = self.clock.now();
            state.last = if now.mono > state.last.mono { now } else { state.last };
            self.desk.handle(state.last, Input::Paused(gap));
        }
        self.desk.handle(state.last, input);
        self.outputs(state);
    }

    fn take_written(&mut self, state: &mut DriverState, written: Written) {
        match written {
            Written::Durable(seq) => self.handle(state, None, Input::Written(seq)),
            Written::Failed(seq, why) => {
                state.epoch += 1;
                state.drafts.clear();
                if self.desk.not_writable().is_none() {
                    tracing::error!(
                        target: "andon::journal",
                        "nothing can be recorded: {why}. andon refuses commands; the detection of faults continues",
                    );
                }
                self.handle(state, None, Input::NotWritten(seq, why));
            }
            Written::Again => {
                tracing::info!(target: "andon::journal", "the journal can be written again");
                self.handle(state, None, Input::Writable);
            }
            Written::Damaged(damage) => {
                for part in &damage {
                    tracing::error!(target: "andon::journal", "the journal is damaged: {part}");
                }
                self.handle(state, None, Input::Damaged(damage));
            }
            Written::Said(text) => tracing::warn!("{text}"),
        }
        self.give_receipts(state);
    }

    /// Informs the links whose events are on disk. While the journal cannot be written, these links wait.
    fn give_receipts(&self, state: &mut DriverState) {
        let durable = self.desk.durable_seq();
        let is_settled = self.desk.is_settled();
        let is_written = |seq: Seq| is_settled || (seq <= durable && self.desk.not_writable().is_none());
        while state.receipts.front().is_some_and(|(seq, _)| is_written(*seq)) {
            if let Some((_, done)) = state.receipts.pop_front() {
                // The task of the link may have ended.
                let _told = done.send(());
            }
        }
    }

    fn take_message(&mut self, state: &mut DriverState, message: Message) {
        match message {
            Message::Snapshot(asker) => {
                let now = self.clock.now();
                self.handle(state, Some(now), Input::Elapsed);
                // The client may have closed its connection.
                let _sent = asker.send(Box::new(self.desk.snapshot(now)));
            }
            Message::Ask(ask, asker) => {
                let token = state.token_of(asker);
                self.handle(state, None, Input::Asked(token, *ask));
            }
            Message::Reload(site, done) => {
                let same = site.same_as(self.desk.site());
                for place in state.places.iter_mut().flatten() {
                    *place =
                        place.and_then(|old| same.iter().find(|(from, _)| *from == old).map(|(_, to)| *to));
                }
                state.places.push(places(&site));
                self.handle(state, None, Input::Reloaded(site));
                // The client may have closed its connection.
                let _told = done.send(());
            }
            Message::Damaged(damage) => self.handle(state, None, Input::Damaged(damage)),
        }
    }

    fn take_readings(&mut self, state: &mut DriverState, first: LinkSays) {
        let mut next = Some(first);
        let mut taken = 0;
        while let Some(said) = next {
            taken += 1;
            next = if taken < limits::DESK_TURN_MAX { self.readings.try_recv().ok() } else { None };
            let batch = match said {
                LinkSays::Readings(batch) => batch,
                LinkSays::Link(LinkNews { link, at, away }) => {
                    self.handle(state, Some(at), Input::Link { link, away });
                    continue;
                }
            };
            let Batch { at, equipment, readings, presence, done, site } = batch;
            let version = usize::try_from(site).unwrap_or(usize::MAX);
            let place = state.places.get(version).and_then(|p| p.get(equipment.0).copied().flatten());
            // If the equipment was changed by a reload, the indexes of the old points are no longer valid.
            if let Some(equipment) = place {
                if let (Some(recorder), Some(e)) =
                    (&self.recorder, self.desk.site().equipment.get(equipment.0))
                {
                    recorder.note(e, &readings);
                }
                self.handle(state, Some(at), Input::Readings { equipment, readings, presence });
            }
            if let Some(done) = done {
                state.receipts.push_back((self.desk.decided_seq(), done));
            }
        }
        self.give_receipts(state);
    }

    fn outputs(&mut self, state: &mut DriverState) {
        while let Some(output) = self.desk.poll_output() {
            match output {
                Output::Write(draft) => state.drafts.push(*draft),
                Output::Bug(text) => tracing::error!(target: "andon::desk", "a bug of andon: {text}"),
                Output::Reply(token, reply) => {
                    if let Some(asker) = state.askers.remove(&token) {
                        // The client may have closed its connection. The change is on disk all the same.
                        let _sent = asker.send(*reply);
                    }
                }
                Output::Read(equipment) => self.read_now(equipment),
                Output::Order(order) => self.carry_out(state, order),
            }
        }
    }

    fn read_now(&self, equipment: EquipmentIndex) {
        let Some(e) = self.desk.site().equipment.get(equipment.0) else { return };
        if let Some(sender) = self.link_of(e) {
            // A full queue means that the link is busy reading anyway.
            let _queued = sender.try_send(LinkCommand::ReadNow(e.id.clone()));
        }
    }

    fn link_of(&self, e: &Equipment) -> Option<mpsc::Sender<LinkCommand>> {
        let name = &self.desk.site().links.get(e.link)?.name;
        self.links.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Gives a write to the link of the equipment, and waits for its end in a separate task.
    fn carry_out(&self, state: &mut DriverState, order: Order) {
        let Order { id, equipment, point, words } = order;
        let sender = self.desk.site().find(equipment.as_str()).and_then(|(_, e)| self.link_of(e));
        let (done, end) = oneshot::channel();
        let command = LinkCommand::Write(WriteOrder { equipment, point, words, done });
        let queued = sender.is_some_and(|s| s.try_send(command).is_ok());
        state.orders.spawn(async move {
            let not = |why: &str| Carried { answer: Err(why.to_owned()), read_back: Err(why.to_owned()) };
            let carried = match tokio::time::timeout(limits::WRITE_END_MAX, end).await {
                _ if !queued => not("the link has no task, or too many commands wait for it"),
                Ok(Ok(WriteEnd { answer, read_back })) => Carried { answer, read_back },
                Ok(Err(_)) => not("the link has no connection"),
                Err(_elapsed) => not("the link had no time for the write"),
            };
            (id, carried)
        });
    }
}

/// Returns the index of each piece of equipment in its own site.
fn places(site: &Site) -> Vec<Option<EquipmentIndex>> {
    (0..site.equipment.len()).map(|i| Some(EquipmentIndex(i))).collect()
}
