//! A gateway's configuration, as loaded and checked.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use crate::limits;
pub use crate::profile::LineParity as Parity;
use crate::profile::{Accept, Fault, FirmwareNote, Profile, Protocol, WireKind};
use crate::source::SourceText;
use crate::words::{EquipmentId, EquipmentIndex, LinkName, PointIndex, ProfileName, Refusal, Rule, worded};

/// Everything a gateway is told to do.
#[derive(Debug, Clone)]
pub struct Site {
    /// The gateway's name.
    pub name: String,
    /// The data directory, as written.
    pub data: Option<String>,
    /// The IANA time zone of screens and calendars.
    pub timezone: Option<String>,
    /// Disk that recorded readings may take, in MiB; 0 records none.
    pub recorder_mib: u64,
    /// The lines to equipment.
    pub links: Vec<Link>,
    /// The machines and instruments.
    pub equipment: Vec<Equipment>,
    /// What is in force: each file and its SHA-256.
    pub files: Vec<FileHash>,
    /// Known issues of the firmware of its device models.
    pub notes: Vec<FirmwareNote>,
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
    /// Modbus ASCII on a serial line.
    ModbusAscii(SerialLine),
    /// One device with a line protocol of its own.
    Serial(SerialDevice),
    /// A broker's topics.
    Mqtt(Box<MqttBroker>),
}

/// Where a device with a line protocol is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SerialPlace {
    /// On a port: its path, or a glob that names exactly one.
    Port(String),
    /// Behind a device server: `host:port`.
    Tcp(String),
}

/// A line to one device with a line protocol.
#[derive(Debug, Clone, PartialEq)]
pub struct SerialDevice {
    /// Where it is.
    pub place: SerialPlace,
    /// Bits a second, where the link says; else the profile's.
    pub baud: Option<u32>,
    /// What a character looks like.
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
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Certificates, where the connection is encrypted.
    pub tls: Option<TlsFiles>,
    /// Who we are.
    pub username: Option<String>,
    /// The file that holds the password.
    pub password_file: Option<String>,
    /// 4 for MQTT 3.1.1, 5 for MQTT 5.
    pub version: u8,
    /// Under which the broker keeps our session.
    pub client_id: String,
    /// Bytes of a packet at most.
    pub max_packet: usize,
    /// How often an idle connection shows that it lives.
    pub keep_alive: Duration,
    /// The id under which we are a Sparkplug primary host.
    pub sparkplug_host: Option<String>,
}

/// The certificates of an encrypted connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// Whose signature the broker's certificate carries; without it, anybody whom the system trusts.
    pub ca_file: Option<String>,
    /// Our own certificate and key.
    pub client: Option<(String, String)>,
}

impl LinkKind {
    /// The word in `andon.toml`.
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

    /// Where it leads, for people.
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

    /// What its frames are, for a capture: a network protocol on its well-known port, or a serial line.
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

    /// Whether it is Modbus over a network connection.
    #[must_use]
    pub fn is_network(&self) -> bool {
        matches!(self, LinkKind::ModbusTcp { .. } | LinkKind::ModbusRtuOverTcp { .. })
    }

    /// Whether equipment that speaks this is reached over it.
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

/// A serial line's settings.
#[derive(Debug, Clone, PartialEq)]
pub struct SerialLine {
    /// The device, or a glob that names exactly one.
    pub port: String,
    /// Bits a second.
    pub baud: u32,
    /// What a character looks like.
    pub character: Character,
}

/// A character on a serial line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Character {
    /// 7 or 8.
    pub data_bits: u8,
    /// Parity.
    pub parity: Parity,
    /// 1 or 2.
    pub stop_bits: u8,
}

impl Character {
    /// Bits of it on the wire, the start bit included.
    #[must_use]
    pub fn bits(self) -> u32 {
        1 + u32::from(self.data_bits) + u32::from(self.parity != Parity::None) + u32::from(self.stop_bits)
    }
}

worded! {
    /// How much it matters when a machine stands.
    #[derive(PartialOrd, Ord)]
    pub enum Criticality {
        /// It stops the line.
        A = "A",
        /// It slows the line.
        B = "B",
        /// It can wait.
        C = "C",
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
    /// What is added to each register of its profile, which is applied in `profile` already.
    pub base: u16,
    /// What `{topic}` stands for.
    pub topic: Option<String>,
    /// Its Sparkplug node, and device below it.
    pub sparkplug: Option<SparkplugId>,
    /// Where it stands.
    pub location: String,
    /// How much it matters.
    pub criticality: Criticality,
    /// What it cannot work without.
    pub depends_on: Vec<String>,
    /// Its firmware's version as somebody wrote it down, for devices that do not tell.
    pub firmware: Option<String>,
}

/// A Sparkplug edge node, or a device below one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SparkplugId {
    /// The group.
    pub group: String,
    /// The edge node.
    pub node: String,
    /// The device below it.
    pub device: Option<String>,
}

impl Equipment {
    /// A fault that somebody names.
    ///
    /// # Errors
    /// When the profile has no such fault.
    pub fn fault(&self, name: &str) -> Result<&Fault, Refusal> {
        self.profile.fault(name).ok_or_else(|| {
            Refusal::new(Rule::NoSuchPointOrFault, format!("{} has no fault {name}", self.id))
                .command("see which it has", format!("andon profile show {}", self.profile.name))
        })
    }

    /// A topic or filter of the profile with the equipment's fields filled in.
    #[must_use]
    pub fn topic_of(&self, filter: &str) -> String {
        filter.replace("{topic}", self.topic.as_deref().unwrap_or("")).replace("{id}", self.id.as_str())
    }
}

/// Where profiles come from: beside `andon.toml`, then built in.
pub trait ProfileFiles {
    /// A profile's text.
    fn text(&self, name: &ProfileName) -> Option<SourceText>;
    /// Every name there is.
    fn names(&self) -> Vec<String>;
    /// Every firmware note, under its own name; one beside `andon.toml` wins over a built-in one.
    fn notes(&self) -> Vec<(String, SourceText)> {
        Vec::new()
    }
}

impl Site {
    /// The known issues of a piece of equipment with this version.
    pub fn notes_for<'a>(
        &'a self,
        equipment: &'a Equipment,
        version: &'a str,
    ) -> impl Iterator<Item = &'a FirmwareNote> {
        self.notes.iter().filter(move |n| n.concerns(equipment.profile.name.as_str(), version))
    }

    /// A piece of equipment by id.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<(EquipmentIndex, &Equipment)> {
        let at = self.equipment.iter().position(|e| e.id.as_str() == id)?;
        self.equipment.get(at).map(|e| (EquipmentIndex(at), e))
    }

    /// A piece of equipment that somebody names.
    ///
    /// # Errors
    /// When there is no such equipment.
    pub fn known(&self, id: &str) -> Result<(EquipmentIndex, &Equipment), Refusal> {
        self.find(id).ok_or_else(|| {
            Refusal::new(Rule::NoSuchEquipment, format!("equipment {id} is not in andon.toml"))
                .command("list the equipment", "andon equipment list")
        })
    }

    /// The id under which a link has alarms and tickets: its name, unless a piece of equipment has that.
    #[must_use]
    pub fn id_of_link(&self, link: &LinkName) -> EquipmentId {
        let name = link.as_str();
        let taken = self.find(name).is_some();
        let prefixed = || {
            EquipmentId::parse(&format!("link-{name}").chars().take(limits::ID_BYTES_MAX).collect::<String>())
        };
        let id = if taken { prefixed() } else { EquipmentId::parse(name) };
        // Both kinds of names are of the same characters.
        id.unwrap_or_else(|_| EquipmentId::any_link())
    }

    /// The link that has alarms and tickets under this id.
    #[must_use]
    pub fn link_of_id(&self, id: &EquipmentId) -> Option<&Link> {
        self.links.iter().find(|l| self.id_of_link(&l.name) == *id)
    }

    /// What a name in `depends_on` means: a piece of equipment, or a link.
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

    /// Whether anybody misses this link.
    #[must_use]
    pub fn concerns(&self, link: &LinkName) -> bool {
        let depends = |e: &Equipment| e.depends_on.iter().any(|d| d == link.as_str());
        self.behind(link).next().is_some() || self.equipment.iter().any(depends)
    }

    /// The equipment on a link, as a sentence.
    #[must_use]
    pub fn behind_text(&self, link: &LinkName) -> String {
        const LISTED: usize = 30;
        let all: Vec<&str> = self.behind(link).map(|e| e.id.as_str()).collect();
        let listed = all.iter().take(LISTED).copied().collect::<Vec<_>>().join(", ");
        match all.len() {
            0 => "No equipment is on this link.".to_owned(),
            count if count > LISTED => format!("Behind it: {listed} and {} more.", count - LISTED),
            _ => format!("Behind it: {listed}."),
        }
    }

    /// What the only device on a link may do against the standard.
    #[must_use]
    pub fn accepted(&self, link: usize) -> Accept {
        let mut on = self.equipment.iter().filter(|e| e.link == link);
        match (on.next(), on.next()) {
            (Some(only), None) => only.profile.modbus.accept,
            _ => Accept::default(),
        }
    }

    /// Every point by which a fault of any equipment is judged.
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

    /// Equipment that is the same here as in another site: asked the same over the same link. Pairs of its place there
    /// and its place here.
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
