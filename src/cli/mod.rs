//! The command line: noun, then verb; one file a command. Arguments in, a screen and an exit code out.
//!
//! Whatever a gateway knows is asked through its API, over the socket or in the process (`program`); tools on files call
//! the core.

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
