//! Values to text: tables that fit the terminal, CSV, diagnostics with their excerpt, errors with their remedy.

mod diagnostics;
mod failure;
mod sheet;
mod words;

pub use diagnostics::diagnostics;
pub use failure::failure;
pub use sheet::{Sheet, width};
pub use words::{ago, and, heading, plural, wrapped};
