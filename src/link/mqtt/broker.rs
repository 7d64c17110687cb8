//! The only module that uses the crate rumqttc, for both versions of MQTT.

use std::sync::Arc;
use std::time::Duration;

use rumqttc::v5;
use rumqttc::{MqttOptions, QoS, TlsConfiguration, Transport};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::limits;
use crate::link::backoff::Backoff;
use crate::site::{MqttBroker, TlsFiles};

/// An event on the connection to a broker.
#[derive(Debug)]
pub(super) enum BrokerEvent {
    /// The connection is open; every topic must be subscribed again.
    Connected,
    /// A message arrived.
    Message(Box<Message>),
    /// The broker refused this number of subscriptions.
    Refused(usize),
    /// The connection is lost; the reason.
    Away(String),
}

/// A message.
#[derive(Debug)]
pub(super) struct Message {
    pub topic: String,
    pub payload: Vec<u8>,
    pub retain: bool,
    pub ack: Ack,
}

/// The data that acknowledge a message.
#[derive(Debug)]
pub(super) enum Ack {
    V4(rumqttc::Publish),
    V5(v5::mqttbytes::v5::Publish),
}

#[derive(Clone)]
enum Client {
    V4(rumqttc::AsyncClient),
    V5(v5::AsyncClient),
}

/// The state message of a Sparkplug host: its payload while connected, and the last will that the broker publishes
/// when the connection is lost.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub topic: String,
    pub online: String,
    pub offline: String,
}

/// A connection to a broker that is opened again whenever it is lost. It ends when this value is dropped.
pub(super) struct Broker {
    client: Client,
    pub events: mpsc::Receiver<BrokerEvent>,
    pump: JoinHandle<()>,
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.pump.abort();
    }
}

/// The largest number of events that wait for the task, and of requests that wait for the connection.
///
/// The two queues cannot lock each other. The pump takes no request while the queue of events is full. So the task never waits
/// for space in the queue of requests: if that queue is full, the task goes on taking events and tries the request again.
pub(super) const REQUESTS_MAX: usize = 1024;
/// The largest packet of MQTT, in bytes. andon itself drops a message that is too large: if rumqttc refused it, the
/// broker would send it again for ever.
const PACKET_MAX: usize = 268_435_460;

fn read(path: &str) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|e| format!("{path}: {e}"))
}

fn password(broker: &MqttBroker) -> Result<String, String> {
    match &broker.password_file {
        None => Ok(String::new()),
        Some(path) => {
            let text = String::from_utf8(read(path)?).map_err(|_| format!("{path} holds no text"))?;
            Ok(text.trim_end_matches(['\r', '\n']).to_owned())
        }
    }
}

fn tls(files: &TlsFiles) -> Result<Transport, String> {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let certificates = |path: &str| -> Result<Vec<CertificateDer<'static>>, String> {
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&read(path)?).collect();
        match found {
            Ok(list) if !list.is_empty() => Ok(list),
            Ok(_) => Err(format!("{path} holds no certificate")),
            Err(e) => Err(format!("{path}: {e}")),
        }
    };
    let mut roots = rustls::RootCertStore::empty();
    match &files.ca_file {
        Some(path) => {
            for certificate in certificates(path)? {
                roots.add(certificate).map_err(|e| format!("{path}: {e}"))?;
            }
        }
        None => {
            let found = rustls_native_certs::load_native_certs();
            // The system's store may hold old certificates that cannot be parsed; the others are used.
            roots.add_parsable_certificates(found.certs);
            if roots.is_empty() {
                let why = found.errors.first().map_or_else(String::new, |e| format!(" ({e})"));
                return Err(format!("this system trusts no certificate{why}: name one with ca_file"));
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots);
    let config = match &files.client {
        None => config.with_no_client_auth(),
        Some((certificate, key)) => {
            let key_der = PrivateKeyDer::from_pem_slice(&read(key)?).map_err(|e| format!("{key}: {e}"))?;
            config
                .with_client_auth_cert(certificates(certificate)?, key_der)
                .map_err(|e| format!("{certificate}: {e}"))?
        }
    };
    Ok(Transport::Tls(TlsConfiguration::Rustls(Arc::new(config))))
}

impl Broker {
    /// Begins to connect. `state` is published when the connection is open, and is the last will.
    ///
    /// # Errors
    /// If a certificate, key or password file cannot be used.
    pub(super) fn open(broker: &MqttBroker, seed: u64, state: Option<&State>) -> Result<Self, String> {
        Self::connect(broker, seed, state, false)
    }

    /// Connects for a single visit: the broker stores no session.
    ///
    /// # Errors
    /// If a certificate, key or password file cannot be used.
    pub(super) fn visit(broker: &MqttBroker, seed: u64) -> Result<Self, String> {
        Self::connect(broker, seed, None, true)
    }

    fn connect(
        broker: &MqttBroker,
        seed: u64,
        state: Option<&State>,
        is_visit: bool,
    ) -> Result<Self, String> {
        let (events_tx, events) = mpsc::channel(REQUESTS_MAX);
        let transport = broker.tls.as_ref().map(tls).transpose()?;
        let password = password(broker)?;
        let pump = Pump {
            events: events_tx,
            backoff: Backoff::new(seed),
            // A broker that stopped answering is noticed after one and a half keep-alive periods (MQTT 3.1.2.10).
            watchdog: broker.keep_alive * 3 / 2,
        };
        let (client, pump) = if broker.version == 5 {
            let mut options = v5::MqttOptions::new(&broker.client_id, &broker.host, broker.port);
            options.set_keep_alive(broker.keep_alive).set_clean_start(is_visit).set_manual_acks(true);
            let kept = if is_visit { 0 } else { limits::MQTT_SESSION_SECONDS };
            options.set_session_expiry_interval(Some(kept));
            options.set_max_packet_size(u32::try_from(broker.max_packet).ok());
            if let Some(user) = &broker.username {
                options.set_credentials(user, password);
            }
            if let Some(transport) = transport {
                options.set_transport(transport);
            }
            if let Some(s) = state {
                let qos = v5::mqttbytes::QoS::AtLeastOnce;
                options.set_last_will(v5::mqttbytes::v5::LastWill::new(
                    &s.topic,
                    s.offline.clone(),
                    qos,
                    true,
                    None,
                ));
            }
            let (client, eventloop) = v5::AsyncClient::new(options, REQUESTS_MAX);
            (Client::V5(client), tokio::spawn(pump.run(eventloop)))
        } else {
            let mut options = MqttOptions::new(&broker.client_id, &broker.host, broker.port);
            options.set_keep_alive(broker.keep_alive).set_clean_session(is_visit).set_manual_acks(true);
            options.set_max_packet_size(PACKET_MAX, broker.max_packet);
            if let Some(user) = &broker.username {
                options.set_credentials(user, password);
            }
            if let Some(transport) = transport {
                options.set_transport(transport);
            }
            if let Some(s) = state {
                options.set_last_will(rumqttc::LastWill::new(
                    &s.topic,
                    s.offline.clone(),
                    QoS::AtLeastOnce,
                    true,
                ));
            }
            let (client, eventloop) = rumqttc::AsyncClient::new(options, REQUESTS_MAX);
            (Client::V4(client), tokio::spawn(pump.run(eventloop)))
        };
        Ok(Self { client, events, pump })
    }

    /// A connection for tests: its requests are never sent, and the test makes its events.
    #[cfg(test)]
    pub(super) fn stuck() -> (Self, mpsc::Sender<BrokerEvent>, rumqttc::EventLoop) {
        let (events_tx, events) = mpsc::channel(REQUESTS_MAX);
        let (client, eventloop) =
            rumqttc::AsyncClient::new(MqttOptions::new("test", "127.0.0.1", 1), REQUESTS_MAX);
        let pump = tokio::spawn(std::future::pending());
        (Self { client: Client::V4(client), events, pump }, events_tx, eventloop)
    }

    /// Subscribes at QoS 1. Returns false if the queue of requests is full.
    pub(super) fn subscribe(&self, filter: &str) -> bool {
        match &self.client {
            Client::V4(c) => c.try_subscribe(filter, QoS::AtLeastOnce).is_ok(),
            Client::V5(c) => c.try_subscribe(filter, v5::mqttbytes::QoS::AtLeastOnce).is_ok(),
        }
    }

    /// Publishes a message. Returns false if the queue of requests is full.
    pub(super) fn publish(&self, topic: &str, payload: Vec<u8>, is_kept: bool) -> bool {
        match &self.client {
            Client::V4(c) => {
                let qos = if is_kept { QoS::AtLeastOnce } else { QoS::AtMostOnce };
                c.try_publish(topic, qos, is_kept, payload).is_ok()
            }
            Client::V5(c) => {
                use v5::mqttbytes::QoS as Q;
                let qos = if is_kept { Q::AtLeastOnce } else { Q::AtMostOnce };
                c.try_publish(topic, qos, is_kept, payload).is_ok()
            }
        }
    }

    /// Acknowledges a message. Returns false if the queue of requests is full: try again later.
    pub(super) fn acknowledge(&self, ack: &Ack) -> bool {
        match (&self.client, ack) {
            (Client::V4(c), Ack::V4(publish)) => c.try_ack(publish).is_ok(),
            (Client::V5(c), Ack::V5(publish)) => c.try_ack(publish).is_ok(),
            // A message of the other MQTT version cannot belong to this connection.
            (Client::V4(_), Ack::V5(_)) | (Client::V5(_), Ack::V4(_)) => true,
        }
    }
}

/// The event loop of rumqttc, for MQTT 3 or MQTT 5.
trait Turned: Send {
    /// Runs the loop until it has an event. Returns `None` if andon has no use for the event.
    fn turn(&mut self) -> impl Future<Output = Result<Option<BrokerEvent>, String>> + Send;

    /// Closes the connection.
    fn give_up(&mut self);

    /// Drops the messages that were read before the connection ended.
    fn forget(&mut self);
}

impl Turned for rumqttc::EventLoop {
    async fn turn(&mut self) -> Result<Option<BrokerEvent>, String> {
        use rumqttc::{Event, Packet, SubscribeReasonCode};
        Ok(match self.poll().await.map_err(|e| e.to_string())? {
            Event::Incoming(Packet::ConnAck(_)) => Some(BrokerEvent::Connected),
            Event::Incoming(Packet::Publish(p)) => Some(BrokerEvent::Message(Box::new(Message {
                topic: p.topic.clone(),
                payload: p.payload.to_vec(),
                retain: p.retain,
                ack: Ack::V4(p),
            }))),
            Event::Incoming(Packet::SubAck(s)) => {
                let refused = s.return_codes.iter().filter(|c| matches!(c, SubscribeReasonCode::Failure));
                Some(BrokerEvent::Refused(refused.count()))
            }
            Event::Incoming(_) | Event::Outgoing(_) => None,
        })
    }

    fn give_up(&mut self) {
        self.clean();
    }

    fn forget(&mut self) {
        self.state.events.clear();
    }
}

impl Turned for v5::EventLoop {
    async fn turn(&mut self) -> Result<Option<BrokerEvent>, String> {
        use v5::Event;
        use v5::mqttbytes::v5::{Packet, SubscribeReasonCode};
        Ok(match self.poll().await.map_err(|e| e.to_string())? {
            Event::Incoming(Packet::ConnAck(_)) => Some(BrokerEvent::Connected),
            Event::Incoming(Packet::Publish(p)) => Some(BrokerEvent::Message(Box::new(Message {
                topic: String::from_utf8_lossy(&p.topic).into_owned(),
                payload: p.payload.to_vec(),
                retain: p.retain,
                ack: Ack::V5(p),
            }))),
            Event::Incoming(Packet::SubAck(s)) => {
                let refused = s.return_codes.iter().filter(|c| !matches!(c, SubscribeReasonCode::Success(_)));
                Some(BrokerEvent::Refused(refused.count()))
            }
            Event::Incoming(_) | Event::Outgoing(_) => None,
        })
    }

    fn give_up(&mut self) {
        self.clean();
    }

    fn forget(&mut self) {
        self.state.events.clear();
    }
}

/// Runs the event loop of rumqttc, with a pause after each failure: the loop alone would try again without any pause.
struct Pump {
    events: mpsc::Sender<BrokerEvent>,
    backoff: Backoff,
    watchdog: Duration,
}

impl Pump {
    async fn run(mut self, mut eventloop: impl Turned) {
        loop {
            let event = match tokio::time::timeout(self.watchdog, eventloop.turn()).await {
                Ok(Ok(Some(event))) => event,
                Ok(Ok(None)) => continue,
                Ok(Err(why)) => BrokerEvent::Away(why),
                Err(_elapsed) => {
                    eventloop.give_up();
                    BrokerEvent::Away("the broker has fallen silent".to_owned())
                }
            };
            if matches!(event, BrokerEvent::Away(_)) {
                eventloop.forget();
            }
            if !self.pass(event).await {
                return;
            }
        }
    }

    /// Sends an event on, and waits after a failure. Returns false if the receiver is closed.
    async fn pass(&mut self, event: BrokerEvent) -> bool {
        let rest = match &event {
            BrokerEvent::Connected => {
                self.backoff.reset();
                None
            }
            BrokerEvent::Away(_) => Some(self.backoff.pause()),
            BrokerEvent::Message(_) | BrokerEvent::Refused(_) => None,
        };
        if self.events.send(event).await.is_err() {
            return false;
        }
        if let Some(rest) = rest {
            tokio::time::sleep(rest).await;
        }
        true
    }
}
