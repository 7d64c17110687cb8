//! `andon profile import`: a profile from what others wrote; what is not carried over is told, entry by entry.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::new::create;
use crate::cli::context::{Composition, Context};
use crate::cli::error::CliError;
use crate::cli::render::plural;
use crate::limits;
use crate::profile::{ImportFormat, ImportOptions, import, load};
use crate::source::SourceText;
use crate::words::{Outcome, ProfileName};

/// `andon profile import NAME FILE...`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  andon profile import my-inverter model_1.json model_103.json --start 40002\n  andon profile import string-box model_1.json model_403.json --repeat string=16\n  andon profile import room-unit edgex-profile.yaml\n  andon profile import my-meter registers.csv\n\nSunSpec models stand in the order given, each with its ID and length in front. A CSV's first line names its columns:\nname, register or ref, type; perhaps scale, offset, unit, word_order, every, description, min and max, values, bits."
)]
pub struct ImportArgs {
    /// The new profile's name
    pub name: String,
    /// SunSpec models (.json), an EdgeX device profile (.yaml) or a register list (.csv)
    #[arg(required = true, num_args = 1.., value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The format, if the file name does not show it: sunspec, edgex, csv
    #[arg(long, value_parser = format)]
    pub format: Option<ImportFormat>,
    /// SunSpec: the register of the first model's ID, zero-based [default: 40002]
    #[arg(long, value_name = "REGISTER")]
    pub start: Option<u16>,
    /// SunSpec: number of repetitions of a group
    #[arg(long, value_name = "GROUP=N", value_parser = repeat)]
    pub repeat: Vec<(String, u16)>,
    /// File to write [default: device-profiles/NAME.toml]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

fn format(text: &str) -> Result<ImportFormat, String> {
    let found = ImportFormat::WORDS.iter().find(|(word, _)| *word == text);
    found.map(|(_, format)| *format).ok_or_else(|| "the formats are sunspec, edgex and csv".to_owned())
}

fn repeat(text: &str) -> Result<(String, u16), String> {
    let pair = text.split_once('=').and_then(|(name, n)| Some((name.to_owned(), n.parse().ok()?)));
    pair.filter(|(_, n)| (1..=1000).contains(n)).ok_or_else(|| "write it as module=3".to_owned())
}

#[derive(Serialize)]
struct Imported {
    profile: String,
    points: usize,
    remarks: Vec<String>,
}

pub(super) fn run<C: Composition>(cx: &Context<'_, C>, args: ImportArgs) -> Result<Outcome, CliError> {
    let name = ProfileName::parse(&args.name)
        .map_err(|e| CliError::usage(format!("{} is not a name for a profile: {e}", args.name)))?;
    let mut formats: Vec<ImportFormat> = Vec::new();
    let mut files = Vec::new();
    for path in &args.files {
        let shown = path.display().to_string();
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        let format = args.format.or_else(|| ImportFormat::of_ending(ending));
        formats.push(format.ok_or_else(|| CliError::usage(format!("{shown}: say its --format")))?);
        let fail = |e: &dyn std::fmt::Display| CliError::Other(Outcome::NoSuchThing, format!("{shown}: {e}"));
        let size = std::fs::metadata(path).map_err(|e| fail(&e))?.len();
        if size > limits::FILE_BYTES_MAX {
            return Err(CliError::usage(format!(
                "{shown}: it has more than {} bytes",
                limits::FILE_BYTES_MAX
            )));
        }
        files.push((shown.clone(), std::fs::read_to_string(path).map_err(|e| fail(&e))?));
    }
    let format = match formats.as_slice() {
        [first, rest @ ..] if rest.iter().all(|f| f == first) => *first,
        _ => return Err(CliError::usage("one profile is made of files of one format".to_owned())),
    };
    let repeats: BTreeMap<String, u16> = args.repeat.into_iter().collect();
    let draft =
        import(format, &files, &ImportOptions { start: args.start, repeats }).map_err(CliError::usage)?;
    let text = draft.render(name.as_str());
    let (profile, diagnostics) = load(&name, &SourceText::new(&format!("{name}.toml"), &text));
    if profile.is_none() {
        // It is shown against the text that would have been written: something of the file makes no profile.
        return Err(CliError::Files(vec![diagnostics]));
    }
    let path = create(cx, &name, args.out, &text)?;
    let points = draft.points_count();
    if cx.global.json {
        cx.json(&Imported { profile: path, points, remarks: draft.remarks })?;
        return Ok(Outcome::Done);
    }
    for remark in &draft.remarks {
        cx.remark(remark)?;
    }
    cx.print(&format!(
        "wrote {path} with {}; {} to look at\nnext: name its maker and source, add a [[case]] from a real device, then: andon profile check {path}\n",
        plural(points, "point"),
        plural(draft.remarks.len(), "remark")
    ))?;
    Ok(Outcome::Done)
}
