//! `andon scan [LINK]`: finds the devices on a line, identifies them, and prints the lines to paste into `andon.toml`.

mod broker;
mod bus;
mod found;

use std::ops::RangeInclusive;

use super::context::Context;
use super::error::CliError;
use super::program::PortRow;
use super::render::Sheet;
use crate::site::LinkKind;
use crate::words::Outcome;

/// `andon scan [LINK]`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  andon scan                         list the serial ports of this computer\n  andon scan rs485-a                 find the unit ids that answer, and the profiles that fit\n  andon scan rs485-a --units 1-20 --baud 9600,19200\n  andon scan shop --seconds 20       list the topics and Sparkplug nodes of a broker\n\nIf a daemon runs, the daemon scans over its own connection, between its polls. To try other baud rates, stop the daemon\nfirst."
)]
pub struct ScanArgs {
    /// Name of the link [default: list the serial ports of this computer]
    pub link: Option<String>,
    /// Unit ids to ask
    #[arg(long, value_name = "A-B,C", value_parser = units, default_value = "1-247")]
    pub units: Units,
    /// Baud rates to try on a serial line [default: the configured rate]
    #[arg(long, value_name = "BAUD,..", value_delimiter = ',')]
    pub baud: Vec<u32>,
    /// Wait this long for the answer of a unit, in milliseconds. At most 2000, because polls wait during a scan
    #[arg(long, value_name = "MS", default_value_t = 200, value_parser = clap::value_parser!(u64).range(10..=2_000))]
    pub timeout: u64,
    /// Listen to a broker for this many seconds
    #[arg(long, value_name = "S", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub seconds: u64,
}

/// The unit ids to ask, in the order of the option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Units(pub Vec<u8>);

fn units(text: &str) -> Result<Units, String> {
    let mut out = Vec::new();
    for part in text.split(',') {
        let range: Option<RangeInclusive<u8>> = match part.split_once('-') {
            Some((from, to)) => from.trim().parse().ok().zip(to.trim().parse().ok()).map(|(a, b)| a..=b),
            None => part.trim().parse().ok().map(|one: u8| one..=one),
        };
        let range =
            range.filter(|r| !r.is_empty()).ok_or("write unit ids from 0 to 255, as in 1-20 or 1,5,17")?;
        out.extend(range.filter(|u| !out.contains(u)).collect::<Vec<_>>());
    }
    Ok(Units(out))
}

pub(super) async fn run(cx: &mut Context<'_>, args: &ScanArgs) -> Result<Outcome, CliError> {
    let Some(name) = &args.link else { return ports(cx) };
    let site = cx.site()?;
    let Some(link) = site.links.iter().find(|l| l.name.as_str() == name) else {
        let known: Vec<&str> = site.links.iter().map(|l| l.name.as_str()).collect();
        let text = format!("there is no link {name}; andon.toml has: {}", known.join(", "));
        return Err(CliError::Other(Outcome::NoSuchThing, text));
    };
    match &link.kind {
        LinkKind::Mqtt(_) => broker::scan(cx, name, args.seconds).await,
        LinkKind::Serial(_) => Err(CliError::usage(format!(
            "link {name} has one device with its own serial protocol, so there are no unit ids to scan. \
             Choose a profile (andon profile list), then check the device: andon status"
        ))),
        LinkKind::ModbusTcp { .. } | LinkKind::ModbusRtuOverTcp { .. } if !args.baud.is_empty() => {
            Err(CliError::usage(format!("link {name} is a network connection, so it has no baud rate")))
        }
        LinkKind::ModbusTcp { .. }
        | LinkKind::ModbusRtuOverTcp { .. }
        | LinkKind::ModbusRtu(_)
        | LinkKind::ModbusAscii(_) => bus::scan(cx, site.clone(), name, args).await,
    }
}

fn ports(cx: &Context<'_>) -> Result<Outcome, CliError> {
    let ports = cx.program.ports();
    let mut sheet = Sheet::new(&["port", "by_id", "usb", "device"]);
    for PortRow { port, by_id, usb, device } in &ports {
        sheet.row([
            port.clone(),
            by_id.clone().unwrap_or_default(),
            usb.clone().unwrap_or_default(),
            device.clone(),
        ]);
    }
    cx.list(&ports, &sheet, "This computer has no serial port.")?;
    if !ports.is_empty() && !cx.global.json && !cx.global.is_csv() {
        cx.print(
            "\nIn andon.toml, use the by-id path of a port. This path does not depend on the order of plugging in.\n",
        )?;
    }
    Ok(Outcome::Done)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_ranges_and_single_ones() {
        assert_eq!(units("1-3,7,2").unwrap().0, [1, 2, 3, 7]);
        assert_eq!(units("0,255").unwrap().0, [0, 255]);
        for wrong in ["", "3-1", "1-256", "a", "1,,2"] {
            assert!(units(wrong).is_err(), "{wrong}");
        }
    }
}
