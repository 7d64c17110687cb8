//! Captures: frames of a link as a file that Wireshark opens, and capture files decoded with a profile.
//!
//! For a network connection andon writes Ethernet, IP and TCP headers around the bytes, with the port of the
//! protocol. For a serial line it writes RTAC serial packets (link type 250); in Wireshark, select Modbus RTU for
//! their payload. Other capture files are read in four steps, one per file: `container` (pcap and pcapng) gives
//! packets, `packet` (link layer, IP, TCP) gives segments, `stream` (the bytes of each direction of each connection)
//! gives frames, and `playback` pairs requests with answers and decodes the registers. Each step counts the data that
//! it cannot read, and `playback` reports the counts. *Must not know* how the frames were recorded.
//!
//! ```
//! use andon::profile::{Frame, WireKind, from_pcap, to_pcap};
//! let frames = vec![Frame { at_us: 1_000_000, is_sent: true, bytes: vec![7, 3, 0, 0, 0, 2, 0xC4, 0x6D] }];
//! let file = to_pcap(WireKind::Serial, &frames);
//! assert_eq!(from_pcap(&file), Ok((WireKind::Serial, frames)));
//! ```
//!
//! Use: `daemon/captures.rs` keeps the frames of a link with each ticket; `andon capture` and `andon profile import`
//! tools read them.

mod container;
mod packet;
mod pcap;
mod playback;
mod stream;
#[cfg(test)]
mod tests;

pub use pcap::{from_pcap, to_pcap};
pub use playback::{Playback, Played, play};

/// Bytes of one direction of a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The time, in microseconds since 1970.
    pub at_us: i64,
    /// True if andon sent the bytes; false if andon received them.
    pub is_sent: bool,
    /// The bytes.
    pub bytes: Vec<u8>,
}

/// The kind of link that the frames come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WireKind {
    /// A TCP connection. Field: the port of the device or broker.
    Tcp(u16),
    /// A serial line.
    Serial,
}
