//! Captures of frames in files: `andon link capture`, `andon ticket wire`, `andon profile play`.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::context::Context;
use super::error::CliError;
use super::file::write_new;
use super::render::{Sheet, plural};
use crate::client::Client;
use crate::limits;
use crate::profile::{Profile, play};
use crate::v1::CaptureV1;
use crate::words::{Outcome, Wall};

/// `andon link capture LINK`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  andon link capture rs485-a --seconds 60 --out line.pcap\n  tshark -r line.pcap -d 'rtacser.data,mbrtu'      show a capture of a serial line (tshark is a part of Wireshark)\n\nandon keeps the last frames of every link in memory, 256 KiB for each link. A ticket keeps the frames around its fault: andon ticket wire N"
)]
pub struct LinkCaptureArgs {
    /// Name of the link
    pub link: String,
    /// Write only the frames of this many last seconds
    #[arg(long, value_name = "S")]
    pub seconds: Option<u64>,
    /// File to write; an existing file is not overwritten
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `andon ticket wire N`
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  andon ticket wire 12 --out trip.pcap")]
pub struct TicketWireArgs {
    /// Ticket number; or an equipment id, if this equipment has exactly one live ticket
    #[arg(value_name = "N")]
    pub ticket: String,
    /// File to write; an existing file is not overwritten
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
}

/// `andon profile play PROFILE CAPTURE`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example:\n  andon profile play powtran-pi500 trip.pcap --unit 7 --csv\n\nThe capture is pcap or pcapng, made by andon or by another program. It contains Modbus TCP, with any number of connections\nand overlapping requests, or one serial line as RTAC serial packets. andon counts and reports everything that it cannot\ndecode."
)]
pub struct PlayArgs {
    /// File or name of the profile
    #[arg(value_name = "FILE|NAME")]
    pub profile: String,
    /// Capture: a pcap or pcapng file
    pub capture: PathBuf,
    /// Show only this unit id
    #[arg(long)]
    pub unit: Option<u8>,
    /// TCP port of the devices, if it is not 502 and the capture does not show how connections open
    #[arg(long)]
    pub port: Option<u16>,
}

pub(super) async fn link(cx: &mut Context<'_>, args: &LinkCaptureArgs) -> Result<Outcome, CliError> {
    let query = Client::query(&[("seconds", args.seconds.map(|s| s.to_string()))]);
    let path = format!("{}{query}", Client::path("/v1/links/{}/capture", &[&args.link]));
    save(cx, &path, &args.out).await
}

pub(super) async fn ticket(cx: &mut Context<'_>, args: &TicketWireArgs) -> Result<Outcome, CliError> {
    let path = Client::path("/v1/tickets/{}/wire", &[&args.ticket]);
    save(cx, &path, &args.out).await
}

async fn save(cx: &mut Context<'_>, path: &str, out: &Path) -> Result<Outcome, CliError> {
    let capture: CaptureV1 = cx.get(path).await?;
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = capture.pcap.as_bytes().chunks(2).map(pair).collect();
    let bytes = bytes.ok_or_else(|| {
        CliError::Other(Outcome::OwnFailure, "the capture from the gateway cannot be decoded".to_owned())
    })?;
    write_new(out, &bytes)?;
    #[derive(Serialize)]
    struct Saved<'a> {
        file: &'a Path,
        frames: usize,
    }
    if cx.global.json {
        cx.json(&Saved { file: out, frames: capture.frames })?;
    } else {
        cx.print(&format!("wrote {} to {}\n", plural(capture.frames, "frame"), out.display()))?;
    }
    Ok(if capture.frames == 0 { Outcome::Negative } else { Outcome::Done })
}

#[derive(Serialize)]
struct Row {
    at: Wall,
    unit: u8,
    point: String,
    value: Option<serde_json::Value>,
    unit_of_value: String,
    reason: Option<String>,
}

/// Decodes a capture with a profile, and prints one row for each point of each response.
pub(super) fn played(cx: &Context<'_>, profile: &Profile, args: &PlayArgs) -> Result<Outcome, CliError> {
    let shown = args.capture.display();
    let fail = |e: &dyn std::fmt::Display| CliError::Other(Outcome::NoSuchThing, format!("{shown}: {e}"));
    let size = std::fs::metadata(&args.capture).map_err(|e| fail(&e))?.len();
    if size > limits::CAPTURE_FILE_BYTES_MAX {
        return Err(CliError::usage(format!(
            "{shown}: the file is longer than {} bytes",
            limits::CAPTURE_FILE_BYTES_MAX
        )));
    }
    let bytes = std::fs::read(&args.capture).map_err(|e| fail(&e))?;
    let played = play(&bytes, profile, args.unit, args.port)
        .map_err(|why| CliError::usage(format!("{shown}: {why}")))?;
    for remark in &played.remarks {
        cx.remark(&format!("note: {shown}: {remark}"))?;
    }
    let mut sheet = Sheet::new(&["time", "unit_id", "point", "value", "unit", "reason"]);
    let mut rows = Vec::new();
    for p in played.readings {
        let unit = profile.point(&p.point).map_or_else(String::new, |(_, point)| point.unit.to_string());
        let at = Wall::from_millis(p.at_us / 1000);
        let (text, value, reason) = match &p.value {
            Ok(value) => (value.to_string(), serde_json::to_value(value).ok(), None),
            Err(why) => (String::new(), None, Some(why.to_string())),
        };
        sheet.row([
            at.to_string(),
            p.unit.to_string(),
            p.point.clone(),
            text,
            unit.clone(),
            reason.clone().unwrap_or_default(),
        ]);
        rows.push(Row { at, unit: p.unit, point: p.point, value, unit_of_value: unit, reason });
    }
    cx.list(&rows, &sheet, "The capture contains no response that this profile can decode.")?;
    Ok(if rows.is_empty() { Outcome::Negative } else { Outcome::Done })
}
