//! Promises, a module each, kept by the real program against parts that nobody here wrote.
//!
//! `tests/run` installs the counterparts; a missing one fails the run.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "tests say what went wrong by failing"
)]

mod baseline;
mod bounds;
mod capture;
mod commands;
mod connections;
mod crash;
mod day;
mod figures;
mod firmware;
mod people;
mod recorder;
mod reload;
mod samples;
mod scan;
mod screens;
mod simulator;
mod support;
mod turns;
mod wire;
