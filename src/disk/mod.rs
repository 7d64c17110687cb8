//! Files of the journal, the recorder and what is kept beside them: the only home of `std::fs` for all of them.
//!
//! The journal works on the trait [`Disk`], so that its tests run on a disk in memory that is full, tears a write,
//! or loses a file, without root and without waiting ([`fake::FakeDisk`]). Everything else uses the functions below
//! it, which work on the real disk. *Must not know* what a file contains.

#[cfg(test)]
pub mod fake;
mod real;
mod room;

use std::io::{self, Read};
use std::path::{Path, PathBuf};

pub use real::{AppendFile, RealDisk, list, make_folder, place_whole, read, remove, write_whole};
pub use room::room;

/// What stands under a name in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A plain file of this many bytes.
    File(u64),
    /// A symbolic link, a folder, a device: nothing that andon reads or writes.
    Other,
}

/// Where an open file is found now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At its path, with this many bytes.
    Here(u64),
    /// It was removed from the disk; the open handle is the last that reaches its bytes.
    Removed,
    /// It was moved away, or another file stands at its path.
    Elsewhere,
}

/// The disk as the journal sees it.
pub trait Disk: std::fmt::Debug + Send + Sync {
    /// The entries of a folder: name and kind, in no particular order. A folder that does not exist has none.
    ///
    /// # Errors
    /// What the operating system says.
    fn entries(&self, folder: &Path) -> io::Result<Vec<(String, Kind)>>;

    /// Opens a plain file for reading from its begin. A symbolic link is not followed.
    ///
    /// # Errors
    /// What the operating system says.
    fn reader(&self, path: &Path) -> io::Result<Box<dyn Read + Send>>;

    /// Opens a plain file that exists for writing. A symbolic link is not followed.
    ///
    /// # Errors
    /// What the operating system says.
    fn open(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;

    /// Makes a file that must not exist, and its entry in the folder durable.
    ///
    /// # Errors
    /// What the operating system says; `AlreadyExists` when something stands there.
    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;

    /// Makes a folder and everything above it.
    ///
    /// # Errors
    /// What the operating system says.
    fn make_folder(&self, path: &Path) -> io::Result<()>;

    /// Writes a file whole or not at all, durable.
    ///
    /// # Errors
    /// What the operating system says.
    fn write_whole(&self, path: &Path, bytes: &[u8]) -> io::Result<()>;
}

/// A file that is open for writing.
pub trait OpenFile: std::fmt::Debug + Send {
    /// Writes all bytes at a place.
    ///
    /// # Errors
    /// What the operating system says; some of the bytes may be written then.
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes everything written durable.
    ///
    /// # Errors
    /// What the operating system says.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file to this length.
    ///
    /// # Errors
    /// What the operating system says.
    fn cut(&mut self, length: u64) -> io::Result<()>;

    /// Reads this many bytes from the begin, also of a file that was removed.
    ///
    /// # Errors
    /// What the operating system says.
    fn read_back(&mut self, length: u64) -> io::Result<Vec<u8>>;

    /// Where the file is now, compared with the path it was opened at.
    ///
    /// # Errors
    /// What the operating system says.
    fn place(&self) -> io::Result<Place>;
}

/// The path's last part, for messages.
#[must_use]
pub fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned())
}

/// A path beside another one, its name followed by `ending`.
#[must_use]
pub fn beside(path: &Path, ending: &str) -> PathBuf {
    path.with_file_name(format!("{}{ending}", name_of(path)))
}
