//! Texts and lists of a table, bounded as they are read: whatever comes out of a file is as short as its use allows.

use super::nearest::{Suggestion, suggest};
use super::section::{Section, Spanned};
use super::text::Span;
use crate::limits;

impl Section<'_> {
    /// A text for people: at most [`limits::PROSE_BYTES_MAX`].
    #[must_use]
    pub fn text(&self, key: &str) -> Option<Spanned<String>> {
        self.text_up_to(key, limits::PROSE_BYTES_MAX)
    }

    /// A name, a number of stock, a unit: at most [`limits::NAME_BYTES_MAX`].
    #[must_use]
    pub fn name(&self, key: &str) -> Option<Spanned<String>> {
        self.text_up_to(key, limits::NAME_BYTES_MAX)
    }

    /// A text of at most so many bytes: a longer one is refused.
    #[must_use]
    pub fn text_up_to(&self, key: &str, most: usize) -> Option<Spanned<String>> {
        let (value, span) = self.entry(key)?;
        let Some(text) = value.get_ref().as_str() else {
            self.wrong_type(key, span, value.get_ref(), "a text");
            return None;
        };
        self.fits(key, text, &span, most).then(|| Spanned { value: text.to_owned(), span })
    }

    /// Whether a text is as short as it must be; notes that it is not.
    pub(super) fn fits(&self, key: &str, text: &str, span: &Span, most: usize) -> bool {
        if text.len() > most {
            let message = format!("{}{key} must have at most {most} bytes", self.path);
            self.error(span.clone(), message, format!("this has {}", text.len()));
        }
        text.len() <= most
    }

    /// What to propose for a name that is not known; nothing where its problem is only counted.
    pub fn suggest<'k>(&self, given: &str, known: impl IntoIterator<Item = &'k str>) -> Suggestion<'k> {
        if self.sink.borrow().is_full() { suggest(given, []) } else { suggest(given, known) }
    }

    /// Notes that a list or table has more entries than it may.
    pub(super) fn is_counted(&self, key: &str, span: Span, count: usize, most: usize) {
        if count > most {
            let path = format!("{}{key}", self.path);
            let path = path.trim_end_matches('.');
            self.error(span, format!("{path} must have at most {most} entries"), format!("this has {count}"));
        }
    }

    /// A list of texts, each as [`Self::text`].
    #[must_use]
    pub fn texts(&self, key: &str) -> Vec<Spanned<String>> {
        self.texts_up_to(key, limits::PROSE_BYTES_MAX)
    }

    /// A list of texts of at most so many bytes each.
    #[must_use]
    pub fn texts_up_to(&self, key: &str, most: usize) -> Vec<Spanned<String>> {
        let mut all = self.list(key, "texts", |v| v.as_str().map(str::to_owned));
        all.retain(|text| self.fits(key, &text.value, &text.span, most));
        all
    }
}
