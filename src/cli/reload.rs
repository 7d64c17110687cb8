//! `andon reload`: makes the daemon load its configuration and profiles again.

use super::context::Context;
use super::error::CliError;
use super::render::plural;
use crate::v1::ReloadedV1;
use crate::words::Outcome;

pub(super) async fn run(cx: &mut Context<'_>) -> Result<Outcome, CliError> {
    // Load the files here too, so that the person sees their errors with the lines.
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
        "the new configuration is loaded; {} of equipment unchanged\n{}{}",
        plural(done.kept, "piece"),
        list("new or changed", &done.changed),
        list("removed", &done.removed)
    ))?;
    Ok(Outcome::Done)
}
