//! Where a point's value comes from, and which protocol that means.

use std::fmt;

use super::address::RegisterAddress;
use crate::words::worded;

/// Where a point's value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Modbus registers or bits.
    Register(RegisterAddress),
    /// A named capture of a serial request's answer or of a stream's line: `report.x`.
    Capture {
        /// The request or stream.
        source: String,
        /// The capture.
        name: String,
    },
    /// Bytes of a binary frame that a serial request or stream brings.
    Bytes {
        /// The request or stream.
        source: String,
        /// The first byte, from 0.
        at: usize,
        /// How many.
        count: usize,
    },
    /// An MQTT topic, perhaps with `{topic}` and wildcards, and where in its payload.
    Topic {
        /// The topic filter, fields of the equipment not yet filled in.
        filter: String,
        /// A JSON pointer (RFC 6901); the whole payload when absent.
        pointer: Option<String>,
    },
    /// A Sparkplug B metric.
    Metric(String),
}

impl Place {
    /// The serial request or stream that brings it.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        match self {
            Place::Capture { source, .. } | Place::Bytes { source, .. } => Some(source),
            Place::Register(_) | Place::Topic { .. } | Place::Metric(_) => None,
        }
    }

    /// The protocol that brings it.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        match self {
            Place::Register(_) => Protocol::Modbus,
            Place::Capture { .. } | Place::Bytes { .. } => Protocol::Serial,
            Place::Topic { .. } => Protocol::Mqtt,
            Place::Metric(_) => Protocol::Sparkplug,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Register(address) => fmt::Display::fmt(address, f),
            Place::Bytes { source, at, count: 1 } => write!(f, "{source} byte {at}"),
            Place::Bytes { source, at, count } => write!(f, "{source} bytes {at}..{}", at + count - 1),
            Place::Capture { source, name } => write!(f, "{source}.{name}"),
            Place::Topic { filter, pointer: Some(pointer) } => write!(f, "{filter} {pointer}"),
            Place::Topic { filter, pointer: None } => f.write_str(filter),
            Place::Metric(name) => write!(f, "metric {name}"),
        }
    }
}

worded! {
    /// What a device speaks; its link must carry it.
    pub enum Protocol {
        /// Modbus, asked.
        Modbus = "modbus",
        /// A serial line protocol, asked or listened to.
        Serial = "serial",
        /// MQTT topics, listened to.
        Mqtt = "mqtt",
        /// Sparkplug B over MQTT, listened to.
        Sparkplug = "sparkplug",
    }
}
