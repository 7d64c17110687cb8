//! What is wrong in a text: code, place, sentence, help. Rendering is `cli`'s.

use super::text::{SourceText, Span};

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

/// The diagnostics of one text, in the order they were found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostics {
    /// The text.
    pub source: SourceText,
    /// What is wrong in it.
    pub list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// Nothing wrong yet.
    #[must_use]
    pub fn new(source: SourceText) -> Self {
        Self { source, list: Vec::new() }
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
        self.list.push(Diagnostic { level, message, span, label, help });
    }

    /// Whether anything refuses the text.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.level == Level::Error)
    }

    /// One line each, `file:line:column: error: message; label. help: ...`: for logs and JSON.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.list
            .iter()
            .map(|d| {
                let (line, column) = self.source.line_and_column(d.span.start);
                let word = match d.level {
                    Level::Error => "error",
                    Level::Warning => "warning",
                };
                let label = if d.label.is_empty() { String::new() } else { format!(": {}", d.label) };
                let help = d.help.as_ref().map_or(String::new(), |h| format!("; help: {h}"));
                format!("{}:{line}:{column}: {word}: {}{label}{help}", self.source.name, d.message)
            })
            .collect()
    }
}
