//! Formats small texts: ages, lists, headings, paragraphs and progress.

use std::io::Write;

use super::screen::{BOLD, BREAK, PLAIN, in_line};
use crate::words::{Wall, render_duration};

/// Formats an age, as in `12m3s ago`; `now` if the age is less than a second.
pub fn ago(at: Wall, now: Wall) -> String {
    let age = now.since(at);
    if age.as_secs() == 0 {
        return "now".to_owned();
    }
    format!("{} ago", render_duration(std::time::Duration::from_secs(age.as_secs())))
}

/// Shows a progress text on the terminal, over the previous text. Prints nothing if standard error is not a terminal.
pub fn progress(text: &str) {
    let mut stderr = anstream::stderr();
    if stderr.is_terminal() {
        let text = in_line(text);
        // If the progress cannot be shown, the command continues.
        let _shown = write!(stderr, "\r{text:<79}\r").and_then(|()| stderr.flush());
    }
}

/// Formats a count and a noun: `1 problem`, `2 problems`.
pub fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// Joins the items: `a, b and c`.
pub fn and(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Formats a heading, bold on a terminal.
pub fn heading(text: &str) -> String {
    format!("{BOLD}{}{PLAIN}\n", in_line(text))
}

/// Wraps a text to a width and indents each line. A word that is longer than the width is not split. The line ends of
/// the text are kept.
pub fn wrapped(text: &str, indent: &str, width: usize) -> String {
    text.split(BREAK).map(|line| paragraph(line, indent, width)).collect()
}

fn paragraph(text: &str, indent: &str, width: usize) -> String {
    let room = width.saturating_sub(indent.chars().count()).max(20);
    let mut out = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let next = line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && next > room {
            out.push_str(&format!("{indent}{line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    if !line.is_empty() {
        out.push_str(&format!("{indent}{line}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let now = Wall::from_millis(1_000_000);
        assert_eq!(ago(Wall::from_millis(999_900), now), "now");
        assert_eq!(ago(Wall::from_millis(877_000), now), "2m3s ago");
        assert_eq!(plural(1, "ticket"), "1 ticket");
        assert_eq!(and(&["a".into(), "b".into(), "c".into()]), "a, b and c");
        assert_eq!(wrapped("one two three four five six", "  ", 22), "  one two three four\n  five six\n");
    }
}
