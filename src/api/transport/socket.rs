//! A Unix socket at a path of any length. The system allows 107 bytes. A longer path is replaced by a short path through
//! `/proc/self/fd` and an open handle of its directory.

use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

use crate::limits;

/// A path that is short enough for the system. The path is valid while the handle is open.
struct Named {
    path: PathBuf,
    _folder: Option<File>,
}

fn named(path: &Path) -> io::Result<Named> {
    if path.as_os_str().as_bytes().len() <= limits::SOCKET_PATH_MAX {
        return Ok(Named { path: path.to_owned(), _folder: None });
    }
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::InvalidFilename.into());
    };
    let handle = File::open(folder)?;
    let through = PathBuf::from(format!("/proc/self/fd/{}", handle.as_raw_fd()));
    if !through.exists() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidFilename,
            format!(
                "the path of the socket has more than {} bytes, and /proc is not available to shorten it: use a data \
                 directory with a shorter path",
                limits::SOCKET_PATH_MAX
            ),
        ));
    }
    Ok(Named { path: through.join(name), _folder: Some(handle) })
}

/// Listens at a path.
///
/// # Errors
/// If the operating system reports an error.
pub fn bind(path: &Path) -> io::Result<UnixListener> {
    let named = named(path)?;
    UnixListener::bind(&named.path)
}

/// Connects to the daemon that listens at a path.
///
/// # Errors
/// If the operating system reports an error.
pub async fn connect(path: &Path) -> io::Result<UnixStream> {
    let named = named(path)?;
    loop {
        match UnixStream::connect(&named.path).await {
            // The queue of connections that wait for the daemon is full.
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                tokio::time::sleep(limits::ACCEPT_AGAIN_AFTER).await;
            }
            done => return done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_path_may_be_longer_than_the_system_takes() {
        for length in [10, 60, 120, 240] {
            let home = tempfile::tempdir().unwrap();
            let folder = home.path().join("d".repeat(length));
            std::fs::create_dir(&folder).unwrap();
            let path = folder.join("andon.sock");
            assert_eq!(connect(&path).await.unwrap_err().kind(), io::ErrorKind::NotFound);
            let listener = bind(&path).unwrap();
            let (end, _) = tokio::join!(connect(&path), listener.accept());
            assert!(end.is_ok(), "{length}: {end:?}");
        }
    }
}
