//! Named texts and places in them.

use std::ops::Range;
use std::sync::Arc;

/// A range of bytes of a text.
pub type Span = Range<usize>;

/// A text with its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    /// The name of the file, as people know it.
    pub name: Arc<str>,
    /// The whole text.
    pub text: Arc<str>,
    places: Arc<Places>,
}

/// The starts of the lines of a text, and the number of characters before each block of it. With them a place is
/// found without a search through the whole text.
#[derive(Debug, PartialEq, Eq)]
struct Places {
    /// The position of the first byte of each line.
    lines: Vec<usize>,
    /// The number of characters before each block of [`BLOCK`] bytes.
    characters: Vec<usize>,
}

/// The length of a block in bytes.
const BLOCK: usize = 1024;

/// Counts the characters that begin in these bytes.
fn characters(bytes: &[u8]) -> usize {
    // A byte of the form 10xxxxxx continues a character.
    bytes.iter().filter(|b| **b & 0xC0 != 0x80).count()
}

impl Places {
    fn of(text: &str) -> Self {
        let lines = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut before = 0;
        let characters = text.as_bytes().chunks(BLOCK).map(|block| {
            let at = before;
            before += characters(block);
            at
        });
        Self { characters: characters.collect(), lines }
    }

    /// Returns the number of characters before a byte.
    fn characters_before(&self, text: &str, at: usize) -> usize {
        let block = at / BLOCK;
        let rest = text.as_bytes().get(block * BLOCK..at).unwrap_or_default();
        // If the text fills its last block, the position behind its end belongs to no block.
        match self.characters.get(block) {
            Some(before) => before + characters(rest),
            None => {
                self.characters.last().unwrap_or(&0)
                    + characters(text.as_bytes().rchunks(BLOCK).next().unwrap_or_default())
            }
        }
    }
}

impl SourceText {
    /// Makes a text with a name.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: text.into(), places: Arc::new(Places::of(text)) }
    }

    /// Returns the line and the column of a byte, both from 1. The column counts characters.
    ///
    /// ```
    /// let text = andon::source::SourceText::new("a", "one\ntwo");
    /// assert_eq!(text.line_and_column(5), (2, 2));
    /// ```
    #[must_use]
    pub fn line_and_column(&self, at: usize) -> (usize, usize) {
        let at = if self.text.is_char_boundary(at) { at } else { self.text.len() };
        let line = self.places.lines.partition_point(|start| *start <= at);
        let start = self.places.lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let before = |at| self.places.characters_before(&self.text, at);
        (line, before(at) - before(start) + 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Computes line and column with a search through the whole text.
    fn counted(text: &str, at: usize) -> (usize, usize) {
        let before = text.get(..at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        (line, before.rsplit('\n').next().unwrap_or("").chars().count() + 1)
    }

    proptest! {
        #[test]
        fn places_are_as_counted(parts in proptest::collection::vec("[a-zä€\n]{0,40}", 0..120), at in 0_usize..8000) {
            let text = parts.concat();
            let source = SourceText::new("t", &text);
            for at in [at, text.len(), 0, BLOCK, 2 * BLOCK] {
                prop_assert_eq!(source.line_and_column(at), counted(&text, at), "{}", at);
            }
        }
    }

    #[test]
    fn the_end_of_a_text_of_whole_blocks_has_a_place() {
        for text in ["x".repeat(BLOCK), "ä\n".repeat(BLOCK), String::new()] {
            let source = SourceText::new("t", &text);
            assert_eq!(source.line_and_column(text.len()), counted(&text, text.len()));
        }
    }
}
