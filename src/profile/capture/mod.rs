//! Frames of a wire, as a file that Wireshark opens, and captures played back to the decoder.
//!
//! A network connection becomes Ethernet, IP and TCP around the bytes, on the protocol's own port; a serial line becomes
//! RTAC serial packets (link type 250), whose payload Wireshark decodes as Modbus RTU when told so. Captures of others are
//! read in four steps, each in its file: `container` (pcap and pcapng) to packets, `packet` (link layer, IP, TCP) to
//! segments, `stream` (each direction of each connection put together, cut into frames), `playback` (requests and answers
//! paired, registers decoded). What a step does not understand it counts, and `playback` says it. *Must not know* how
//! frames were taken.

mod container;
mod packet;
mod pcap;
mod playback;
mod stream;
#[cfg(test)]
mod tests;

pub use pcap::{from_pcap, to_pcap};
pub use playback::{Playback, Played, play};

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
