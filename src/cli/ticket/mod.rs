//! `andon ticket`: lists, shows and changes tickets. Some verbs exist without the noun as well: `andon ack 12`.

mod change;
mod list;
mod show;

use clap::Subcommand;

pub(super) use change::report;
pub use change::{CancelArgs, FixArgs, ReportArgs, SeverityArgs, StepArgs, WithNote, WithPerson, WithText};
pub use list::ListArgs;
pub(super) use list::{print_rows, sheet};

use super::capture::{self, TicketWireArgs};
use super::context::Context;
use super::error::CliError;
use super::samples::{self, TraceArgs};
use crate::words::Outcome;

/// Arguments: only a ticket.
#[derive(Debug, clap::Args)]
pub struct OnlyTicket {
    /// Ticket number; or an equipment id, if this equipment has exactly one live ticket
    #[arg(value_name = "N")]
    pub ticket: String,
}

/// The verbs of `andon ticket`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List live tickets, worst first
    List(ListArgs),
    /// Show everything about one ticket, with the last 60 lines of its log (--json: with all lines)
    Show(OnlyTicket),
    /// Show the readings of the fault's points around its onset, with the onset and the limits
    Trace(TraceArgs),
    /// Write the frames of the link around the onset to a file that Wireshark opens
    Wire(TicketWireArgs),
    /// Acknowledge a ticket
    Ack(OnlyTicket),
    /// Assign a ticket to a person
    Assign(WithPerson),
    /// Start work on a ticket
    Start(OnlyTicket),
    /// Put a ticket on hold, with a reason
    Hold(WithText),
    /// Add a note to a ticket
    Note(WithText),
    /// Set the severity of a ticket that a person reported
    Severity(SeverityArgs),
    /// Answer a troubleshooting step; without an answer the gateway reads the equipment
    Step(StepArgs),
    /// Record the cause of the fault and what was done
    Fix(FixArgs),
    /// Close a ticket after you have verified the fix
    Close(WithNote),
    /// Reopen a fixed or closed ticket, with a reason
    Reopen(WithText),
    /// Cancel a ticket: nuisance alarm, or duplicate of another ticket
    Cancel(CancelArgs),
}

pub(super) async fn run(cx: &mut Context<'_>, command: Command) -> Result<Outcome, CliError> {
    match command {
        Command::List(args) => list::run(cx, args).await,
        Command::Show(args) => show::run(cx, &args.ticket).await,
        Command::Trace(args) => samples::trace(cx, args).await,
        Command::Wire(args) => capture::ticket(cx, &args).await,
        Command::Ack(args) => change::acknowledge(cx, &args.ticket).await,
        Command::Assign(args) => change::assign(cx, args).await,
        Command::Start(args) => change::start(cx, &args.ticket).await,
        Command::Hold(args) => change::hold(cx, &args).await,
        Command::Note(args) => change::note(cx, &args).await,
        Command::Severity(args) => change::severity(cx, args).await,
        Command::Step(args) => change::step(cx, args).await,
        Command::Fix(args) => change::fix(cx, args).await,
        Command::Close(args) => change::close(cx, args).await,
        Command::Reopen(args) => change::reopen(cx, &args).await,
        Command::Cancel(args) => change::cancel(cx, args).await,
    }
}
