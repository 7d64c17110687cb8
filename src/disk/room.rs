//! How much room a disk has.

use std::io;
use std::path::Path;

/// Bytes that may still be written where a path lies, or above it where it does not exist yet; 0 without free inodes.
///
/// # Errors
/// What the operating system says.
pub fn room(path: &Path) -> io::Result<u64> {
    let found = path.ancestors().find(|p| p.exists()).unwrap_or(Path::new("/"));
    let stat = nix::sys::statvfs::statvfs(found)?;
    // Some file systems have no fixed number of inodes and report none at all.
    if stat.files() > 0 && stat.files_available() == 0 {
        return Ok(0);
    }
    Ok(stat.blocks_available().saturating_mul(stat.fragment_size()))
}
