//! What opens the data directory, drives the desk, serves links and API, and stops in order.
//!
//! *Must not* have a rule of its own. One thread runs the desk, the links and the API; the journal and the store
//! have a thread each, because both wait for the disk. A reply leaves only after the journal's fsync; the store
//! follows. Without a daemon the same gateway is opened in the process for one command ([`open_here`]).

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
mod opening;
mod openings;
mod reloading;
mod run;
mod store_thread;

#[cfg(test)]
mod tests;
mod traces;

pub use assembly::{Engine, Parts, start as start_engine};
pub use demo::{DemoError, DemoSetup, demo};
pub use files::{
    DiskProfiles, LoadedSite, data_folder, data_folder_of, load_site, make_private, socket_path,
};
pub use in_process::{Here, open_here};
pub use lock::{DataLock, LockError};
pub use log::{Levels, install as install_log};
pub use opening::{OpeningError, Progress};
pub use run::{DaemonError, Start, run};
