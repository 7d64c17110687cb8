//! `andon ticket`: list, show, and every verb. The everyday verbs also stand at the top: `andon ack 12`.

mod change;
mod list;
mod show;

use clap::Subcommand;

pub use change::{CancelArgs, FixArgs, StepArgs, WithNote, WithPerson, WithText};
pub use list::ListArgs;
pub(super) use list::{print_rows, sheet};

use super::capture::{self, TicketWireArgs};
use super::context::{Composition, Context};
use super::error::CliError;
use super::samples::{self, TraceArgs};
use crate::words::Outcome;

/// Only a ticket.
#[derive(Debug, clap::Args)]
pub struct OnlyTicket {
    /// Its number, or an equipment id where only one ticket is live
    #[arg(value_name = "N")]
    pub ticket: String,
}

/// What can be done with tickets.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Live tickets, worst first
    List(ListArgs),
    /// Everything about one ticket
    Show(OnlyTicket),
    /// The readings around its onset: its fault's points, with the onset and the limits marked
    Trace(TraceArgs),
    /// The frames on the wire around its fault, as a file that Wireshark opens
    Wire(TicketWireArgs),
    /// You have seen it
    Ack(OnlyTicket),
    /// Somebody shall do it
    Assign(WithPerson),
    /// You work on it
    Start(OnlyTicket),
    /// It waits for something
    Hold(WithText),
    /// For the record
    Note(WithText),
    /// Answer a troubleshooting step; without an answer the gateway reads the equipment
    Step(StepArgs),
    /// What it came from and what was done
    Fix(FixArgs),
    /// The fix is verified
    Close(WithNote),
    /// It is not over
    Reopen(WithText),
    /// It is no work: a nuisance, or a duplicate of another ticket
    Cancel(CancelArgs),
}

pub(super) async fn run<C: Composition>(
    cx: &mut Context<'_, C>,
    command: Command,
) -> Result<Outcome, CliError> {
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
        Command::Step(args) => change::step(cx, args).await,
        Command::Fix(args) => change::fix(cx, args).await,
        Command::Close(args) => change::close(cx, args).await,
        Command::Reopen(args) => change::reopen(cx, &args).await,
        Command::Cancel(args) => change::cancel(cx, args).await,
    }
}
