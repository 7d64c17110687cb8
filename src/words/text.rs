//! Texts from outside, shortened before andon stores or shows them.

use std::borrow::Cow;
use std::fmt;

/// The number of characters of a text from outside that a sentence quotes.
const QUOTED_CHARS_MAX: usize = 40;

/// The beginning of a text from outside, short enough for a quotation in a sentence.
///
/// ```
/// use andon::words::Excerpt;
/// assert_eq!(Excerpt::of("12 mm").to_string(), "12 mm");
/// assert_eq!(Excerpt::of(&"x".repeat(200_000)).to_string().chars().count(), 41);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt(String);

impl Excerpt {
    /// Takes the whole text if it is short; else its beginning and `…`.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(match text.char_indices().nth(QUOTED_CHARS_MAX) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or("")),
            None => text.to_owned(),
        })
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Shortens a text and adds `…` if the text would take more than `json_bytes` bytes in a JSON string. A text without
/// quotes, backslashes and control characters takes as many bytes in JSON as it has.
#[must_use]
pub fn shortened(text: &str, json_bytes: usize) -> Cow<'_, str> {
    let mut taken = 0;
    let mut cut = 0;
    for (at, c) in text.char_indices() {
        taken += json_bytes_of(c);
        if taken > json_bytes {
            return Cow::Owned(format!("{}…", text.get(..cut).unwrap_or("")));
        }
        if taken + '…'.len_utf8() <= json_bytes {
            cut = at + c.len_utf8();
        }
    }
    Cow::Borrowed(text)
}

/// Returns how many bytes a character takes in a JSON string.
fn json_bytes_of(c: char) -> usize {
    match c {
        '"' | '\\' | '\n' | '\r' | '\t' | '\u{8}' | '\u{c}' => 2,
        c if c < ' ' => 6,
        c => c.len_utf8(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn json_bytes(text: &str) -> usize {
        serde_json::to_string(text).unwrap().len() - 2
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        assert_eq!(shortened("Störung", 8), "Störung");
        assert_eq!(shortened("Störung", 7), "Stö…");
        assert_eq!(shortened("\\\\\\\\", 8), "\\\\\\\\");
        assert_eq!(shortened("\\\\\\\\", 7), "\\\\…");
    }

    proptest! {
        #[test]
        fn a_shortened_text_takes_no_more_bytes_in_json_than_it_may(text in "\\PC*|[\\x00-\\x7f]*", most in 3_usize..100) {
            prop_assert!(json_bytes(&shortened(&text, most)) <= most);
            prop_assert_eq!(text.chars().map(json_bytes_of).sum::<usize>(), json_bytes(&text));
            if json_bytes(&text) <= most {
                prop_assert_eq!(shortened(&text, most), text.as_str());
            }
        }
    }
}
