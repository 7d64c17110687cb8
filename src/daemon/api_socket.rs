//! The daemon's Unix socket. It is created at the start, and created again if it was removed or the disk was full.

use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use axum::Router;
use tokio::task::JoinHandle;

use super::run::DaemonError;
use crate::ambient::descriptors;
use crate::api::transport::{BoundedListener, Peer, bind};
use crate::limits;

/// The socket, and the task that serves it.
pub(super) struct ApiSocket {
    path: PathBuf,
    router: Router,
    /// The socket file and its task; `None` while the socket cannot be created.
    serving: Option<(u64, JoinHandle<io::Result<()>>)>,
}

impl ApiSocket {
    /// Creates the socket and serves it. On a full disk the daemon works without a socket until there is space.
    ///
    /// # Errors
    /// If the socket cannot be created for another reason.
    pub(super) fn open(path: &Path, router: Router) -> Result<Self, DaemonError> {
        let mut socket = Self { path: path.to_owned(), router, serving: None };
        match socket.serve() {
            Err(e) if e.kind() == io::ErrorKind::StorageFull => {
                tracing::error!(
                    target: "andon::api",
                    "the disk has no space for the socket {}: no command reaches the daemon",
                    path.display(),
                );
            }
            Err(source) => return Err(DaemonError::Socket { path: path.to_owned(), source }),
            Ok(()) => {}
        }
        Ok(socket)
    }

    /// Returns the path of the socket.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Checks that the socket still exists, and creates it again if not. Call it once a second.
    pub(super) fn look(&mut self) {
        let there = std::fs::symlink_metadata(&self.path).map(|m| m.ino()).ok();
        let ours = self.serving.as_ref().map(|(file, _)| *file);
        if ours.is_some() && there == ours {
            return;
        }
        let is_news = self.serving.is_some();
        if let Some((_, task)) = self.serving.take() {
            task.abort();
        }
        if is_news {
            tracing::error!(
                target: "andon::api",
                "the socket {} was removed or replaced", self.path.display(),
            );
        }
        // While the folder does not exist, nothing is created: the folder may have been moved, and may come back.
        if self.path.parent().is_some_and(Path::exists) && self.serve().is_ok() {
            tracing::info!(target: "andon::api", "the socket {} was created again", self.path.display());
        }
    }

    /// Removes the socket and stops serving.
    pub(super) fn close(self) {
        if let Some((file, task)) = self.serving {
            task.abort();
            if std::fs::symlink_metadata(&self.path).is_ok_and(|m| m.ino() == file) {
                // The next start removes a socket file that is left.
                let _removed = std::fs::remove_file(&self.path);
            }
        }
    }

    fn serve(&mut self) -> io::Result<()> {
        // We hold daemon.lock, so a socket file still here was left by a crashed daemon and can be removed.
        match std::fs::remove_file(&self.path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            Ok(()) | Err(_) => {}
        }
        let listener = bind(&self.path)?;
        std::fs::set_permissions(&self.path, std::fs::Permissions::from_mode(0o660))?;
        let file = std::fs::symlink_metadata(&self.path)?.ino();
        let listener = BoundedListener::new(listener, connections_max());
        let routes = self.router.clone().into_make_service_with_connect_info::<Peer>();
        let task = tokio::spawn(axum::serve(listener, routes).into_future());
        self.serving = Some((file, task));
        Ok(())
    }
}

/// Returns the number of connections for which this process has file descriptors, beside its other files.
fn connections_max() -> usize {
    let rest = descriptors().saturating_sub(limits::DESCRIPTORS_OWN) / 2;
    usize::try_from(rest).unwrap_or(usize::MAX).clamp(limits::CONNECTIONS_MIN, limits::CONNECTIONS_MAX)
}
