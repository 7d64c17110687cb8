//! Types of a loaded and checked configuration.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use crate::limits;
pub use crate::profile::LineParity as Parity;
use crate::profile::{Accept, Fault, FirmwareNote, Profile, Protocol, WireKind};
use crate::source::SourceText;
use crate::words::{EquipmentId, EquipmentIndex, LinkName, PointIndex, ProfileName, Refusal, Rule, worded};

/// The configuration of a gateway: `andon.toml` with its profiles and firmware notes.
#[derive(Debug, Clone)]
pub struct Site {
    /// The name of the gateway.
    pub name: String,
    /// The data directory, as it is written in the file; `None` if the file does not set it.
    pub data: Option<String>,
    /// The IANA time zone of screens and calendars; `None` means the time zone of the system.
    pub timezone: Option<String>,
    /// The time zone of the daily profiles of baselines: the zone in the file. Without it, UTC, or the zone that
    /// [`Self::or_zone`] sets.
    pub zone: TimeZone,
    /// Disk space for recorded readings, in MiB; 0 means that nothing is recorded.
    pub recorder_mib: u64,
    /// The links to equipment.
    pub links: Vec<Link>,
    /// The machines and instruments.
    pub equipment: Vec<Equipment>,
    /// The loaded files, each with its SHA-256.
    pub files: Vec<FileHash>,
    /// The firmware notes about the loaded device models.
    pub notes: Vec<FirmwareNote>,
}

/// A loaded file.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileHash {
    /// The name of the file.
    pub name: String,
    /// The SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

/// A link: one connection to one or more pieces of equipment.
#[derive(Debug, Clone, PartialEq)]
pub struct Link {
    /// The name of the link, unique at the site.
    pub name: LinkName,
    /// The kind of the link, with its settings.
    pub kind: LinkKind,
}

/// The kind of a link.
#[derive(Debug, Clone, PartialEq)]
pub enum LinkKind {
    /// A Modbus TCP connection.
    ModbusTcp {
        /// The address `host:port`.
        address: String,
    },
    /// Modbus RTU frames over a TCP connection.
    ModbusRtuOverTcp {
        /// The address `host:port`.
        address: String,
    },
    /// Modbus RTU on a serial line.
    ModbusRtu(SerialLine),
    /// Modbus ASCII on a serial line.
    ModbusAscii(SerialLine),
    /// A serial line to one device with its own protocol.
    Serial(SerialDevice),
    /// A connection to an MQTT broker.
    Mqtt(Box<MqttBroker>),
}

/// The place of a device with its own serial protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SerialPlace {
    /// A serial port: its path, or a glob that matches exactly one path.
    Port(String),
    /// A device server: `host:port`.
    Tcp(String),
}

/// A serial line to one device with its own protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct SerialDevice {
    /// The place of the device.
    pub place: SerialPlace,
    /// The baud rate in bits per second; `None` means the baud rate of the profile.
    pub baud: Option<u32>,
    /// The format of a character.
    pub character: Character,
}

impl SerialDevice {
    /// Bits a second: the link's, else the profile's.
    #[must_use]
    pub fn rate(&self, profile: &Profile) -> u32 {
        self.baud.or(profile.serial.baud).unwrap_or(limits::SERIAL_BAUD_DEFAULT)
    }

    /// One character on its line; nothing where it is reached over a network.
    #[must_use]
    pub fn character_time(&self, profile: &Profile) -> Duration {
        match self.place {
            SerialPlace::Port(_) => {
                Duration::from_secs(1) * self.character.bits() / self.rate(profile).max(1)
            }
            SerialPlace::Tcp(_) => Duration::ZERO,
        }
    }
}

/// A connection to an MQTT broker.
#[derive(Debug, Clone, PartialEq)]
pub struct MqttBroker {
    /// The host name or address of the broker.
    pub host: String,
    /// The TCP port of the broker.
    pub port: u16,
    /// The certificates; `None` for a connection without encryption.
    pub tls: Option<TlsFiles>,
    /// The user name of andon at the broker; `None` for a broker without login.
    pub username: Option<String>,
    /// The file with the password; `None` for a broker without login.
    pub password_file: Option<String>,
    /// The protocol version: 4 is MQTT 3.1.1, 5 is MQTT 5.
    pub version: u8,
    /// The client id with which the broker keeps the session of andon.
    pub client_id: String,
    /// The largest packet, in bytes.
    pub max_packet: usize,
    /// The keep-alive interval.
    pub keep_alive: Duration,
    /// The host id with which andon is a Sparkplug primary host; `None` if andon is not a primary host.
    pub sparkplug_host: Option<String>,
}

/// The certificates of an encrypted connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// The file with the certificate of the authority; `None` means the authorities that the system trusts.
    pub ca_file: Option<String>,
    /// The files with the certificate and the key of andon; `None` if the broker does not ask for them.
    pub client: Option<(String, String)>,
}

impl LinkKind {
    /// The word of the kind in `andon.toml`.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match self {
            LinkKind::ModbusTcp { .. } => "modbus-tcp",
            LinkKind::ModbusRtuOverTcp { .. } => "modbus-rtu-over-tcp",
            LinkKind::ModbusRtu(_) => "modbus-rtu",
            LinkKind::ModbusAscii(_) => "modbus-ascii",
            LinkKind::Serial(_) => "serial",
            LinkKind::Mqtt(_) => "mqtt",
        }
    }

    /// The address or port of the link, for people.
    #[must_use]
    pub fn place(&self) -> String {
        match self {
            LinkKind::ModbusTcp { address } | LinkKind::ModbusRtuOverTcp { address } => address.clone(),
            LinkKind::ModbusRtu(line) | LinkKind::ModbusAscii(line) => line.port.clone(),
            LinkKind::Serial(device) => match &device.place {
                SerialPlace::Port(text) | SerialPlace::Tcp(text) => text.clone(),
            },
            LinkKind::Mqtt(broker) => format!("{}:{}", broker.host, broker.port),
        }
    }

    /// The kind of its frames in a capture: a network protocol on its standard port, or a serial line.
    #[must_use]
    pub fn wire(&self) -> WireKind {
        match self {
            LinkKind::ModbusTcp { .. } => WireKind::Tcp(502),
            LinkKind::Mqtt(_) => WireKind::Tcp(1883),
            LinkKind::ModbusRtuOverTcp { .. }
            | LinkKind::ModbusRtu(_)
            | LinkKind::ModbusAscii(_)
            | LinkKind::Serial(_) => WireKind::Serial,
        }
    }

    /// True for Modbus over a network connection.
    #[must_use]
    pub fn is_network(&self) -> bool {
        matches!(self, LinkKind::ModbusTcp { .. } | LinkKind::ModbusRtuOverTcp { .. })
    }

    /// True if the link can carry this protocol.
    #[must_use]
    pub fn carries(&self, protocol: Protocol) -> bool {
        match self {
            LinkKind::ModbusTcp { .. }
            | LinkKind::ModbusRtuOverTcp { .. }
            | LinkKind::ModbusRtu(_)
            | LinkKind::ModbusAscii(_) => protocol == Protocol::Modbus,
            LinkKind::Serial(_) => protocol == Protocol::Serial,
            LinkKind::Mqtt(_) => matches!(protocol, Protocol::Mqtt | Protocol::Sparkplug),
        }
    }
}

/// The settings of a serial line.
#[derive(Debug, Clone, PartialEq)]
pub struct SerialLine {
    /// The path of the serial port, or a glob that matches exactly one path.
    pub port: String,
    /// The baud rate in bits per second.
    pub baud: u32,
    /// The format of a character.
    pub character: Character,
}

/// The format of a character on a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Character {
    /// The number of data bits: 7 or 8.
    pub data_bits: u8,
    /// The parity.
    pub parity: Parity,
    /// The number of stop bits: 1 or 2.
    pub stop_bits: u8,
}

impl Character {
    /// The number of bits of a character on the line, with the start bit.
    #[must_use]
    pub fn bits(self) -> u32 {
        1 + u32::from(self.data_bits) + u32::from(self.parity != Parity::None) + u32::from(self.stop_bits)
    }
}

worded! {
    /// The effect on production when a machine stops.
    #[derive(PartialOrd, Ord)]
    pub enum Criticality {
        /// The machine stops the production line.
        A = "A",
        /// The machine slows the production line.
        B = "B",
        /// The machine can wait.
        C = "C",
    }
}

/// One machine or instrument.
#[derive(Debug, Clone)]
pub struct Equipment {
    /// The id, unique at the site.
    pub id: EquipmentId,
    /// The name for people.
    pub name: String,
    /// The profile of its device model.
    pub profile: Arc<Profile>,
    /// The position of its link in the list of the site, from 0.
    pub link: usize,
    /// The Modbus unit id.
    pub unit: u8,
    /// The number that is added to each register of the profile. `profile` already contains the result.
    pub base: u16,
    /// The text that replaces `{topic}` in the profile; `None` if the profile does not use it.
    pub topic: Option<String>,
    /// The Sparkplug node, or the device below a node; `None` for other equipment.
    pub sparkplug: Option<SparkplugId>,
    /// The location, for people; can be empty.
    pub location: String,
    /// The effect on production when the equipment stops.
    pub criticality: Criticality,
    /// The ids of equipment and the names of links without which this equipment cannot work.
    pub depends_on: Vec<String>,
    /// The firmware version that a person wrote into `andon.toml`, for a device that does not report it; else `None`.
    pub firmware: Option<String>,
}

/// The id of a Sparkplug edge node, or of a device below a node.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SparkplugId {
    /// The group of the node.
    pub group: String,
    /// The name of the edge node.
    pub node: String,
    /// The name of the device; `None` for the node itself.
    pub device: Option<String>,
}

impl Equipment {
    /// Finds a fault by the name that a person typed.
    ///
    /// # Errors
    /// `site/no-such-point-or-fault` if the profile has no such fault.
    pub fn fault(&self, name: &str) -> Result<&Fault, Refusal> {
        self.profile.fault(name).ok_or_else(|| {
            Refusal::new(Rule::NoSuchPointOrFault, format!("{} has no fault {name}", self.id))
                .command("list its faults", format!("andon profile show {}", self.profile.name))
        })
    }

    /// Replaces `{topic}` and `{id}` in a topic or filter of the profile.
    #[must_use]
    pub fn topic_of(&self, filter: &str) -> String {
        filter.replace("{topic}", self.topic.as_deref().unwrap_or("")).replace("{id}", self.id.as_str())
    }
}

/// The source of profiles: files beside `andon.toml`, then built-in ones.
pub trait ProfileFiles {
    /// Returns the text of a profile; `None` if no profile has this name.
    fn text(&self, name: &ProfileName) -> Option<SourceText>;
    /// Returns the names of all profiles.
    fn names(&self) -> Vec<String>;
    /// Returns all firmware notes with their names. A note beside `andon.toml` replaces a built-in note with the same
    /// name.
    fn notes(&self) -> Vec<(String, SourceText)> {
        Vec::new()
    }
}

impl Site {
    /// Sets the time zone of the system, if `andon.toml` does not set a zone.
    #[must_use]
    pub fn or_zone(self, system: impl FnOnce() -> TimeZone) -> Self {
        let zone = if self.timezone.is_none() { system() } else { self.zone };
        Self { zone, ..self }
    }

    /// The firmware notes about a piece of equipment with this version.
    pub fn notes_for<'a>(
        &'a self,
        equipment: &'a Equipment,
        version: &'a str,
    ) -> impl Iterator<Item = &'a FirmwareNote> {
        self.notes.iter().filter(move |n| n.concerns(equipment.profile.name.as_str(), version))
    }

    /// Finds a piece of equipment by its id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<(EquipmentIndex, &Equipment)> {
        let at = self.equipment.iter().position(|e| e.id.as_str() == id)?;
        self.equipment.get(at).map(|e| (EquipmentIndex(at), e))
    }

    /// Finds a piece of equipment by the id that a person typed.
    ///
    /// # Errors
    /// `site/no-such-equipment` if `andon.toml` does not have it.
    pub fn known(&self, id: &str) -> Result<(EquipmentIndex, &Equipment), Refusal> {
        self.find(id).ok_or_else(|| {
            Refusal::new(Rule::NoSuchEquipment, format!("equipment {id} is not in andon.toml"))
                .command("list the equipment", "andon equipment list")
        })
    }

    /// Returns the id of the alarms and tickets of a link: the name of the link, or `link-NAME` if a piece of
    /// equipment has that name.
    #[must_use]
    pub fn id_of_link(&self, link: &LinkName) -> EquipmentId {
        let name = link.as_str();
        let taken = self.find(name).is_some();
        let prefixed = || {
            EquipmentId::parse(&format!("link-{name}").chars().take(limits::ID_BYTES_MAX).collect::<String>())
        };
        let id = if taken { prefixed() } else { EquipmentId::parse(name) };
        // Link names and equipment ids have the same rules, so the fallback is never used.
        id.unwrap_or_else(|_| EquipmentId::any_link())
    }

    /// Finds the link whose alarms and tickets have this id.
    #[must_use]
    pub fn link_of_id(&self, id: &EquipmentId) -> Option<&Link> {
        self.links.iter().find(|l| self.id_of_link(&l.name) == *id)
    }

    /// Resolves a name in `depends_on`: the id of a piece of equipment, or of a link.
    #[must_use]
    pub fn id_upstream(&self, name: &str) -> Option<EquipmentId> {
        match self.find(name) {
            Some((_, e)) => Some(e.id.clone()),
            None => self.links.iter().find(|l| l.name.as_str() == name).map(|l| self.id_of_link(&l.name)),
        }
    }

    /// The equipment on a link.
    pub fn behind(&self, link: &LinkName) -> impl Iterator<Item = &Equipment> {
        let at = self.links.iter().position(|l| l.name == *link);
        self.equipment.iter().filter(move |e| Some(e.link) == at)
    }

    /// True if equipment is on this link or depends on it.
    #[must_use]
    pub fn concerns(&self, link: &LinkName) -> bool {
        let depends = |e: &Equipment| e.depends_on.iter().any(|d| d == link.as_str());
        self.behind(link).next().is_some() || self.equipment.iter().any(depends)
    }

    /// Lists the equipment on a link, as a sentence.
    #[must_use]
    pub fn behind_text(&self, link: &LinkName) -> String {
        const LISTED: usize = 30;
        let all: Vec<&str> = self.behind(link).map(|e| e.id.as_str()).collect();
        let listed = all.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
        match all.len() {
            0 => "No equipment is on this link.".to_owned(),
            count if count > LISTED => {
                format!("Equipment on this link: {listed} and {} more.", count - LISTED)
            }
            _ => format!("Equipment on this link: {listed}."),
        }
    }

    /// The deviations from the standard that the profile of the only device on a link accepts. On a link with several
    /// devices none is accepted.
    #[must_use]
    pub fn accepted(&self, link: usize) -> Accept {
        let mut on = self.equipment.iter().filter(|e| e.link == link);
        match (on.next(), on.next()) {
            (Some(only), None) => only.profile.modbus.accept,
            _ => Accept::default(),
        }
    }

    /// Returns every point that a condition or a baseline of any equipment uses.
    #[must_use]
    pub fn judged(&self) -> BTreeSet<(EquipmentIndex, PointIndex)> {
        let mut all = BTreeSet::new();
        for (at, e) in self.equipment.iter().enumerate() {
            let own = EquipmentIndex(at);
            for fault in &e.profile.faults {
                let operands = fault.conditions().into_iter().flat_map(|p| &p.operands);
                all.extend(operands.filter_map(|o| self.resolve(own, o.equipment.as_deref(), &o.point)));
                all.extend(fault.watched().iter().map(|p| (own, *p)));
            }
        }
        all
    }

    /// Finds the equipment that is unchanged in comparison with another site: the same profile and the same link.
    /// Each pair is its position in the other site and its position here.
    #[must_use]
    pub fn same_as(&self, before: &Site) -> Vec<(EquipmentIndex, EquipmentIndex)> {
        let here = self.equipment.iter().enumerate();
        here.filter_map(|(to, e)| {
            let (from, old) = before.find(e.id.as_str())?;
            let is_same = e.profile.name == old.profile.name
                && e.profile.sha256 == old.profile.sha256
                && (e.unit, e.base, &e.topic, &e.sparkplug)
                    == (old.unit, old.base, &old.topic, &old.sparkplug)
                && self.links.get(e.link) == before.links.get(old.link);
            is_same.then_some((from, EquipmentIndex(to)))
        })
        .collect()
    }

    /// Finds a point of any equipment. `equipment` is `None` for the equipment `own`.
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
