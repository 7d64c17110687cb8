//! Reading of `[modbus]`: the settings for requests to a device, and the factory settings of its serial line.

use std::fmt;
use std::time::Duration;

use super::accept::Accept;
use super::decode::Order;
use crate::limits;
use crate::source::Section;
use crate::words::worded;

pub(super) const ORDERS: [(&str, Order); 2] = [("big", Order::Big), ("little", Order::Little)];

/// The settings for Modbus requests to a device.
#[derive(Debug, Clone, PartialEq)]
pub struct ModbusSettings {
    /// The most registers of one read.
    pub max_registers: u16,
    /// The most unused registers that andon reads between two used ones, to save a request; `None`: andon computes it
    /// from the baud rate of the line.
    pub max_gap: Option<u16>,
    /// The shortest time between two requests to the device.
    pub min_interval: Duration,
    /// The time between a new network connection and the first request.
    pub connect_pause: Duration,
    /// The response timeout.
    pub timeout: Duration,
    /// The number of attempts after the first one.
    pub retries: u32,
    /// True if the device does not support functions 5 and 6: andon then writes single coils and registers with
    /// functions 15 and 16.
    pub write_multiple: bool,
    /// The factory settings of the serial line; `None` if the profile does not have them.
    pub line: Option<LineDefaults>,
    /// Deviations from the standard that andon accepts, if the device is alone on its line.
    pub accept: Accept,
}

impl Default for ModbusSettings {
    fn default() -> Self {
        Self {
            max_registers: limits::REGISTERS_MAX,
            max_gap: None,
            min_interval: Duration::ZERO,
            connect_pause: Duration::ZERO,
            timeout: limits::TIMEOUT_DEFAULT,
            retries: limits::RETRIES_DEFAULT,
            write_multiple: false,
            line: None,
            accept: Accept::default(),
        }
    }
}

/// The factory settings of the serial line of a device: `9600 8N1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LineDefaults {
    /// The baud rate in bits per second.
    pub baud: u32,
    /// Data bits of a character: 7 or 8.
    pub data_bits: u8,
    /// Parity of a character.
    pub parity: LineParity,
    /// Stop bits of a character: 1 or 2.
    pub stop_bits: u8,
}

worded! {
    /// The parity of a serial character, in a profile.
    pub enum LineParity {
        /// No parity bit.
        None = "none",
        /// Even parity.
        Even = "even",
        /// Odd parity.
        Odd = "odd",
    }
}

impl fmt::Display for LineDefaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parity = match self.parity {
            LineParity::None => 'N',
            LineParity::Even => 'E',
            LineParity::Odd => 'O',
        };
        write!(f, "{} {}{parity}{}", self.baud, self.data_bits, self.stop_bits)
    }
}

impl LineDefaults {
    /// Reads `9600 8N1`.
    ///
    /// # Errors
    /// A sentence that shows how to write the settings.
    pub fn parse(text: &str) -> Result<Self, String> {
        const MEANT: &str =
            "write the baud rate, then data bits, parity (N, E or O) and stop bits, as in 9600 8N1";
        let (baud, character) = text.trim().split_once(char::is_whitespace).ok_or(MEANT)?;
        let baud: u32 = baud.parse().map_err(|_| MEANT)?;
        if !(limits::BAUD_MIN..=limits::BAUD_MAX).contains(&baud) {
            return Err(format!("the baud rate must be from {} to {}", limits::BAUD_MIN, limits::BAUD_MAX));
        }
        let [data, parity, stop] = *character.trim().as_bytes() else { return Err(MEANT.to_owned()) };
        let data_bits = match data {
            b'7' => 7,
            b'8' => 8,
            _ => return Err("the data bits must be 7 or 8".to_owned()),
        };
        let parity = match parity.to_ascii_uppercase() {
            b'N' => LineParity::None,
            b'E' => LineParity::Even,
            b'O' => LineParity::Odd,
            _ => return Err("the parity must be N, E or O".to_owned()),
        };
        let stop_bits = match stop {
            b'1' => 1,
            b'2' => 2,
            _ => return Err("the stop bits must be 1 or 2".to_owned()),
        };
        Ok(Self { baud, data_bits, parity, stop_bits })
    }
}

/// Reads `[modbus]`. Returns the settings, and the word order and byte order for points that do not set their own.
pub(super) fn read_modbus(root: &Section<'_>) -> (ModbusSettings, Order, Order) {
    let mut settings = ModbusSettings::default();
    let (mut word_order, mut byte_order) = (Order::Big, Order::Big);
    let Some(s) = root.section("modbus") else { return (settings, word_order, byte_order) };
    if let Some(order) = s.choice("word_order", &ORDERS) {
        word_order = order.value;
    }
    if let Some(order) = s.choice("byte_order", &ORDERS) {
        byte_order = order.value;
    }
    if let Some(n) = s.integer_between("max_registers", 1, i128::from(limits::REGISTERS_MAX)) {
        settings.max_registers = u16::try_from(n.value).unwrap_or(limits::REGISTERS_MAX);
    }
    if let Some(n) = s.integer_between("max_gap", 0, i128::from(limits::REGISTERS_MAX)) {
        settings.max_gap = u16::try_from(n.value).ok();
    }
    if let Some(n) = s.integer_between("retries", 0, i128::from(limits::RETRIES_MAX)) {
        settings.retries = u32::try_from(n.value).unwrap_or(limits::RETRIES_DEFAULT);
    }
    if let Some(d) = s.duration_between("min_interval", Duration::ZERO, limits::MIN_INTERVAL_MAX) {
        settings.min_interval = d;
    }
    if let Some(d) = s.duration_between("connect_pause", Duration::ZERO, limits::CONNECT_PAUSE_MAX) {
        settings.connect_pause = d;
    }
    if let Some(d) = s.duration_between("timeout", limits::TIMEOUT_MIN, limits::TIMEOUT_MAX) {
        settings.timeout = d;
    }
    settings.accept = Accept::read(&s);
    settings.write_multiple = s.flag("write_multiple").is_some_and(|f| f.value);
    settings.line = s.name("line").and_then(|text| {
        LineDefaults::parse(&text.value)
            .map_err(|meant| s.error(text.span, format!("\"{}\" is not a line setting", text.value), meant))
            .ok()
    });
    s.finish();
    (settings, word_order, byte_order)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_as_makers_print_them() {
        for text in ["9600 8N1", "19200 8E1", "115200 8O2", "2400 7E1"] {
            assert_eq!(LineDefaults::parse(text).map(|l| l.to_string()), Ok(text.to_owned()));
        }
        assert_eq!(LineDefaults::parse(" 9600  8n1 ").map(|l| l.to_string()), Ok("9600 8N1".to_owned()));
        for text in [
            "",
            "9600",
            "8N1",
            "9600 8N",
            "9600 8X1",
            "9600 9N1",
            "9600 8N3",
            "9600 8N1 x",
            "12 8N1",
            "9600 8\u{e9}",
        ] {
            assert!(LineDefaults::parse(text).is_err(), "{text}");
        }
    }
}
