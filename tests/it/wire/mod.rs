//! Links against foreign servers, and against servers that misbehave.

mod foreign;
mod gateways;
mod misdeeds;
mod mqtt;
mod serial;
