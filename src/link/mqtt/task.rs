//! The task of one broker: subscribes, receives messages, reports readings, and acknowledges each message when its
//! effects are on disk.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot;

use super::broker::{Ack, Broker, BrokerEvent, Message, State};
use super::listener::Listener;
use crate::limits;
use crate::link::backoff::Backoff;
use crate::link::{AnswerKey, Batch, LastAnswer, LinkState, LinkTask};
use crate::site::{LinkKind, MqttBroker};
use crate::words::{Mono, Presence};

/// Serves a broker until the daemon stops taking readings.
pub(in crate::link) async fn serve(mut task: LinkTask) {
    let site = task.site.clone();
    let Some(link) = site.links.get(task.link) else { return };
    let LinkKind::Mqtt(settings) = &link.kind else { return };
    let state = host_state(settings, &task);
    let mut backoff = Backoff::new(task.seed);
    let mut end = End::Stuck;
    while end == End::Stuck {
        let broker = loop {
            match Broker::open(settings, task.seed, state.as_ref()) {
                Ok(broker) => break broker,
                // A password or certificate file cannot be read. A person may correct it, so try again later.
                Err(why) => {
                    task.board.lock().count_error("files");
                    task.offline(&why, Presence::NoAnswer).await;
                    tokio::time::sleep(backoff.pause()).await;
                }
            }
        };
        end = Work::new(&mut task, settings, state.clone(), broker).run().await;
    }
}

/// How the work on a connection ended.
#[derive(Debug, PartialEq, Eq)]
enum End {
    /// Nobody takes readings any more.
    Stopped,
    /// The connection takes no acknowledgements. Another one is opened; the broker sends again what was not acknowledged.
    Stuck,
}

/// The state message of a primary host (Sparkplug 3.0, 6.4.23). Birth and will must carry the same timestamp.
fn host_state(settings: &MqttBroker, task: &LinkTask) -> Option<State> {
    let host = settings.sparkplug_host.as_ref()?;
    let at = task.clock.now().wall.millis();
    Some(State {
        topic: format!("spBv1.0/STATE/{host}"),
        online: format!("{{\"online\":true,\"timestamp\":{at}}}"),
        offline: format!("{{\"online\":false,\"timestamp\":{at}}}"),
    })
}

struct Work<'a> {
    task: &'a mut LinkTask,
    settings: &'a MqttBroker,
    state: Option<State>,
    broker: Broker,
    listener: Listener,
    /// The messages that wait to be on disk, in order of arrival.
    acks: VecDeque<(Ack, oneshot::Receiver<()>)>,
    /// The acknowledgement of a message that is on disk, and the time since which the queue of requests has no space for it.
    unsent: Option<(Ack, Mono)>,
    /// The time since which the broker cannot be reached; `None` while it is connected, and after its equipment was
    /// reported as lost.
    away_since: Option<Mono>,
}

impl<'a> Work<'a> {
    fn new(task: &'a mut LinkTask, settings: &'a MqttBroker, state: Option<State>, broker: Broker) -> Self {
        let listener = Listener::new(task.site.clone(), task.link);
        let away_since = Some(task.clock.now().mono);
        let acks = VecDeque::new();
        Work { task, settings, state, broker, listener, acks, unsent: None, away_since }
    }

    async fn run(&mut self) -> End {
        const TRY_AGAIN: Duration = Duration::from_millis(1);
        loop {
            let lost_at = self.away_since.map(|since| self.task.clock.instant(since + limits::MQTT_AWAY_MAX));
            let away = async {
                match lost_at {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            let due = self.listener.due().map(|at| self.task.clock.instant(at));
            let rebirth = async {
                match due {
                    Some(at) => tokio::time::sleep_until(at.into()).await,
                    None => std::future::pending().await,
                }
            };
            let is_full = self.acks.len() >= limits::MQTT_ACKS_QUEUED_MAX;
            let is_unsent = self.unsent.is_some();
            let front = self.acks.front_mut();
            let done = async {
                match front {
                    // An error means that the desk has stopped, so the acknowledgement is not needed any more.
                    Some((_, done)) => done.await.is_ok(),
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                is_durable = done, if !is_unsent => {
                    let ack = self.acks.pop_front().filter(|_| is_durable);
                    self.unsent = ack.map(|(ack, _)| (ack, self.task.clock.now().mono));
                    self.acknowledge();
                }
                () = tokio::time::sleep(TRY_AGAIN), if is_unsent => {
                    self.acknowledge();
                    let now = self.task.clock.now().mono;
                    if self.unsent.as_ref().is_some_and(|(_, since)| now >= *since + limits::MQTT_STUCK_MAX) {
                        self.stuck().await;
                        return End::Stuck;
                    }
                }
                event = self.broker.events.recv(), if !is_full => {
                    let Some(event) = event else { return End::Stopped };
                    if !self.event(event).await {
                        return End::Stopped;
                    }
                }
                () = away => self.lost().await,
                () = rebirth => {
                    for out in self.listener.elapsed(self.task.clock.now()) {
                        self.broker.publish(&out.topic, out.payload, false);
                    }
                }
                command = self.task.commands.recv() => {
                    // An MQTT device reports by itself, so it cannot be asked to read.
                    if command.is_none() {
                        return End::Stopped;
                    }
                }
            }
        }
    }

    /// Reports the equipment as lost if the broker could not be reached for [`limits::MQTT_AWAY_MAX`]. A pause of the
    /// program itself does not count.
    async fn lost(&mut self) {
        let now = self.task.clock.now().mono;
        if self.away_since.is_some_and(|since| now >= since + limits::MQTT_AWAY_MAX) {
            self.away_since = None;
            let why = self.task.board.lock().message.clone();
            self.task.offline(&why, Presence::Lost).await;
        }
    }

    /// Acknowledges what waits for room among the requests, if there is room by now.
    fn acknowledge(&mut self) {
        self.unsent = self.unsent.take().filter(|(ack, _)| !self.broker.acknowledge(ack));
    }

    /// The connection is given up because it takes no acknowledgements.
    async fn stuck(&self) {
        let why = "the broker takes no acknowledgements: the connection is opened again";
        {
            let mut stats = self.task.board.lock();
            stats.count_error("stuck");
            stats.set_state(LinkState::Offline, why, self.task.clock.now());
        }
        self.task.tell_link(Some(why)).await;
    }

    /// Handles an event. Returns false when the daemon stops taking readings.
    async fn event(&mut self, event: BrokerEvent) -> bool {
        match event {
            BrokerEvent::Connected => {
                self.connected();
                self.task.tell_link(None).await;
            }
            BrokerEvent::Refused(0) => {}
            BrokerEvent::Refused(count) => {
                let mut stats = self.task.board.lock();
                stats.count_error("refused-subscription");
                let message = format!("the broker refuses {count} of our subscriptions");
                stats.set_state(LinkState::Degraded, &message, self.task.clock.now());
            }
            BrokerEvent::Away(why) => {
                self.acks.clear();
                self.unsent = None;
                self.listener.disconnected();
                let now = self.task.clock.now();
                let is_news = {
                    let mut stats = self.task.board.lock();
                    stats.count_error("connect");
                    let is_news = stats.state != LinkState::Offline || stats.message != why;
                    if stats.state != LinkState::Offline {
                        self.away_since = Some(now.mono);
                    }
                    stats.set_state(LinkState::Offline, &why, now);
                    is_news
                };
                if is_news {
                    self.task.tell_link(Some(&why)).await;
                }
            }
            BrokerEvent::Message(message) => return self.message(*message).await,
        }
        true
    }

    fn connected(&mut self) {
        self.away_since = None;
        let mut is_all = true;
        for filter in self.listener.filters() {
            is_all &= self.broker.subscribe(&filter);
        }
        if let Some(state) = &self.state {
            is_all &= self.broker.subscribe(&state.topic);
            is_all &= self.broker.publish(&state.topic, state.online.clone().into_bytes(), true);
        }
        for out in self.listener.connected(self.task.clock.now()) {
            is_all &= self.broker.publish(&out.topic, out.payload, false);
        }
        let mut stats = self.task.board.lock();
        let (state, message) = if is_all {
            (LinkState::Online, format!("connected to {}:{}", self.settings.host, self.settings.port))
        } else {
            (LinkState::Degraded, "more subscriptions than wait at once".to_owned())
        };
        stats.set_state(state, &message, self.task.clock.now());
    }

    async fn message(&mut self, message: Message) -> bool {
        let now = self.task.clock.now();
        let Message { topic, payload, retain, ack } = message;
        if payload.len() > self.settings.max_packet {
            self.task.board.lock().count_error("oversize");
            self.acks.push_back((ack, at_once()));
            return true;
        }
        if let Some(state) = self.state.as_ref().filter(|s| s.topic == topic) {
            // A message that reports this host as offline is wrong while the host reads it (Sparkplug 3.0, 6.4.1.2).
            if !is_online(&payload) {
                self.broker.publish(&state.topic, state.online.clone().into_bytes(), true);
                // A retained message may be from an earlier session of this host, so it is not counted.
                if !retain {
                    self.task.board.lock().count_error("sparkplug-state-contradicted");
                }
            }
            self.acks.push_back((ack, at_once()));
            return true;
        }
        let (mut batches, outgoing) = self.listener.message(&topic, &payload, retain, now);
        for out in outgoing {
            self.broker.publish(&out.topic, out.payload, false);
        }
        for kind in self.listener.take_troubles() {
            self.task.board.lock().count_error(kind);
        }
        self.task.board.record().note(now, false, &publish_packet(&topic, &payload));
        self.note(&topic, &payload, &batches);
        // The desk works in order: when the effects of the last batch are on disk, all effects before it are on disk
        // too.
        let done = match batches.last_mut() {
            None => at_once(),
            Some(last) => {
                let (tx, rx) = oneshot::channel();
                last.done = Some(tx);
                rx
            }
        };
        self.acks.push_back((ack, done));
        for batch in batches {
            if !self.task.send(batch).await {
                return false;
            }
        }
        true
    }

    fn note(&self, topic: &str, payload: &[u8], batches: &[Batch]) {
        const SHOWN_MAX: usize = 200;
        let now = self.task.clock.now();
        let mut stats = self.task.board.lock();
        stats.requests += 1;
        for batch in batches {
            let Some(equipment) = stats.of(&self.task.site, batch.equipment) else { continue };
            equipment.requests += 1;
            match batch.presence {
                Presence::Answered => equipment.set_state(LinkState::Online, "reports", now),
                Presence::Retained if equipment.state == LinkState::Online => {}
                Presence::Retained => {
                    equipment.set_state(LinkState::Degraded, "the broker has retained values of it", now)
                }
                Presence::Lost => equipment.set_state(LinkState::Offline, "it says that it is away", now),
                Presence::NoAnswer => {}
            }
            let text: String = String::from_utf8_lossy(payload).chars().take(SHOWN_MAX).collect();
            let is_binary = text.chars().any(|c| c.is_control() && c != '\n');
            let last = LastAnswer {
                request: format!("topic {topic}"),
                text: if is_binary { format!("{} bytes", payload.len()) } else { text },
                words: Vec::new(),
                start: 0,
                at: now,
                took: Duration::ZERO,
            };
            equipment.last.insert(AnswerKey::Named(topic.to_owned()), last);
            if equipment.last.len() > limits::ANSWERS_REMEMBERED_MAX {
                equipment.last.pop_first();
            }
        }
    }
}

/// True if the state payload of a host says that the host is online.
fn is_online(payload: &[u8]) -> bool {
    let state: Option<serde_json::Value> = serde_json::from_slice(payload).ok();
    state.and_then(|s| s.get("online")?.as_bool()) == Some(true)
}

/// A message as a packet of MQTT 3.1.1 at QoS 0 (3.3), for the record of frames.
fn publish_packet(topic: &str, payload: &[u8]) -> Vec<u8> {
    let mut out = vec![0x30];
    let mut length = 2 + topic.len() + payload.len();
    loop {
        let low = u8::try_from(length % 128).unwrap_or(0);
        length /= 128;
        out.push(if length > 0 { low | 0x80 } else { low });
        if length == 0 {
            break;
        }
    }
    out.extend(u16::try_from(topic.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend(topic.as_bytes());
    out.extend(payload);
    out
}

/// A receipt that is fulfilled already.
fn at_once() -> oneshot::Receiver<()> {
    let (tx, rx) = oneshot::channel();
    // The receiver exists, so the send succeeds.
    let _sent = tx.send(());
    rx
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::sync::mpsc;

    use super::super::broker::REQUESTS_MAX;
    use super::*;
    use crate::ambient::Clock;
    use crate::link::LinkBoard;
    use crate::site::testing::listened;
    use crate::words::Wall;

    fn message(number: usize) -> BrokerEvent {
        let mut publish = rumqttc::Publish::new("other", rumqttc::QoS::AtLeastOnce, "1");
        publish.pkid = u16::try_from(number % 65_535).unwrap() + 1;
        let (topic, payload) = ("other".to_owned(), b"1".to_vec());
        BrokerEvent::Message(Box::new(Message { topic, payload, retain: false, ack: Ack::V4(publish) }))
    }

    /// The connection takes nothing, and the broker sends as much as is taken.
    #[tokio::test(start_paused = true)]
    async fn queues_that_face_each_other_and_are_full_never_lock() {
        let site = listened("power = { topic = 'tele/{id}', type = 'f64' }", "");
        let clock = Clock::of_runtime(Wall::from_millis(0));
        let (readings, _taken) = mpsc::channel(8);
        let (_asked, commands) = mpsc::channel(8);
        let board = LinkBoard::new("l", [], clock.now());
        let mut task = LinkTask {
            site: site.clone(),
            version: 0,
            link: 0,
            board: board.clone(),
            readings,
            commands,
            clock,
            seed: 1,
        };
        let LinkKind::Mqtt(settings) = &site.links[0].kind else { unreachable!("the link is a broker's") };
        let (broker, events, _eventloop) = Broker::stuck();
        let sent = Arc::new(AtomicUsize::new(0));
        let count = sent.clone();
        let flood = tokio::spawn(async move {
            while events.send(message(count.load(Ordering::Relaxed))).await.is_ok() {
                count.fetch_add(1, Ordering::Relaxed);
            }
        });
        let begun = clock.now().mono;
        assert_eq!(Work::new(&mut task, settings, None, broker).run().await, End::Stuck);
        flood.await.unwrap();
        // Events were taken for as long as there was room for their acknowledgements, and so was the pump's turn.
        let all = limits::MQTT_ACKS_QUEUED_MAX + 2 * REQUESTS_MAX;
        assert_eq!(sent.load(Ordering::Relaxed), all + 1);
        assert!(clock.now().mono.since(begun) < 2 * limits::MQTT_STUCK_MAX);
        let stats = board.lock();
        assert_eq!((stats.state, stats.errors["stuck"]), (LinkState::Offline, 1));
    }
}
