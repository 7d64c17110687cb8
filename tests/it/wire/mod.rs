//! Tests of links with servers of other authors, and with servers that misbehave.

mod foreign;
mod gateways;
mod misdeeds;
mod mqtt;
mod serial;
