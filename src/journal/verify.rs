//! Checks the hash chain from the first line to the last line.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::chain::Chain;
use super::item::{Cursor, Item};
use crate::disk::Disk;
use crate::words::Damage;

/// The result of [`verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Number of lines that are records.
    pub events: u64,
    /// The last line. If a person stores its hash outside the gateway, a removed end of the journal can be detected.
    pub end: Cursor,
    /// All parts that cannot be read, in the order of the events.
    pub damage: Vec<Damage>,
}

/// Checks every line of a journal. The memory used does not depend on the length of the journal.
///
/// `known` is the last line that andon acknowledged, if the caller knows it. With `is_growing`, lines after `known` are
/// not checked, because another thread may be writing these lines.
///
/// # Errors
/// If the folder cannot be listed.
pub fn verify(
    disk: Arc<dyn Disk>,
    folder: &Path,
    known: Option<Cursor>,
    is_growing: bool,
) -> io::Result<Verified> {
    let mut chain = Chain::read(disk, folder, &Cursor::default(), known)?;
    if is_growing {
        chain = chain.up_to_known();
    }
    let (mut events, mut damage) = (0, Vec::new());
    for item in &mut chain {
        match item {
            Item::Record(_) => events += 1,
            Item::Damage(d) => damage.push(d),
        }
    }
    Ok(Verified { events, end: chain.cursor().clone(), damage })
}
