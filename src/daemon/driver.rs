//! Drives the desk: time, then one input, then its outputs. The only place where the desk meets the world.

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

/// The desk and everything it is connected with.
pub(super) struct Driver {
    pub desk: Desk,
    pub clock: Clock,
    pub messages: mpsc::Receiver<Message>,
    pub readings: mpsc::Receiver<LinkSays>,
    pub written: mpsc::Receiver<Written>,
    pub groups: mpsc::Sender<Group>,
    pub links: Links,
    /// Where readings are recorded, if they are.
    pub recorder: Option<Recorder>,
    pub stop: oneshot::Receiver<()>,
}

struct Turn {
    last: Now,
    epoch: u64,
    token: u64,
    askers: BTreeMap<Token, oneshot::Sender<Result<Reply, Refusal>>>,
    drafts: Vec<Draft>,
    /// For each version of the site, where its equipment stands in the one in force.
    places: Vec<Vec<Option<EquipmentIndex>>>,
    /// Orders to write that links are carrying out.
    orders: JoinSet<(OrderId, Carried)>,
    /// The gaps in our own time that were told to the desk.
    lost: Duration,
    /// Who waits for what a batch caused to be on disk.
    receipts: VecDeque<(Seq, oneshot::Sender<()>)>,
}

impl Turn {
    /// A token by which the reply finds its asker.
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
    /// Runs until it is told to stop and everything decided is on disk, or the journal's thread is gone.
    pub(super) async fn run(mut self) {
        self.work().await;
        // Whatever ended the desk: what was read is written.
        if let Some(recorder) = &self.recorder {
            recorder.stop();
        }
    }

    async fn work(&mut self) {
        let now = self.clock.now();
        let mut turn = Turn {
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
            self.outputs(&mut turn);
            if !turn.drafts.is_empty() {
                let group = Group { epoch: turn.epoch, drafts: std::mem::take(&mut turn.drafts) };
                if self.groups.send(group).await.is_err() {
                    return;
                }
            }
            if stopping && (!self.desk.has_unwritten() || self.desk.not_writable().is_some()) {
                return;
            }
            match self.woken(&mut turn.orders, stopping).await {
                Woken::Written(Some(written)) => self.take_written(&mut turn, written),
                Woken::Written(None) => return,
                Woken::Message(Some(message)) => self.take_message(&mut turn, message),
                Woken::Readings(Some(said)) => self.take_readings(&mut turn, said),
                Woken::Message(None) | Woken::Readings(None) => {}
                Woken::Carried(id, carried) => self.handle(&mut turn, None, Input::Carried(id, carried)),
                Woken::Time => self.handle(&mut turn, None, Input::Elapsed),
                Woken::Stop => {
                    stopping = true;
                    self.handle(&mut turn, None, Input::Stopping);
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
        // What is written comes first: its askers wait, and the journal's thread must never wait for the desk.
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

    /// Time never goes back, whatever order inputs are taken in.
    fn handle(&mut self, turn: &mut Turn, at: Option<Now>, input: Input) {
        let now = at.unwrap_or_else(|| self.clock.now());
        if now.mono > turn.last.mono {
            turn.last = now;
        }
        let lost = self.clock.lost();
        if lost > turn.lost {
            let gap = lost - turn.lost;
            turn.lost = lost;
            tracing::warn!(
                "andon did not run for {gap:.1?}: its process or its machine was stopped; delays do not count that time"
            );
            let now = self.clock.now();
            turn.last = if now.mono > turn.last.mono { now } else { turn.last };
            self.desk.handle(turn.last, Input::Paused(gap));
        }
        self.desk.handle(turn.last, input);
        self.outputs(turn);
    }

    fn take_written(&mut self, turn: &mut Turn, written: Written) {
        match written {
            Written::Durable(seq) => self.handle(turn, None, Input::Written(seq)),
            Written::Failed(seq, why) => {
                turn.epoch += 1;
                turn.drafts.clear();
                if self.desk.not_writable().is_none() {
                    tracing::error!(
                        target: "andon::journal",
                        "nothing can be recorded: {why}; commands are refused, alarms go on",
                    );
                }
                self.handle(turn, None, Input::NotWritten(seq, why));
            }
            Written::Again => {
                tracing::info!(target: "andon::journal", "the journal can be written again");
                self.handle(turn, None, Input::Writable);
            }
            Written::Damaged(damage) => {
                for part in &damage {
                    tracing::error!(target: "andon::journal", "the journal is damaged: {part}");
                }
                self.handle(turn, None, Input::Damaged(damage));
            }
            Written::Said(text) => tracing::warn!("{text}"),
        }
        self.give_receipts(turn);
    }

    /// Tells those whose batch's events are on disk. While the journal cannot be written, everything waits.
    fn give_receipts(&self, turn: &mut Turn) {
        let durable = self.desk.durable_seq();
        let is_settled = self.desk.is_settled();
        let is_written = |seq: Seq| is_settled || (seq <= durable && self.desk.not_writable().is_none());
        while turn.receipts.front().is_some_and(|(seq, _)| is_written(*seq)) {
            if let Some((_, done)) = turn.receipts.pop_front() {
                // Whoever waited may be gone.
                let _told = done.send(());
            }
        }
    }

    fn take_message(&mut self, turn: &mut Turn, message: Message) {
        match message {
            Message::Snapshot(asker) => {
                let now = self.clock.now();
                self.handle(turn, Some(now), Input::Elapsed);
                // Whoever asked may be gone.
                let _sent = asker.send(Box::new(self.desk.snapshot(now)));
            }
            Message::Ask(ask, asker) => {
                let token = turn.token_of(asker);
                self.handle(turn, None, Input::Asked(token, *ask));
            }
            Message::Reload(site, done) => {
                let same = site.same_as(self.desk.site());
                for place in turn.places.iter_mut().flatten() {
                    *place =
                        place.and_then(|old| same.iter().find(|(from, _)| *from == old).map(|(_, to)| *to));
                }
                turn.places.push(places(&site));
                self.handle(turn, None, Input::Reloaded(site));
                // Whoever asked may be gone.
                let _told = done.send(());
            }
            Message::Damaged(damage) => self.handle(turn, None, Input::Damaged(damage)),
        }
    }

    fn take_readings(&mut self, turn: &mut Turn, first: LinkSays) {
        let mut next = Some(first);
        let mut taken = 0;
        while let Some(said) = next {
            taken += 1;
            next = if taken < limits::DESK_TURN_MAX { self.readings.try_recv().ok() } else { None };
            let batch = match said {
                LinkSays::Readings(batch) => batch,
                LinkSays::Link(LinkNews { link, at, away }) => {
                    self.handle(turn, Some(at), Input::Link { link, away });
                    continue;
                }
            };
            let Batch { at, equipment, readings, presence, done, site } = batch;
            let version = usize::try_from(site).unwrap_or(usize::MAX);
            let place = turn.places.get(version).and_then(|p| p.get(equipment.0).copied().flatten());
            // Equipment that changed since: its old points mean nothing any more.
            if let Some(equipment) = place {
                if let (Some(recorder), Some(e)) =
                    (&self.recorder, self.desk.site().equipment.get(equipment.0))
                {
                    recorder.note(e, &readings);
                }
                self.handle(turn, Some(at), Input::Readings { equipment, readings, presence });
            }
            if let Some(done) = done {
                turn.receipts.push_back((self.desk.decided_seq(), done));
            }
        }
        self.give_receipts(turn);
    }

    fn outputs(&mut self, turn: &mut Turn) {
        while let Some(output) = self.desk.poll_output() {
            match output {
                Output::Write(draft) => turn.drafts.push(*draft),
                Output::Bug(text) => tracing::error!(target: "andon::desk", "a bug of andon: {text}"),
                Output::Reply(token, reply) => {
                    if let Some(asker) = turn.askers.remove(&token) {
                        // The asker may have gone; what was done stays done.
                        let _sent = asker.send(*reply);
                    }
                }
                Output::Read(equipment) => self.read_now(equipment),
                Output::Order(order) => self.carry_out(turn, order),
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

    /// Hands an order to its link, and waits for its end beside everything else.
    fn carry_out(&self, turn: &mut Turn, order: Order) {
        let Order { id, equipment, point, words } = order;
        let sender = self.desk.site().find(equipment.as_str()).and_then(|(_, e)| self.link_of(e));
        let (done, end) = oneshot::channel();
        let command = LinkCommand::Write(WriteOrder { equipment, point, words, done });
        let queued = sender.is_some_and(|s| s.try_send(command).is_ok());
        turn.orders.spawn(async move {
            let not = |why: &str| Carried { answer: Err(why.to_owned()), read_back: Err(why.to_owned()) };
            let carried = match tokio::time::timeout(limits::WRITE_END_MAX, end).await {
                _ if !queued => not("its link takes no more orders"),
                Ok(Ok(WriteEnd { answer, read_back })) => Carried { answer, read_back },
                Ok(Err(_)) => not("its link is away"),
                Err(_elapsed) => not("its link did not get to it in time"),
            };
            (id, carried)
        });
    }
}

/// Every piece of equipment in its own place.
fn places(site: &Site) -> Vec<Option<EquipmentIndex>> {
    (0..site.equipment.len()).map(|i| Some(EquipmentIndex(i))).collect()
}
