//! Types of a loaded and checked profile.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::absent::{Absent, Valid};
use super::address::RegisterAddress;
use super::data_type::DataType;
use super::decode::Order;
use super::fault::Fault;
use super::firmware::Firmware;
use super::modbus::ModbusSettings;
use super::mqtt::MqttSettings;
use super::place::{Place, Protocol};
use super::select::Selection;
use super::serial::SerialSettings;
use crate::expr::{Kind, Names, PointInfo, Scalar};
use crate::limits;
use crate::words::{PointIndex, PointName, ProfileName, Unit, Value};

/// A profile: the description of one device model.
#[derive(Debug, Clone)]
pub struct Profile {
    /// The name of the file without its extension.
    pub name: ProfileName,
    /// The SHA-256 of the file, in hexadecimal.
    pub sha256: String,
    /// The maker, the model and the source of the facts.
    pub device: Device,
    /// The settings for Modbus requests.
    pub modbus: ModbusSettings,
    /// The values that the device reports.
    pub points: Vec<Point>,
    /// The faults of the device, with its codes, its baselines and `communication-lost`.
    pub faults: Vec<Fault>,
    /// The cases that test the profile.
    pub cases: Vec<Case>,
    /// The serial protocol of the device.
    pub serial: SerialSettings,
    /// The settings for MQTT: availability and age of values.
    pub mqtt: MqttSettings,
    /// The point with the version of the firmware; `None` if the profile does not name it.
    pub firmware: Option<Firmware>,
    /// The time without a good answer after which communication is lost; `None` if silence is not a fault of this
    /// device.
    pub offline_after: Option<Duration>,
    /// The position of each point in `points`, by name.
    names: BTreeMap<String, usize>,
}

/// The device model and its maker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Device {
    /// The name of the maker.
    pub vendor: String,
    /// The model designation of the maker.
    pub model: String,
    /// The kind of device, such as `energy meter`.
    pub kind: String,
    /// The document from which the register table comes.
    pub source: String,
    /// The reason why the facts are not certain; `None` if they are confirmed.
    pub unconfirmed: Option<String>,
}

/// The bounds for writing a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Writable {
    /// The smallest value, in the unit of the point.
    pub min: f64,
    /// The largest value, in the unit of the point.
    pub max: f64,
}

/// A point: one value that a device measures or reports.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The name of the point, unique in its profile.
    pub name: PointName,
    /// The source of the value.
    pub place: Place,
    /// The data type of the raw value.
    pub kind: DataType,
    /// The number of the bit in the register, from 0, for type `bool`; `None` for the whole register.
    pub bit: Option<u8>,
    /// The order of the registers of a value with several registers.
    pub word_order: Order,
    /// The order of the two bytes in a register.
    pub byte_order: Order,
    /// The bits of the raw value that count; `None` means all.
    pub mask: Option<u64>,
    /// The number of bits by which the masked value is shifted to the right.
    pub shift: u8,
    /// The factor by which the raw value is multiplied.
    pub scale: f64,
    /// The number that is added after scaling, in the unit of the point.
    pub offset: f64,
    /// The position of the point whose value is the exponent of ten for scaling; `None` if the scale is fixed.
    pub scale_from: Option<usize>,
    /// The raw values that mean "no value".
    pub absent: Absent,
    /// The bounds of valid values; a reading outside is bad. `None` means no bounds.
    pub valid: Option<Valid>,
    /// True if each register holds one character of a text, in its low byte; false for two characters per register.
    pub one_character: bool,
    /// Texts that mean true, in addition to `1`, `true`, `on` and `yes`.
    pub true_words: Vec<String>,
    /// Texts that mean false, in addition to `0`, `false`, `off` and `no`.
    pub false_words: Vec<String>,
    /// The place in a JSON payload, if a plain JSON pointer cannot describe it; else `None`.
    pub selection: Option<Arc<Selection>>,
    /// The unit of measure; empty for a number without a unit.
    pub unit: Arc<str>,
    /// The period of reading; `None` for a point that reports by itself.
    pub every: Option<Duration>,
    /// The age at which the last good reading becomes stale; `None` means never.
    pub stale_after: Option<Duration>,
    /// The names of single bits, with their numbers.
    pub bits: BTreeMap<String, u8>,
    /// The names of values of an enum, with their codes.
    pub values: BTreeMap<String, i128>,
    /// The smallest change that is recorded, in the unit of the point.
    pub deadband: f64,
    /// The bounds for writing; `None` if andon must not write the point.
    pub writable: Option<Writable>,
    /// A description for people; can be empty.
    pub description: String,
    /// The reason why the facts of this point are not certain; `None` if they are confirmed.
    pub unconfirmed: Option<String>,
}

impl Point {
    /// The register address of a Modbus point; `None` for other points.
    #[must_use]
    pub fn register(&self) -> Option<RegisterAddress> {
        match self.place {
            Place::Register(address) => Some(address),
            Place::Capture { .. } | Place::Bytes { .. } | Place::Topic { .. } | Place::Metric(_) => None,
        }
    }

    /// The number of registers or bits of the value in a request; 0 for a point that is not a Modbus point.
    #[must_use]
    pub fn width(&self) -> u16 {
        match self.register() {
            Some(address) if address.area.is_bits() => 1,
            Some(_) => self.kind.registers(),
            None => 0,
        }
    }

    /// The name of a value of an enum; `None` if the code has no name.
    #[must_use]
    pub fn value_name(&self, code: i128) -> Option<&str> {
        self.values.iter().find(|(_, v)| **v == code).map(|(name, _)| name.as_str())
    }

    /// Returns a value of this point for people: the name of an enum value, or the number with its unit.
    #[must_use]
    pub fn text_of(&self, value: &Value) -> String {
        match value {
            Value::Integer(code) if self.value_name(*code).is_some() => {
                self.value_name(*code).unwrap_or("").to_owned()
            }
            other if self.unit.is_empty() => other.to_string(),
            other => format!("{other} {}", self.unit),
        }
    }

    /// True if the values are numbers without names of bits or values.
    #[must_use]
    pub fn is_number(&self) -> bool {
        matches!(self.expr_kind(), Kind::Number(_))
    }

    fn expr_kind(&self) -> Kind {
        match self.kind {
            DataType::Bool => Kind::Flag,
            DataType::Text { .. } => Kind::Text,
            DataType::Bits16 | DataType::Bits32 => Kind::Bits(self.bits.clone()),
            DataType::Enum16 | DataType::Enum32 => Kind::Enum(self.values.clone()),
            _ if !self.bits.is_empty() => Kind::Bits(self.bits.clone()),
            _ => Kind::Number(Unit::parse(&self.unit)),
        }
    }

    /// A plain holding register, for the tests of this crate.
    #[cfg(test)]
    pub fn test(name: &str) -> Self {
        let place = RegisterAddress { area: super::address::Area::Holding, number: 0 };
        Self::new(PointName::parse(name).unwrap(), Place::Register(place), DataType::U16)
    }

    /// A point of which a profile says no more than this.
    #[must_use]
    pub fn new(name: PointName, place: Place, kind: DataType) -> Self {
        Self {
            name,
            place,
            kind,
            bit: None,
            word_order: Order::Big,
            byte_order: Order::Big,
            mask: None,
            shift: 0,
            scale: 1.0,
            offset: 0.0,
            scale_from: None,
            absent: Absent::default(),
            valid: None,
            one_character: false,
            true_words: Vec::new(),
            false_words: Vec::new(),
            selection: None,
            unit: "".into(),
            every: Some(limits::EVERY_DEFAULT),
            stale_after: Some(limits::EVERY_DEFAULT * limits::STALE_PERIODS),
            bits: BTreeMap::new(),
            values: BTreeMap::new(),
            deadband: 0.0,
            writable: None,
            description: String::new(),
            unconfirmed: None,
        }
    }
}

/// A case of a profile: raw data of a device, with the expected values and faults.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The name of the case: the situation that it shows.
    pub name: String,
    /// Contents of registers, from their first address.
    pub registers: Vec<(RegisterAddress, Vec<u16>)>,
    /// Lines or frames, as the device sends them.
    pub lines: Vec<String>,
    /// MQTT payloads, with their topics.
    pub messages: Vec<(String, String)>,
    /// Values of Sparkplug metrics, with their names.
    pub metrics: Vec<(String, Value)>,
    /// Expected values, by `point` or `point.bit`.
    pub expect: Vec<(String, Value)>,
    /// Names of the faults whose conditions must be true; `None` if the case does not check faults.
    pub faults: Option<Vec<String>>,
}

impl Profile {
    /// True if andon reads the point with requests. Other points report by themselves.
    #[must_use]
    pub fn is_asked_for(&self, point: &Point) -> bool {
        match &point.place {
            Place::Register(_) => point.every.is_some(),
            Place::Capture { source, .. } | Place::Bytes { source, .. } => {
                self.serial.requests.iter().any(|r| r.name == *source)
            }
            Place::Topic { .. } | Place::Metric(_) => false,
        }
    }

    /// Makes a profile without faults and cases. The names of `points` must be unique.
    pub(super) fn new(
        name: ProfileName,
        sha256: String,
        device: Device,
        modbus: ModbusSettings,
        points: Vec<Point>,
    ) -> Self {
        let names = points.iter().enumerate().map(|(i, p)| (p.name.as_str().to_owned(), i)).collect();
        Self {
            name,
            sha256,
            device,
            modbus,
            points,
            faults: Vec::new(),
            cases: Vec::new(),
            serial: SerialSettings::default(),
            mqtt: MqttSettings::default(),
            firmware: None,
            offline_after: Some(limits::OFFLINE_AFTER_DEFAULT),
            names,
        }
    }

    /// The protocol of the device: the protocol of its points, or Modbus if it has no points.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.points.first().map_or(Protocol::Modbus, |p| p.place.protocol())
    }

    /// Finds a point by name.
    #[must_use]
    pub fn point(&self, name: &str) -> Option<(PointIndex, &Point)> {
        let at = *self.names.get(name)?;
        self.points.get(at).map(|p| (PointIndex(at), p))
    }

    /// The points of this profile that the conditions and baselines of the faults use.
    #[must_use]
    pub fn judged_points(&self) -> BTreeSet<PointIndex> {
        let own = |f: &Fault| {
            let operands =
                f.conditions().into_iter().flat_map(|p| &p.operands).filter(|o| o.equipment.is_none());
            operands.filter_map(|o| self.point(&o.point).map(|(at, _)| at)).collect::<Vec<_>>()
        };
        self.faults.iter().flat_map(|f| own(f).into_iter().chain(f.watched().iter().copied())).collect()
    }

    /// Finds a fault by name.
    #[must_use]
    pub fn fault(&self, name: &str) -> Option<&Fault> {
        self.faults.iter().find(|f| f.name.as_str() == name)
    }
}

impl Names for Profile {
    fn point(&self, equipment: Option<&str>, name: &str) -> Option<PointInfo> {
        if equipment.is_some() {
            return Some(PointInfo { kind: Kind::Foreign });
        }
        let at = *self.names.get(name)?;
        self.points.get(at).map(|p| PointInfo { kind: p.expr_kind() })
    }

    fn known(&self, equipment: Option<&str>) -> Vec<String> {
        match equipment {
            Some(_) => Vec::new(),
            None => self.names.keys().cloned().collect(),
        }
    }
}

/// Converts a value for an expression: all numbers become `f64`.
#[must_use]
pub fn scalar(value: &Value) -> Scalar {
    match value {
        Value::Bool(b) => Scalar::Flag(*b),
        Value::Text(t) => Scalar::Text(t.clone()),
        #[expect(clippy::cast_precision_loss, reason = "all arithmetic is f64, as documented")]
        Value::Integer(i) => Scalar::Number(*i as f64),
        Value::Real(r) => Scalar::Number(*r),
    }
}
