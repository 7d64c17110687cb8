//! Two lock files in the data directory: `daemon.lock` is held by the one daemon for its life, `data.lock` by
//! whoever works on the data, a daemon or a single command. So a second daemon is refused at once, while a
//! starting daemon waits for a command to end. The locks are the kernel's: they end with the process.

use std::fs::{File, OpenOptions, TryLockError};
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
        source: std::io::Error,
    },
}

/// The right to work on a data directory, until dropped.
#[derive(Debug)]
pub struct DataLock {
    _daemon: Option<File>,
    _data: File,
}

fn try_lock(folder: &Path, name: &str) -> Result<Option<File>, LockError> {
    let path = folder.join(name);
    let fail = |source| LockError::Io { path: path.clone(), source };
    crate::disk::make_folder(folder).map_err(fail)?;
    let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path).map_err(fail)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(e)) => Err(fail(e)),
    }
}

impl DataLock {
    /// Whether the data directory can only be read.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        false
    }

    /// For a single command: at once or not at all.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn for_command(folder: &Path) -> Result<Option<Self>, LockError> {
        Ok(try_lock(folder, "data.lock")?.map(|data| Self { _daemon: None, _data: data }))
    }

    /// For a daemon: waits for a command that works on the data, not for another daemon.
    ///
    /// # Errors
    /// Another daemon, a command that does not end, or what the operating system says.
    pub async fn for_daemon(folder: &Path) -> Result<Self, LockError> {
        let Some(daemon) = try_lock(folder, "daemon.lock")? else {
            return Err(LockError::AnotherDaemon(folder.to_owned()));
        };
        let looks = limits::LOCK_WAIT_MAX.as_millis() / limits::LOCK_LOOK_EVERY.as_millis();
        for _ in 0..looks {
            if let Some(data) = try_lock(folder, "data.lock")? {
                return Ok(Self { _daemon: Some(daemon), _data: data });
            }
            tokio::time::sleep(limits::LOCK_LOOK_EVERY).await;
        }
        Err(LockError::Busy { folder: folder.to_owned(), wait: limits::LOCK_WAIT_MAX })
    }
}
