//! Tests of the real program against programs of other authors. Each module tests one group of promises.
//!
//! `tests/run` installs these programs. If one is missing, the run fails.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test reports a problem by failing"
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
