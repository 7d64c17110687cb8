//! What a scan of a line finds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `GET /v1/links/{name}/try`: what a unit answered to one request.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct TriedV1 {
    /// Whether the unit is there.
    pub answered: bool,
    /// The registers it brought, or bits as 0 and 1.
    pub words: Vec<u16>,
    /// Its identification, by object.
    pub identification: BTreeMap<String, String>,
    /// The exception with which it refused.
    pub exception: Option<u8>,
    /// What came, in words.
    pub message: String,
    /// The kind of fault where nothing usable came: `timeout`, `closed`, `foreign` and the like.
    #[serde(default)]
    pub fault: String,
}

/// `GET /v1/links/{name}/heard`: a topic that was heard.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HeardV1 {
    /// The topic.
    pub topic: String,
    /// The last payload's beginning.
    pub sample: String,
    /// Messages heard.
    pub messages: u64,
    /// Whether the last one was retained by the broker.
    pub retained: bool,
}

/// Frames of a wire: `GET /v1/links/{name}/capture`, `GET /v1/tickets/{target}/wire`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CaptureV1 {
    /// How many.
    pub frames: usize,
    /// A pcap file, in hexadecimal.
    pub pcap: String,
}
