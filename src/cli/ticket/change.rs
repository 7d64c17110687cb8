//! The verbs that change a ticket: their arguments, and the line that is printed after the change.

use super::show;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::client::Client;
use crate::ticket::{Answer, CancelReason, TicketReport, TicketVerb, UsedPart};
use crate::v1::TicketV1;
use crate::view;
use crate::words::{Outcome, Severity, StepId, TicketNumber};

/// Arguments: a ticket and a person.
#[derive(Debug, clap::Args)]
pub struct WithPerson {
    /// Ticket number; or an equipment id, if this equipment has exactly one live ticket
    #[arg(value_name = "N")]
    pub ticket: String,
    /// Name of the person who is to do the work
    pub person: String,
}

/// Arguments: a ticket and a text.
#[derive(Debug, clap::Args)]
pub struct WithText {
    /// Ticket number; or an equipment id, if this equipment has exactly one live ticket
    #[arg(value_name = "N")]
    pub ticket: String,
    /// Text; quotes are not needed
    #[arg(required = true, num_args = 1..)]
    pub text: Vec<String>,
}

/// Arguments: a ticket, and optionally a note.
#[derive(Debug, clap::Args)]
pub struct WithNote {
    /// Ticket number; or an equipment id, if this equipment has exactly one live ticket
    #[arg(value_name = "N")]
    pub ticket: String,
    /// Add this text to the ticket's log
    #[arg(long)]
    pub note: Option<String>,
}

/// Arguments: a ticket, a step, and the answer to the step.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  andon ticket step 12 resistor no --note 'measures open'\n  andon ticket step 12 bus          the gateway reads the equipment and answers"
)]
pub struct StepArgs {
    /// Ticket number; or an equipment id, if this equipment has exactly one live ticket
    #[arg(value_name = "N")]
    pub ticket: String,
    /// Name of the step
    pub step: String,
    /// yes, no or skip. Leave it out for a step that the gateway checks: andon reads the equipment and answers
    #[arg(value_parser = answer)]
    pub answer: Option<Answer>,
    /// Add this text to the ticket's log
    #[arg(long)]
    pub note: Option<String>,
}

fn severity_of(text: &str) -> Result<Severity, String> {
    let known = Severity::ALL.into_iter().find(|s| s.word() == text);
    known.ok_or_else(|| "write critical, major, minor or advisory".to_owned())
}

fn answer(text: &str) -> Result<Answer, String> {
    Answer::ALL.into_iter().find(|a| a.word() == text).ok_or_else(|| "answer yes, no or skip".to_owned())
}

/// Arguments: a ticket, and the fix.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  andon fix 12 --cause 'resistor open' --action 'replaced braking resistor' --part BRAKE-RES:1 --minutes 25"
)]
pub struct FixArgs {
    /// Ticket number; or an equipment id, if this equipment has exactly one live ticket
    #[arg(value_name = "N")]
    pub ticket: String,
    /// Cause of the fault
    #[arg(long)]
    pub cause: String,
    /// Work that was done
    #[arg(long)]
    pub action: String,
    /// Part that was used, with its quantity; repeat the option for other parts
    #[arg(long = "part", value_name = "ID:QTY", value_parser = part)]
    pub parts: Vec<UsedPart>,
    /// Repair time in minutes
    #[arg(long)]
    pub minutes: Option<u32>,
    /// Reason for a fix while the fault is still active
    #[arg(long, value_name = "REASON")]
    pub while_active: Option<String>,
}

fn part(text: &str) -> Result<UsedPart, String> {
    let (id, quantity) = text.rsplit_once(':').unwrap_or((text, "1"));
    let quantity = quantity.parse().ok().filter(|q| *q > 0);
    match quantity {
        Some(quantity) if !id.is_empty() => Ok(UsedPart { id: id.to_owned(), quantity }),
        _ => Err("write ID or ID:QUANTITY, as in NH00-63:2".to_owned()),
    }
}

/// Arguments: a ticket, and the reason for cancelling it.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  andon ticket cancel 12 nuisance --note 'sensor unplugged for cleaning'\n  andon ticket cancel 12 duplicate --of 9"
)]
pub struct CancelArgs {
    /// Ticket number; or an equipment id, if this equipment has exactly one live ticket
    #[arg(value_name = "N")]
    pub ticket: String,
    /// Reason: nuisance or duplicate
    #[arg(value_parser = ["nuisance", "duplicate"])]
    pub reason: String,
    /// Number of the ticket that stays open
    #[arg(long, value_name = "M", required_if_eq("reason", "duplicate"))]
    pub of: Option<u64>,
    /// Add this text to the ticket's log
    #[arg(long)]
    pub note: Option<String>,
}

/// Arguments: a fault that a person has observed.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  andon report-fault press-7 'squeals at start'\n  andon report-fault press-7 'now with smoke' --also 12"
)]
pub struct ReportArgs {
    /// Equipment id
    pub equipment: String,
    /// Your observation
    #[arg(required = true, value_name = "TEXT")]
    pub text: Vec<String>,
    /// Number of a live ticket about the same fault; andon then opens no other ticket
    #[arg(long, value_name = "N")]
    pub also: Option<u64>,
}

/// Arguments: a ticket and its severity.
#[derive(Debug, clap::Args)]
pub struct SeverityArgs {
    /// Ticket number; or an equipment id, if this equipment has exactly one live ticket
    #[arg(value_name = "N")]
    pub ticket: String,
    /// critical, major, minor or advisory
    #[arg(value_parser = severity_of)]
    pub severity: Severity,
}

async fn change(cx: &mut Context<'_>, which: &str, command: &TicketVerb) -> Result<TicketV1, CliError> {
    cx.post(&Client::path("/v1/tickets/{}", &[which]), command).await
}

/// Changes a ticket, and prints the last line of its log and the next command, or the ticket as JSON.
async fn tell(cx: &mut Context<'_>, which: &str, command: TicketVerb) -> Result<Outcome, CliError> {
    let ticket = change(cx, which, &command).await?;
    print(cx, &ticket)
}

fn print(cx: &mut Context<'_>, ticket: &TicketV1) -> Result<Outcome, CliError> {
    if cx.global.json {
        cx.json(ticket)?;
        return Ok(Outcome::Done);
    }
    let last = ticket.log.last().map_or("", |e| e.text.as_str());
    let mut text =
        format!("ticket {} ({} on {}): {last}\n", ticket.row.id, ticket.row.subject(), ticket.row.equipment);
    if let Some(next) = view::next(ticket) {
        text.push_str(&format!("next: {next}\n"));
    }
    cx.print(&text)?;
    Ok(Outcome::Done)
}

pub(super) async fn acknowledge(cx: &mut Context<'_>, which: &str) -> Result<Outcome, CliError> {
    tell(cx, which, TicketVerb::Acknowledge).await
}

pub(super) async fn assign(cx: &mut Context<'_>, args: WithPerson) -> Result<Outcome, CliError> {
    tell(cx, &args.ticket, TicketVerb::Assign { person: args.person }).await
}

/// Starts work on a ticket, and prints the whole ticket: the safety measures, the steps and the past fixes.
pub(super) async fn start(cx: &mut Context<'_>, which: &str) -> Result<Outcome, CliError> {
    let ticket = cx.post(&show::log_path(cx, which), &TicketVerb::Start).await?;
    show::print(cx, &ticket).await?;
    Ok(Outcome::Done)
}

pub(super) async fn hold(cx: &mut Context<'_>, args: &WithText) -> Result<Outcome, CliError> {
    tell(cx, &args.ticket, TicketVerb::Hold { reason: args.text.join(" ") }).await
}

pub(super) async fn note(cx: &mut Context<'_>, args: &WithText) -> Result<Outcome, CliError> {
    tell(cx, &args.ticket, TicketVerb::Note { text: args.text.join(" ") }).await
}

/// Reports a fault: opens a ticket, or adds to the ticket of `--also`, which must be of the same equipment.
pub(in crate::cli) async fn report(cx: &mut Context<'_>, args: ReportArgs) -> Result<Outcome, CliError> {
    let text = args.text.join(" ");
    if let Some(number) = args.also {
        let verb = TicketVerb::ReportAgain { equipment: args.equipment, text };
        return tell(cx, &number.to_string(), verb).await;
    }
    let ticket = cx.post("/v1/tickets", &TicketReport { equipment: args.equipment, text }).await?;
    print(cx, &ticket)
}

pub(super) async fn severity(cx: &mut Context<'_>, args: SeverityArgs) -> Result<Outcome, CliError> {
    tell(cx, &args.ticket, TicketVerb::Severity { severity: args.severity }).await
}

pub(super) async fn step(cx: &mut Context<'_>, args: StepArgs) -> Result<Outcome, CliError> {
    let step = StepId::parse(&args.step)
        .map_err(|e| CliError::usage(format!("{} is not a name for a step: {e}", args.step)))?;
    tell(cx, &args.ticket, TicketVerb::Step { step, answer: args.answer, note: args.note }).await
}

pub(super) async fn fix(cx: &mut Context<'_>, args: FixArgs) -> Result<Outcome, CliError> {
    let FixArgs { ticket, cause, action, parts, minutes, while_active } = args;
    tell(cx, &ticket, TicketVerb::Fix { cause, action, parts, minutes, while_active }).await
}

pub(super) async fn close(cx: &mut Context<'_>, args: WithNote) -> Result<Outcome, CliError> {
    tell(cx, &args.ticket, TicketVerb::Close { note: args.note }).await
}

pub(super) async fn reopen(cx: &mut Context<'_>, args: &WithText) -> Result<Outcome, CliError> {
    tell(cx, &args.ticket, TicketVerb::Reopen { reason: args.text.join(" ") }).await
}

pub(super) async fn cancel(cx: &mut Context<'_>, args: CancelArgs) -> Result<Outcome, CliError> {
    let reason = args.of.map_or(CancelReason::Nuisance, |n| CancelReason::DuplicateOf(TicketNumber(n)));
    if args.reason == "nuisance" && args.of.is_some() {
        return Err(CliError::usage("--of is only for duplicates; write: duplicate --of M"));
    }
    tell(cx, &args.ticket, TicketVerb::Cancel { reason, note: args.note }).await
}
