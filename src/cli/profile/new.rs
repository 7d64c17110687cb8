//! `andon profile new`: writes a template of a profile.

use std::path::PathBuf;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::file::write_new;
use crate::profile::scaffold;
use crate::words::{Outcome, ProfileName};

pub(super) fn run(cx: &Context<'_>, name: &str, out: Option<PathBuf>) -> Result<Outcome, CliError> {
    let parsed = ProfileName::parse(name)
        .map_err(|e| CliError::usage(format!("{name} is not a name for a profile: {e}")))?;
    let shown = create(cx, &parsed, out, &scaffold(parsed.as_str()))?;
    cx.print(&format!("wrote {shown}\nnext: fill in the profile, then: andon profile check {shown}\n"))?;
    Ok(Outcome::Done)
}

/// Writes a new profile to `out`, or to `device-profiles/` beside `andon.toml` if `out` is `None`. Never overwrites a
/// file. Returns the path as text.
pub(super) fn create(
    cx: &Context<'_>,
    name: &ProfileName,
    out: Option<PathBuf>,
    text: &str,
) -> Result<String, CliError> {
    let path = out.unwrap_or_else(|| {
        let config = cx.config();
        let beside = config.parent().map(std::path::Path::to_owned).unwrap_or_default();
        beside.join("device-profiles").join(format!("{name}.toml"))
    });
    let fail = |e: &std::io::Error| CliError::Other(Outcome::OwnFailure, format!("{}: {e}", path.display()));
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| fail(&e))?;
    }
    write_new(&path, text.as_bytes())?;
    Ok(path.display().to_string())
}
