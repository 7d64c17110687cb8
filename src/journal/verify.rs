//! The check of the chain, from the first line to the last.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::chain::Chain;
use super::item::{Cursor, Item};
use crate::disk::Disk;
use crate::words::Damage;

/// What verifying found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Lines that are records.
    pub events: u64,
    /// The last line. Write its hash down elsewhere, and nobody can cut the journal unseen.
    pub end: Cursor,
    /// Every part that cannot be read, in the order of the events.
    pub damage: Vec<Damage>,
}

/// Checks every line of a journal, with memory that does not grow with it. `known` is the last line that is known to
/// have been acknowledged; with `is_growing` the lines after it are left alone, because they are being written.
///
/// # Errors
/// When the folder cannot be listed.
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
