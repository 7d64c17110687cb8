//! The arguments of every command, with their help texts. `andon help NOUN` shows these texts.

use clap::{Parser, Subcommand};

use super::options::{DaemonArgs, DemoArgs, Global, SimArgs};
use super::{
    alarm, audit, decode, equipment, firmware, guide, history, link, profile, report, scan, ticket, why,
};
use crate::daemon::Levels;

/// Watch machines and instruments, open a ticket for each fault, and keep a tamper-evident record of the work.
#[derive(Debug, Parser)]
#[command(name = "andon", version, max_term_width = 100, infer_long_args = true, after_help = EXAMPLES)]
pub struct Args {
    /// The options that every command has.
    #[command(flatten)]
    pub global: Global,
    /// The command. Without a command, andon shows the active alarms and the live tickets.
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Args {
    /// The levels of the log: those of the daemon, else warnings and errors only.
    pub(super) fn levels(&self) -> Levels {
        match &self.command {
            Some(Command::Daemon(daemon)) => daemon.log.clone(),
            _ => Levels::quiet(),
        }
    }
}

const EXAMPLES: &str = "\
Examples:
  andon                          show the active alarms and the tickets that wait for you
  andon guide start              show how to set up a gateway
  andon demo                     show andon on simulated machines with a fault
  andon ticket show 12           show everything about ticket 12
  andon ack press-7              acknowledge the only live ticket of press-7
  andon fix 12 --cause 'loose terminal' --action 're-tightened' --minutes 10
  andon history --equipment press-7 --since 30d

Exit codes: 0 done, 1 a negative answer, 2 usage, 3 not found, 4 refused by a rule,
5 the gateway cannot be reached, 6 internal failure of the gateway (for example: disk full).";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show the gateway, its links, its equipment and its alarms
    #[command(after_help = "Example:\n  andon status --json | jq '.links[] | select(.state != \"online\")'")]
    Status,
    /// List, show, read and write equipment; take it out of service; relearn a baseline
    #[command(subcommand)]
    Equipment(equipment::Command),
    /// List active and suppressed alarms; shelve and unshelve an alarm
    #[command(subcommand)]
    Alarm(alarm::Command),
    /// List, show and work on tickets
    #[command(subcommand)]
    Ticket(ticket::Command),
    /// Report a fault that you have observed: opens a ticket
    ReportFault(ticket::ReportArgs),
    /// Acknowledge a ticket: you have seen it
    Ack(ticket::OnlyTicket),
    /// Start work on a ticket
    Start(ticket::OnlyTicket),
    /// Add a note to a ticket
    Note(ticket::WithText),
    /// Record the cause of a fault and what was done
    Fix(ticket::FixArgs),
    /// Close a ticket after you have verified the fix
    Close(ticket::WithNote),
    /// List past tickets: faults, causes, fixes and whether the fixes were effective
    History(history::HistoryArgs),
    /// Report on alarms, compared with the targets of ISA-18.2
    #[command(subcommand)]
    Report(report::Command),
    /// Show where a value comes from, or why a fault is or is not raised
    Why(why::WhyArgs),
    /// Find devices: scan a Modbus line for unit ids, or listen to a broker. Without LINK: list the serial ports
    Scan(scan::ScanArgs),
    /// List links, show the load of a line, capture its frames
    #[command(subcommand)]
    Link(link::Command),
    /// List, show, check, create, import and test device profiles
    #[command(subcommand)]
    Profile(profile::Command),
    /// Check the firmware of equipment for known issues
    #[command(subcommand)]
    Firmware(firmware::Command),
    /// Show raw registers under every type and word order, the most probable first
    Decode(decode::DecodeArgs),
    /// Verify the journal (hash chain), or print its last hash
    #[command(subcommand)]
    Audit(audit::Command),
    /// Run the gateway; logs to standard error
    #[command(
        after_help = "Examples:\n  andon daemon --config /etc/andon/andon.toml\n  andon daemon --log info,andon::link=debug\n\nLevels: off, error, warning, info, debug, trace. SIGTERM or SIGINT stops the daemon; no\nreading and no event is lost."
    )]
    Daemon(DaemonArgs),
    /// Load configuration and profiles again on the running gateway. If one file has an error, nothing is changed
    #[command(
        after_help = "Example:\n  andon reload\n\nEquipment that did not change is not disturbed; no reading is lost. SIGHUP to the daemon does the same."
    )]
    Reload,
    /// Serve simulated equipment over Modbus TCP and Modbus RTU
    #[command(after_help = "Example:\n  andon sim plant.toml\n\nThe file's format: andon guide sim")]
    Sim(SimArgs),
    /// Show andon on a simulated plant with a fault. No other program is needed
    Demo(DemoArgs),
    /// Print a page of the manual: start, profiles, expressions, tickets, wires, firmware, simulation, rules, exit codes
    Guide(guide::GuideArgs),
    /// Print shell completions
    #[command(after_help = "Example:\n  andon completions bash > /etc/bash_completion.d/andon")]
    Completions {
        /// bash, zsh, fish, elvish or powershell
        shell: clap_complete::Shell,
    },
}
