//! Text that people write: where in it something stands, and what is wrong there.
//!
//! A file is read to the end and every problem is told at once, each with its place, what was
//! meant and, for an unknown name, the nearest known one. *Must not know* what a key means.

mod bounded;
mod diagnostic;
mod nearest;
mod section;
mod text;

pub use diagnostic::{Diagnostic, Diagnostics, Level};
pub use nearest::{Suggestion, suggest};
pub use section::{Mark, Section, Shape, Spanned, read_toml};
pub use text::{SourceText, Span};
