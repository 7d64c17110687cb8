//! The one home of clock, chance and environment; what it finds is handed down as values.

use std::time::Instant;

use crate::limits;
use crate::words::{Mono, Now, Wall};

/// Where the monotonic clock begins: what happened before this process has its instants too.
const BEGIN: Mono = Mono(2 * limits::WINDOW_MAX.as_secs() * 1_000_000_000);

/// The clocks of this process.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// Begins to count.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the home of the clock")]
    pub fn start() -> Self {
        Self { origin: Instant::now() }
    }

    /// Both clocks, now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the home of the clock")]
    pub fn now(&self) -> Now {
        let mono = BEGIN + self.origin.elapsed();
        Now { mono, wall: Wall::from_timestamp(jiff::Timestamp::now()) }
    }

    /// The runtime's instant for one of ours.
    #[must_use]
    pub fn instant(&self, at: Mono) -> Instant {
        self.origin + at.since(BEGIN)
    }
}

/// A seed from the operating system.
#[must_use]
pub fn seed() -> u64 {
    use std::hash::{BuildHasher, Hasher};
    std::hash::RandomState::new().build_hasher().finish()
}

/// A variable of the environment.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the home of the environment")]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|v| !v.is_empty())
}

/// The user logged in, by name; where the environment does not say (a container, cron, a service), the name that the
/// system has for this process, else `uid-1234`. Of `DOMAIN\\name` it is the name.
#[must_use]
pub fn user() -> String {
    let name = variable("USER").or_else(|| variable("LOGNAME")).unwrap_or_else(account);
    name.rsplit('\\').next().unwrap_or_default().to_owned()
}

/// Whether this process runs as the user of this number.
#[must_use]
pub fn is_this_user(uid: u32) -> bool {
    nix::unistd::geteuid().as_raw() == uid
}

/// The name of the account that this process runs as.
fn account() -> String {
    let uid = nix::unistd::geteuid();
    match nix::unistd::User::from_uid(uid) {
        Ok(Some(user)) if !user.name.is_empty() => user.name,
        Ok(_) | Err(_) => format!("uid-{uid}"),
    }
}

/// How many files, ports and connections this process may have open: as many as the system allows at most, which is
/// asked for.
#[must_use]
pub fn descriptors() -> u64 {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 0 };
    match setrlimit(Resource::RLIMIT_NOFILE, hard, hard) {
        Ok(()) => hard,
        Err(_) => soft,
    }
}

/// From here on whatever this process makes is closed to other users, and to its group for writing.
pub fn make_files_private() {
    use nix::sys::stat::{Mode, umask};
    umask(Mode::S_IWGRP | Mode::S_IRWXO);
}
