//! Formats an error for a person: the problem, the rule, and the remedies.

use std::io::{self, Write};

use super::diagnostics::diagnostics;
use super::screen::{in_line, lines};
use crate::cli::error::CliError;
use crate::client::ClientError;
use crate::v1::ErrorV1;

/// Writes an error to `out`.
///
/// # Errors
/// If `out` cannot be written.
pub fn failure(error: &CliError, out: &mut dyn Write) -> io::Result<()> {
    match error {
        CliError::Files(all) => {
            diagnostics(all, out)?;
            let count: usize = all.iter().map(|d| d.list.len()).sum();
            line(out, &format!("nothing was loaded: {}", super::plural(count, "problem")))
        }
        CliError::Client(ClientError::Refused(e)) => refused(out, e),
        CliError::Client(ClientError::Unreachable(why)) => {
            line(out, &lines(&format!("the gateway cannot be reached: {why}")))?;
            remedy(out, "if no daemon is running, start it", Some("andon daemon"))
        }
        CliError::Client(e @ ClientError::NoAnswer { .. }) => {
            line(out, &in_line(&e.to_string()))?;
            remedy(out, "andon may have made your change: check before you repeat the command", None)?;
            remedy(
                out,
                "read the daemon's log: the daemon may be stopped or overloaded; restart it if necessary",
                None,
            )
        }
        CliError::Other(_, text) => line(out, &lines(text)),
        CliError::Output(e) => line(out, &in_line(&format!("the output cannot be written: {e}"))),
    }
}

fn refused(out: &mut dyn Write, e: &ErrorV1) -> io::Result<()> {
    line(out, &in_line(&format!("{} [{}]", e.message, e.rule)))?;
    for r in &e.remedies {
        remedy(out, &r.text, r.command.as_deref())?;
    }
    Ok(())
}

fn line(out: &mut dyn Write, text: &str) -> io::Result<()> {
    let red = anstyle::AnsiColor::Red.on_default().bold();
    writeln!(out, "{red}error{red:#}: {text}")
}

fn remedy(out: &mut dyn Write, text: &str, command: Option<&str>) -> io::Result<()> {
    let text = in_line(text);
    match command {
        Some(command) => writeln!(out, "  {text}: {}", in_line(command)),
        None => writeln!(out, "  {text}"),
    }
}
