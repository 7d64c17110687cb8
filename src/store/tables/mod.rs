//! Rows of bytes by key, in order: what the ticket database is kept in.
//!
//! One commit is atomic. Each value carries a checksum over its key and itself, so that a row which was changed or stands
//! under another key is [`TableError::Damaged`], never taken for another row or for none.
//! Two homes: sled on disk, and memory for a data directory that must not be written ([`Memory`]), and for tests.

mod memory;
mod sled;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

pub use memory::{Memory, MemoryTrouble};
pub use sled::{OpenError, open};

/// Rows that are written, and keys that are removed, as one step.
pub type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// What is done with a row of a scan: its key and its value.
pub type EachRow<'a> = &'a mut dyn FnMut(&[u8], &[u8]) -> Result<ControlFlow<()>, TableError>;

/// Why rows cannot be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableError {
    /// The home of the rows fails: sled, or the disk under it.
    #[error("{0}")]
    Failed(String),
    /// A row is not what was written.
    #[error("the ticket database is damaged: {0}")]
    Damaged(String),
}

/// Rows for reading; several threads may read at once.
pub trait Rows: std::fmt::Debug + Send + Sync {
    /// The value of a key; `None` when there is no such row.
    ///
    /// # Errors
    /// When the row cannot be read, or is not what was written.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, TableError>;

    /// Visits the rows with `from <= key < to` in order, or in reverse, until told to stop.
    ///
    /// # Errors
    /// When a row cannot be read, is not what was written, or the visitor fails.
    fn scan(&self, from: &[u8], to: &[u8], backwards: bool, each: EachRow<'_>) -> Result<(), TableError>;
}

/// Rows for writing; one owner.
pub trait Tables: std::fmt::Debug + Send {
    /// The same rows, for reading.
    fn rows(&self) -> Arc<dyn Rows>;

    /// Writes all changes or none of them.
    ///
    /// # Errors
    /// When they cannot be written. What is in memory may then be ahead of the disk, so the tables must be opened again.
    fn commit(&mut self, changes: Changes) -> Result<(), TableError>;

    /// Makes every commit durable.
    ///
    /// # Errors
    /// When the home of the rows fails.
    fn flush(&mut self) -> Result<(), TableError>;
}

/// The first key after every key that begins with `prefix`.
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
/// As [`Rows::scan`].
pub fn scan_prefix(
    rows: &dyn Rows,
    prefix: &[u8],
    backwards: bool,
    each: EachRow<'_>,
) -> Result<(), TableError> {
    rows.scan(prefix, &after_prefix(prefix), backwards, each)
}

/// A value with its checksum.
fn sealed(key: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len() + 4);
    out.extend_from_slice(value);
    out.extend_from_slice(&checksum(key, value).to_le_bytes());
    out
}

/// The value without its checksum.
fn unsealed<'a>(key: &[u8], stored: &'a [u8]) -> Result<&'a [u8], TableError> {
    let whole = stored.split_last_chunk::<4>();
    let good = whole.filter(|(value, sum)| **sum == checksum(key, value).to_le_bytes());
    good.map(|(value, _)| value).ok_or_else(|| {
        TableError::Damaged(format!(
            "row {} is not what was written",
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
