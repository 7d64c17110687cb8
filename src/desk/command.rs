//! The inputs and outputs of the desk.

use std::sync::Arc;
use std::time::Duration;

use crate::site::Site;
use crate::ticket::{LogEntry, Ticket};
use crate::words::{Author, Damage, EquipmentIndex, LinkName, PointIndex, Presence, Reading, Refusal, Seq};
use crate::writing::{Carried, Order, OrderId, Wrote};

use super::event::{ProvenLine, Record};
use super::rooms::Verb;

/// Identifies a request, so that the driver can send the reply to the right place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token(pub u64);

/// A request to change something.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// The person who asks.
    pub by: Author,
    /// The change, as a verb of one room.
    pub verb: Verb,
}

/// A record that the journal must write.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The record.
    pub record: Arc<Record>,
    /// The line of the record.
    pub line: ProvenLine,
}

/// An input of the desk.
#[derive(Debug)]
pub enum Input {
    /// The readings of one response or message.
    Readings {
        /// The equipment.
        equipment: EquipmentIndex,
        /// The points with their readings.
        readings: Vec<(PointIndex, Reading)>,
        /// Whether the equipment responded.
        presence: Presence,
    },
    /// A link was opened, or has no connection.
    Link {
        /// The link.
        link: LinkName,
        /// The reason why the link has no connection; `None` if it was opened.
        away: Option<String>,
    },
    /// A request.
    Asked(Token, Ask),
    /// A link has carried out an order to write, or could not.
    Carried(OrderId, Carried),
    /// Time has passed.
    Elapsed,
    /// Events up to this one are on disk.
    Written(Seq),
    /// Events from this one on could not be written, for this reason.
    NotWritten(Seq, String),
    /// Parts of the journal that cannot be read were found.
    Damaged(Vec<Damage>),
    /// The program did not run for this time. The wall clock counts this time, the monotonic clock does not.
    Paused(Duration),
    /// The journal can be written again.
    Writable,
    /// This site is in force from now on.
    Reloaded(Arc<Site>),
    /// The daemon is stopping.
    Stopping,
}

/// The reply to a request whose events are on disk.
#[derive(Debug, Clone, PartialEq)]
pub enum Reply {
    /// The ticket after the change, and the new lines of its log.
    Ticket(Arc<Ticket>, Vec<LogEntry>),
    /// The value that was written and read back.
    Wrote(Box<Wrote>),
    /// The change, as a sentence.
    Told(String),
}

/// An output of the desk.
#[derive(Debug, PartialEq)]
pub enum Output {
    /// A record for the journal. Records must be written in the order of these outputs.
    Write(Box<Draft>),
    /// A bug of andon, for the log.
    Bug(String),
    /// The reply to the request with this token.
    Reply(Token, Box<Result<Reply, Refusal>>),
    /// Read all points of this equipment now.
    Read(EquipmentIndex),
    /// Write a value to equipment, and give the result to the desk as [`Input::Carried`].
    Order(Order),
}
