//! What is wrong in a text: code, place, sentence, help. Rendering is `cli`'s.

use super::text::{SourceText, Span};
use crate::limits;
use crate::words::shortened;

/// Whether a diagnostic refuses the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The file is refused.
    Error,
    /// The file is accepted; somebody should look.
    Warning,
}

/// One thing that is wrong in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Whether it refuses the file.
    pub level: Level,
    /// What is wrong, without a full stop.
    pub message: String,
    /// Where, in bytes.
    pub span: Span,
    /// A few words at the place itself.
    pub label: String,
    /// What was meant, where that can be told.
    pub help: Option<String>,
}

/// The diagnostics of one text, in the order they were found: the first [`limits::DIAGNOSTICS_MAX`], errors before
/// warnings. The others are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    /// The text.
    pub source: SourceText,
    /// What is wrong in it.
    pub list: Vec<Diagnostic>,
    more: usize,
}

impl Diagnostics {
    /// Nothing wrong yet.
    #[must_use]
    pub fn new(source: SourceText) -> Self {
        Self { source, list: Vec::new(), more: 0 }
    }

    /// Notes an error.
    pub fn error(&mut self, span: Span, message: impl Into<String>, label: impl Into<String>) {
        self.push(Level::Error, span, message.into(), label.into(), None);
    }

    /// Notes an error and what was meant.
    pub fn error_with_help(
        &mut self,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.push(Level::Error, span, message.into(), label.into(), Some(help.into()));
    }

    /// Notes something to look at.
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
            // What refuses the text is told before what does not.
            let warning = self.list.iter().rposition(|d| d.level == Level::Warning);
            match warning.filter(|_| level == Level::Error) {
                Some(at) => drop(self.list.remove(at)),
                None => return,
            }
        }
        let (message, label, help) = (short(message), short(label), help.map(short));
        self.list.push(Diagnostic { level, message, span, label, help });
    }

    /// Whether another problem is only counted.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.list.len() >= limits::DIAGNOSTICS_MAX
    }

    /// How many problems were found beside those of the list.
    #[must_use]
    pub fn more(&self) -> usize {
        self.more
    }

    /// Whether anything refuses the text.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.level == Level::Error)
    }

    /// One line each, `file:line:column: error: message; label. help: ...`: for logs and JSON.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        Self::lines_of(std::slice::from_ref(self))
    }

    /// The lines of several texts: [`limits::DIAGNOSTICS_MAX`] at most, then how many more there are.
    #[must_use]
    pub fn lines_of(all: &[Self]) -> Vec<String> {
        let found = all.iter().flat_map(|file| file.list.iter().map(move |d| file.line(d)));
        let mut lines: Vec<String> = found.take(limits::DIAGNOSTICS_MAX).collect();
        lines.extend(Self::rest_of(all));
        lines
    }

    /// How many problems of several texts are not shown, as a sentence; nothing when all are.
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
