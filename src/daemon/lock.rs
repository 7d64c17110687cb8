//! Two lock files in the data directory: `daemon.lock` is held by the one daemon for its life, `data.lock` by
//! whoever works on the data, a daemon or a single command. So a second daemon is refused at once, while a
//! starting daemon waits for a command to end. The directory itself is locked as well: on a full disk there may be no
//! room for the files, and read-only media have them or not. The locks are the kernel's: they end with the process.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::limits;

/// Why a data directory cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another daemon runs on it.
    #[error("another daemon works on {}", .0.display())]
    AnotherDaemon(PathBuf),
    /// A command works on it and does not end.
    #[error("another andon command has worked on {} for more than {wait:?}", .folder.display())]
    Busy {
        /// The data directory.
        folder: PathBuf,
        /// How long it was waited for.
        wait: Duration,
    },
    /// The operating system refuses.
    #[error("{}: {source}", .path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What it says.
        source: io::Error,
    },
}

/// The right to work on a data directory, until dropped.
#[derive(Debug)]
pub struct DataLock {
    _files: Vec<File>,
    read_only: bool,
}

/// One lock, as far as it can be had.
enum Had {
    /// It is held.
    Ours(File),
    /// Another process holds it.
    Taken,
    /// There is no lock file, and none can be made.
    Absent(io::Error),
}

/// Locks an open file or directory: alone, or beside others that only read.
fn hold(file: File, is_alone: bool) -> io::Result<Had> {
    let done = if is_alone { file.try_lock() } else { file.try_lock_shared() };
    match done {
        Ok(()) => Ok(Had::Ours(file)),
        Err(TryLockError::WouldBlock) => Ok(Had::Taken),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// Whether a file cannot be made although nothing is wrong with its place: read-only media, another's directory, no
/// room.
fn is_unwritable(e: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(e.kind(), K::ReadOnlyFilesystem | K::PermissionDenied | K::StorageFull | K::QuotaExceeded)
}

/// Whether what is there can be read but nothing be written, and not for want of room.
fn is_for_reading(e: &io::Error) -> bool {
    matches!(e.kind(), io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied)
}

fn try_lock(folder: &Path, name: &str) -> Result<Had, LockError> {
    let path = folder.join(name);
    let fail = |source| LockError::Io { path: path.clone(), source };
    match OpenOptions::new().create(true).truncate(false).write(true).open(&path) {
        Ok(file) => hold(file, true).map_err(fail),
        Err(e) if is_unwritable(&e) => match File::open(&path) {
            Ok(file) => match hold(file, !is_for_reading(&e)).map_err(fail)? {
                Had::Ours(_held) if is_for_reading(&e) => Ok(Had::Absent(e)),
                had => Ok(had),
            },
            Err(_) => Ok(Had::Absent(e)),
        },
        Err(e) => Err(fail(e)),
    }
}

/// Locks the directory itself, which needs no room on the disk. Network file systems lock files only.
fn try_lock_folder(folder: &Path, is_alone: bool) -> Result<Option<Had>, LockError> {
    let fail = |source| LockError::Io { path: folder.to_owned(), source };
    let handle = File::open(folder).map_err(fail)?;
    match hold(handle, is_alone) {
        Ok(had) => Ok(Some(had)),
        Err(_) => Ok(None),
    }
}

/// What works on the data: the file and the directory, because the file may be absent for want of room and appear
/// while somebody holds the directory.
fn try_lock_data(folder: &Path) -> Result<Option<DataLock>, LockError> {
    let mut files = Vec::new();
    let (read_only, absent) = match try_lock(folder, "data.lock")? {
        Had::Taken => return Ok(None),
        Had::Ours(file) => {
            files.push(file);
            (false, None)
        }
        Had::Absent(e) => (true, Some(e)),
    };
    let is_alone = !absent.as_ref().is_some_and(is_for_reading);
    match (try_lock_folder(folder, is_alone)?, absent) {
        (Some(Had::Taken), _) => return Ok(None),
        (Some(Had::Ours(handle)), _) => files.push(handle),
        // Neither can be locked: on read-only media nobody changes anything.
        (Some(Had::Absent(e)), _) | (None, Some(e)) if !is_for_reading(&e) => {
            return Err(LockError::Io { path: folder.to_owned(), source: e });
        }
        (Some(Had::Absent(_)) | None, _) => {}
    }
    Ok(Some(DataLock { _files: files, read_only }))
}

fn make_folder(folder: &Path) -> Result<(), LockError> {
    if folder.is_dir() {
        return Ok(());
    }
    crate::disk::make_folder(folder).map_err(|source| LockError::Io { path: folder.to_owned(), source })
}

impl DataLock {
    /// Whether nothing can be made in the data directory: read-only media, the directory of another user, or, where no
    /// lock file was there yet, a full disk. What is there can be read, beside other readers.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// For a single command: at once or not at all.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn for_command(folder: &Path) -> Result<Option<Self>, LockError> {
        make_folder(folder)?;
        try_lock_data(folder)
    }

    /// For a daemon: waits for a command that works on the data, not for another daemon. A full disk does not keep it
    /// from starting.
    ///
    /// # Errors
    /// Another daemon, a command that does not end, or what the operating system says.
    pub async fn for_daemon(folder: &Path) -> Result<Self, LockError> {
        make_folder(folder)?;
        let daemon = match try_lock(folder, "daemon.lock")? {
            Had::Ours(file) => Some(file),
            Had::Taken => return Err(LockError::AnotherDaemon(folder.to_owned())),
            // The directory's own lock has to do.
            Had::Absent(e) if !is_for_reading(&e) => None,
            Had::Absent(source) => return Err(LockError::Io { path: folder.join("daemon.lock"), source }),
        };
        let looks = limits::LOCK_WAIT_MAX.as_millis() / limits::LOCK_LOOK_EVERY.as_millis();
        for _ in 0..looks {
            if let Some(mut data) = try_lock_data(folder)? {
                data._files.extend(daemon);
                return Ok(data);
            }
            tokio::time::sleep(limits::LOCK_LOOK_EVERY).await;
        }
        Err(LockError::Busy { folder: folder.to_owned(), wait: limits::LOCK_WAIT_MAX })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_at_a_time_and_a_directory_without_lock_files_as_well() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataLock::for_command(folder.path()).unwrap().unwrap();
        assert!(!first.is_read_only());
        assert!(DataLock::for_command(folder.path()).unwrap().is_none());
        drop(first);
        // As a daemon on a full disk holds it: the directory alone. A lock file that appears later changes nothing.
        let held = try_lock_folder(folder.path(), true).unwrap();
        assert!(matches!(held, Some(Had::Ours(_))));
        assert!(DataLock::for_command(folder.path()).unwrap().is_none());
        drop(held);
        assert!(DataLock::for_command(folder.path()).unwrap().is_some());
    }

    #[tokio::test]
    async fn a_second_daemon_is_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let _first = DataLock::for_daemon(folder.path()).await.unwrap();
        let second = DataLock::for_daemon(folder.path()).await;
        assert!(matches!(second, Err(LockError::AnotherDaemon(_))), "{second:?}");
        assert!(DataLock::for_command(folder.path()).unwrap().is_none());
    }
}
