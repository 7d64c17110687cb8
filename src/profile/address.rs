//! Addresses of Modbus points: `holding:40`, or `40041` as manuals print it.

use std::fmt;

use crate::words::worded;

worded! {
    /// One of the four Modbus tables, or the identification of the device.
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
        /// Objects of the identification of the device (function 43/14). They are texts; the number is the object id.
        Identification = "identification",
    }
}

/// The objects of the identification (Modbus application protocol 6.21): their words in profiles and their ids.
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
    /// The four tables, in the order of the digit that manuals put before a register number.
    pub const TABLES: [Area; 4] = [Area::Coil, Area::Discrete, Area::Input, Area::Holding];

    /// The Modbus function that reads the table.
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

    /// True if Modbus can write to the table.
    #[must_use]
    pub fn is_writable(self) -> bool {
        match self {
            Area::Coil | Area::Holding => true,
            Area::Discrete | Area::Input | Area::Identification => false,
        }
    }

    /// True if each entry of the table is one bit.
    #[must_use]
    pub fn is_bits(self) -> bool {
        match self {
            Area::Coil | Area::Discrete => true,
            Area::Input | Area::Holding | Area::Identification => false,
        }
    }
}

/// A Modbus table and a number in it, from 0, as in the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RegisterAddress {
    /// The table.
    pub area: Area,
    /// The number of the register, coil or object, from 0, as in the request.
    pub number: u16,
}

impl fmt::Display for RegisterAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.area.word(), self.number)
    }
}

impl RegisterAddress {
    /// Reads `holding:40` or `holding:0x28`, with numbers from 0.
    ///
    /// # Errors
    /// A sentence that shows how to write the address.
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
            format!("{number} is larger than 65535; for a number as manuals print it, write ref = \"...\"")
        })?;
        Ok(Self { area, number })
    }

    /// Reads `40041` or `400041`: the first digit is the table, and the numbers count from 1.
    ///
    /// # Errors
    /// A sentence that shows how to write the reference.
    pub fn parse_ref(text: &str) -> Result<Self, String> {
        let meant = "write five or six digits: first the area (0 coil, 1 discrete, 3 input, 4 holding), then the \
                     number, counted from 1; 40001 is the first holding register";
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
            .ok_or_else(|| "the number in a reference must be from 1 to 65536".to_owned())
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
