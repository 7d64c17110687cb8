//! Answers to questions: pure functions from a snapshot of the desk and the links' boards to what a person is shown.
//!
//! A route takes a [`Snapshot`](crate::desk::Snapshot) and the boards, calls one function, and sends the result as JSON. No
//! function here waits, reads a file, or asks for the time. A core type never leaves as JSON itself: it becomes a type of
//! [`crate::v1`] here, in one place.
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

/// What is known of each link now, by its name. It is empty where no daemon serves the links.
pub type Boards = BTreeMap<LinkName, LinkStats>;

/// What is known of a piece of equipment on its link.
fn stats_of<'a>(boards: &'a Boards, site: &Site, e: &Equipment) -> Option<&'a EquipmentStats> {
    boards.get(&site.links.get(e.link)?.name)?.equipment.get(&e.id)
}
