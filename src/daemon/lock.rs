//! The locks of a data directory. A daemon holds `daemon.lock` for its whole life. A daemon or a single command holds
//! `data.lock` while it uses the data. So a second daemon is refused at once, while a starting daemon waits for a command
//! to end. The directory itself is locked as well, because a full disk or read-only media may have no lock files. The
//! kernel removes the locks when the process ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::limits;

/// The reason why a data directory cannot be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another daemon uses the data directory.
    #[error("another daemon uses {}", .0.display())]
    AnotherDaemon(PathBuf),
    /// A command uses the data directory for too long.
    #[error("another andon command has used {} for more than {wait:?}", .folder.display())]
    Busy {
        /// The data directory.
        folder: PathBuf,
        /// The time that the daemon waited.
        wait: Duration,
    },
    /// The operating system reports an error.
    #[error("{}: {source}", .path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error.
        source: io::Error,
    },
}

/// The locks of a data directory. Dropping the value releases the locks.
#[derive(Debug)]
pub struct DataLock {
    _files: Vec<File>,
    read_only: bool,
}

/// The result of trying one lock.
enum Had {
    /// This process holds the lock.
    Ours(File),
    /// Another process holds the lock.
    Taken,
    /// There is no lock file, and none can be created.
    Absent(io::Error),
}

/// Locks an open file or directory: exclusively if `is_alone`, otherwise shared with other readers.
fn hold(file: File, is_alone: bool) -> io::Result<Had> {
    let done = if is_alone { file.try_lock() } else { file.try_lock_shared() };
    match done {
        Ok(()) => Ok(Had::Ours(file)),
        Err(TryLockError::WouldBlock) => Ok(Had::Taken),
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// True for an error that only says that a file cannot be created: read-only media, directory of another user, full disk.
fn is_unwritable(e: &io::Error) -> bool {
    use io::ErrorKind as K;
    matches!(e.kind(), K::ReadOnlyFilesystem | K::PermissionDenied | K::StorageFull | K::QuotaExceeded)
}

/// True for an error that says that files can be read but not written. A full disk is not such an error.
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

/// Locks the directory itself, which needs no space on the disk; `None` on network file systems, which lock only files.
fn try_lock_folder(folder: &Path, is_alone: bool) -> Result<Option<Had>, LockError> {
    let fail = |source| LockError::Io { path: folder.to_owned(), source };
    let handle = File::open(folder).map_err(fail)?;
    match hold(handle, is_alone) {
        Ok(had) => Ok(Some(had)),
        Err(_) => Ok(None),
    }
}

/// Locks `data.lock` and the directory. Both are needed: on a full disk the file may be missing, and may be created later
/// while another process holds the directory. Returns `None` if another process holds a lock.
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
        // Neither can be locked. On read-only media this is correct, because no process can change anything.
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
    /// True if no file can be created in the data directory: read-only media, the directory of another user, or a full disk
    /// without a lock file. Existing files can be read, also by other processes at the same time.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.read_only
    }

    /// Locks for a single command, without waiting; `None` if another process holds a lock.
    ///
    /// # Errors
    /// If the operating system reports an error.
    pub fn for_command(folder: &Path) -> Result<Option<Self>, LockError> {
        make_folder(folder)?;
        try_lock_data(folder)
    }

    /// Locks for a daemon. It waits for a command that uses the data, but not for another daemon. A daemon can also start on
    /// a full disk.
    ///
    /// # Errors
    /// If another daemon is running, a command does not end in time, or the operating system reports an error.
    pub async fn for_daemon(folder: &Path) -> Result<Self, LockError> {
        make_folder(folder)?;
        let daemon = match try_lock(folder, "daemon.lock")? {
            Had::Ours(file) => Some(file),
            Had::Taken => return Err(LockError::AnotherDaemon(folder.to_owned())),
            // On a full disk there may be no lock file: the lock of the directory is enough.
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
        // A daemon on a full disk locks the directory only. A lock file that is created later changes nothing.
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
