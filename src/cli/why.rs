//! `andon why EQUIPMENT POINT|FAULT`.

use super::context::Context;
use super::error::CliError;
use super::render::heading;
use crate::client::Client;
use crate::v1::WhyV1;
use crate::words::Outcome;

/// Of what.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  andon why press-7 dc_bus_voltage    request, registers, decoding, quality\n  andon why press-7 dc-bus-low        each operand, and the delay that is left"
)]
pub struct WhyArgs {
    /// The equipment's id
    pub equipment: String,
    /// A point's or a fault's name
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
