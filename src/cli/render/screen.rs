//! Protects the terminal. Texts from outside (answers of the gateway, files, arguments) may contain characters that move
//! the cursor or hide other text.
//!
//! [`from_outside`] makes such characters of an incoming text visible. All output passes through [`screen`], which keeps
//! plain characters, line ends and andon's own bold, and makes all other characters visible.

use std::borrow::Cow;
use std::fmt::Write;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::words::{is_unshowable, shown};

/// Begins bold. This mark is a Unicode noncharacter; [`from_outside`] makes such a character of an outside text visible.
pub(super) const BOLD: char = '\u{fdd0}';
/// Ends bold.
pub(super) const PLAIN: char = '\u{fdd1}';
/// A line end in a text from outside. The text after it is indented, so that it cannot look like a line of andon.
pub(super) const BREAK: char = '\u{fdd2}';

/// Marks the line ends of a text from outside, and makes all other control characters visible.
fn from_outside(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unshowable) {
        return Cow::Borrowed(text);
    }
    let lines: Vec<String> = text.lines().map(|l| shown(&l.replace('\t', "    ")).into_owned()).collect();
    Cow::Owned(lines.join(&BREAK.to_string()))
}

fn value_from_outside(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(changed) = from_outside(text) {
                *text = changed;
            }
        }
        Value::Array(all) => all.iter_mut().for_each(value_from_outside),
        Value::Object(map) => {
            let all = std::mem::take(map);
            map.extend(all.into_iter().map(|(key, mut value)| {
                value_from_outside(&mut value);
                (from_outside(&key).into_owned(), value)
            }));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Decodes a JSON answer for a screen: makes every text in the answer safe.
///
/// # Errors
/// If the text is not the expected JSON.
pub fn read_for_screen<T: DeserializeOwned>(json: &str) -> serde_json::Result<T> {
    // Most answers contain no such character, neither raw nor escaped. Decode these answers at once.
    let has_escape =
        json.as_bytes().windows(2).any(|w| matches!(w, [b'\\', b'u' | b'n' | b'r' | b't' | b'b' | b'f']));
    if !has_escape && !json.contains(is_unshowable) {
        return serde_json::from_str(json);
    }
    let mut value: Value = serde_json::from_str(json)?;
    value_from_outside(&mut value);
    serde_json::from_value(value)
}

/// Prepares a text for output to a terminal or a file.
pub fn screen(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let bold = anstyle::Style::new().bold();
    for c in text.chars() {
        // Writing into a text cannot fail.
        let _written = match c {
            BOLD => write!(out, "{bold}"),
            PLAIN => write!(out, "{bold:#}"),
            BREAK => write!(out, "\n      "),
            c if c != '\n' && is_unshowable(c) => write!(out, "{}", shown(c.encode_utf8(&mut [0; 4]))),
            c => {
                out.push(c);
                Ok(())
            }
        };
    }
    out
}

/// Prepares a text for one line or one cell: a line end from outside becomes a space.
pub(super) fn in_line(text: &str) -> String {
    shown(&text.replace(BREAK, " ")).into_owned()
}

/// Prepares a text with several lines of andon; each line may quote a text from outside.
pub(super) fn lines(text: &str) -> String {
    text.split('\n').map(in_line).collect::<Vec<_>>().join("\n")
}

/// Escapes the characters in a JSON text that would act on a screen. The JSON value stays exactly the same.
fn exact(json: &str) -> String {
    if !json.contains(|c| c != '\n' && is_unshowable(c)) {
        return json.to_owned();
    }
    json.chars().fold(String::with_capacity(json.len() + 16), |mut out, c| {
        if c != '\n' && is_unshowable(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing into a text cannot fail.
                let _written = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
        out
    })
}

/// Formats a value as JSON in several lines.
///
/// # Errors
/// If the value cannot be written as JSON.
pub fn json(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(exact(&serde_json::to_string_pretty(value)?))
}

/// Formats a value as JSON in one line.
///
/// # Errors
/// If the value cannot be written as JSON.
pub fn json_line(value: &impl Serialize) -> serde_json::Result<String> {
    Ok(exact(&serde_json::to_string(value)?))
}

#[cfg(test)]
mod tests {
    use super::super::{Sheet, draw, failure, heading, wrapped};
    use super::*;
    use crate::cli::error::CliError;
    use crate::client::ClientError;
    use crate::source::{Diagnostics, SourceText, Span};
    use crate::v1::ErrorV1;
    use crate::words::{Outcome, Remedy};
    use annotate_snippets::Renderer;
    use proptest::prelude::*;

    /// Returns true if the text contains only plain characters, line ends, and andon's own bold and red.
    fn is_clean(text: &str) -> bool {
        let text = text.replace("\u{1b}[1m\u{1b}[31m", "").replace("\u{1b}[1m", "").replace("\u{1b}[0m", "");
        !text.contains(|c| c != '\n' && is_unshowable(c))
    }

    /// Generates harmful texts and arbitrary texts.
    fn hostile() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("\u{1b}[2J".to_owned()),
            Just("\u{1b}]0;title\u{7}".to_owned()),
            Just("\u{9b}31m".to_owned()),
            Just("\u{202e}".to_owned()),
            Just("\r\nerror: all is well".to_owned()),
            Just("\u{fdd0}\u{fdd2}".to_owned()),
            Just("\t\0\u{200b}\u{feff}".to_owned()),
            any::<String>(),
        ];
        proptest::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    fn told(error: &CliError) -> String {
        let mut out = Vec::new();
        failure(error, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    fn refused(text: &str) -> CliError {
        CliError::Client(ClientError::Refused(ErrorV1 {
            rule: text.to_owned(),
            message: text.to_owned(),
            remedies: vec![Remedy { text: text.to_owned(), command: Some(text.to_owned()) }],
            outcome: Outcome::Refused,
        }))
    }

    proptest! {
        #[test]
        fn nothing_from_outside_acts_on_a_screen(text in hostile()) {
            let mut sheet = Sheet::new(&["note"]);
            sheet.row([text.clone()]);
            let json_text = serde_json::to_string(&text).unwrap();
            let answer: String = read_for_screen(&json_text).unwrap();
            prop_assert!(!answer.contains('\n'));
            for rendered in [
                screen(&text),
                screen(&answer),
                screen(&heading(&answer)),
                screen(&wrapped(&answer, "  ", 40)),
                screen(&sheet.table_within(40)),
                screen(&sheet.csv()),
                told(&CliError::usage(text.clone())),
                told(&refused(&text)),
                told(&CliError::Client(ClientError::Unreachable(text.clone()))),
                json(&text).unwrap(),
                json_line(&text).unwrap(),
            ] {
                prop_assert!(is_clean(&rendered), "{:?}", rendered);
            }
            let back: String = serde_json::from_str(&json(&text).unwrap()).unwrap();
            prop_assert_eq!(back, text);
        }

        #[test]
        fn a_file_that_is_quoted_does_not_act_on_a_screen(
            text in hostile(), at in any::<prop::sample::Index>(), length in 0_usize..9
        ) {
            let ends: Vec<usize> = text.char_indices().map(|(i, _)| i).chain([text.len()]).collect();
            let start = at.index(ends.len());
            let end = (start + length).min(ends.len() - 1);
            let mut found = Diagnostics::new(SourceText::new(&text, &text));
            found.error_with_help(Span { start: ends[start], end: ends[end] }, &*text, &*text, &*text);
            let mut out = Vec::new();
            draw(&[found], &Renderer::plain(), &mut out).unwrap();
            let drawn = String::from_utf8(out).unwrap();
            prop_assert!(!drawn.contains(|c| c != '\n' && is_unshowable(c)), "{:?}", drawn);
        }
    }

    #[test]
    fn what_is_harmless_stays_as_it_is() {
        let text = heading("Überdruck") + "3 °C \\n\n";
        assert_eq!(screen(&text), "\u{1b}[1mÜberdruck\u{1b}[0m\n3 °C \\n\n");
        assert_eq!(read_for_screen::<String>("\"3 °C\"").unwrap(), "3 °C");
    }

    #[test]
    fn a_line_from_outside_never_begins_a_line_of_ours() {
        let note: String = read_for_screen(r#""seen\nerror: fake\r\n\tend""#).unwrap();
        assert_eq!(screen(&format!("note: {note}\n")), "note: seen\n      error: fake\n          end\n");
        assert_eq!(in_line(&note), "seen error: fake     end");
        assert_eq!(wrapped(&note, "  ", 40), "  seen\n  error: fake\n  end\n");
    }

    #[test]
    fn keys_come_from_outside_as_well() {
        let map: std::collections::BTreeMap<String, u8> = read_for_screen(r#"{"a\u001b": 1}"#).unwrap();
        assert_eq!(map["a\\u{1b}"], 1);
    }
}
