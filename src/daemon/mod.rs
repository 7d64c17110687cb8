//! The running gateway: opens the data directory, drives the desk, serves the links and the API, and stops in order.
//!
//! This module puts the other modules together and *must not* have a rule of its own. One thread runs the desk, the
//! links and the API. The journal and the store have one thread each, because both wait for the disk. A reply leaves only
//! after the fsync of the journal. The store follows the journal later.
//!
//! * [`run`](run()) is the daemon: it reads equipment until it is stopped.
//! * [`open_in_process`] is the same gateway for one command, when no daemon is running. No equipment is read.
//!
//! ```no_run
//! use andon::daemon::{data_folder, load_site, open_in_process};
//! use std::path::Path;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
//! let config = Path::new("andon.toml");
//! let site = load_site(config)?.site.ok_or("andon.toml has errors")?;
//! let data = data_folder(&site, config, None);
//! match open_in_process(site, &data, &mut |_share_read| ())? {
//!     Some(gateway) => drop(gateway.client()),
//!     None => println!("another process, probably a daemon, works on {}", data.display()),
//! }
//! # Ok(())
//! # }
//! ```
//!
//! `cli` asks a running daemon over its socket. If none answers, `cli` opens the gateway in its own process.

mod api_socket;
mod assembly;
mod captures;
mod demo;
mod driver;
mod files;
mod in_process;
mod journal_thread;
mod link_supervisor;
mod lock;
mod log;
mod new_tickets;
mod opening;
mod reloading;
mod run;
mod store_thread;

#[cfg(test)]
mod tests;
mod traces;

pub use assembly::{Parts, RunningGateway, start as start_gateway};
pub use demo::{DemoError, DemoSetup, demo};
pub use files::{
    DiskProfiles, LoadedSite, data_folder, data_folder_of, load_site, make_private, socket_path,
};
pub use in_process::{InProcessGateway, open_in_process};
pub use lock::{DataLock, LockError};
pub use log::{Levels, install as install_log};
pub use opening::{OpeningError, Progress};
pub use run::{DaemonError, Start, run};
