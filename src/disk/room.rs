//! The free space of a disk.

use std::io;
use std::path::Path;

/// Returns the free bytes of the disk that contains `path`; 0 if no inode is free. If the path does not exist yet, the
/// nearest parent folder that exists is asked.
///
/// # Errors
/// The error of the operating system.
pub fn room(path: &Path) -> io::Result<u64> {
    let found = path.ancestors().find(|p| p.exists()).unwrap_or(Path::new("/"));
    let stat = nix::sys::statvfs::statvfs(found)?;
    // Some file systems have no fixed number of inodes and report 0 inodes.
    if stat.files() > 0 && stat.files_available() == 0 {
        return Ok(0);
    }
    Ok(stat.blocks_available().saturating_mul(stat.fragment_size()))
}
