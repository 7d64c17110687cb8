//! `andon profile import`: makes a profile from a file of another format, and reports each entry that cannot be imported.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Serialize;

use super::new::create;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::render::plural;
use crate::limits;
use crate::profile::{Area, DataType, ImportFormat, ImportOptions, area_of, import, load, text_of};
use crate::source::SourceText;
use crate::words::{Outcome, ProfileName};

/// `andon profile import NAME FILE...`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  andon profile import my-inverter model_1.json model_103.json --start 40002\n  andon profile import string-box model_1.json model_403.json --repeat string=16\n  andon profile import room-unit edgex-profile.yaml\n  andon profile import my-meter registers.csv\n  andon profile import my-meter export.csv --map name=\"Tag Name\" --map register=Address --area holding --type int=i16\n\nGive the SunSpec models in the order of their registers; each model begins with its ID and its length.\nOne line of a CSV file gives the names of the columns: name, type, and register (counts from 0: holding:40) or ref (as\nmanuals print it: 40041). Optional columns: area, unit, scale or divisor, offset, length or registers, word_order, bit,\nmask, shift, values, bits, absent, access, every, description; min and max make the point writable. For other column\nnames, use --map. andon leaves out a row that it cannot import, and reports the row with its line."
)]
pub struct ImportArgs {
    /// Name of the new profile
    pub name: String,
    /// Files to import: SunSpec models (.json), an EdgeX device profile (.yaml, .json) or a register list (.csv)
    #[arg(required = true, num_args = 1.., value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// Format, if the file name does not show it: sunspec, edgex or csv
    #[arg(long, value_parser = format)]
    pub format: Option<ImportFormat>,
    /// SunSpec: register of the ID of the first model; counts from 0 [default: 40002]
    #[arg(long, value_name = "REGISTER")]
    pub start: Option<u16>,
    /// SunSpec: number of repetitions of a group
    #[arg(long, value_name = "GROUP=N", value_parser = repeat)]
    pub repeat: Vec<(String, u16)>,
    /// Register list: column of a field, by its title or its number: name="Tag Name", register=#2
    #[arg(long, value_name = "FIELD=COLUMN", value_parser = pair)]
    pub map: Vec<(String, String)>,
    /// Register list: area of register numbers without an area: holding, input, coil or discrete
    #[arg(long, value_name = "AREA", value_parser = area_of)]
    pub area: Option<Area>,
    /// Register list: register numbers count from 1, not from 0 as on the wire
    #[arg(long)]
    pub one_based: bool,
    /// Register list: meaning of a word in the type column, as in int=i16; or type of the rows without a type, as in u16
    #[arg(long = "type", value_name = "[WORD=]TYPE", value_parser = type_given)]
    pub types: Vec<(Option<String>, String)>,
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
    pair.filter(|(_, n)| (1..=1000).contains(n))
        .ok_or_else(|| "write GROUP=N with N from 1 to 1000, as in module=3".to_owned())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').map(|(field, column)| (field.trim().to_owned(), column.to_owned()));
    pair.filter(|(field, column)| !field.is_empty() && !column.trim().is_empty())
        .ok_or_else(|| "write FIELD=COLUMN, as in name=\"Tag Name\"".to_owned())
}

fn type_given(text: &str) -> Result<(Option<String>, String), String> {
    let (word, own) = match text.rsplit_once('=') {
        Some((word, own)) => (Some(word.to_owned()), own.trim()),
        None => (None, text.trim()),
    };
    let known = own == "string" || DataType::WORDS.iter().any(|(w, _)| *w == own);
    if known {
        return Ok((word, own.to_owned()));
    }
    let words: Vec<&str> = DataType::WORDS.iter().map(|(w, _)| *w).collect();
    Err(format!("{own} is not a type of a profile; the types are {}, string", words.join(", ")))
}

#[derive(Serialize)]
struct Imported {
    profile: String,
    points: usize,
    remarks: Vec<String>,
}

pub(super) fn run(cx: &Context<'_>, args: ImportArgs) -> Result<Outcome, CliError> {
    let name = ProfileName::parse(&args.name)
        .map_err(|e| CliError::usage(format!("{} is not a name for a profile: {e}", args.name)))?;
    let mut formats: Vec<ImportFormat> = Vec::new();
    let mut files = Vec::new();
    for path in &args.files {
        let shown = path.display().to_string();
        let ending = path.extension().and_then(|e| e.to_str()).unwrap_or("");
        let fail = |e: &dyn std::fmt::Display| CliError::Other(Outcome::NoSuchThing, format!("{shown}: {e}"));
        let size = std::fs::metadata(path).map_err(|e| fail(&e))?.len();
        if size > limits::FILE_BYTES_MAX {
            return Err(CliError::usage(format!(
                "{shown}: the file is longer than {} bytes",
                limits::FILE_BYTES_MAX
            )));
        }
        let (text, encoding) = text_of(&std::fs::read(path).map_err(|e| fail(&e))?);
        if let Some(encoding) = encoding {
            cx.remark(&format!("{shown}: the file is not UTF-8; andon reads it as {encoding}"))?;
        }
        let format = args.format.or_else(|| ImportFormat::of(ending, &text));
        formats.push(format.ok_or_else(|| {
            CliError::usage(format!(
                "{shown}: andon does not know the format of this file; give it with --format"
            ))
        })?);
        files.push((shown, text));
    }
    let format = match formats.as_slice() {
        [first, rest @ ..] if rest.iter().all(|f| f == first) => *first,
        _ => return Err(CliError::usage("all files of one import must have the same format".to_owned())),
    };
    let repeats: BTreeMap<String, u16> = args.repeat.into_iter().collect();
    let options = ImportOptions {
        start: args.start,
        repeats,
        map: args.map,
        area: args.area,
        one_based: args.one_based,
        types: args.types,
    };
    let draft = import(format, &files, &options).map_err(CliError::usage)?;
    let points = draft.points_count();
    let text = draft.render(name.as_str());
    let found = (points > 0).then(|| load(&name, &SourceText::new(&format!("{name}.toml"), &text)));
    let is_whole = matches!(found, Some((Some(_), _)));
    if !is_whole {
        for remark in &draft.remarks {
            cx.remark(remark)?;
        }
    }
    let sources = files.iter().map(|(shown, _)| shown.as_str()).collect::<Vec<_>>().join(", ");
    match found {
        None => {
            return Err(CliError::usage(format!(
                "{sources}: no entry can be imported as a point, so andon writes no profile"
            )));
        }
        Some((None, diagnostics)) => {
            // The text is not written, so line numbers in it would be useless.
            let why: Vec<&str> = diagnostics.list.iter().map(|d| d.message.as_str()).collect();
            let why = why.join("; ");
            return Err(CliError::usage(format!(
                "{sources}: andon writes no profile, because the points do not fit together: {why}"
            )));
        }
        Some((Some(_), _)) => {}
    }
    let path = create(cx, &name, args.out, &text)?;
    if cx.global.json {
        cx.json(&Imported { profile: path, points, remarks: draft.remarks })?;
        return Ok(Outcome::Done);
    }
    for remark in &draft.remarks {
        cx.remark(remark)?;
    }
    cx.print(&format!(
        "wrote {path} with {}; read {}\nnext: enter the vendor and the source, add a [[case]] from a real device, then: andon profile check {path}\n",
        plural(points, "point"),
        plural(draft.remarks.len(), "remark")
    ))?;
    Ok(Outcome::Done)
}
