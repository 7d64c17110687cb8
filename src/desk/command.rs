//! What goes into the desk and what comes out.

use std::sync::Arc;
use std::time::Duration;

use crate::site::Site;
use crate::ticket::{LogEntry, Ticket};
use crate::words::{Author, Damage, EquipmentIndex, LinkName, PointIndex, Presence, Reading, Refusal, Seq};
use crate::writing::{Carried, Order, OrderId, Wrote};

use super::event::{ProvenLine, Record};
use super::rooms::Verb;

/// Names an asker, so that the reply finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(pub u64);

/// What somebody asks of the gateway.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// Who.
    pub by: Author,
    /// What.
    pub verb: Verb,
}

/// A record that is to be written, with its line.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The record.
    pub record: Arc<Record>,
    /// Its line.
    pub line: ProvenLine,
}

/// What goes in.
#[derive(Debug)]
pub enum Input {
    /// The readings of one answer.
    Readings {
        /// Of which equipment.
        equipment: EquipmentIndex,
        /// Each point's reading.
        readings: Vec<(PointIndex, Reading)>,
        /// What they say of the equipment itself.
        presence: Presence,
    },
    /// A link was opened, or is away and says why.
    Link {
        /// Which.
        link: LinkName,
        /// Why it is away; nothing where it is open.
        away: Option<String>,
    },
    /// Somebody asks.
    Asked(Token, Ask),
    /// An order to write was carried out, or not.
    Carried(OrderId, Carried),
    /// Time has passed.
    Elapsed,
    /// Events up to this one are on disk.
    Written(Seq),
    /// Events from this one on could not be written.
    NotWritten(Seq, String),
    /// Parts of the journal that cannot be read were found.
    Damaged(Vec<Damage>),
    /// The program did not run for this long; the monotonic clock does not count it, the wall clock does.
    Paused(Duration),
    /// The journal can be written again, after it could not.
    Writable,
    /// Other files are in force from here on.
    Reloaded(Arc<Site>),
    /// The daemon is stopping.
    Stopping,
}

/// What was asked is done and on record.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The ticket as it is now, and the lines that its log has got.
    Ticket(Arc<Ticket>, Vec<LogEntry>),
    /// What was written and read back.
    Wrote(Box<Wrote>),
    /// What was done, as a sentence.
    Told(String),
}

/// What comes out.
#[derive(Debug, PartialEq)]
pub enum Output {
    /// To be written, in this order.
    Write(Box<Draft>),
    /// A bug of andon, for the log.
    Bug(String),
    /// To the asker.
    Reply(Token, Box<Result<Reply, Refusal>>),
    /// Read all of this equipment now.
    Read(EquipmentIndex),
    /// Write this to equipment, and say with [`Input::Carried`] what became of it.
    Order(Order),
}
