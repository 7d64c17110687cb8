//! `andon alarm list|shelve|unshelve`, and the request that shelving, service and relearning share.

use std::time::Duration;

use clap::Subcommand;

use super::context::Context;
use super::error::CliError;
use super::status;
use crate::v1::{OperatedV1, OperationKindV1, OperationV1, ShelvedV1, StatusV1};
use crate::words::{Outcome, parse_duration};

/// The verbs of `andon alarm`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List active and suppressed alarms, worst first, with the ISA-18.2 state and the reason of each suppression
    List,
    /// Shelve an alarm for a limited time: it opens no ticket. If its condition is still true at the end, andon raises it
    #[command(
        after_help = "Example:\n  andon alarm shelve press-7 oil-hot --for 4h --reason 'cooler is being changed'"
    )]
    Shelve {
        /// Equipment id
        id: String,
        /// Name of the fault
        fault: String,
        /// Shelve for this long, seven days at most
        #[arg(long = "for", value_name = "DURATION", value_parser = parse_duration)]
        how_long: Duration,
        /// Reason, recorded in the journal
        #[arg(long)]
        reason: String,
    },
    /// Unshelve an alarm before its time
    #[command(after_help = "Example:\n  andon alarm unshelve press-7 oil-hot --reason 'cooler is changed'")]
    Unshelve {
        /// Equipment id
        id: String,
        /// Name of the fault
        fault: String,
        /// Reason, recorded in the journal
        #[arg(long)]
        reason: String,
    },
}

pub(super) async fn run(cx: &mut Context<'_>, command: Command) -> Result<Outcome, CliError> {
    match command {
        Command::List => list(cx).await,
        Command::Shelve { id, fault, how_long, reason } => {
            let for_ms = u64::try_from(how_long.as_millis()).unwrap_or(u64::MAX);
            operate(cx, id, OperationKindV1::Shelve { fault, for_ms }, reason).await
        }
        Command::Unshelve { id, fault, reason } => {
            operate(cx, id, OperationKindV1::Unshelve { fault }, reason).await
        }
    }
}

async fn list(cx: &mut Context<'_>) -> Result<Outcome, CliError> {
    let status: StatusV1 = cx.get("/v1/status").await?;
    // CSV is for other programs, so its times stay in UTC.
    let note = |text: &str| if cx.global.is_csv() { text.to_owned() } else { cx.sentence(text) };
    let sheet = status::alarms(&status.alarms, status.now, note);
    cx.list(&status.alarms, &sheet, "No active or suppressed alarms.")?;
    if !cx.global.json && !cx.global.is_csv() {
        let there =
            |s: &ShelvedV1| status.alarms.iter().any(|a| a.equipment == s.equipment && a.fault == s.fault);
        for s in status.shelved.iter().filter(|s| !there(s)) {
            let until = cx.time(s.until);
            cx.print(&format!(
                "shelved, condition now false: {} {} until {until} by {}: {}\n",
                s.equipment, s.fault, s.by, s.reason
            ))?;
        }
        for o in &status.out_of_service {
            let since = cx.time(o.since);
            cx.print(&format!("out of service: {} since {since} by {}: {}\n", o.equipment, o.by, o.reason))?;
        }
    }
    Ok(Outcome::Done)
}

/// Asks the gateway for an operation, and prints its reply.
pub(super) async fn operate(
    cx: &mut Context<'_>,
    equipment: String,
    operation: OperationKindV1,
    reason: String,
) -> Result<Outcome, CliError> {
    let body = OperationV1 { equipment, operation, reason };
    let done: OperatedV1 = cx.post("/v1/operations", &body).await?;
    if cx.global.json {
        cx.json(&done)?;
    } else {
        cx.print(&format!("{}\n", cx.sentence(&done.message)))?;
    }
    Ok(Outcome::Done)
}
