//! Tables: rows of bytes, sorted by key. The ticket database keeps its rows in these tables.
//!
//! One commit is atomic. Each value has a checksum over its key and its bytes. A row that was changed or has a wrong key
//! is [`TableError::Damaged`]; it is never mistaken for another row or for a missing row.
//!
//! There are two implementations: sled on disk ([`open`]), and [`Memory`], for tests and for a data directory that
//! cannot be written.

mod memory;
mod sled;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

pub use memory::{Memory, MemoryTrouble};
pub use sled::{OpenError, open};

/// The changes of one commit by key: `Some` writes a value, `None` removes the row.
pub type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// A visitor of a scan. Its arguments are the key and the value of a row; it returns `Break` to stop.
pub type EachRow<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, TableError>;

/// The reason why rows cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// sled or the disk reports an error.
    #[error("{0}")]
    Failed(String),
    /// A row differs from the row that was written.
    #[error("the ticket database is damaged: {0}")]
    Damaged(String),
}

/// The read access to tables. Several threads may read at the same time.
pub trait Rows: std::fmt::Debug + Send + Sync {
    /// Returns the value of a key; `None` if the row does not exist.
    ///
    /// # Errors
    /// If the row cannot be read or is damaged.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TableError>;

    /// Visits the rows with `from <= key < to`, in ascending order, or in descending order if `backwards` is true. Stops
    /// when the visitor returns `Break`.
    ///
    /// # Errors
    /// If a row cannot be read or is damaged, or if the visitor fails.
    fn scan(&self, from: &[u8], to: &[u8], backwards: bool, each: EachRow<'_>) -> Result<(), TableError>;
}

/// The write access to tables. Only one thread owns it.
pub trait Tables: std::fmt::Debug + Send {
    /// Returns the read access to the same rows.
    fn rows(&self) -> Arc<dyn Rows>;

    /// Writes all changes or none of them.
    ///
    /// # Errors
    /// If the changes cannot be written. The rows in memory may then differ from the disk, so the caller must open the
    /// tables again.
    fn commit(&mut self, changes: Changes) -> Result<(), TableError>;

    /// Makes all commits durable.
    ///
    /// # Errors
    /// If sled or the disk reports an error.
    fn flush(&mut self) -> Result<(), TableError>;
}

/// Returns the first key after all keys that begin with `prefix`.
#[must_use]
pub fn after_prefix(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return end;
        }
    }
    vec![u8::MAX; 32]
}

/// Visits every row whose key begins with `prefix`.
///
/// # Errors
/// The errors of [`Rows::scan`].
pub fn scan_prefix(
    rows: &dyn Rows,
    prefix: &[u8],
    backwards: bool,
    each: EachRow<'_>,
) -> Result<(), TableError> {
    rows.scan(prefix, &after_prefix(prefix), backwards, each)
}

/// Appends the checksum to a value.
fn sealed(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 4);
    out.extend_from_slice(value);
    out.extend_from_slice(&checksum(key, value).to_le_bytes());
    out
}

/// Checks the checksum of a stored value, and returns the value without the checksum.
fn unsealed<'a>(key: &[u8], stored: &'a [u8]) -> Result<&'a [u8], TableError> {
    let whole = stored.split_last_chunk::<4>();
    let good = whole.filter(|(value, sum)| **sum == checksum(key, value).to_le_bytes());
    good.map(|(value, _)| value).ok_or_else(|| {
        TableError::Damaged(format!(
            "the checksum of row {} is wrong",
            String::from_utf8_lossy(key).escape_debug()
        ))
    })
}

fn checksum(key: &[u8], value: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(key);
    hasher.update(value);
    hasher.finalize()
}
