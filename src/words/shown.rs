//! Text from outside (a device, a person, a file, a broker), made safe for a screen. Characters that move the cursor,
//! or that hide or reverse other text, become visible, as `\\u{1b}`.

use std::borrow::Cow;
use std::fmt::Write;

/// True if a character is not visible text: control characters, characters that change the direction of text (Unicode
/// UAX 9), characters without width or form, and noncharacters.
#[must_use]
pub fn is_unshowable(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            // Soft hyphen; Arabic letter mark; fillers that are invisible; Mongolian vowel separator.
            0xAD | 0x61C | 0x115F | 0x1160 | 0x17B4 | 0x17B5 | 0x180B..=0x180F | 0x3164 | 0xFFA0
            // Zero width; marks and overrides of direction; separators of lines and paragraphs; invisible operators.
            | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F
            // Byte order mark; annotations; tags and variation selectors of plane 14.
            | 0xFEFF | 0xFFF0..=0xFFFB | 0xE0000..=0xE0FFF
            // Musical formatting; shorthand formatting; Egyptian format controls.
            | 0x1D173..=0x1D17A | 0x1BCA0..=0x1BCA3 | 0x13430..=0x1343F
            // Noncharacters. andon uses some of them to mark its own headings and lines.
            | 0xFDD0..=0xFDEF)
        || u32::from(c) & 0xFFFE == 0xFFFE
}

/// Returns a text on one line, in which every character that [`is_unshowable`] is written as an escape.
///
/// ```
/// assert_eq!(andon::words::shown("pump\u{1b}[2J\n"), "pump\\u{1b}[2J\\n");
/// ```
#[must_use]
pub fn shown(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unshowable) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(text.chars().fold(String::with_capacity(text.len() + 8), |mut out, c| {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unshowable(c) => {
                // Writing into a `String` cannot fail.
                let _written = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
            c => out.push(c),
        }
        out
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_readable_stays() {
        for text in ["", "Überdruck 3 °C", "a\\b", "王 محمد 🙂"] {
            assert!(matches!(shown(text), Cow::Borrowed(same) if same == text));
        }
        assert_eq!(
            shown("a\0\u{7f}\u{9b}\u{202e}\u{2028}b\r\n\t"),
            "a\\u{0}\\u{7f}\\u{9b}\\u{202e}\\u{2028}b\\r\\n\\t"
        );
    }

    proptest! {
        #[test]
        fn nothing_unshowable_is_left(text in any::<String>()) {
            let out = shown(&text).into_owned();
            prop_assert!(!out.contains(is_unshowable));
        }
    }
}
