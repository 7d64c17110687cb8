//! Sources of the values of points, and the protocol of each source.

use std::fmt;

use super::address::RegisterAddress;
use crate::words::worded;

/// The source of the value of a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Modbus registers, coils or discrete inputs.
    Register(RegisterAddress),
    /// A named capture of the answer to a serial request, or of a line of a stream: `report.x`.
    Capture {
        /// The name of the request or stream.
        source: String,
        /// The name of the capture.
        name: String,
    },
    /// Bytes of a binary frame: the answer to a serial request, or a frame of a stream.
    Bytes {
        /// The name of the request or stream.
        source: String,
        /// The position of the first byte in the frame, from 0.
        at: usize,
        /// The number of bytes.
        count: usize,
    },
    /// An MQTT topic and the place in its payload. The topic can contain `{topic}` and wildcards.
    Topic {
        /// The topic filter, with the fields of the equipment still to be filled in.
        filter: String,
        /// A JSON pointer (RFC 6901); `None` for the whole payload.
        pointer: Option<String>,
    },
    /// The name of a Sparkplug B metric.
    Metric(String),
}

impl Place {
    /// The serial request or stream that delivers the value.
    #[must_use]
    pub fn source(&self) -> Option<&str> {
        match self {
            Place::Capture { source, .. } | Place::Bytes { source, .. } => Some(source),
            Place::Register(_) | Place::Topic { .. } | Place::Metric(_) => None,
        }
    }

    /// The protocol that delivers the value.
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
    /// The protocol of a device. Its link must be of the same protocol.
    pub enum Protocol {
        /// Modbus: andon sends requests.
        Modbus = "modbus",
        /// A serial protocol of the device: andon sends requests or listens.
        Serial = "serial",
        /// MQTT topics: andon listens.
        Mqtt = "mqtt",
        /// Sparkplug B over MQTT: andon listens.
        Sparkplug = "sparkplug",
    }
}
