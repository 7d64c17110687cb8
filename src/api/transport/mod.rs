//! How requests come in, and who sends them.
//!
//! Over the Unix socket ([`BoundedListener`]) the system says which account is at the other end; in the process it is the
//! process's own. No header can claim an account. [`Identity`] is what the routes see of it.

mod identity;
mod listener;
mod request;
mod socket;

pub use identity::{Identity, Peer};
pub use listener::BoundedListener;
pub use socket::{bind, connect};
