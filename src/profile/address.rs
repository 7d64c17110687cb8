//! Where a Modbus point stands: `holding:40`, or `40041` as manuals print it.

use std::fmt;

use crate::words::worded;

worded! {
    /// One of the four Modbus tables.
    #[derive(PartialOrd, Ord)]
    pub enum Area {
        /// Coils, function 1.
        Coil = "coil",
        /// Discrete inputs, function 2.
        Discrete = "discrete",
        /// Input registers, function 4.
        Input = "input",
        /// Holding registers, function 3.
        Holding = "holding",
        /// Objects of the device's identification (43/14), which are texts: its number is the object's.
        Identification = "identification",
    }
}

/// Objects of a device's identification (Modbus application protocol 6.21), by the word in profiles.
pub const IDENTIFICATION: [(&str, u16); 7] = [
    ("vendor", 0),
    ("product-code", 1),
    ("revision", 2),
    ("url", 3),
    ("product-name", 4),
    ("model", 5),
    ("application", 6),
];

impl Area {
    /// Every table, by the digit manuals put in front.
    pub const TABLES: [Area; 4] = [Area::Coil, Area::Discrete, Area::Input, Area::Holding];

    /// The function that reads it.
    #[must_use]
    pub fn function(self) -> u8 {
        match self {
            Area::Coil => 1,
            Area::Discrete => 2,
            Area::Holding => 3,
            Area::Input => 4,
            Area::Identification => 43,
        }
    }

    /// Whether it can be written.
    #[must_use]
    pub fn is_writable(self) -> bool {
        match self {
            Area::Coil | Area::Holding => true,
            Area::Discrete | Area::Input | Area::Identification => false,
        }
    }

    /// Whether it holds single bits.
    #[must_use]
    pub fn is_bits(self) -> bool {
        match self {
            Area::Coil | Area::Discrete => true,
            Area::Input | Area::Holding | Area::Identification => false,
        }
    }
}

/// An area and a zero-based number in it, as on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegisterAddress {
    /// Which table.
    pub area: Area,
    /// Zero-based, as sent.
    pub number: u16,
}

impl fmt::Display for RegisterAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.area.word(), self.number)
    }
}

impl RegisterAddress {
    /// Reads `holding:40` or `holding:0x28`, zero-based.
    ///
    /// # Errors
    /// A sentence that says what was meant.
    pub fn parse_register(text: &str) -> Result<Self, String> {
        let meant =
            || "write area:number, zero-based as on the wire: holding:40, input:0x1000, coil:3".to_owned();
        let (area, number) = text.split_once(':').ok_or_else(meant)?;
        let area = Area::TABLES.into_iter().find(|a| a.word() == area.trim()).ok_or_else(|| {
            format!("the areas are coil, discrete, input and holding, not '{}'", area.trim())
        })?;
        let number = number.trim();
        let parsed = match number.strip_prefix("0x") {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => number.parse::<u32>().ok(),
        };
        let number = parsed.ok_or_else(meant)?;
        let number = u16::try_from(number).map_err(|_| {
            format!("{number} is beyond 65535; numbers as manuals print them are written ref = \"...\"")
        })?;
        Ok(Self { area, number })
    }

    /// Reads `40041` or `400041`: one-based, with the area's digit in front.
    ///
    /// # Errors
    /// A sentence that says what was meant.
    pub fn parse_ref(text: &str) -> Result<Self, String> {
        let meant = "write five or six digits, the area in front (0 coil, 1 discrete, 3 input, 4 holding), \
                     counted from 1: 40001 is the first holding register";
        let digits = text.trim();
        if !matches!(digits.len(), 5 | 6) || !digits.chars().all(|c| c.is_ascii_digit()) {
            return Err(meant.to_owned());
        }
        let (front, rest) = digits.split_at(1);
        let area = match front {
            "0" => Area::Coil,
            "1" => Area::Discrete,
            "3" => Area::Input,
            "4" => Area::Holding,
            _ => return Err(meant.to_owned()),
        };
        let number: u32 = rest.parse().map_err(|_| meant.to_owned())?;
        let number = number.checked_sub(1).and_then(|n| u16::try_from(n).ok());
        number
            .map(|number| Self { area, number })
            .ok_or_else(|| "references count from 1 to 65536".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: Result<RegisterAddress, String>, expected: Option<&str>) {
        assert_eq!(found.ok().map(|a| a.to_string()).as_deref(), expected);
    }

    #[test]
    fn both_ways_to_name_a_register() {
        check(RegisterAddress::parse_register("holding:40"), Some("holding:40"));
        check(RegisterAddress::parse_register("input:0x1000"), Some("input:4096"));
        check(RegisterAddress::parse_register("holding:65536"), None);
        check(RegisterAddress::parse_register("holdin:1"), None);
        check(RegisterAddress::parse_register("40"), None);
        check(RegisterAddress::parse_ref("40001"), Some("holding:0"));
        check(RegisterAddress::parse_ref("30010"), Some("input:9"));
        check(RegisterAddress::parse_ref("00001"), Some("coil:0"));
        check(RegisterAddress::parse_ref("10002"), Some("discrete:1"));
        check(RegisterAddress::parse_ref("465536"), Some("holding:65535"));
        check(RegisterAddress::parse_ref("465537"), None);
        check(RegisterAddress::parse_ref("40000"), None);
        check(RegisterAddress::parse_ref("20001"), None);
        check(RegisterAddress::parse_ref("4001"), None);
    }
}
