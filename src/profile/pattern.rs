//! Regular expressions of a profile, limited in length and in memory, each alone and all together.

use std::cell::Cell;

use regex::{Regex, RegexBuilder};

use crate::limits;
use crate::source::{Section, Spanned};

/// The size limits, in bytes, with which a regular expression is compiled, one after the other. The first one that is
/// large enough counts as its size.
const SIZES: [usize; 3] = [16 * 1024, 128 * 1024, limits::PATTERN_MEMORY_MAX];

/// The memory that is left for further regular expressions of one profile.
#[derive(Debug)]
pub(super) struct Patterns {
    /// Bytes that are left.
    left: Cell<usize>,
}

impl Default for Patterns {
    fn default() -> Self {
        Self { left: Cell::new(limits::PATTERNS_MEMORY_MAX) }
    }
}

impl Patterns {
    /// Reads a regular expression. Returns `None` if the key is missing or if the expression is refused; a refusal is
    /// noted.
    pub fn read(&self, s: &Section<'_>, key: &str) -> Option<Regex> {
        let text: Spanned<String> = s.text_up_to(key, limits::PATTERN_BYTES_MAX)?;
        for size in SIZES.into_iter().filter(|size| *size <= self.left.get()) {
            match RegexBuilder::new(&text.value).size_limit(size).dfa_size_limit(size).build() {
                Ok(regex) => {
                    self.left.set(self.left.get() - size);
                    return Some(regex);
                }
                Err(regex::Error::CompiledTooBig(_)) => {}
                Err(e) => {
                    let why = e.to_string();
                    let last = why.lines().last().unwrap_or("").trim_start_matches("error: ").to_owned();
                    s.error(text.span, format!("{key} is not a regular expression"), last);
                    return None;
                }
            }
        }
        let (message, help) = if self.left.get() >= limits::PATTERN_MEMORY_MAX {
            (format!("{key} takes too much memory"), "write smaller counts: {1,10} instead of {1,1000}")
        } else {
            (
                "the regular expressions of this profile take too much memory together".to_owned(),
                "write fewer or smaller ones",
            )
        };
        s.error_with_help(text.span, message, "", help);
        None
    }
}
