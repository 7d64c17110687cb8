//! Access to the files of the journal, the recorder and the tickets' captures and traces. This module does not know the
//! contents of a file.
//!
//! The journal uses the trait [`Disk`], so its tests can run on a disk in memory (`fake::FakeDisk`). This disk can be
//! full, tear a write or lose a file. The other modules use the functions of this module, which work on the real disk.
//!
//! ```
//! use andon::disk::{AppendFile, read, write_whole};
//!
//! let folder = tempfile::tempdir().unwrap();
//! let path = folder.path().join("ticket-1.json");
//! write_whole(&path, b"{}").unwrap();
//! assert_eq!(read(&path).unwrap(), b"{}");
//! // An append is durable when `append` returns; a failed append leaves the file unchanged.
//! let mut segment = AppendFile::begin(&folder.path().join("00000001.seg")).unwrap();
//! segment.append(b"block").unwrap();
//! assert_eq!(segment.durable(), 5);
//! ```
//!
//! The [`crate::journal`] appends its lines through [`AppendFile`] and finds its segments with [`Disk::entries`].

#[cfg(test)]
pub mod fake;
mod real;
mod room;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use real::{AppendFile, RealDisk, list, make_folder, place_whole, read, remove, write_whole};
pub use room::room;

/// The kind of an entry in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A plain file; the value is its length in bytes.
    File(u64),
    /// A symbolic link, a folder or a device. andon does not read or write these entries.
    Other,
}

/// The present place of a file that andon holds open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The file is at its path; the value is its length in bytes.
    Here(u64),
    /// The file was removed from the disk. Only the open handle still reaches its bytes.
    Removed,
    /// The file was moved, or another file is at its path.
    Elsewhere,
}

/// The disk operations that the journal needs.
pub trait Disk: std::fmt::Debug + Send + Sync {
    /// Returns the name and the kind of each entry of a folder, in no particular order. The result is empty if the folder
    /// does not exist.
    ///
    /// # Errors
    /// The error of the operating system.
    fn entries(&self, folder: &Path) -> io::Result<Vec<(String, Kind)>>;

    /// Opens a plain file for reading from its beginning. A symbolic link is not followed.
    ///
    /// # Errors
    /// The error of the operating system.
    fn reader(&self, path: &Path) -> io::Result<Box<dyn Read + Send>>;

    /// Opens an existing plain file for writing. A symbolic link is not followed.
    ///
    /// # Errors
    /// The error of the operating system.
    fn open(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;

    /// Makes a new file, and makes its entry in the folder durable. The file must not exist yet.
    ///
    /// # Errors
    /// The error of the operating system; `AlreadyExists` if the path exists.
    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;

    /// Makes a folder and all its parent folders.
    ///
    /// # Errors
    /// The error of the operating system.
    fn make_folder(&self, path: &Path) -> io::Result<()>;

    /// Writes a file completely or not at all, and makes it durable.
    ///
    /// # Errors
    /// The error of the operating system.
    fn write_whole(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
}

/// A file that is open for writing.
pub trait OpenFile: std::fmt::Debug + Send {
    /// Writes all bytes at the offset `at`.
    ///
    /// # Errors
    /// The error of the operating system. Some of the bytes may be written in this case.
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes all written bytes durable (fsync).
    ///
    /// # Errors
    /// The error of the operating system.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file to this length in bytes.
    ///
    /// # Errors
    /// The error of the operating system.
    fn cut(&mut self, length: u64) -> io::Result<()>;

    /// Reads this many bytes from the beginning of the file. A removed file can still be read.
    ///
    /// # Errors
    /// The error of the operating system.
    fn read_back(&mut self, length: u64) -> io::Result<Vec<u8>>;

    /// Compares the file with the path at which it was opened.
    ///
    /// # Errors
    /// The error of the operating system.
    fn place(&self) -> io::Result<Place>;
}

/// Returns the last part of a path, for messages.
#[must_use]
pub fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}

/// Returns a path in the same folder: the name of `path` followed by `ending`.
#[must_use]
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    path.with_file_name(format!("{}{ending}", name_of(path)))
}
