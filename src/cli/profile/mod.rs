//! `andon profile check|show|new|list|import|play|replay|suggest`: commands on files. Only `replay --recorded` needs a
//! gateway.

mod check;
mod import;
mod new;
mod recording;
mod replay;
mod show;
mod suggest;

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::capture::{self, PlayArgs};
use super::context::Context;
use super::error::CliError;
use crate::limits;
use crate::profile::{Profile, load};
use crate::source::{SourceText, suggest};
use crate::words::{Outcome, ProfileName};

/// The verbs of `andon profile`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List all profiles: the built-in profiles, and the profiles in device-profiles/ beside andon.toml
    List,
    /// Check profiles and run their cases. Exit code 1 if a case fails
    #[command(
        after_help = "Examples:\n  andon profile check device-profiles/my-drive.toml\n  andon profile check eastron-sdm630"
    )]
    Check {
        /// Files or names of the profiles
        #[arg(required = true, num_args = 1.., value_name = "FILE|NAME")]
        profiles: Vec<String>,
    },
    /// Make a profile from SunSpec models, an EdgeX device profile or a register list
    Import(import::ImportArgs),
    /// Decode a capture with a profile: one row for each point of a response
    Play(PlayArgs),
    /// Show which alarms a profile would have raised on recorded readings
    Replay(replay::ReplayArgs),
    /// Propose limits, deadbands and delays from a recording of normal operation, as a patch for the profile
    Suggest(suggest::SuggestArgs),
    /// Show the points and faults of a profile
    Show {
        /// File or name of the profile
        #[arg(value_name = "FILE|NAME")]
        profile: String,
    },
    /// Write a profile as a template to fill in; it loads without errors and passes its own cases
    New {
        /// Name of the new profile
        name: String,
        /// File to write [default: device-profiles/NAME.toml]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

pub(super) async fn run(cx: &mut Context<'_>, command: Command) -> Result<Outcome, CliError> {
    match command {
        Command::List => show::list(cx),
        Command::Check { profiles } => check::run(cx, &profiles),
        Command::Import(args) => import::run(cx, args),
        Command::Play(args) => {
            let (_, _, profile) = loaded(cx, &args.profile)?;
            capture::played(cx, &profile, &args)
        }
        Command::Replay(args) => replay::run(cx, &args).await,
        Command::Suggest(args) => suggest::run(cx, &args),
        Command::Show { profile } => show::run(cx, &profile),
        Command::New { name, out } => new::run(cx, &name, out),
    }
}

/// Loads a profile, and returns its name, its text and the profile; fails with its errors if it does not load.
fn loaded(cx: &Context<'_>, which: &str) -> Result<(ProfileName, SourceText, Profile), CliError> {
    let (name, text) = source(cx, which)?;
    let (profile, diagnostics) = load(&name, &text);
    let profile = profile.ok_or_else(|| CliError::Files(vec![diagnostics]))?;
    Ok((name, text, profile))
}

/// Returns the name and the text of a profile. If `which` is a path, reads this file; if not, finds the profile as the
/// daemon does.
fn source(cx: &Context<'_>, which: &str) -> Result<(ProfileName, SourceText), CliError> {
    let path = Path::new(which);
    if which.contains('/') || path.extension().is_some_and(|e| e == "toml") {
        let fail = |e: &dyn std::fmt::Display| CliError::Other(Outcome::NoSuchThing, format!("{which}: {e}"));
        let bytes = std::fs::metadata(path).map_err(|e| fail(&e))?.len();
        if bytes > limits::FILE_BYTES_MAX {
            return Err(CliError::usage(format!(
                "{which}: the file is longer than {} bytes",
                limits::FILE_BYTES_MAX
            )));
        }
        let text = std::fs::read_to_string(path).map_err(|e| fail(&e))?;
        let stem = path.file_stem().and_then(|s| s.to_str()).unwrap_or("");
        let name = ProfileName::parse(stem).map_err(|e| {
            CliError::usage(format!("{which}: the file name must be a valid name for a profile: {e}"))
        })?;
        return Ok((name, SourceText::new(which, &text)));
    }
    let files = cx.program.profiles(&cx.config());
    let found = ProfileName::parse(which).ok().and_then(|name| Some((files.text(&name)?, name)));
    found.map(|(text, name)| (name, text)).ok_or_else(|| {
        let known = files.names();
        let help = suggest(which, known.iter().map(String::as_str)).or_known();
        CliError::Other(Outcome::NoSuchThing, format!("there is no profile {which}; {help}"))
    })
}
