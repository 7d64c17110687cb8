//! Diagnostics as the best compilers draw them: file, line, column, excerpt, help.

use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Group, Level as Shown, Renderer, Snippet};

use crate::limits;
use crate::source::{Diagnostics, Level};

/// Draws every diagnostic of every file.
///
/// # Errors
/// When nobody reads.
pub fn diagnostics(all: &[Diagnostics], out: &mut dyn Write) -> io::Result<()> {
    let mut left = limits::DIAGNOSTICS_MAX;
    for file in all {
        let shown = file.list.len().min(left);
        left -= shown;
        for d in file.list.iter().take(shown) {
            let level = match d.level {
                Level::Error => Shown::ERROR,
                Level::Warning => Shown::WARNING,
            };
            let text: &str = &file.source.text;
            let mut end = d.span.end.min(text.len());
            // A span over several lines is shown by its first.
            if let Some(line_end) = text.get(d.span.start..end).and_then(|t| t.find('\n')) {
                end = d.span.start + line_end;
            }
            let start = d.span.start.min(end);
            let annotation = AnnotationKind::Primary.span(start..end);
            let annotation = if d.label.is_empty() { annotation } else { annotation.label(&d.label) };
            let name: &str = &file.source.name;
            let snippet = Snippet::source(text).path(name).annotation(annotation);
            let mut report = vec![level.primary_title(&d.message).element(snippet)];
            if let Some(help) = &d.help {
                report.push(Group::with_title(Shown::HELP.secondary_title(help)));
            }
            writeln!(out, "{}\n", Renderer::styled().render(&report))?;
        }
    }
    if let Some(rest) = Diagnostics::rest_of(all) {
        writeln!(out, "{rest}")?;
    }
    Ok(())
}
