//! HTTP over the Unix socket: the contract (`v1`), the server, the client. The CLI calls the same routes in
//! the process when no daemon runs: one path, two transports.

mod client;
mod gateway;
mod heavy;
mod listener;
mod request;
mod server;
mod socket;
mod trace;
pub mod v1;

pub use client::{Client, ClientError};
pub use gateway::{Gateway, KeptReport, Links, Message, ReloadAsk, Reloaded, Served};
pub use heavy::{Heavy, Lanes};
pub use listener::BoundedListener;
pub use server::router;
pub use socket::bind;
pub use trace::{Cut, TraceOf, cut_trace};
