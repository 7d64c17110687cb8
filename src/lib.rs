#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![doc = include_str!("ARCHITECTURE.md")]

pub mod alarm;
pub mod ambient;
pub mod api;
pub mod baseline;
pub mod cli;
pub mod client;
pub mod daemon;
pub mod desk;
pub mod detect;
pub mod disk;
pub mod expr;
pub mod feed;
pub mod gateway;
pub mod journal;
pub mod limits;
pub mod link;
pub mod profile;
pub mod recorder;
pub mod service;
pub mod sim;
pub mod site;
pub mod source;
pub mod store;
pub mod ticket;
pub mod v1;
pub mod view;
pub mod words;
pub mod writing;
