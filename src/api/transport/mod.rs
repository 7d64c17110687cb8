//! The connections of the API, and the identity of the person who sends a request.
//!
//! For a connection of the Unix socket ([`BoundedListener`]) the operating system gives the account of the other process.
//! Inside one process, the account is that of the process. A header can give a name, but never an account. The routes
//! get the result as [`Identity`].

mod identity;
mod listener;
mod request;
mod socket;

pub use identity::{Identity, Peer};
pub use listener::BoundedListener;
pub use socket::{bind, connect};
