//! `andon profile check`: shows all errors of a profile at once, then the results of its cases.

use serde::Serialize;

use super::source;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::render::{diagnostics, plural};
use crate::profile::{CaseResult, load, run_cases};
use crate::source::Diagnostics;
use crate::words::Outcome;

#[derive(Serialize)]
struct Checked {
    profile: String,
    loads: bool,
    diagnostics: Vec<String>,
    cases: Vec<CheckedCase>,
}

#[derive(Serialize)]
struct CheckedCase {
    name: String,
    passes: bool,
    problems: Vec<String>,
}

pub(super) fn run(cx: &Context<'_>, which: &[String]) -> Result<Outcome, CliError> {
    let mut checked = Vec::new();
    let mut broken = Vec::new();
    for name in which {
        let (profile_name, text) = source(cx, name)?;
        let (profile, found) = load(&profile_name, &text);
        let cases = profile.as_ref().map(run_cases).unwrap_or_default();
        if !cx.global.json {
            tell(cx, name, profile.is_some(), &found, &cases)?;
        }
        checked.push(Checked {
            profile: name.clone(),
            loads: profile.is_some(),
            diagnostics: found.lines(),
            cases: cases
                .into_iter()
                .map(|c| CheckedCase { name: c.name, passes: c.problems.is_empty(), problems: c.problems })
                .collect(),
        });
        if profile.is_none() {
            broken.push(found);
        }
    }
    if cx.global.json {
        cx.json(&checked)?;
    } else if !broken.is_empty() {
        return Err(CliError::Files(broken));
    }
    let fails = checked.iter().any(|c| c.cases.iter().any(|case| !case.passes));
    Ok(match (checked.iter().all(|c| c.loads), fails) {
        (false, _) => Outcome::Usage,
        (true, true) => Outcome::Negative,
        (true, false) => Outcome::Done,
    })
}

fn tell(
    cx: &Context<'_>,
    name: &str,
    loads: bool,
    found: &Diagnostics,
    cases: &[CaseResult],
) -> Result<(), CliError> {
    if !loads {
        // The error that ends the command shows the problems.
        return Ok(());
    }
    diagnostics(std::slice::from_ref(found), &mut anstream::stdout().lock())?;
    let failed: Vec<&CaseResult> = cases.iter().filter(|c| !c.problems.is_empty()).collect();
    let mut text = match (cases.len(), failed.len()) {
        (0, _) => format!("{name} loads; it has no [[case]] that tests it\n"),
        (all, 0) => format!("{name} loads; {} of {all} cases pass\n", all),
        (all, bad) => format!("{name} loads; {} of {} do not pass\n", bad, plural(all, "case")),
    };
    for case in failed {
        text.push_str(&format!("  case \"{}\"\n", case.name));
        for problem in &case.problems {
            text.push_str(&format!("    {problem}\n"));
        }
    }
    cx.print(&text)
}
