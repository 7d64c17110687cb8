//! Texts and lists of a table. Each is limited in length when it is read.

use super::nearest::{Suggestion, suggest};
use super::section::{Section, Spanned};
use super::text::Span;
use crate::limits;

impl Section<'_> {
    /// A text for people, of at most [`limits::PROSE_BYTES_MAX`] bytes.
    #[must_use]
    pub fn text(&self, key: &str) -> Option<Spanned<String>> {
        self.text_up_to(key, limits::PROSE_BYTES_MAX)
    }

    /// A name, a stock number or a unit of measure, of at most [`limits::NAME_BYTES_MAX`] bytes.
    #[must_use]
    pub fn name(&self, key: &str) -> Option<Spanned<String>> {
        self.text_up_to(key, limits::NAME_BYTES_MAX)
    }

    /// A text of at most `most` bytes. A longer one is an error.
    #[must_use]
    pub fn text_up_to(&self, key: &str, most: usize) -> Option<Spanned<String>> {
        let (value, span) = self.entry(key)?;
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(key, span, value.get_ref(), "a text");
            return None;
        };
        self.fits(key, text, &span, most).then(|| Spanned { value: text.to_owned(), span })
    }

    /// True if a text has at most `most` bytes; else notes an error.
    pub(super) fn fits(&self, key: &str, text: &str, span: &Span, most: usize) -> bool {
        if text.len() > most {
            let message = format!("{}{key} must have at most {most} bytes", self.path);
            self.error(span.clone(), message, format!("this has {}", text.len()));
        }
        text.len() <= most
    }

    /// Proposes a known name for `given`. Proposes none when the list of problems is full, because the help would not be shown.
    pub fn suggest<'k>(&self, given: &str, known: impl IntoIterator<Item = &'k str>) -> Suggestion<'k> {
        if self.sink.borrow().is_full() { suggest(given, []) } else { suggest(given, known) }
    }

    /// Notes an error if a list or table has more than `most` entries.
    pub(super) fn is_counted(&self, key: &str, span: Span, count: usize, most: usize) {
        if count > most {
            let path = format!("{}{key}", self.path);
            let path = path.trim_end_matches('.');
            self.error(span, format!("{path} must have at most {most} entries"), format!("this has {count}"));
        }
    }

    /// A list of texts for people, each as in [`Self::text`].
    #[must_use]
    pub fn texts(&self, key: &str) -> Vec<Spanned<String>> {
        self.texts_up_to(key, limits::PROSE_BYTES_MAX)
    }

    /// A list of texts of at most `most` bytes each.
    #[must_use]
    pub fn texts_up_to(&self, key: &str, most: usize) -> Vec<Spanned<String>> {
        let mut all = self.list(key, "texts", |v| v.as_str().map(str::to_owned));
        all.retain(|text| self.fits(key, &text.value, &text.span, most));
        all
    }
}
