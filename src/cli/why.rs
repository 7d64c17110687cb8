//! `andon why EQUIPMENT POINT|FAULT`: explains the value of a point or the state of a fault.

use super::context::Context;
use super::error::CliError;
use super::render::heading;
use crate::client::Client;
use crate::v1::WhyV1;
use crate::words::Outcome;

/// The arguments of `andon why`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  andon why press-7 dc_bus_voltage    show the request, the registers, the decoding and the quality\n  andon why press-7 dc-bus-low        show each operand, and the rest of the delay"
)]
pub struct WhyArgs {
    /// Equipment id
    pub equipment: String,
    /// Name of a point or of a fault
    pub name: String,
}

pub(super) async fn run(cx: &mut Context<'_>, args: &WhyArgs) -> Result<Outcome, CliError> {
    let why: WhyV1 = cx.get(&Client::path("/v1/why/{}/{}", &[&args.equipment, &args.name])).await?;
    if cx.global.json {
        cx.json(&why)?;
        return Ok(Outcome::Done);
    }
    let mut lines = why.lines.iter();
    let mut text = lines.next().map_or_else(String::new, |first| heading(first));
    for line in lines {
        text.push_str(&format!("  {line}\n"));
    }
    cx.print(&text)?;
    Ok(Outcome::Done)
}
