//! `andon audit verify|head`.

use clap::Subcommand;

use super::context::{Composition, Context};
use super::error::CliError;
use crate::api::v1::AuditV1;
use crate::words::Outcome;

/// What can be asked of the record.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check every line of the journal's hash chain; exit code 1 when it does not hold
    Verify,
    /// Print the number and hash of the last event. Store them outside this gateway: they show later if events were removed from the end
    Head,
}

pub(super) async fn run<C: Composition>(
    cx: &mut Context<'_, C>,
    command: &Command,
) -> Result<Outcome, CliError> {
    let audit: AuditV1 = cx.get("/v1/audit/verify").await?;
    if cx.global.json {
        cx.json(&audit)?;
    } else {
        let text = match (command, &audit.broken) {
            (Command::Head, None) => format!("{} {}\n", audit.seq, audit.head),
            (Command::Verify, None) => {
                format!("the chain holds: {} events, head {}\n", audit.events, audit.head)
            }
            (_, Some(b)) => format!(
                "THE CHAIN IS BROKEN at {} line {}, event {}: {}\n{} events before it hold\n",
                b.segment, b.line, b.seq, b.message, audit.events
            ),
        };
        cx.print(&text)?;
    }
    Ok(if audit.verified { Outcome::Done } else { Outcome::Negative })
}
