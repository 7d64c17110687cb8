//! Frames of a wire, as a file that Wireshark opens, and played back to the decoder.
//!
//! A network connection becomes Ethernet, IP and TCP around the bytes, on the protocol's own port; a serial line becomes
//! RTAC serial packets (link type 250), whose payload Wireshark decodes as Modbus RTU when told so. *Must not know* how
//! the frames were taken.

mod pcap;
mod playback;

pub use pcap::{from_pcap, to_pcap};
pub use playback::{Played, play};

/// Bytes that went over a wire in one direction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// When, in microseconds since 1970.
    pub at_us: i64,
    /// By us.
    pub is_sent: bool,
    /// What.
    pub bytes: Vec<u8>,
}

/// What a wire is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireKind {
    /// A TCP connection to this port of the device or broker.
    Tcp(u16),
    /// A serial line.
    Serial,
}
