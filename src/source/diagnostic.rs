//! Problems in a text: level, place, message, help. `cli` shows them on the screen.

use super::text::{SourceText, Span};
use crate::limits;
use crate::words::shortened;

/// The level of a problem: whether andon refuses the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// andon refuses the file.
    Error,
    /// andon accepts the file. A person should check this place.
    Warning,
}

/// One problem in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The level: an error or a warning.
    pub level: Level,
    /// The problem, as a sentence without a full stop.
    pub message: String,
    /// The place in the text, in bytes.
    pub span: Span,
    /// A few words for the place itself; can be empty.
    pub label: String,
    /// The probable correction; `None` if andon cannot propose one.
    pub help: Option<String>,
}

/// The problems of one text, in the order in which they were found. At most [`limits::DIAGNOSTICS_MAX`] are kept,
/// errors before warnings; the others are only counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    /// The text that has these problems.
    pub source: SourceText,
    /// The problems that are kept.
    pub list: Vec<Diagnostic>,
    /// The number of problems that are only counted.
    more: usize,
}

impl Diagnostics {
    /// Makes an empty list for a text.
    #[must_use]
    pub fn new(source: SourceText) -> Self {
        Self { source, list: Vec::new(), more: 0 }
    }

    /// Adds an error.
    pub fn error(&mut self, span: Span, message: impl Into<String>, label: impl Into<String>) {
        self.push(Level::Error, span, message.into(), label.into(), None);
    }

    /// Adds an error with a proposed correction.
    pub fn error_with_help(
        &mut self,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Level::Error, span, message.into(), label.into(), Some(help.into()));
    }

    /// Adds a warning.
    pub fn warning(
        &mut self,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) {
        self.push(Level::Warning, span, message.into(), label.into(), help);
    }

    fn push(&mut self, level: Level, span: Span, message: String, label: String, help: Option<String>) {
        let short = |text: String| match shortened(&text, limits::DIAGNOSTIC_BYTES_MAX) {
            std::borrow::Cow::Borrowed(_) => text,
            std::borrow::Cow::Owned(short) => short,
        };
        if self.is_full() {
            self.more += 1;
            // An error takes the place of the last warning: errors refuse the text, so people must see them first.
            let warning = self.list.iter().rposition(|d| d.level == Level::Warning);
            match warning.filter(|_| level == Level::Error) {
                Some(at) => drop(self.list.remove(at)),
                None => return,
            }
        }
        let (message, label, help) = (short(message), short(label), help.map(short));
        self.list.push(Diagnostic { level, message, span, label, help });
    }

    /// True if the list is full. The next problem is only counted, or takes the place of a warning.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.list.len() >= limits::DIAGNOSTICS_MAX
    }

    /// The number of problems that are not in the list.
    #[must_use]
    pub fn more(&self) -> usize {
        self.more
    }

    /// True if the list has an error, so that andon refuses the text.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.level == Level::Error)
    }

    /// Returns one line per problem for logs and JSON: `file:line:column: error: message: label; help: ...`.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        Self::lines_of(std::slice::from_ref(self))
    }

    /// Returns the lines of several texts: at most [`limits::DIAGNOSTICS_MAX`], and then a line with the number of
    /// the others.
    #[must_use]
    pub fn lines_of(all: &[Self]) -> Vec<String> {
        let found = all.iter().flat_map(|file| file.list.iter().map(move |d| file.line(d)));
        let mut lines: Vec<String> = found.take(limits::DIAGNOSTICS_MAX).collect();
        lines.extend(Self::rest_of(all));
        lines
    }

    /// Returns a sentence with the number of problems that are not shown; `None` if all are shown.
    #[must_use]
    pub fn rest_of(all: &[Self]) -> Option<String> {
        let found: usize = all.iter().map(|file| file.list.len() + file.more).sum();
        match found.saturating_sub(limits::DIAGNOSTICS_MAX.min(all.iter().map(|file| file.list.len()).sum()))
        {
            0 => None,
            1 => Some("and 1 more problem".to_owned()),
            n => Some(format!("and {n} more problems")),
        }
    }

    fn line(&self, d: &Diagnostic) -> String {
        let (line, column) = self.source.line_and_column(d.span.start);
        let word = match d.level {
            Level::Error => "error",
            Level::Warning => "warning",
        };
        let label = if d.label.is_empty() { String::new() } else { format!(": {}", d.label) };
        let help = d.help.as_ref().map_or(String::new(), |h| format!("; help: {h}"));
        format!("{}:{line}:{column}: {word}: {}{label}{help}", self.source.name, d.message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_problems_are_counted_and_errors_come_before_warnings() {
        let max = limits::DIAGNOSTICS_MAX;
        let mut found = Diagnostics::new(SourceText::new("f.toml", "text"));
        (0..max + 5).for_each(|n| found.warning(0..1, format!("warning {n}"), "", None));
        assert!(!found.has_errors());
        found.error(0..1, "this refuses it", "");
        let lines = found.lines();
        assert!(found.has_errors() && lines.iter().any(|l| l.contains("this refuses it")));
        assert_eq!((lines.len(), lines.last().unwrap().as_str()), (max + 1, "and 6 more problems"));
        assert_eq!(Diagnostics::lines_of(&[found.clone(), found]).len(), max + 1);
    }

    #[test]
    fn a_long_sentence_is_shortened() {
        let mut found = Diagnostics::new(SourceText::new("f.toml", "text"));
        let long = "name, ".repeat(100_000);
        found.error_with_help(0..1, long.clone(), long.clone(), long);
        assert!(found.lines().concat().len() < 4 * limits::DIAGNOSTIC_BYTES_MAX);
    }
}
