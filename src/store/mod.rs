//! The sled store: the journal folded, with indexes; always rebuildable, deleted at any time.
//!
//! One tree, one atomic batch a step, each with the number and hash of the last event it brings the store to,
//! and a digest over every entry, so that a changed, lost or old entry is found when it opens. sled may hang on a
//! damaged file: it is opened in a thread of its own and given up after a deadline.
//! Readings never go through here.

mod open;
mod query;
mod write;

pub use open::{OpenError, open};
pub use query::{HistoryFilter, StoreReader};
pub use write::Store;

/// The version of the entries; an other one is rebuilt from the journal.
const VERSION: u32 = 1;
