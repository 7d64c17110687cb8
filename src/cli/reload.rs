//! `andon reload`: the daemon loads its configuration and profiles again.

use super::context::Context;
use super::error::CliError;
use super::render::plural;
use crate::v1::ReloadedV1;
use crate::words::Outcome;

pub(super) async fn run(cx: &mut Context<'_>) -> Result<Outcome, CliError> {
    // What is wrong with the files is drawn here, where somebody looks.
    let _site = cx.site()?;
    let done: ReloadedV1 = cx.post("/v1/reload", &()).await?;
    if cx.global.json {
        cx.json(&done)?;
        return Ok(Outcome::Done);
    }
    let list = |label: &str, ids: &[String]| match ids {
        [] => String::new(),
        ids => format!("  {label}: {}\n", ids.join(", ")),
    };
    cx.print(&format!(
        "the configuration is in force; {} of equipment as before\n{}{}",
        plural(done.kept, "piece"),
        list("new or changed", &done.changed),
        list("gone", &done.removed)
    ))?;
    Ok(Outcome::Done)
}
