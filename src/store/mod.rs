//! The ticket database: the journal's events as rows, with indexes; always rebuildable, deleted at any time.
//!
//! Each step writes the rows that its events change, with the place in the journal that it brings the store to, as one atomic
//! commit. A note is a row; a listing reads what it shows. Readings never go through here.
//! The rows are kept in [`tables`], which know nothing of tickets: sled on disk, or memory.
//! A row that cannot be read is an error for everybody who asks, never "no such ticket": the daemon then rebuilds the
//! store from the journal beside its other work.

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

/// The version of the rows' form; another one is rebuilt from the journal.
const VERSION: u32 = 3;
