//! HTTP over the Unix socket: the server, and how requests come in (`transport`). What leaves is of [`crate::v1`]. The CLI calls the
//! same routes in the process when no daemon runs: one path, two transports.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

mod gateway;
mod heavy;
mod server;
mod trace;
pub mod transport;

pub use gateway::{Gateway, KeptReport, Links, Message, ReloadAsk, Reloaded, Served};
pub use heavy::{Heavy, Lanes};
pub use server::router;
pub use trace::{Cut, TraceOf, cut_trace};

/// The header by which a request says who acts, percent-encoded.
pub const PERSON_HEADER: &str = "andon-person";

/// A text as a part of a URL or a header: everything but letters, digits and `-_.` as `%XX`.
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, PLAIN).to_string()
}

/// The text of [`encode`]; `None` when it is not one.
#[must_use]
pub fn decode(text: &str) -> Option<String> {
    percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}

/// What stands for itself in a URL.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
