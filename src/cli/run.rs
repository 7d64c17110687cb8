//! Dispatch: a command to its file, its end to an exit code.

use std::ffi::OsString;
use std::io::Write;

use clap::{CommandFactory, Parser};

use super::args::{Args, Command};
use super::context::{CliErrorOrFiles, Context};
use super::error::CliError;
use super::program::Program;
use super::{
    alarm, audit, decode, equipment, firmware, guide, history, link, now, profile, reload, render, report,
    scan, status, ticket, why,
};
use crate::ambient::Clock;
use crate::daemon::install_log;
use crate::words::{Outcome, shown};

/// The command line, understood; else how the process ends, after it told why. What it quotes of the arguments is shown
/// as any text from outside.
///
/// # Errors
/// The exit code: help and version are asked for, or the arguments are wrong.
pub fn arguments(given: impl Iterator<Item = OsString>) -> Result<Args, u8> {
    let given: Vec<OsString> = given.collect();
    Args::try_parse_from(&given).map_err(|e| {
        let plain = given.iter().map(|a| shown(&a.to_string_lossy()).into_owned());
        let e = Args::try_parse_from(plain).err().unwrap_or(e);
        // Where nobody reads the exit code still tells.
        let _told = e.print();
        u8::try_from(e.exit_code()).unwrap_or(2)
    })
}

/// Runs a command to its end and tells how it ended.
pub async fn run(args: Args) -> Outcome {
    install_log(Clock::start(), args.levels());
    let program = Program::new();
    let is_json = args.global.json;
    let mut context = Context::new(args.global, &program);
    let end = dispatch(&mut context, args.command).await;
    drop(context);
    let outcome = told(end, is_json);
    program.close(outcome).await
}

/// Tells how a command ended.
fn told(end: Result<Outcome, CliError>, is_json: bool) -> Outcome {
    match end {
        Ok(outcome) => outcome,
        // Whoever read us has seen enough: `andon ... | head`.
        Err(CliError::Output(e)) if e.kind() == std::io::ErrorKind::BrokenPipe => Outcome::Done,
        Err(error) => {
            let mut stderr = anstream::stderr().lock();
            let told = if is_json {
                let text = render::json(&error.body()).unwrap_or_default();
                writeln!(stderr, "{text}")
            } else {
                render::failure(&error, &mut stderr)
            };
            // Where standard error is closed the exit code still tells.
            drop(told);
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
