//! `andon audit verify|head|accept`.

use clap::Subcommand;

use super::context::Context;
use super::error::CliError;
use crate::v1::{AcceptV1, AuditV1, DamageV1, OperatedV1};
use crate::words::Outcome;

/// The verbs of `andon audit`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Record that you have taken note of damage of the journal. andon then no longer shows it on the first screen
    Accept {
        /// Reason, recorded in the journal: for example, the result of a comparison with a backup
        #[arg(long)]
        reason: String,
    },
    /// Check every line of the journal's hash chain. Exit code 1 if the chain is broken
    Verify,
    /// Print the number and hash of the last event. Store them outside this gateway: they show later if events were removed from the end
    Head,
}

pub(super) async fn run(cx: &mut Context<'_>, command: &Command) -> Result<Outcome, CliError> {
    if let Command::Accept { reason } = command {
        let done: OperatedV1 = cx.post("/v1/audit/accept", &AcceptV1 { reason: reason.clone() }).await?;
        if cx.global.json {
            cx.json(&done)?;
        } else {
            cx.print(&format!("{}\n", done.message))?;
        }
        return Ok(Outcome::Done);
    }
    let audit: AuditV1 = cx.get("/v1/audit/verify").await?;
    if cx.global.json {
        cx.json(&audit)?;
    } else {
        let text = match (command, &audit.broken) {
            (Command::Head, None) => format!("{} {}\n", audit.seq, audit.head),
            (_, None) => {
                format!("the hash chain is intact: {} events, last hash {}\n", audit.events, audit.head)
            }
            (_, Some(b)) => {
                let first = format!(
                    "THE HASH CHAIN IS BROKEN, first at {} line {}, event {}: {}\n{} events can be read\n",
                    b.segment, b.line, b.seq, b.message, audit.events
                );
                let all = audit.damage.iter().map(|d| format!("damage: {}{}\n", d.message, accepted(d)));
                all.fold(first, |text, line| text + &line)
            }
        };
        cx.print(&text)?;
    }
    Ok(if audit.verified { Outcome::Done } else { Outcome::Negative })
}

fn accepted(d: &DamageV1) -> String {
    match (&d.accepted_by, &d.accepted_because) {
        (Some(by), Some(why)) => format!(" (accepted by {by}: {why})"),
        _ => String::new(),
    }
}
