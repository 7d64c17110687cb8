//! A named text and places in it.

use std::ops::Range;
use std::sync::Arc;

/// A stretch of bytes of a text.
pub type Span = Range<usize>;

/// A text with the name it came under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceText {
    /// The file's name as a person knows it.
    pub name: Arc<str>,
    /// Everything in it.
    pub text: Arc<str>,
}

impl SourceText {
    /// A text under a name.
    #[must_use]
    pub fn new(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    /// Line and column of a byte, both from 1; the column counts characters.
    ///
    /// ```
    /// let text = andon::source::SourceText::new("a", "one\ntwo");
    /// assert_eq!(text.line_and_column(5), (2, 2));
    /// ```
    #[must_use]
    pub fn line_and_column(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(&self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        (line, column)
    }
}
