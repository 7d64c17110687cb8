//! A gateway's configuration, as loaded and checked.

use std::sync::Arc;

use crate::profile::Profile;
use crate::source::SourceText;
use crate::words::{EquipmentId, EquipmentIndex, LinkName, PointIndex, ProfileName};

/// Everything a gateway is told to do.
#[derive(Debug, Clone)]
pub struct Site {
    /// The gateway's name.
    pub name: String,
    /// The data directory, as written.
    pub data: Option<String>,
    /// The IANA time zone of screens and calendars.
    pub timezone: Option<String>,
    /// The lines to equipment.
    pub links: Vec<Link>,
    /// The machines and instruments.
    pub equipment: Vec<Equipment>,
    /// What is in force: each file and its SHA-256.
    pub files: Vec<FileHash>,
}

/// A file that is in force.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileHash {
    /// Its name.
    pub name: String,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

/// One line to equipment.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// Its name.
    pub name: LinkName,
    /// What it is.
    pub kind: LinkKind,
}

/// What a link is.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkKind {
    /// Modbus TCP to `host:port`.
    ModbusTcp {
        /// `host:port`
        address: String,
    },
    /// Modbus RTU frames over a TCP connection.
    ModbusRtuOverTcp {
        /// `host:port`
        address: String,
    },
    /// Modbus RTU on a serial line.
    ModbusRtu(SerialLine),
}

impl LinkKind {
    /// The word in `andon.toml`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            LinkKind::ModbusTcp { .. } => "modbus-tcp",
            LinkKind::ModbusRtuOverTcp { .. } => "modbus-rtu-over-tcp",
            LinkKind::ModbusRtu(_) => "modbus-rtu",
        }
    }

    /// Where it leads, for people.
    #[must_use]
    pub fn place(&self) -> &str {
        match self {
            LinkKind::ModbusTcp { address } | LinkKind::ModbusRtuOverTcp { address } => address,
            LinkKind::ModbusRtu(line) => &line.port,
        }
    }
}

/// A serial line's settings.
#[derive(Debug, Clone, PartialEq)]
pub struct SerialLine {
    /// The device, or a glob that names exactly one.
    pub port: String,
    /// Bits a second.
    pub baud: u32,
    /// Parity.
    pub parity: Parity,
    /// Stop bits: 1 or 2; two without parity, as the standard asks.
    pub stop_bits: u8,
}

/// Parity of a serial character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Parity {
    /// None.
    None,
    /// Even, Modbus's default.
    Even,
    /// Odd.
    Odd,
}

/// How much it matters when a machine stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Criticality {
    /// It stops the line.
    A,
    /// It slows the line.
    B,
    /// It can wait.
    C,
}

impl Criticality {
    /// The letter.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Criticality::A => "A",
            Criticality::B => "B",
            Criticality::C => "C",
        }
    }
}

/// One machine or instrument.
#[derive(Debug, Clone)]
pub struct Equipment {
    /// Its id.
    pub id: EquipmentId,
    /// Its name, for people.
    pub name: String,
    /// What it is.
    pub profile: Arc<Profile>,
    /// The link's place in the site's list.
    pub link: usize,
    /// Its Modbus unit.
    pub unit: u8,
    /// Where it stands.
    pub location: String,
    /// How much it matters.
    pub criticality: Criticality,
    /// What it cannot work without.
    pub depends_on: Vec<String>,
}

/// Where profiles come from: beside `andon.toml`, then built in.
pub trait ProfileFiles {
    /// A profile's text.
    fn text(&self, name: &ProfileName) -> Option<SourceText>;
    /// Every name there is.
    fn names(&self) -> Vec<String>;
}

impl Site {
    /// A piece of equipment by id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<(EquipmentIndex, &Equipment)> {
        let at = self.equipment.iter().position(|e| e.id.as_str() == id)?;
        self.equipment.get(at).map(|e| (EquipmentIndex(at), e))
    }

    /// A point across equipment: `None` for the own one.
    #[must_use]
    pub fn resolve(
        &self,
        own: EquipmentIndex,
        equipment: Option<&str>,
        point: &str,
    ) -> Option<(EquipmentIndex, PointIndex)> {
        let index = match equipment {
            None => own,
            Some(id) => self.find(id)?.0,
        };
        let (point, _) = self.equipment.get(index.0)?.profile.point(point)?;
        Some((index, point))
    }
}
