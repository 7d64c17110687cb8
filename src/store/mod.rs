//! The ticket database: tickets, alarms and shelves as compact rows, with indexes, built from the journal's events.
//!
//! The store can be deleted while no daemon runs; andon rebuilds it from the journal. Each step applies a batch of events
//! in one atomic commit: the changed rows, and the cursor (number and hash of the last event applied). Readings are not
//! in the store. [`tables`] keep the rows, in sled on disk or in memory, and know nothing of tickets.
//!
//! A row that cannot be read is always an error, never "no such ticket". The daemon then rebuilds the store from the
//! journal while it continues its other work.
//!
//! ```
//! use andon::store::tables::Memory;
//! use andon::store::{HistoryFilter, Store};
//!
//! let store = Store::open(Box::<Memory>::default()).unwrap();
//! let reader = store.reader();
//! let filter = HistoryFilter { equipment: Some("press-7".to_owned()), ..HistoryFilter::default() };
//! assert!(reader.history(&filter).unwrap().is_empty());
//! ```
//!
//! The daemon's store thread applies the items of the [`crate::feed`] to the [`Store`]. The API asks its questions
//! through a [`StoreReader`], which it gets from the [`StoreView`].

mod alarms;
mod load;
mod query;
mod rows;
pub mod tables;
#[cfg(test)]
mod tests;
mod view;
mod words;
mod write;

pub use alarms::AlarmId;
pub use query::{HistoryFilter, StoreReader};
pub use view::{StoreHealth, StoreView};
pub use write::Store;

/// The version of the format of the rows. A store of another version is rebuilt from the journal.
const VERSION: u32 = 4;
