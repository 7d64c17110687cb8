//! The API: HTTP over the daemon's Unix socket.
//!
//! * `server` has the routes, one file for each noun. A question takes a snapshot of the desk, and [`crate::view`] makes the
//!   answer. A change goes to the desk with [`Gateway::ask`]. All bodies are types of [`crate::v1`].
//! * [`transport`] accepts the connections and finds out which account sends a request.
//! * If no daemon is running, a command calls the same routes inside its own process.
//!
//! ```
//! use andon::api::{PERSON_HEADER, decode, encode};
//!
//! // A request names the person who acts in this header, percent-encoded.
//! let header = encode("Eva Żak");
//! assert_eq!((PERSON_HEADER, header.as_str()), ("andon-person", "Eva%20%C5%BBak"));
//! assert_eq!(decode(&header).as_deref(), Some("Eva Żak"));
//! ```
//!
//! `client` sends the requests, over the socket or in the process; `cli` shows the answers.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

mod gateway;
mod queues;
mod server;
mod trace;
pub mod transport;

pub use gateway::{Gateway, KeptReport, Links, Message, ReloadAsk, Reloaded, Served};
pub use queues::{QueryQueue, QueryQueues};
pub use server::router;
pub use trace::{Cut, TraceOf, cut_trace};

/// The header with the name of the person who acts, percent-encoded.
pub const PERSON_HEADER: &str = "andon-person";

/// Encodes a text for a URL or a header: every byte except letters, digits and `-_.` becomes `%XX`.
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// Decodes the result of [`encode`]; `None` if the text is not UTF-8 after decoding.
#[must_use]
pub fn decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}

/// The characters that `encode` replaces.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
