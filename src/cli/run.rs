//! Runs a command: calls its function, prints its error, and returns its outcome.

use std::ffi::OsString;
use std::io::Write;

use clap::{CommandFactory, Parser};

use super::args::{Args, Command};
use super::context::Context;
use super::error::CliError;
use super::program::CliErrorOrFiles;
use super::program::Program;
use super::{
    alarm, audit, decode, equipment, firmware, guide, history, link, now, profile, reload, render, report,
    scan, status, ticket, why,
};
use crate::ambient::Clock;
use crate::daemon::install_log;
use crate::words::{Outcome, shown};

/// Parses the arguments. If they cannot be parsed, prints the reason and returns the exit code. Arguments in a message
/// are made safe for the screen.
///
/// # Errors
/// The exit code: 0 after help or version, 2 if the arguments are wrong.
pub fn arguments(given: impl Iterator<Item = OsString>) -> Result<Args, u8> {
    let given: Vec<OsString> = given.collect();
    Args::try_parse_from(&given).map_err(|e| {
        let plain = given.iter().map(|a| shown(&a.to_string_lossy()).into_owned());
        let e = Args::try_parse_from(plain).err().unwrap_or(e);
        // If the message cannot be printed, the exit code still reports the error.
        let _printed = e.print();
        u8::try_from(e.exit_code()).unwrap_or(2)
    })
}

/// Runs a command to its end, and returns its outcome.
pub async fn run(args: Args) -> Outcome {
    install_log(Clock::start(), args.levels());
    let program = Program::new();
    let is_json = args.global.json;
    let mut context = Context::new(args.global, &program);
    let end = dispatch(&mut context, args.command).await;
    drop(context);
    let outcome = report_error(end, is_json);
    program.close(outcome).await
}

/// Prints the error of a command that failed, and returns the outcome of the command.
fn report_error(end: Result<Outcome, CliError>, is_json: bool) -> Outcome {
    match end {
        Ok(outcome) => outcome,
        // The reader of the output has ended, as in `andon ... | head`. This is not an error.
        Err(CliError::Output(e)) if e.kind() == std::io::ErrorKind::BrokenPipe => Outcome::Done,
        Err(error) => {
            let mut stderr = anstream::stderr().lock();
            let printed = if is_json {
                let text = render::json(&error.body()).unwrap_or_default();
                writeln!(stderr, "{text}")
            } else {
                render::failure(&error, &mut stderr)
            };
            // If standard error is closed, the exit code still reports the error.
            drop(printed);
            error.outcome()
        }
    }
}

async fn dispatch(cx: &mut Context<'_>, command: Option<Command>) -> Result<Outcome, CliError> {
    let Some(command) = command else { return now::run(cx).await };
    match command {
        Command::Status => status::run(cx).await,
        Command::Equipment(command) => equipment::run(cx, command).await,
        Command::Alarm(command) => alarm::run(cx, command).await,
        Command::Ticket(command) => ticket::run(cx, command).await,
        Command::ReportFault(args) => ticket::report(cx, args).await,
        Command::Ack(args) => ticket::run(cx, ticket::Command::Ack(args)).await,
        Command::Start(args) => ticket::run(cx, ticket::Command::Start(args)).await,
        Command::Note(args) => ticket::run(cx, ticket::Command::Note(args)).await,
        Command::Fix(args) => ticket::run(cx, ticket::Command::Fix(args)).await,
        Command::Close(args) => ticket::run(cx, ticket::Command::Close(args)).await,
        Command::History(args) => history::run(cx, args).await,
        Command::Report(command) => report::run(cx, command).await,
        Command::Why(args) => why::run(cx, &args).await,
        Command::Scan(args) => scan::run(cx, &args).await,
        Command::Link(command) => link::run(cx, command).await,
        Command::Profile(command) => profile::run(cx, command).await,
        Command::Firmware(command) => firmware::run(cx, &command).await,
        Command::Decode(args) => decode::run(cx, &args),
        Command::Audit(command) => audit::run(cx, &command).await,
        Command::Daemon(_) => {
            let site = cx.site()?;
            let data = cx.program.data(&site, &cx.config(), cx.global.data.as_deref());
            composed(cx.program.daemon(site, &cx.config(), &data).await)
        }
        Command::Reload => reload::run(cx).await,
        Command::Sim(args) => match cx.program.sim(&args).await {
            Ok(()) => Ok(Outcome::Done),
            Err(CliErrorOrFiles::Files(all)) => Err(CliError::Files(all)),
            Err(CliErrorOrFiles::Other(e)) => composed(Err(e)),
        },
        Command::Demo(args) => composed(cx.program.demo(&args).await),
        Command::Guide(args) => guide::run(cx, &args),
        Command::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut Args::command(), "andon", &mut text);
            cx.print_exact(&String::from_utf8_lossy(&text))?;
            Ok(Outcome::Done)
        }
    }
}

fn composed(end: Result<(), (Outcome, String)>) -> Result<Outcome, CliError> {
    match end {
        Ok(()) => Ok(Outcome::Done),
        Err((outcome, text)) => Err(CliError::Other(outcome, text)),
    }
}
