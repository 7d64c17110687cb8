//! Listens to all topics of a broker for a while, with a connection of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use super::broker::{Broker, BrokerEvent};
use crate::limits;
use crate::site::MqttBroker;

/// A topic on which messages arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeardTopic {
    /// The name of the topic.
    pub topic: String,
    /// The beginning of the last payload, or its size if it is not text.
    pub sample: String,
    /// The number of messages that arrived.
    pub messages: u64,
    /// True if the last message was retained by the broker.
    pub retained: bool,
}

/// Listens to all topics of a broker for `time`, under a client id of its own.
///
/// # Errors
/// The reason why no message can be received.
pub async fn heard(settings: &MqttBroker, time: Duration, seed: u64) -> Result<Vec<HeardTopic>, String> {
    let settings = MqttBroker {
        client_id: format!("{}-scan-{:x}", settings.client_id, seed & 0xFFFF),
        sparkplug_host: None,
        ..settings.clone()
    };
    let mut broker = Broker::visit(&settings, seed)?;
    let mut topics: BTreeMap<String, HeardTopic> = BTreeMap::new();
    let mut problem = Some("the broker did not answer in time".to_owned());
    // The end of the time is the normal end.
    let _over = tokio::time::timeout(time, async {
        while let Some(event) = broker.events.recv().await {
            match event {
                BrokerEvent::Connected => {
                    problem = None;
                    broker.subscribe("#");
                }
                BrokerEvent::Refused(0) => {}
                BrokerEvent::Refused(_) => {
                    problem = Some("the broker refuses a subscription to #".to_owned())
                }
                BrokerEvent::Away(why) => problem = Some(why),
                BrokerEvent::Message(message) => {
                    broker.acknowledge(&message.ack);
                    if topics.len() >= limits::TOPICS_HEARD_MAX && !topics.contains_key(&message.topic) {
                        continue;
                    }
                    let sample = sample(&message.payload);
                    let heard = topics.entry(message.topic.clone()).or_insert_with(|| HeardTopic {
                        topic: message.topic.clone(),
                        sample: String::new(),
                        messages: 0,
                        retained: false,
                    });
                    heard.sample = sample;
                    heard.messages += 1;
                    heard.retained = message.retain;
                }
            }
        }
    })
    .await;
    match problem {
        Some(why) if topics.is_empty() => Err(why),
        _ => Ok(topics.into_values().collect()),
    }
}

fn sample(payload: &[u8]) -> String {
    const SHOWN_MAX: usize = 80;
    match std::str::from_utf8(payload) {
        Ok(text) if !text.chars().any(char::is_control) => text.chars().take(SHOWN_MAX).collect(),
        _ => format!("{} bytes", payload.len()),
    }
}
