//! The results of a scan: one request to a Modbus unit, the topics of a broker, and captured frames.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `GET /v1/links/{name}/try`: the response of a unit to one request.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TriedV1 {
    /// True if the unit responded, also with an exception.
    pub answered: bool,
    /// The registers of the response, or bits as 0 and 1.
    pub words: Vec<u16>,
    /// The objects of a device identification by name.
    pub identification: BTreeMap<String, String>,
    /// The Modbus exception code; `None` if the response was not an exception.
    pub exception: Option<u8>,
    /// The response as a sentence.
    pub message: String,
    /// The kind of failure without a valid response: `timeout`, `closed`, `foreign` and others. Empty otherwise.
    #[serde(default)]
    pub fault: String,
}

/// `GET /v1/links/{name}/heard`: a topic of a broker with its messages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HeardV1 {
    /// The topic.
    pub topic: String,
    /// The beginning of the last payload.
    pub sample: String,
    /// The number of messages received.
    pub messages: u64,
    /// True if the broker had retained the last message.
    pub retained: bool,
}

/// `GET /v1/links/{name}/capture` and `GET /v1/tickets/{target}/wire`: captured frames.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CaptureV1 {
    /// The number of frames.
    pub frames: usize,
    /// The bytes of a pcap file, in hexadecimal.
    pub pcap: String,
}
