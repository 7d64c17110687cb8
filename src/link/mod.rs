//! Bytes to readings: one task a link, because a bus is serial and so are its requests.
//!
//! Plan, schedule and guard are pure or tested without a wire; only `*/wire.rs` touches a socket or a port.
//! No late, foreign, short, doubled or echoed answer is ever taken for the answer to another request
//! (tests: `guard::*`, and `tests/it/wire` against misbehaving peers).

mod backoff;
mod board;
pub mod modbus;
mod mqtt;
mod pause;
mod record;
mod serial;
mod task;
mod wire;

pub use board::{AnswerKey, EquipmentStats, LastAnswer, LinkBoard, LinkState, LinkStats};
pub use mqtt::{HeardTopic, heard};
pub use record::WireRecord;
pub use task::{LinkTask, serve};
pub use wire::{Port, ports};

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

use crate::profile::Area;
use crate::site::Site;

use crate::words::{EquipmentId, EquipmentIndex, LinkName, Now, PointIndex, PointName, Presence, Reading};

/// The readings of one answer, or why there are none.
#[derive(Debug)]
pub struct Batch {
    /// When the answer arrived, or was given up.
    pub at: Now,
    /// Of which equipment.
    pub equipment: EquipmentIndex,
    /// Each point's reading.
    pub readings: Vec<(PointIndex, Reading)>,
    /// What it says of the equipment itself.
    pub presence: Presence,
    /// Who is told once everything this batch caused is on disk.
    pub done: Option<oneshot::Sender<()>>,
    /// The version of the site that numbers the equipment; set when it is sent.
    pub site: u64,
}

/// What a link says.
#[derive(Debug)]
pub enum LinkSays {
    /// Readings of equipment.
    Readings(Batch),
    /// How the link itself is.
    Link(LinkNews),
}

/// A link was opened, or is away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkNews {
    /// Which.
    pub link: LinkName,
    /// Since when.
    pub at: Now,
    /// Why it is away, in its own sentence; nothing where it is open.
    pub away: Option<String>,
}

/// What a link is asked besides its schedule.
#[derive(Debug)]
pub enum LinkCommand {
    /// Read all of this equipment now.
    ReadNow(EquipmentId),
    /// Write to equipment, then read it back.
    Write(WriteOrder),
    /// Ask a unit once, whether or not it is anybody's equipment.
    Try(TryOrder),
    /// The link's equipment changed, the link itself did not.
    Reloaded(Reload),
}

/// One request to a unit of a bus.
#[derive(Debug)]
pub struct TryOrder {
    /// The unit id.
    pub unit: u8,
    /// What is asked.
    pub what: TryWhat,
    /// The time it has to answer.
    pub timeout: Duration,
    /// Who is told; dropped when the link is away.
    pub done: oneshot::Sender<TryEnd>,
}

/// What a unit is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TryWhat {
    /// To identify itself (43/14).
    Identify,
    /// For registers or bits.
    Read {
        /// The table.
        area: Area,
        /// The first register.
        start: u16,
        /// How many.
        count: u16,
    },
}

/// What a unit answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TryEnd {
    /// Registers, or bits as 0 and 1.
    Words(Vec<u16>),
    /// The objects of its identification.
    Identified(Vec<(u8, Vec<u8>)>),
    /// It refuses, with this exception, in words.
    Exception(u8, String),
    /// It was not asked, and why.
    Failed(String),
    /// Nothing usable came: the kind of fault, as it is counted, and in words.
    Fault(&'static str, String),
}

/// A configuration that was loaded while the link was served.
#[derive(Debug, Clone)]
pub struct Reload {
    /// The site.
    pub site: Arc<Site>,
    /// Its version.
    pub version: u64,
    /// The link's place in it.
    pub link: usize,
}

/// A write. Names, not places, so that it never reaches another device than was meant.
#[derive(Debug)]
pub struct WriteOrder {
    /// To which equipment.
    pub equipment: EquipmentId,
    /// To which point.
    pub point: PointName,
    /// The registers, or 0 and 1 for a coil.
    pub words: Vec<u16>,
    /// Who is told what became of it; dropped when the link is away.
    pub done: oneshot::Sender<WriteEnd>,
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteEnd {
    /// Whether the device confirmed it, or why it did not.
    pub answer: Result<(), String>,
    /// The registers read afterwards, or why they were not.
    pub read_back: Result<Vec<u16>, String>,
}
