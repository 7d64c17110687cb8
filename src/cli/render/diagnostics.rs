//! Formats diagnostics: file, line, column, an excerpt of the file, and a help text.

use std::borrow::Cow;
use std::io::{self, Write};

use annotate_snippets::{AnnotationKind, Group, Level as Shown, Renderer, Snippet};

use super::screen::in_line;
use crate::limits;
use crate::source::{Diagnostics, Level};
use crate::words::is_unshowable;

/// Writes all diagnostics of all files to `out`.
///
/// # Errors
/// If `out` cannot be written.
pub fn diagnostics(all: &[Diagnostics], out: &mut dyn Write) -> io::Result<()> {
    draw(all, &Renderer::styled(), out)
}

pub(super) fn draw(all: &[Diagnostics], renderer: &Renderer, out: &mut dyn Write) -> io::Result<()> {
    let mut left = limits::DIAGNOSTICS_MAX;
    for file in all {
        let shown = file.list.len().min(left);
        left -= shown;
        // Prepare the text once for each file, not once for each problem.
        let (text, name) = (masked(&file.source.text), in_line(&file.source.name));
        let lines: Vec<usize> =
            std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        for d in file.list.iter().take(shown) {
            let level = match d.level {
                Level::Error => Shown::ERROR,
                Level::Warning => Shown::WARNING,
            };
            let mut end = d.span.end.min(text.len());
            // Of a span over several lines, show only the first line.
            if let Some(line_end) = text.get(d.span.start..end).and_then(|t| t.find('\n')) {
                end = d.span.start + line_end;
            }
            let start = d.span.start.min(end);
            // Pass only the line of the problem to the renderer. The whole file would take too long for many problems.
            let line = lines.partition_point(|begin| *begin <= start);
            let begin = lines.get(line.saturating_sub(1)).copied().unwrap_or(0);
            let line_end = lines.get(line).copied().unwrap_or(text.len());
            let shown = text.get(begin..line_end).unwrap_or_default();
            let (message, label, help) =
                (in_line(&d.message), in_line(&d.label), d.help.as_deref().map(in_line));
            let annotation = AnnotationKind::Primary.span(start - begin..end - begin);
            let annotation = if label.is_empty() { annotation } else { annotation.label(&label) };
            let snippet = Snippet::source(shown).line_start(line.max(1)).path(&name).annotation(annotation);
            let mut report = vec![level.primary_title(&message).element(snippet)];
            if let Some(help) = &help {
                report.push(Group::with_title(Shown::HELP.secondary_title(help)));
            }
            writeln!(out, "{}\n", renderer.render(&report))?;
        }
    }
    if let Some(rest) = Diagnostics::rest_of(all) {
        writeln!(out, "{rest}")?;
    }
    Ok(())
}

/// Replaces each character that would act on a screen by a harmless character of the same length in bytes, so that all
/// positions in the text stay the same.
fn masked(text: &str) -> Cow<'_, str> {
    let is_bad = |c: char| !matches!(c, '\n' | '\t') && is_unshowable(c);
    if !text.contains(is_bad) {
        return Cow::Borrowed(text);
    }
    let sign = |c: char| match c.len_utf8() {
        _ if !is_bad(c) => c,
        1 if c == '\r' => ' ',
        1 => '?',
        2 => '¿',
        3 => '\u{fffd}',
        _ => '🛇',
    };
    Cow::Owned(text.chars().map(sign).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{SourceText, Span};

    #[test]
    fn a_problem_is_drawn_with_its_own_line() {
        let text = "one = 1\r\ntwo\u{1b} = 2\nthree = 3\n";
        let mut found = Diagnostics::new(SourceText::new("a.toml", text));
        let at = text.find("2").unwrap();
        found.error(Span { start: at, end: at + 1 }, "two must be 3", "here");
        let end = text.len();
        found.error(Span { start: end, end }, "four is missing", "");
        let mut out = Vec::new();
        draw(&[found], &Renderer::plain(), &mut out).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
        error: two must be 3
         --> a.toml:2:8
          |
        2 | two? = 2
          |        ^ here

        error: four is missing
         --> a.toml:4:1
          |
        4 |
          | ^
        ");
    }
}
