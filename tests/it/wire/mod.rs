//! Links against foreign servers, and against servers that misbehave.

mod foreign;
mod misdeeds;
mod mqtt;
mod serial;
