//! Texts of files, with positions: the place of each value, and the problems at each place.
//!
//! A file is read to its end, and all problems are reported at once. Each has its place, a message, and help; for an
//! unknown name the help is the most similar known name. *Must not know* the meaning of a key.
//!
//! ```
//! use andon::source::{Diagnostics, SourceText, read_toml};
//! let mut problems = Diagnostics::new(SourceText::new("andon.toml", "nmae = 'hall 3'"));
//! let name = read_toml(&mut problems, |root| {
//!     let name = root.name("name");
//!     root.finish();
//!     name
//! });
//! assert_eq!(name, None);
//! assert!(problems.lines()[0].starts_with("andon.toml:1:1: error: unknown key `nmae`"));
//! ```
//!
//! Use: `profile` and `site` read each key of their tables with a [`Section`], and call `finish` at the end of each
//! table. Keys that nobody read are then errors.

mod bounded;
mod diagnostic;
mod nearest;
mod section;
mod text;

pub use diagnostic::{Diagnostic, Diagnostics, Level};
pub use nearest::{Suggestion, suggest};
pub use section::{NumberOrWord, Section, Shape, Spanned, read_toml};
pub use text::{SourceText, Span};
