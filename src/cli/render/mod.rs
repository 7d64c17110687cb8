//! Formats output: tables that fit the terminal, CSV, curves, diagnostics with an excerpt of the file, and errors with
//! remedies.

mod diagnostics;
mod failure;
mod plot;
mod screen;
mod sheet;
mod svg;
mod words;

pub use diagnostics::diagnostics;
#[cfg(test)]
use diagnostics::draw;
pub use failure::failure;
pub use plot::{Marks, plot};
pub use screen::{json, json_line, read_for_screen, screen};
pub use sheet::{Sheet, width};
pub use svg::svg;
pub use words::{ago, and, heading, plural, progress, wrapped};
