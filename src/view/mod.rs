//! Answers to questions: pure functions that make types of [`crate::v1`] from a snapshot of the desk and the boards of the
//! links.
//!
//! A *board* has the statistics and the last responses of one link. A route of [`crate::api`] takes a
//! [`Snapshot`](crate::desk::Snapshot) and the boards, calls one function of this module, and sends the result as JSON.
//! No function here waits, reads a file, or reads the clock. No other module converts a type of the core to JSON.
//!
//! ```
//! use andon::desk::Snapshot;
//! use andon::v1::AlarmV1;
//! use andon::view;
//!
//! fn worst_alarm(desk: &Snapshot) -> Option<AlarmV1> {
//!     view::alarms(desk).into_iter().next()
//! }
//! ```

mod alarms;
mod audit;
mod equipment;
mod firmware;
mod links;
mod report;
mod status;
mod tickets;
mod why;

use std::collections::BTreeMap;

pub use alarms::{alarms, out_of_service, shelved};
pub use audit::{audit, damage};
pub use equipment::{equipment, equipment_list, readings};
pub use firmware::firmware;
pub use links::{links, plan};
pub use report::{alarm_report, sample};
pub use status::{Around, status};
pub use tickets::{FromStore, history_row, next, ticket, ticket_row, tickets};
pub use why::why;

use crate::link::{EquipmentStats, LinkStats};
use crate::site::{Equipment, Site};
use crate::words::LinkName;

/// The statistics and last responses of each link. Empty if no daemon is running.
pub type Boards = BTreeMap<LinkName, LinkStats>;

/// Returns the statistics that a link has of a piece of equipment; `None` if no daemon is running.
fn stats_of<'a>(boards: &'a Boards, site: &Site, e: &Equipment) -> Option<&'a EquipmentStats> {
    boards.get(&site.links.get(e.link)?.name)?.equipment.get(&e.id)
}
