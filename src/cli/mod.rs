//! The command line: reads the arguments, runs one command, prints its output and returns its exit code.
//!
//! A command is a noun and a verb (`andon ticket show 12`); each noun has its own file. To get data of a gateway, a
//! command sends a request to the API (`program`): over the socket if a daemon runs, else inside this process. Commands
//! that work on files, such as `profile check`, call the core directly.
//!
//! ```
//! use andon::cli::arguments;
//!
//! let given = |line: &'static str| line.split(' ').map(std::ffi::OsString::from);
//! assert!(arguments(given("andon ticket show 12 --json")).unwrap().global.json);
//! assert_eq!(arguments(given("andon --version")).err(), Some(0));
//! ```
//!
//! `main` calls [`arguments`] and [`run`], and ends the process with the exit code.

mod alarm;
mod args;
mod audit;
mod capture;
mod context;
mod decode;
mod equipment;
mod error;
mod file;
mod firmware;
mod guide;
mod history;
mod link;
mod now;
mod options;
mod profile;
mod program;
mod reload;
mod render;
mod report;
mod run;
mod samples;
mod scan;
mod status;
mod ticket;
mod when;
mod why;

pub use args::Args;
pub use run::{arguments, run};
