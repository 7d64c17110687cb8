//! Links: everything that turns bytes on a wire into readings, with one task for each link. A bus can carry only one
//! request at a time, so one task sends all requests of its link, one after the other.
//!
//! [`serve`] runs the task of one link. The task sends [`LinkSays`] to the daemon, which gives the readings to the
//! desk, and it takes [`LinkCommand`]s. [`LinkBoard`] holds the statistics for `andon status`.
//!
//! No late, foreign, short, duplicated or echoed answer is ever accepted as the answer to another request (tests:
//! `guard::*`, and `tests/it/wire` with simulated devices that send such answers). Only `wire.rs` and
//! `mqtt/broker.rs` open sockets and ports; plan, schedule and guard are pure functions or tested without a wire.
//!
//! The reads of a device are planned before the task starts:
//!
//! ```
//! use andon::link::modbus::{LineTiming, load, plan};
//! use andon::profile;
//! use andon::words::ProfileName;
//!
//! let name = ProfileName::parse("eastron-sdm120").unwrap();
//! let (meter, _) = profile::load(&name, &profile::built_in(&name).unwrap());
//! let meter = meter.unwrap();
//! let line = LineTiming::Serial { baud: 9600, bits: 10 };
//! let requests = plan(&meter, line);
//! assert!(requests.len() < meter.points.len(), "one request reads several points");
//! assert!(load(&requests, line) < 1.0, "the line has time for all of them");
//! ```

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

/// The readings of one answer, or the reason why there are none.
#[derive(Debug)]
pub struct Batch {
    /// The time when the answer arrived, or when the request was given up.
    pub at: Now,
    /// The equipment that the readings belong to.
    pub equipment: EquipmentIndex,
    /// The readings of each point.
    pub readings: Vec<(PointIndex, Reading)>,
    /// Whether the equipment answered.
    pub presence: Presence,
    /// Receives a signal when every event that the batch caused is on disk; `None` if no signal is needed.
    pub done: Option<oneshot::Sender<()>>,
    /// The version of the site that `equipment` is an index of; set when the batch is sent.
    pub site: u64,
}

/// A message of a link to the daemon.
#[derive(Debug)]
pub enum LinkSays {
    /// Readings of one piece of equipment.
    Readings(Batch),
    /// The link was opened or lost its connection.
    Link(LinkNews),
}

/// A link was opened, or it cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkNews {
    /// The link's name in `andon.toml`.
    pub link: LinkName,
    /// The time of the change.
    pub at: Now,
    /// The reason why the link has no connection, as a sentence; `None` if the link is open.
    pub away: Option<String>,
}

/// A command to a link, in addition to its polling schedule.
#[derive(Debug)]
pub enum LinkCommand {
    /// Read all points of this equipment now.
    ReadNow(EquipmentId),
    /// Write to equipment, then read the value back.
    Write(WriteOrder),
    /// Send one request to a unit id, which need not belong to equipment of the site.
    Try(TryOrder),
    /// The configuration was reloaded: the equipment on the link may have changed, the link itself has not.
    Reloaded(Reload),
}

/// One request to a unit of a Modbus link, from `andon scan` or a person.
#[derive(Debug)]
pub struct TryOrder {
    /// The Modbus unit id.
    pub unit: u8,
    /// The request.
    pub what: TryWhat,
    /// The time that the unit has for its answer.
    pub timeout: Duration,
    /// Receives the result; dropped without a result if the link has no connection.
    pub done: oneshot::Sender<TryEnd>,
}

/// The request of a [`TryOrder`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TryWhat {
    /// Read Device Identification (function 43/14).
    Identify,
    /// Read registers or bits.
    Read {
        /// The Modbus table.
        area: Area,
        /// The number of the first register or bit.
        start: u16,
        /// The number of registers or bits.
        count: u16,
    },
}

/// The result of a [`TryOrder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TryEnd {
    /// Registers, or bits as 0 and 1.
    Words(Vec<u16>),
    /// The objects of the device identification: object id and content.
    Identified(Vec<(u8, Vec<u8>)>),
    /// The unit refused with a Modbus exception: its code and its name.
    Exception(u8, String),
    /// The request was not sent; the reason.
    Failed(String),
    /// No valid answer arrived: the kind of failure as it is counted, and a sentence.
    Fault(&'static str, String),
}

/// A configuration that was reloaded while the link was served.
#[derive(Debug, Clone)]
pub struct Reload {
    /// The new site.
    pub site: Arc<Site>,
    /// The version of `site`, counted from 0 at the start of the daemon.
    pub version: u64,
    /// The index of the link in `site.links`.
    pub link: usize,
}

/// An order to write to equipment. It uses names, not indices: an index could mean another device after a reload.
#[derive(Debug)]
pub struct WriteOrder {
    /// The equipment to write to.
    pub equipment: EquipmentId,
    /// The point to write.
    pub point: PointName,
    /// The registers to write, or 0 or 1 for a coil.
    pub words: Vec<u16>,
    /// Receives the result; dropped without a result if the link has no connection.
    pub done: oneshot::Sender<WriteEnd>,
}

/// The result of a [`WriteOrder`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteEnd {
    /// `Ok` if the device confirmed the write, otherwise the reason.
    pub answer: Result<(), String>,
    /// The registers that were read back afterwards, or the reason why they could not be read.
    pub read_back: Result<Vec<u16>, String>,
}
