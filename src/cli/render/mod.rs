//! Values to text: tables that fit the terminal, CSV, diagnostics with their excerpt, errors with their remedy.

mod diagnostics;
mod failure;
mod plot;
mod sheet;
mod svg;
mod words;

pub use diagnostics::diagnostics;
pub use failure::failure;
pub use plot::{Marks, plot};
pub use sheet::{Sheet, width};
pub use svg::svg;
pub use words::{ago, and, heading, plural, wrapped};
